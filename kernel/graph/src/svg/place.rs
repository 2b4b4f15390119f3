//! Where boxes stand: a column a lane, a row a node, as much room between rows as the lines there need. Lengths are pixels.

use super::route::{self, Route};
use crate::model::{Graph, Node, NodeId, Shape};

/// Width of a box.
pub(super) const BOX: f64 = 196.0;
/// Height of a line of text in a box.
pub(super) const LINE: f64 = 14.0;
/// Above everything: title, summary, names of lanes.
pub(super) const HEAD: f64 = 92.0;
/// Width of a character, as far as that can be said without the font.
const CHARACTER: f64 = 6.7;
const PADDING: f64 = 8.0;
const MARGIN: f64 = 16.0;
/// From a box to what takes it back.
pub(super) const BESIDE: f64 = 22.0;
/// Between two rows, without lines that run across.
const GAP: f64 = 18.0;
/// What a line that runs across adds to it.
const ACROSS: f64 = 8.0;
/// The same for one with a label.
const LABELLED: f64 = 14.0;
/// Between two lines that run down beside each other.
const TRACK: f64 = 9.0;

/// A box with its text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    /// Broken where a line is full; how many of the first ones are the condition.
    pub(super) text: Vec<String>,
    pub(super) conditions: usize,
    pub(super) undo: Option<Pill>,
}

/// What takes a call back, beside it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pill {
    pub(super) x: f64,
    pub(super) width: f64,
    pub(super) text: String,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Lane {
    pub(super) x: f64,
    pub(super) width: f64,
    /// Where its boxes begin; lines that run down are left of it.
    pub(super) boxes: f64,
}

/// Everything in its place.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) lanes: Vec<Lane>,
    pub(super) nodes: Vec<Placed>,
    pub(super) lines: Vec<Line>,
}

/// An edge's corners.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) corners: Vec<(f64, f64)>,
    /// Where its label begins.
    pub(super) label_at: (f64, f64),
}

impl Plan {
    pub(super) fn of(graph: &Graph) -> Self {
        let routes = route::routes(graph);
        let lanes = lanes(graph, &routes);
        let width = lanes.last().map_or(MARGIN, |lane| lane.x + lane.width) + MARGIN;
        let gaps = route::gaps(graph, &routes);
        let mut nodes = Vec::with_capacity(graph.nodes.len());
        let mut tops = Vec::with_capacity(graph.nodes.len() + 1);
        let mut y = HEAD;
        for (row, node) in graph.nodes.iter().enumerate() {
            tops.push(y);
            y += gaps[row].iter().map(|labelled| across(*labelled)).sum::<f64>() + GAP;
            let placed = placed(node, &lanes, y, width);
            y += placed.height;
            nodes.push(placed);
        }
        tops.push(y);
        let height = y + gaps[graph.nodes.len()].iter().map(|l| across(*l)).sum::<f64>() + 2.0 * MARGIN;
        let lines = lines(graph, &routes, &gaps, &Grid { lanes: &lanes, nodes: &nodes, tops: &tops });
        Self { width, height, lanes, nodes, lines }
    }
}

fn across(labelled: bool) -> f64 {
    if labelled { LABELLED } else { ACROSS }
}

fn lanes(graph: &Graph, routes: &[Route]) -> Vec<Lane> {
    let mut x = MARGIN;
    let mut lanes = Vec::with_capacity(graph.lanes.len());
    for (number, name) in graph.lanes.iter().enumerate() {
        let tracks = route::tracks(routes, number);
        let gutter = PADDING + TRACK * tracks as f64 + PADDING;
        let undo =
            graph.nodes.iter().filter(|node| node.lane == number).filter_map(|node| node.undo.as_ref());
        let widest = undo.map(|undo| pill_width(undo) + BESIDE).fold(0.0, f64::max);
        let width = (gutter + BOX + widest + PADDING).max(text_width(name) * 1.3 + 2.0 * PADDING);
        lanes.push(Lane { x, width, boxes: x + gutter });
        x += width;
    }
    lanes
}

fn placed(node: &Node, lanes: &[Lane], y: f64, width: f64) -> Placed {
    let full = node.shape == Shape::Pivot;
    let lane = lanes.get(node.lane).copied().unwrap_or(Lane { x: MARGIN, width: BOX, boxes: MARGIN });
    let (x, wide) = if full { (lane.boxes, width - MARGIN - lane.boxes) } else { (lane.boxes, BOX) };
    let most = ((wide - 2.0 * PADDING) / CHARACTER) as usize;
    let condition = node.condition.as_ref().map(|condition| format!("if {condition}"));
    let mut text: Vec<String> = condition.iter().flat_map(|condition| broken(condition, most)).collect();
    let conditions = text.len();
    text.extend(node.lines.iter().flat_map(|line| broken(line, most)));
    let undo = node.undo.as_ref().map(|undo| Pill {
        x: x + wide + BESIDE,
        width: pill_width(undo),
        text: undo.clone(),
    });
    let height = LINE * text.len() as f64 + 2.0 * PADDING;
    Placed { x, y, width: wide, height, text, conditions, undo }
}

fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * CHARACTER
}

fn pill_width(text: &str) -> f64 {
    text_width(text) + 2.0 * PADDING
}

/// Text broken into lines of at most `most` characters, at spaces and behind dots where there are any.
fn broken(text: &str, most: usize) -> Vec<String> {
    let most = most.max(8);
    let mut lines = vec![String::new()];
    for word in text.split_inclusive([' ', '.', ',', '/']) {
        let length = |line: &String| line.chars().count();
        let word_length = word.trim_end().chars().count();
        if let Some(last) = lines.last()
            && !last.is_empty()
            && length(last) + word_length > most
        {
            lines.push(String::new());
        }
        for character in word.chars() {
            if lines.last().is_some_and(|last| length(last) >= most) {
                lines.push(String::new());
            }
            if let Some(last) = lines.last_mut()
                && !(last.is_empty() && character == ' ')
            {
                last.push(character);
            }
        }
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
}

struct Grid<'a> {
    lanes: &'a [Lane],
    nodes: &'a [Placed],
    /// Where the gap above each row begins, and the one below the last.
    tops: &'a [f64],
}

impl Grid<'_> {
    /// The height at which the `slot`th line of a gap runs.
    fn slot(&self, gap: &[bool], row: usize, slot: usize) -> f64 {
        let top = self.tops.get(row).copied().unwrap_or_default();
        top + GAP / 2.0 + gap.iter().take(slot + 1).map(|labelled| across(*labelled)).sum::<f64>() - 3.0
    }

    fn middle(&self, node: NodeId, shift: f64) -> f64 {
        let at = &self.nodes[node.0];
        at.x + BOX / 2.0 + shift
    }
}

fn lines(graph: &Graph, routes: &[Route], gaps: &[Vec<bool>], grid: &Grid<'_>) -> Vec<Line> {
    let mut lines = Vec::with_capacity(routes.len());
    for (edge, route) in graph.edges.iter().zip(routes) {
        let from = grid.middle(edge.from, route.leaves);
        let to = grid.middle(edge.to, route.arrives);
        let (below, above) = (edge.from.0 + 1, edge.to.0);
        let bottom = grid.nodes[edge.from.0].y + grid.nodes[edge.from.0].height;
        let top = grid.nodes[edge.to.0].y;
        let out = grid.slot(&gaps[below], below, route.out_slot);
        let mut corners = vec![(from, bottom), (from, out)];
        if let Some(down) = route.down {
            let lane = grid.lanes[graph.nodes[edge.to.0].lane];
            let x = lane.x + PADDING + TRACK * (down.track as f64 + 0.5);
            let last = grid.slot(&gaps[above], above, down.in_slot);
            corners.extend([(x, out), (x, last), (to, last)]);
        } else {
            corners.push((to, out));
        }
        corners.push((to, top));
        corners.dedup();
        lines.push(Line { corners, label_at: (from + 4.0, out - 3.0) });
    }
    lines
}
