//! Where boxes and lines lie, on a flow with every kind of block.

use mortise_contract::Contracts;

use super::place::{BOX, Plan};
use crate::model::{Graph, Shape};
use crate::{graph, svg};

/// Every kind of block, with ways that part, meet, end and go back.
const BLOCKS: &str = r#"
flow: blocks
version: 1
summary: Everything that parts, meets and goes back.
input: { type: object, properties: { go: { type: boolean }, list: { type: array, maxItems: 9, items: { type: string } } } }
steps:
  - id: held
    call: stock.hold
    undo: { call: stock.free }
    on:
      none_left: [ { attention: nothing there }, { call: stock.order } ]
      any: [ { fail: odd } ]
  - switch:
      - if: ${ input.go }
        do: [ { call: a.one }, { call: b.two } ]
      - if: ${ !input.go }
        do: [ { end: early } ]
      - else: [ { sleep: 1h } ]
  - foreach: ${ input.list }
    as: each
    max: 9
    do:
      - call: b.three
      - repeat: round
        max: 3
        until: ${ round > 2 }
        do: [ { call: c.four } ]
  - parallel:
      left: [ { call: a.five } ]
      right: [ { call: c.six }, { when: "${ input.go }", fail: never } ]
  - race:
      paid: { wait: money.came, match: "${ input.go }", do: [ { call: a.seven } ] }
      late: { timeout: 30m, do: [ { fail: late } ] }
  - pivot: it is done
  - attempt: [ { call: a.eight } ]
    else: { any: [ { attention: look at it } ] }
  - call: c.nine
"#;

fn drawn() -> (Graph, Plan) {
    let flow = mortise_flow::parse(BLOCKS).expect("the grammar has all of it");
    let graph = graph(&flow, &Contracts::default());
    let plan = Plan::of(&graph);
    (graph, plan)
}

#[test]
fn every_edge_leaves_its_box_below_and_reaches_the_other_from_above() {
    let (graph, plan) = drawn();
    for (edge, line) in graph.edges.iter().zip(&plan.lines) {
        let (from, to) = (&plan.nodes[edge.from.0], &plan.nodes[edge.to.0]);
        let (first, last) = (line.corners[0], line.corners[line.corners.len() - 1]);
        assert_eq!(first.1, from.y + from.height, "{edge:?}");
        assert_eq!(last.1, to.y, "{edge:?}");
        assert!(first.0 > from.x && first.0 < from.x + BOX, "{edge:?}");
        assert!(last.0 > to.x && last.0 < to.x + BOX, "{edge:?}");
    }
}

#[test]
fn lines_run_straight_and_through_no_box() {
    let (graph, plan) = drawn();
    for (edge, line) in graph.edges.iter().zip(&plan.lines) {
        for pair in line.corners.windows(2) {
            let ((x1, y1), (x2, y2)) = (pair[0], pair[1]);
            assert!(x1 == x2 || y1 == y2, "{edge:?} runs askew: {pair:?}");
            for (number, node) in plan.nodes.iter().enumerate() {
                let (left, right) = (x1.min(x2), x1.max(x2));
                let (top, bottom) = (y1.min(y2), y1.max(y2));
                let wide = if graph.nodes[number].shape == Shape::Pivot { 0.0 } else { node.width };
                let apart = right <= node.x
                    || left >= node.x + wide
                    || bottom <= node.y
                    || top >= node.y + node.height;
                assert!(apart, "{edge:?} runs through box {number}: {pair:?} {node:?}");
            }
        }
    }
}

#[test]
fn no_two_lines_lie_on_each_other() {
    let (graph, plan) = drawn();
    let mut level: Vec<(f64, f64, f64, usize)> = Vec::new();
    for (number, line) in plan.lines.iter().enumerate() {
        for pair in line.corners.windows(2).filter(|pair| pair[0].1 == pair[1].1) {
            let (x1, x2) = (pair[0].0.min(pair[1].0), pair[0].0.max(pair[1].0));
            level.push((pair[0].1, x1, x2, number));
        }
    }
    for (at, one) in level.iter().enumerate() {
        for other in &level[at + 1..] {
            let meet = (one.0 - other.0).abs() < 1.0 && one.1 < other.2 && other.1 < one.2;
            assert!(!meet, "{:?} lies on {:?}", graph.edges[one.3], graph.edges[other.3]);
        }
    }
}

#[test]
fn everything_is_within_the_picture() {
    let (_, plan) = drawn();
    for node in &plan.nodes {
        let right = node.undo.as_ref().map_or(node.x + node.width, |pill| pill.x + pill.width);
        assert!(node.x >= 0.0 && right <= plan.width && node.y + node.height <= plan.height, "{node:?}");
    }
    for (x, y) in plan.lines.iter().flat_map(|line| &line.corners) {
        assert!(*x >= 0.0 && *x <= plan.width && *y >= 0.0 && *y <= plan.height);
    }
}

#[test]
fn what_a_flow_says_cannot_leave_its_text() {
    let (mut graph, _) = drawn();
    graph.summary = "<script>alert(1)</script> & \"more\"".to_owned();
    let text = svg(&graph);
    assert!(!text.contains("<script"));
    assert!(text.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;"));
}
