//! Parallel branches: side by side, their results, failing together.

use crate::trade::{Trade, flow, lines};

const BOTH: &str = "
  - id: both
    parallel:
      left:
        - id: claim
          call: limit.claim
          with: {order: '${ input.order }'}
      right:
        - id: stock
          call: stock.reserve
          with: {sku: milk}
        - sleep: 1h
    result: {claim: '${ claim.claim }', reservation: '${ stock.reservation }'}
  - answer: {both: '${ both }'}";

#[test]
fn branches_run_at_once_and_the_result_sees_all() {
    let (mut trade, said) = Trade::begin(flow(BOTH));
    assert_eq!(
        said,
        lines([
            r#"call left.claim: limit.claim {"order":"o1"}"#,
            r#"call right.stock: stock.reserve {"sku":"milk"}"#
        ])
    );
    assert_eq!(trade.done("right.stock", r#"{"reservation":"r1"}"#), "sleep right.sleep: for 1h");
    assert_eq!(trade.done("left.claim", r#"{"claim":"c1"}"#), "");
    assert_eq!(
        trade.due("right.sleep"),
        lines([r#"answer {"both":{"claim":"c1","reservation":"r1"}}"#, "end"])
    );
}

#[test]
fn a_failing_branch_lets_the_others_end_their_step_and_all_is_taken_back_across_branches() {
    let steps = "
  - id: first
    call: limit.claim
    with: {order: first}
  - parallel:
      left:
        - call: limit.claim
          with: {order: left}
        - id: pick
          call: pick.request
          with: {parcel: p}
      right:
        - id: stock
          call: stock.reserve
          with: {sku: milk}
        - call: stock.reserve
          with: {sku: eggs}
      idle:
        - sleep: 1h";
    let (mut trade, _) = Trade::begin(flow(steps));
    trade.done("first", r#"{"claim":"c0"}"#);
    trade.done("right.stock", r#"{"reservation":"r1"}"#);
    trade.done("left.limit.claim", r#"{"claim":"c1"}"#);
    assert_eq!(
        trade.rejected("left.pick", "closed", "{}"),
        lines(["answer failed closed {}", "unwait 1"]),
        "the right branch is still reserving"
    );
    assert_eq!(
        trade.done("right.stock.reserve", r#"{"reservation":"r2"}"#),
        r#"undo right.stock.reserve.undo: stock.release {"reservation":"r2"}"#
    );
    assert_eq!(
        trade.done("right.stock.reserve.undo", "{}"),
        r#"undo left.limit.claim.undo: limit.give_back {"order":"left","claim":"c1"}"#
    );
    assert_eq!(
        trade.done("left.limit.claim.undo", "{}"),
        r#"undo right.stock.undo: stock.release {"reservation":"r1"}"#
    );
    trade.done("right.stock.undo", "{}");
    assert_eq!(trade.done("first.undo", "{}"), "end failed closed");
}

#[test]
fn branches_do_not_see_what_the_others_bind() {
    let steps = "
  - let: {n: 1}
  - id: both
    parallel:
      left:
        - let: {mine: '${ n + 1 }'}
      right:
        - let: {other: '${ n + 2 }'}
    result: {sum: '${ mine + other }'}
  - answer: {sum: '${ both.sum }'}";
    let (_, said) = Trade::begin(flow(steps));
    assert_eq!(said, lines([r#"answer {"sum":5}"#, "end"]));
}

#[test]
fn an_end_in_a_branch_ends_the_trade_forward() {
    let steps = "
  - parallel:
      left:
        - sleep: 1h
        - end: enough
      right:
        - call: stock.reserve
          with: {sku: milk}
        - sleep: 9h";
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(trade.due("left.sleep"), "");
    assert_eq!(
        trade.done("right.stock.reserve", r#"{"reservation":"r"}"#),
        lines(["answer {}", "end enough"])
    );
}

#[test]
fn an_end_waits_until_a_scope_beside_it_is_taken_back() {
    let steps = "
  - parallel:
      left:
        - sleep: 1h
        - end: enough
      right:
        - attempt:
            - call: stock.reserve
              with: {sku: milk}
            - fail: no
          else:
            any:
              - attention: not any more";
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(
        trade.done("right.stock.reserve", r#"{"reservation":"r"}"#),
        r#"undo right.stock.reserve.undo: stock.release {"reservation":"r"}"#
    );
    assert_eq!(trade.due("left.sleep"), "");
    assert_eq!(trade.done("right.stock.reserve.undo", "{}"), lines(["answer {}", "end enough"]));
}
