//! Loops: in order, until, several at once, nested, failing.

use crate::trade::{Trade, flow, lines};

#[test]
fn rounds_in_order_give_a_list_in_element_order() {
    let steps = "
  - id: lists
    foreach: ${ input.parcels }
    as: parcel
    max: 9
    do:
      - id: picking
        call: pick.request
        with: {parcel: '${ parcel }/${ input.order }'}
    result: {list: '${ picking.list }', parcel: '${ parcel }'}
  - answer: {lists: '${ lists.map(l, l.list) }', all: '${ lists }'}";
    let (mut trade, said) = Trade::begin(flow(steps));
    assert_eq!(said, r#"call lists[0].picking: pick.request {"parcel":"a/o1"}"#);
    assert_eq!(
        trade.done("lists[0].picking", r#"{"list":"L0"}"#),
        r#"call lists[1].picking: pick.request {"parcel":"b/o1"}"#
    );
    assert_eq!(
        trade.done("lists[1].picking", r#"{"list":"L1"}"#),
        r#"call lists[2].picking: pick.request {"parcel":"c/o1"}"#
    );
    let answer = r#"answer {"lists":["L0","L1","L2"],"all":[{"list":"L0","parcel":"a"},{"list":"L1","parcel":"b"},{"list":"L2","parcel":"c"}]}"#;
    assert_eq!(trade.done("lists[2].picking", r#"{"list":"L2"}"#), lines([answer, "end"]));
}

#[test]
fn until_ends_behind_the_round_that_makes_it_true() {
    let steps = "
  - id: lists
    foreach: ${ input.parcels }
    as: parcel
    max: 9
    until: ${ picking.list == 'stop' }
    do:
      - id: picking
        call: pick.request
        with: {parcel: '${ parcel }'}
    result: {list: '${ picking.list }'}
  - answer: {n: '${ size(lists) }'}";
    let (mut trade, _) = Trade::begin(flow(steps));
    trade.done("lists[0].picking", r#"{"list":"go"}"#);
    assert_eq!(trade.done("lists[1].picking", r#"{"list":"stop"}"#), lines([r#"answer {"n":2}"#, "end"]));
}

#[test]
fn no_element_is_no_round() {
    let steps = "
  - id: none
    foreach: ${ input.parcels.filter(p, p == 'z') }
    as: parcel
    max: 9
    at_once: 2
    do:
      - attention: never
  - answer: {none: '${ none }'}";
    let (_, said) = Trade::begin(flow(steps));
    assert_eq!(said, lines([r#"answer {"none":[]}"#, "end"]));
}

#[test]
fn at_once_begins_the_next_round_when_one_is_over() {
    let steps = "
  - id: lists
    foreach: ${ input.parcels }
    as: parcel
    max: 9
    at_once: 2
    do:
      - id: picking
        call: pick.request
        with: {parcel: '${ parcel }'}
    result: '${ picking.list }'
  - answer: {lists: '${ lists }'}";
    let (mut trade, said) = Trade::begin(flow(steps));
    assert_eq!(said.lines().count(), 2, "{said}");
    assert_eq!(
        trade.done("lists[1].picking", r#"{"list":"L1"}"#),
        r#"call lists[2].picking: pick.request {"parcel":"c"}"#
    );
    assert_eq!(trade.done("lists[2].picking", r#"{"list":"L2"}"#), "");
    assert_eq!(
        trade.done("lists[0].picking", r#"{"list":"L0"}"#),
        lines([r#"answer {"lists":["L0","L1","L2"]}"#, "end"])
    );
}

#[test]
fn a_failing_round_lets_the_others_end_their_step_and_takes_all_back() {
    let steps = "
  - foreach: ${ input.parcels }
    as: parcel
    max: 9
    at_once: 3
    do:
      - id: claim
        call: limit.claim
        with: {order: '${ parcel }'}
      - id: picking
        call: pick.request
        with: {parcel: '${ parcel }'}
      - sleep: 1h";
    let (mut trade, _) = Trade::begin(flow(steps));
    for (round, claim) in ["c0", "c1", "c2"].iter().enumerate() {
        trade.done(&format!("foreach[{round}].claim"), &format!(r#"{{"claim":"{claim}"}}"#));
    }
    trade.done("foreach[0].picking", r#"{"list":"L0"}"#);
    assert_eq!(
        trade.rejected("foreach[1].picking", "closed", "{}"),
        lines(["answer failed closed {}", "unwait 1"]),
        "round 2 is still picking"
    );
    assert_eq!(
        trade.done("foreach[2].picking", r#"{"list":"L2"}"#),
        r#"undo foreach[2].picking.undo: pick.cancel {"list":"L2"}"#
    );
    assert_eq!(
        trade.done("foreach[2].picking.undo", "{}"),
        r#"undo foreach[0].picking.undo: pick.cancel {"list":"L0"}"#
    );
    assert_eq!(
        trade.done("foreach[0].picking.undo", "{}"),
        r#"undo foreach[2].claim.undo: limit.give_back {"order":"c","claim":"c2"}"#
    );
    assert_eq!(
        trade.done("foreach[2].claim.undo", "{}"),
        r#"undo foreach[1].claim.undo: limit.give_back {"order":"b","claim":"c1"}"#
    );
    assert_eq!(
        trade.done("foreach[1].claim.undo", "{}"),
        r#"undo foreach[0].claim.undo: limit.give_back {"order":"a","claim":"c0"}"#
    );
    assert_eq!(trade.done("foreach[0].claim.undo", "{}"), "end failed closed");
}

#[test]
fn loops_nest() {
    let steps = "
  - id: outer
    foreach: ${ input.parcels }
    as: parcel
    max: 9
    at_once: 9
    do:
      - id: inner
        foreach: ${ [1, 2] }
        as: n
        max: 2
        do:
          - let: {name: '${ parcel }${ n }'}
        result: ${ name }
    result: ${ inner }
  - answer: {all: '${ outer }'}";
    let (_, said) = Trade::begin(flow(steps));
    assert_eq!(said, lines([r#"answer {"all":[["a1","a2"],["b1","b2"],["c1","c2"]]}"#, "end"]));
}

#[test]
fn a_list_longer_than_max_is_an_error_and_cuts_nothing_off() {
    let steps = "
  - foreach: ${ input.parcels }
    as: parcel
    max: 2
    do:
      - attention: '${ parcel }'";
    let (_, said) = Trade::begin(flow(steps));
    let detail = r#"{"step":"foreach","problem":"the loop may have 2 rounds and its list has 3 elements"}"#;
    assert_eq!(
        said,
        lines([&format!("answer failed evaluation_failed {detail}"), "end failed evaluation_failed"])
    );
}

#[test]
fn while_the_trade_drains_no_handler_runs() {
    let steps = "
  - foreach: ${ input.parcels }
    as: parcel
    max: 9
    at_once: 3
    do:
      - call: pick.request
        with: {parcel: '${ parcel }'}
        on:
          closed:
            - attention: closed
            - sleep: 1h";
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(trade.rejected("foreach[0].pick.request", "odd", "{}"), "answer failed odd {}");
    assert_eq!(trade.rejected("foreach[1].pick.request", "closed", "{}"), "");
    assert_eq!(trade.rejected("foreach[2].pick.request", "closed", "{}"), "end failed odd");
}
