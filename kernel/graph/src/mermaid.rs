//! A graph as a Mermaid flowchart: for READMEs, wikis, reviews. Lanes are subgraphs.

use std::fmt::Write;

use crate::model::{EdgeKind, Graph, Node, Shape};

/// Classes and their colours, the same as in the SVG.
const STYLES: &str = "  classDef look fill:#eef4fb,stroke:#5b8dbf
  classDef write fill:#e8f5ec,stroke:#3f8f5f
  classDef remote fill:#fdf3e1,stroke:#c08a2d
  classDef event fill:#f3ecfa,stroke:#8a5fb5
  classDef clock fill:#f3ecfa,stroke:#8a5fb5
  classDef answer fill:#e4f6f6,stroke:#2f8f8f
  classDef pivot fill:#222,stroke:#222,color:#fff
  classDef fail fill:#fbe9e9,stroke:#b94a48
  classDef undo fill:#fff,stroke:#999,stroke-dasharray:3 3
";

/// The text of a Mermaid `flowchart`.
#[must_use]
pub fn mermaid(graph: &Graph) -> String {
    let mut out = String::from("flowchart TB\n");
    for (lane, name) in graph.lanes.iter().enumerate() {
        let inside: Vec<usize> = (0..graph.nodes.len()).filter(|n| graph.nodes[*n].lane == lane).collect();
        if inside.is_empty() {
            continue;
        }
        let _ = writeln!(out, "  subgraph lane{lane}[\"{}\"]", quoted(name));
        for number in inside {
            write_node(&mut out, number, &graph.nodes[number]);
        }
        out.push_str("  end\n");
    }
    for edge in &graph.edges {
        let arrow = match edge.kind {
            EdgeKind::On => "-->",
            EdgeKind::Aside => "-.->",
            EdgeKind::Again => "==>",
        };
        let label = edge.label.as_deref().or((edge.kind == EdgeKind::Again).then_some("next"));
        let label = label.map(|label| format!("|\"{}\"|", quoted(label))).unwrap_or_default();
        let _ = writeln!(out, "  n{} {arrow}{label} n{}", edge.from.0, edge.to.0);
    }
    for number in (0..graph.nodes.len()).filter(|number| graph.nodes[*number].undo.is_some()) {
        let _ = writeln!(out, "  n{number} -. undo .- u{number}");
    }
    out.push_str(STYLES);
    out
}

fn write_node(out: &mut String, number: usize, node: &Node) {
    let condition = node.condition.iter().map(|condition| format!("<i>if {}</i>", quoted(condition)));
    let text: Vec<String> = condition.chain(node.lines.iter().map(|line| quoted(line))).collect();
    let text = text.join("<br>");
    let (open, close) = match node.shape {
        Shape::Terminal | Shape::Fail => ("([", "])"),
        Shape::Event | Shape::Clock => ("[/", "/]"),
        Shape::Choice => ("{{", "}}"),
        Shape::Pivot => ("[[", "]]"),
        _ => ("[", "]"),
    };
    let _ = writeln!(out, "    n{number}{open}\"{text}\"{close}{}", class(node.shape));
    if let Some(undo) = &node.undo {
        let _ = writeln!(out, "    u{number}([\"{}\"]):::undo", quoted(undo));
    }
}

fn class(shape: Shape) -> &'static str {
    match shape {
        Shape::Look => ":::look",
        Shape::Write => ":::write",
        Shape::Remote => ":::remote",
        Shape::Event => ":::event",
        Shape::Clock => ":::clock",
        Shape::Answer => ":::answer",
        Shape::Pivot => ":::pivot",
        Shape::Fail => ":::fail",
        _ => "",
    }
}

/// Text within quotes.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => out.push_str("#quot;"),
            '#' => out.push_str("#35;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            other => out.push(other),
        }
    }
    out
}
