//! Late events: no money arrives and is owned by nobody.

use crate::trade::{Trade, flow, lines};

#[test]
fn a_wait_that_never_began_gives_its_key_when_the_trade_fails() {
    let steps = "
  - id: payment
    call: pay.request
    with: {order: '${ input.order }'}
  - call: stock.reserve
    with: {sku: milk}
  - wait: pay.captured
    match: ${ payment.payment_id }
    timeout: 1h
    on_timeout:
      - fail: timeout";
    let (mut trade, _) = Trade::begin(flow(steps));
    trade.done("payment", r#"{"payment_id":"p1","url":"u"}"#);
    assert_eq!(
        trade.rejected("stock.reserve", "out_of_stock", "{}"),
        lines([
            "answer failed out_of_stock {}",
            r#"late pay.captured "p1""#,
            r#"undo payment.undo: pay.void {"payment_id":"p1"}"#
        ])
    );
}

#[test]
fn a_wait_whose_key_has_no_value_gives_none() {
    let steps = "
  - id: payment
    call: pay.request
    with: {order: '${ input.order }'}
  - wait: pay.captured
    match: ${ payment.payment_id }
    timeout: 1h
    on_timeout:
      - fail: timeout";
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(
        trade.rejected("payment", "declined", "{}"),
        lines(["answer failed declined {}", "end failed declined"])
    );
}

#[test]
fn a_timeout_that_waits_again_for_the_same_key_is_not_late_yet() {
    let steps = "
  - id: first
    wait: pay.captured
    match: p1
    timeout: 1h
    on_timeout:
      - attention: slow
  - when: ${ !has(first.payment_id) }
    wait: pay.captured
    match: p1
    timeout: 1h
    on_timeout:
      - attention: too slow
  - sleep: 1h";
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(
        trade.due("first"),
        lines(["attention attention: slow", r#"wait pay.captured: pay.captured "p1" for 1h"#])
    );
    assert_eq!(
        trade.due("pay.captured"),
        lines([r#"late pay.captured "p1""#, "attention attention#2: too slow", "sleep sleep: for 1h"])
    );
    assert_eq!(trade.due("sleep"), lines(["answer {}", "end"]), "the key was given once");
}

#[test]
fn rounds_that_ended_that_run_and_that_never_began_give_their_keys() {
    let steps = "
  - foreach: ${ input.parcels }
    as: parcel
    max: 9
    do:
      - id: picking
        call: pick.request
        with: {parcel: '${ parcel }'}
      - when: ${ parcel != 'a' }
        wait: pay.captured
        match: ${ parcel }
        timeout: 1h
        on_timeout:
          - fail: timeout";
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(
        trade.done("foreach[0].picking", r#"{"list":"L"}"#),
        lines([r#"late pay.captured "a""#, r#"call foreach[1].picking: pick.request {"parcel":"b"}"#])
    );
    assert_eq!(
        trade.rejected("foreach[1].picking", "closed", "{}"),
        lines([
            "answer failed closed {}",
            r#"late pay.captured "c""#,
            r#"late pay.captured "b""#,
            r#"undo foreach[0].picking.undo: pick.cancel {"list":"L"}"#
        ])
    );
}

#[test]
fn a_loop_that_until_cuts_short_gives_the_keys_of_the_rest() {
    let steps = "
  - foreach: ${ input.parcels }
    as: parcel
    max: 9
    until: ${ has(got.payment_id) }
    do:
      - id: got
        wait: pay.captured
        match: ${ parcel }
        timeout: 1h
        on_timeout:
          - attention: none
  - sleep: 1h";
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(
        trade.event("foreach[0].got", r#"{"payment_id":"a","amount":1}"#),
        lines([r#"late pay.captured "b""#, r#"late pay.captured "c""#, "sleep sleep: for 1h"])
    );
    assert_eq!(trade.due("sleep"), lines(["answer {}", "end"]));
}

#[test]
fn an_event_that_came_is_not_late() {
    let steps = "
  - wait: pay.captured
    match: p1
    timeout: 1h
    on_timeout:
      - fail: timeout";
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(trade.event("pay.captured", r#"{"payment_id":"p1","amount":1}"#), lines(["answer {}", "end"]));
}

#[test]
fn an_event_that_acquires_nothing_is_never_late() {
    let steps = "
  - wait: pick.packed
    match: L1
    timeout: 1h
    on_timeout:
      - fail: timeout";
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(trade.due("pick.packed"), lines(["answer failed timeout {}", "end failed timeout"]));
}
