//! Which way lines take between boxes: across in the gaps between rows, down beside the boxes of the lane where they end.
//! No two lines lie on each other. It knows rows, lanes and slots; lengths are `place`'s.

use crate::model::{Edge, Graph};

/// Between two lines that leave or reach the same box, in pixels.
const SPREAD: f64 = 15.0;

/// The way of an edge.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Route {
    /// Right of the middle of the box that it leaves.
    pub(super) leaves: f64,
    /// Right of the middle of the box that it reaches.
    pub(super) arrives: f64,
    /// Its slot in the gap below the box that it leaves.
    pub(super) out_slot: usize,
    /// What it takes to a box that is not in the next row.
    pub(super) down: Option<Down>,
    lane: usize,
}

/// The way down (or up) past other rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Down {
    pub(super) track: usize,
    /// The slot in the gap above the box that it reaches.
    pub(super) in_slot: usize,
}

fn is_next(edge: &Edge) -> bool {
    edge.to.0 == edge.from.0 + 1
}

/// The gaps that an edge runs past on its way down, the first and the last included.
fn span(edge: &Edge) -> (usize, usize) {
    let (from, to) = (edge.from.0 + 1, edge.to.0);
    (from.min(to), from.max(to))
}

/// A way an edge.
pub(super) fn routes(graph: &Graph) -> Vec<Route> {
    let mut slots = vec![0_usize; graph.nodes.len() + 1];
    let mut taken: Vec<(usize, Vec<(usize, usize)>)> = Vec::new();
    let mut routes = Vec::with_capacity(graph.edges.len());
    for (number, edge) in graph.edges.iter().enumerate() {
        let out_slot = next(&mut slots, edge.from.0 + 1);
        let lane = graph.nodes[edge.to.0].lane;
        let down = (!is_next(edge)).then(|| {
            let track = track(&mut taken, lane, span(edge));
            Down { track, in_slot: next(&mut slots, edge.to.0) }
        });
        let leaves = spread(graph, number, |other| other.from == edge.from);
        let arrives = spread(graph, number, |other| other.to == edge.to);
        routes.push(Route { leaves, arrives, out_slot, down, lane });
    }
    routes
}

fn next(slots: &mut [usize], gap: usize) -> usize {
    let slot = slots[gap];
    slots[gap] += 1;
    slot
}

/// The first track of a lane in which nothing else runs there.
fn track(taken: &mut Vec<(usize, Vec<(usize, usize)>)>, lane: usize, span: (usize, usize)) -> usize {
    let of_lane = taken.iter_mut().filter(|(of, _)| *of == lane);
    for (track, (_, spans)) in of_lane.enumerate() {
        if spans.iter().all(|other| other.1 < span.0 || span.1 < other.0) {
            spans.push(span);
            return track;
        }
    }
    taken.push((lane, vec![span]));
    taken.iter().filter(|(of, _)| *of == lane).count() - 1
}

/// How far from the middle the edge is, among those of the same end.
fn spread(graph: &Graph, number: usize, same: impl Fn(&Edge) -> bool) -> f64 {
    let all: Vec<usize> = (0..graph.edges.len()).filter(|other| same(&graph.edges[*other])).collect();
    let at = all.iter().position(|other| *other == number).unwrap_or(0);
    let most = (all.len().saturating_sub(1)) as f64;
    let pitch = if most * SPREAD > 150.0 { 150.0 / most } else { SPREAD };
    (at as f64 - most / 2.0) * pitch
}

/// For the gap above each row and below the last: a slot a line that runs across there, and whether it has a label.
pub(super) fn gaps(graph: &Graph, routes: &[Route]) -> Vec<Vec<bool>> {
    let mut gaps = vec![Vec::new(); graph.nodes.len() + 1];
    let mut put = |gap: usize, slot: usize, labelled: bool| {
        let gap: &mut Vec<bool> = &mut gaps[gap];
        if gap.len() <= slot {
            gap.resize(slot + 1, false);
        }
        gap[slot] |= labelled;
    };
    for (edge, route) in graph.edges.iter().zip(routes) {
        put(edge.from.0 + 1, route.out_slot, edge.label.is_some());
        if let Some(down) = route.down {
            put(edge.to.0, down.in_slot, false);
        }
    }
    gaps
}

/// How many lines run down beside each other in a lane.
pub(super) fn tracks(routes: &[Route], lane: usize) -> usize {
    let of_lane = routes.iter().filter(|route| route.lane == lane).filter_map(|route| route.down);
    of_lane.map(|down| down.track + 1).max().unwrap_or(0)
}
