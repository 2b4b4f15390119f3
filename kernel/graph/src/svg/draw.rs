//! Places to marks: the text of the SVG document. It decides no place.

use std::fmt::Write;

use super::place::{BESIDE, BOX, HEAD, LINE, Placed, Plan};
use crate::model::{EdgeKind, Graph, Node, Shape};

const STYLE: &str = "\
text{font:11px ui-monospace,Menlo,Consolas,monospace;fill:#222}\
.t{font:600 17px system-ui,sans-serif}.s{font:13px system-ui,sans-serif;fill:#555}\
.n{font:600 13px system-ui,sans-serif;fill:#444}.c{font-style:italic;fill:#666}.h{font-weight:600}\
.l{font-size:10px;fill:#555;paint-order:stroke;stroke:#fff;stroke-width:3px}\
.p text{fill:#fff}.e{fill:none;stroke:#777;stroke-width:1.3}\
.a{stroke:#b94a48;stroke-dasharray:5 3}.g{stroke:#3f6fb5}.u{stroke:#999;stroke-dasharray:2 3}";

pub(super) fn draw(graph: &Graph, plan: &Plan) -> String {
    let mut out = String::new();
    let (width, height) = (plan.width, plan.height);
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{}\">\n<style>{STYLE}</style>\n",
        escaped(&graph.title)
    );
    for (name, colour) in [("on", "#777"), ("aside", "#b94a48"), ("again", "#3f6fb5")] {
        let _ = writeln!(
            out,
            "<marker id=\"{name}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
             orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"{colour}\"/></marker>"
        );
    }
    let _ = writeln!(out, "<rect width=\"{width:.0}\" height=\"{height:.0}\" fill=\"#fff\"/>");
    head(&mut out, graph, plan);
    edges(&mut out, graph, plan);
    for (node, placed) in graph.nodes.iter().zip(&plan.nodes) {
        boxed(&mut out, node, placed);
    }
    out.push_str("</svg>\n");
    out
}

fn head(out: &mut String, graph: &Graph, plan: &Plan) {
    let _ = writeln!(out, "<text class=\"t\" x=\"16\" y=\"28\">{}</text>", escaped(&graph.title));
    let _ = writeln!(out, "<text class=\"s\" x=\"16\" y=\"48\">{}</text>", escaped(&graph.summary));
    for (number, (lane, name)) in plan.lanes.iter().zip(&graph.lanes).enumerate() {
        let fill = if number % 2 == 0 { "#fafafa" } else { "#f1f3f5" };
        let (x, top, height) = (lane.x, HEAD - 30.0, plan.height - HEAD + 14.0);
        let _ = writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"{fill}\"/>\
             <text class=\"n\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            lane.width,
            lane.boxes,
            top + 19.0,
            escaped(name)
        );
    }
}

fn edges(out: &mut String, graph: &Graph, plan: &Plan) {
    for (edge, line) in graph.edges.iter().zip(&plan.lines) {
        let (class, marker) = match edge.kind {
            EdgeKind::On => ("e", "on"),
            EdgeKind::Aside => ("e a", "aside"),
            EdgeKind::Again => ("e g", "again"),
        };
        let corners: Vec<String> = line.corners.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(
            out,
            "<polyline class=\"{class}\" points=\"{}\" marker-end=\"url(#{marker})\"/>",
            corners.join(" ")
        );
    }
    for (edge, line) in graph.edges.iter().zip(&plan.lines) {
        if let Some(label) = &edge.label {
            let (x, y) = line.label_at;
            let _ = writeln!(out, "<text class=\"l\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(label));
        }
    }
}

/// Fill, line, corner.
fn look(shape: Shape) -> (&'static str, &'static str, u8) {
    match shape {
        Shape::Terminal => ("#ffffff", "#444444", 14),
        Shape::Look => ("#eef4fb", "#5b8dbf", 3),
        Shape::Write => ("#e8f5ec", "#3f8f5f", 3),
        Shape::Remote => ("#fdf3e1", "#c08a2d", 3),
        Shape::Event | Shape::Clock => ("#f3ecfa", "#8a5fb5", 10),
        Shape::Choice => ("#fffbe6", "#a89a3c", 10),
        Shape::Block => ("#eeeeee", "#777777", 3),
        Shape::Answer => ("#e4f6f6", "#2f8f8f", 3),
        Shape::Pivot => ("#222222", "#222222", 0),
        Shape::Fail => ("#fbe9e9", "#b94a48", 14),
        Shape::Start => ("#e9ecfb", "#4f5fb5", 3),
        Shape::Note => ("#ffffff", "#bbbbbb", 3),
    }
}

fn boxed(out: &mut String, node: &Node, placed: &Placed) {
    let (fill, stroke, corner) = look(node.shape);
    let Placed { x, y, width, height, .. } = placed;
    let class = if node.shape == Shape::Pivot { " class=\"p\"" } else { "" };
    let _ = write!(
        out,
        "<g{class}><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{corner}\" \
         fill=\"{fill}\" stroke=\"{stroke}\"/>"
    );
    if node.line > 0 {
        let _ = write!(out, "<title>line {}</title>", node.line);
    }
    for (number, line) in placed.text.iter().enumerate() {
        let class = match number {
            number if number < placed.conditions => " class=\"c\"",
            number if number == placed.conditions => " class=\"h\"",
            _ => "",
        };
        let below = y + 8.0 + LINE * (number as f64 + 0.8);
        let _ = write!(out, "<text{class} x=\"{:.1}\" y=\"{below:.1}\">{}</text>", x + 8.0, escaped(line));
    }
    out.push_str("</g>\n");
    if let Some(pill) = &placed.undo {
        let middle = y + height / 2.0;
        let _ = writeln!(
            out,
            "<path class=\"e u\" d=\"M{:.1} {middle:.1}h{BESIDE}\"/><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" \
             height=\"20\" rx=\"10\" fill=\"#fff\" stroke=\"#999\" stroke-dasharray=\"2 3\"/>\
             <text class=\"c\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            x + BOX,
            pill.x,
            middle - 10.0,
            pill.width,
            pill.x + 8.0,
            middle + 4.0,
            escaped(&pill.text)
        );
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
