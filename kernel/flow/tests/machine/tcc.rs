//! Try, confirm, cancel: all or none, once each, whatever comes between.

use std::sync::Arc;

use mortise_flow::{CallKind, Command, CompileError, Input, Persistence, Program, parse};

use crate::trade::{Trade, contracts, flow, lines};

const BOTH: &str = "
  - id: first
    call: limit.claim
    with: {order: first}
  - id: both
    tcc:
      - id: credit
        call: credit.hold
        with: {order: '${ input.order }'}
      - id: seat
        call: seat.hold
        with: {order: '${ input.order }'}
    on:
      sold_out:
        - attention: '${ rejection.code }'
  - let: {held: '${ has(credit.hold) ? both.seat.seat : input.order }'}
  - sleep: 1h
  - fail: no";

fn tried() -> Trade {
    let (mut trade, _) = Trade::begin(flow(BOTH));
    trade.done("first", r#"{"claim":"c"}"#);
    assert_eq!(trade.done("credit", r#"{"hold":"h"}"#), r#"call seat: seat.hold {"order":"o1"}"#);
    trade
}

#[test]
fn all_are_tried_then_all_are_confirmed() {
    let mut trade = tried();
    assert_eq!(
        trade.done("seat", r#"{"seat":"s"}"#),
        r#"confirm credit.confirm: credit.confirm {"hold":"h"}"#
    );
    assert!(matches!(
        trade.commands.last(),
        Some(Command::Call { kind: CallKind::Confirm(_), persistence: Persistence::WithoutEnd, .. })
    ));
    assert_eq!(trade.state.position(), "calls credit.confirm to confirm credit");
    assert_eq!(trade.done("credit.confirm", "{}"), r#"confirm seat.confirm: seat.take {"seat":"s"}"#);
    assert_eq!(trade.done("seat.confirm", "{}"), "sleep sleep: for 1h");
    assert_eq!(
        trade.due("sleep"),
        lines(["answer failed no {}", r#"undo credit.undo: credit.refund {"hold":"h"}"#]),
        "what is confirmed is undone by the call's undo; the seat has none"
    );
    assert_eq!(
        trade.done("credit.undo", "{}"),
        r#"undo first.undo: limit.give_back {"order":"first","claim":"c"}"#
    );
}

#[test]
fn a_rejected_try_cancels_the_others_and_is_the_steps_own_rejection() {
    let mut trade = tried();
    assert_eq!(
        trade.rejected("seat", "sold_out", "{}"),
        r#"undo credit.cancel: credit.cancel {"hold":"h","order":"o1"}"#
    );
    assert_eq!(
        trade.done("credit.cancel", "{}"),
        lines(["attention attention: sold_out", "sleep sleep: for 1h"])
    );
    assert_eq!(
        trade.due("sleep"),
        lines(["answer failed no {}", r#"undo first.undo: limit.give_back {"order":"first","claim":"c"}"#])
    );
}

#[test]
fn a_rejection_that_nobody_takes_turns_the_trade_back() {
    let mut trade = tried();
    assert_eq!(
        trade.rejected("seat", "odd", "{}"),
        lines(["answer failed odd {}", r#"undo credit.cancel: credit.cancel {"hold":"h","order":"o1"}"#])
    );
    trade.done("credit.cancel", "{}");
    assert_eq!(trade.done("first.undo", "{}"), "end failed odd");
}

#[test]
fn an_unavailable_try_is_cancelled_from_what_its_intent_minted() {
    let (mut trade, _) = Trade::begin(flow(BOTH));
    trade.done("first", r#"{"claim":"c"}"#);
    assert_eq!(
        trade.unavailable("credit", r#"{"hold":"h"}"#),
        r#"undo credit.cancel: credit.cancel {"hold":"h","order":"o1"}"#
    );
    assert_eq!(
        trade.done("credit.cancel", "{}"),
        lines([
            "answer failed unavailable {}",
            r#"undo first.undo: limit.give_back {"order":"first","claim":"c"}"#
        ])
    );
}

const BESIDE: &str = "
  - parallel:
      left:
        - id: both
          tcc:
            - {id: credit, call: credit.hold, with: {order: a}}
            - {id: more, call: credit.hold, with: {order: b}}
      right:
        - sleep: 1h
        - fail: no";

#[test]
fn what_fails_beside_the_tries_cancels_them() {
    let (mut trade, _) = Trade::begin(flow(BESIDE));
    trade.done("left.credit", r#"{"hold":"h1"}"#);
    assert_eq!(trade.due("right.sleep"), "answer failed no {}");
    assert_eq!(
        trade.unavailable("left.more", r#"{"hold":"h2"}"#),
        r#"undo left.more.cancel: credit.cancel {"hold":"h2","order":"b"}"#
    );
    assert_eq!(
        trade.done("left.more.cancel", "{}"),
        r#"undo left.credit.cancel: credit.cancel {"hold":"h1","order":"a"}"#
    );
    assert_eq!(trade.done("left.credit.cancel", "{}"), "end failed no");
}

#[test]
fn once_one_is_confirmed_all_are_and_then_undone() {
    let (mut trade, _) = Trade::begin(flow(BESIDE));
    trade.done("left.credit", r#"{"hold":"h1"}"#);
    trade.done("left.more", r#"{"hold":"h2"}"#);
    assert_eq!(trade.due("right.sleep"), "answer failed no {}");
    assert_eq!(
        trade.done("left.credit.confirm", "{}"),
        r#"confirm left.more.confirm: credit.confirm {"hold":"h2"}"#,
        "confirm and cancel exclude each other"
    );
    assert_eq!(trade.done("left.more.confirm", "{}"), r#"undo left.more.undo: credit.refund {"hold":"h2"}"#);
    assert_eq!(trade.done("left.more.undo", "{}"), r#"undo left.credit.undo: credit.refund {"hold":"h1"}"#);
    assert_eq!(trade.done("left.credit.undo", "{}"), "end failed no");
}

#[test]
fn a_trade_that_ends_beside_the_tries_cancels_them_and_beside_the_confirms_waits_for_them() {
    let ends = BESIDE.replace("fail: no", "end: enough");
    let (mut trade, _) = Trade::begin(flow(&ends));
    trade.done("left.credit", r#"{"hold":"h1"}"#);
    assert_eq!(trade.due("right.sleep"), "");
    assert_eq!(
        trade.done("left.more", r#"{"hold":"h2"}"#),
        r#"undo left.more.cancel: credit.cancel {"hold":"h2","order":"b"}"#
    );
    assert_eq!(
        trade.done("left.more.cancel", "{}"),
        r#"undo left.credit.cancel: credit.cancel {"hold":"h1","order":"a"}"#
    );
    assert_eq!(trade.done("left.credit.cancel", "{}"), lines(["answer {}", "end enough"]));

    let (mut trade, _) = Trade::begin(flow(&ends));
    trade.done("left.credit", r#"{"hold":"h1"}"#);
    trade.done("left.more", r#"{"hold":"h2"}"#);
    assert_eq!(trade.due("right.sleep"), "");
    trade.done("left.credit.confirm", "{}");
    assert_eq!(trade.done("left.more.confirm", "{}"), lines(["answer {}", "end enough"]));
}

#[test]
fn a_refused_confirm_is_held_and_tried_again_also_while_all_turns_back() {
    let (mut trade, _) = Trade::begin(flow(BESIDE));
    trade.done("left.credit", r#"{"hold":"h1"}"#);
    trade.done("left.more", r#"{"hold":"h2"}"#);
    assert_eq!(
        trade.rejected("left.credit.confirm", "odd", "{}"),
        "stuck left.both: the confirm is rejected with `odd`, which no confirm may be"
    );
    assert_eq!(trade.due("right.sleep"), "answer failed no {}");
    assert_eq!(trade.tell(Input::Resume), r#"confirm left.credit.confirm: credit.confirm {"hold":"h1"}"#);
}

#[test]
fn a_try_past_the_pivot_is_asked_without_end_and_its_rejection_is_handled() {
    let steps = "
  - pivot: paid
  - tcc:
      - {call: credit.hold, with: {order: a}}
      - {call: seat.hold, with: {order: a}}
    on:
      any: [{attention: '${ rejection.code }'}]";
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(trade.unavailable("credit.hold", r#"{"hold":"h1"}"#), "");
    trade.done("credit.hold", r#"{"hold":"h1"}"#);
    assert_eq!(
        trade.rejected("seat.hold", "sold_out", "{}"),
        r#"undo credit.hold.cancel: credit.cancel {"hold":"h1","order":"a"}"#
    );
    assert_eq!(
        trade.done("credit.hold.cancel", "{}"),
        lines(["attention attention: sold_out", "answer {}", "end"])
    );
}

#[test]
fn what_cannot_be_tried_is_refused() {
    let text = "flow: f\nversion: 1\ninternal: true\ninput: {type: object}\nsteps:\n  - tcc:\n      - {call: price.quote, with: {sku: a}}";
    let refused = Program::compile(&parse(text).unwrap(), &contracts(), text).map(Arc::new).unwrap_err();
    assert_eq!(refused, CompileError::NoTriple("price.quote".into()));
}
