//! What is drawn of a flow, on the shipped trades and a small one.

use std::path::Path;

use mortise_contract::Contracts;
use mortise_graph::{EdgeKind, Graph, Shape, graph, mermaid, svg};

fn drawn(text: &str) -> Graph {
    let flow = mortise_flow::parse(text).unwrap_or_else(|found| panic!("{found:#?}"));
    graph(&flow, &Contracts::default())
}

/// Every YAML file of a flow in the tree.
fn shipped() -> Vec<(String, String)> {
    let trades = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../orchestrations/trades");
    let mut found = Vec::new();
    let folders = std::fs::read_dir(trades).expect("the trades").flatten().map(|entry| entry.path());
    for folder in folders.filter(|path| path.is_dir()) {
        for file in std::fs::read_dir(folder).expect("a trade").flatten().map(|entry| entry.path()) {
            if file.extension().is_some_and(|extension| extension == "yaml") {
                let text = std::fs::read_to_string(&file).expect("a flow");
                found.push((file.display().to_string(), text));
            }
        }
    }
    assert!(!found.is_empty(), "no trade was found");
    found
}

#[test]
fn every_call_and_wait_of_a_shipped_trade_is_in_its_picture() {
    for (name, text) in shipped() {
        let graph = drawn(&text);
        let words: Vec<&str> =
            graph.nodes.iter().flat_map(|node| node.lines.iter().map(String::as_str)).collect();
        let undone: Vec<&str> = graph.nodes.iter().filter_map(|node| node.undo.as_deref()).collect();
        for line in text.lines().map(|line| line.trim().trim_start_matches("- ")) {
            let Some(operation) = line.strip_prefix("call: ").filter(|rest| !rest.contains([',', '{']))
            else {
                continue;
            };
            assert!(
                words.contains(&operation) || undone.contains(&operation),
                "{name}: {operation} is not drawn"
            );
        }
        let (svg, mermaid) = (svg(&graph), mermaid(&graph));
        for lane in &graph.lanes {
            assert!(svg.contains(&format!(">{lane}</text>")), "{name}: lane {lane}");
        }
        assert!(mermaid.starts_with("flowchart TB\n"), "{name}");
        let reached = |number: usize| graph.edges.iter().any(|edge| edge.to.0 == number);
        assert!((1..graph.nodes.len()).all(reached), "{name}: a box that no line reaches");
    }
}

const SMALL: &str = r#"
flow: small
version: 1
summary: A hold, a payment, a pivot.
input: { type: object, properties: { order: { type: string } } }
steps:
  - id: held
    call: stock.hold
    undo: { call: stock.free, with: { hold: "${ held.hold }" } }
    on: { none_left: [ { fail: none_left } ] }
  - id: paid
    wait: money.came
    match: ${ input.order }
    timeout: 30m
    on_timeout: [ { fail: unpaid } ]
  - pivot: it is paid
  - when: ${ has(paid.tip) }
    call: stock.claim
"#;

#[test]
fn a_small_flow_as_mermaid() {
    let text = mermaid(&drawn(SMALL));
    let expected = r##"flowchart TB
  subgraph lane0["the trade"]
    n0(["the trade begins"])
    n2(["fails: none_left"]):::fail
    n4(["fails: unpaid"]):::fail
    n5[["pivot: it is paid"]]:::pivot
    n7(["completed"])
  end
  subgraph lane1["stock"]
    n1["stock.hold<br>as held"]:::write
    u1(["stock.free"]):::undo
    n6["<i>if has(paid.tip)</i><br>stock.claim"]:::write
  end
  subgraph lane2["money"]
    n3[/"waits for money.came<br>of input.order"/]:::event
  end
  n0 --> n1
  n1 -.->|"none_left"| n2
  n1 --> n3
  n3 -.->|"after 30m"| n4
  n3 --> n5
  n5 --> n6
  n6 --> n7
  n1 -. undo .- u1
"##;
    assert_eq!(text.split("  classDef").next(), Some(expected));
}

#[test]
fn behind_the_pivot_nothing_is_taken_back() {
    let text = SMALL.replace("    call: stock.claim", "    call: stock.claim\n  - call: stock.hold");
    let graph = drawn(&text);
    let pivot = graph.nodes.iter().position(|node| node.shape == Shape::Pivot).expect("the pivot");
    assert!(graph.nodes[..pivot].iter().any(|node| node.undo.is_some()));
    assert!(graph.nodes[pivot..].iter().all(|node| node.undo.is_none()));
}

#[test]
fn a_loop_goes_back_to_its_head() {
    let graph = drawn(
        "flow: f\nversion: 1\ninput: { type: object }\nsteps:\n  - repeat: n\n    max: 3\n    do: [ { call: a.b } ]\n",
    );
    let again: Vec<_> = graph.edges.iter().filter(|edge| edge.kind == EdgeKind::Again).collect();
    assert_eq!(again.len(), 1);
    assert_eq!(graph.nodes[again[0].to.0].shape, Shape::Block);
}
