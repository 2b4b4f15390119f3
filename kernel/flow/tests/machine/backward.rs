//! Going backward: reverse order, unavailable calls, own undo, settled handles, cancelling, refused undos.

use mortise_flow::{CallOutcome, Input};

use crate::trade::{Trade, flow, lines, program};

const PAY_FIRST: &str = include_str!("pay-first.yaml");
const INPUT: &str = r#"{"order_id":"o1","sku":"milk","parcels":["a"],"pay_by":"provider"}"#;

fn to_payment() -> Trade {
    let (mut trade, _) = Trade::begin_with(program(PAY_FIRST), INPUT);
    trade.done("quote", r#"{"amount":500}"#);
    trade.done("limit.claim", r#"{"claim":"c1"}"#);
    trade.done("stock", r#"{"reservation":"r1"}"#);
    trade
}

#[test]
fn a_rejection_takes_back_what_was_done_in_reverse_order() {
    let mut trade = to_payment();
    assert_eq!(
        trade.rejected("payment", "declined", r#"{"why":"no funds"}"#),
        lines([
            r#"answer failed declined {"why":"no funds"}"#,
            "not cancellable",
            r#"undo stock.undo: stock.release {"reservation":"r1"}"#
        ])
    );
    assert_eq!(trade.state.position(), "goes backward with declined: calls stock.release to take back stock");
    assert_eq!(
        trade.done("stock.undo", "{}"),
        r#"undo limit.claim.undo: limit.give_back {"order":"o1","claim":"c1"}"#
    );
    assert_eq!(trade.done("limit.claim.undo", "{}"), "end failed declined");
}

#[test]
fn an_unavailable_call_is_taken_back_from_its_minted_ids_first() {
    let mut trade = to_payment();
    assert_eq!(
        trade.unavailable("payment", r#"{"payment_id":"p1"}"#),
        lines([r#"late pay.captured "p1""#, r#"undo payment.undo: pay.void {"payment_id":"p1"}"#])
    );
    assert_eq!(
        trade.done("payment.undo", "{}"),
        lines([
            "answer failed unavailable {}",
            "not cancellable",
            r#"undo stock.undo: stock.release {"reservation":"r1"}"#
        ])
    );
}

#[test]
fn an_unavailable_call_is_taken_back_before_its_handler_runs() {
    let steps = "
  - id: payment
    call: pay.request
    with: {order: '${ input.order }'}
    on:
      any:
        - answer: {code: '${ rejection.code }', paid: '${ has(payment.payment_id) }'}";
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(
        trade.unavailable("payment", r#"{"payment_id":"p1"}"#),
        r#"undo payment.undo: pay.void {"payment_id":"p1"}"#
    );
    assert_eq!(
        trade.done("payment.undo", "{}"),
        lines([r#"answer {"code":"unavailable","paid":false}"#, "end"])
    );
}

#[test]
fn a_timeout_gives_the_late_key_and_takes_back() {
    let mut trade = to_payment();
    trade.done("payment", r#"{"payment_id":"p1","url":"u"}"#);
    trade.later("30m");
    assert_eq!(
        trade.due("captured"),
        lines([
            r#"late pay.captured "p1""#,
            "not cancellable",
            r#"undo payment.undo: pay.void {"payment_id":"p1"}"#
        ]),
        "the caller was answered long ago"
    );
    trade.done("payment.undo", "{}");
    trade.done("stock.undo", "{}");
    assert_eq!(trade.done("limit.claim.undo", "{}"), "end failed payment_timeout");
}

#[test]
fn cancelling_withdraws_the_wait_and_takes_back() {
    let mut trade = to_payment();
    trade.done("payment", r#"{"payment_id":"p1","url":"u"}"#);
    assert_eq!(
        trade.tell(Input::Cancel),
        lines([
            "not cancellable",
            "unwait 1",
            r#"late pay.captured "p1""#,
            r#"undo payment.undo: pay.void {"payment_id":"p1"}"#
        ])
    );
    assert_eq!(trade.tell(Input::Cancel), "");
}

#[test]
fn cancelling_waits_for_the_call_that_is_out() {
    let mut trade = to_payment();
    assert_eq!(trade.tell(Input::Cancel), lines(["answer failed cancelled {}", "not cancellable"]));
    assert_eq!(trade.state.position(), "goes backward with cancelled: calls pay.request at payment");
    assert_eq!(
        trade.done("payment", r#"{"payment_id":"p1","url":"u"}"#),
        lines([r#"late pay.captured "p1""#, r#"undo payment.undo: pay.void {"payment_id":"p1"}"#]),
        "its wait never began, but money may come"
    );
}

#[test]
fn cancelling_takes_back_an_unavailable_call_too() {
    let mut trade = to_payment();
    trade.tell(Input::Cancel);
    assert_eq!(
        trade.unavailable("payment", r#"{"payment_id":"p1"}"#),
        lines([r#"late pay.captured "p1""#, r#"undo payment.undo: pay.void {"payment_id":"p1"}"#])
    );
}

#[test]
fn behind_the_pivot_nothing_is_cancelled() {
    let mut trade = to_payment();
    trade.done("payment", r#"{"payment_id":"p1","url":"u"}"#);
    trade.event("captured", r#"{"payment_id":"p1","amount":500}"#);
    assert_eq!(trade.tell(Input::Cancel), "");
    assert!(!trade.state.is_going_backward());
}

#[test]
fn a_steps_own_undo_sees_the_flows_names_and_its_own_result() {
    let steps = "
  - id: claim
    call: limit.claim
    with: {order: '${ input.order }'}
    undo:
      call: pick.cancel
      with: {list: '${ input.order }/${ claim.claim }'}
  - fail: no";
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(
        trade.done("claim", r#"{"claim":"c1"}"#),
        lines(["answer failed no {}", r#"undo claim.undo: pick.cancel {"list":"o1/c1"}"#])
    );
    let (mut trade, _) = Trade::begin(flow(
        &steps.replace("limit.claim", "pay.request").replace("claim.claim", "claim.payment_id"),
    ));
    assert_eq!(
        trade.unavailable("claim", r#"{"payment_id":"p"}"#),
        r#"undo claim.undo: pick.cancel {"list":"o1/p"}"#
    );
}

#[test]
fn what_a_later_step_has_settled_for_good_is_not_released() {
    let steps = "
  - id: stock
    call: stock.reserve
    with: {sku: milk}
  - id: other
    call: stock.reserve
    with: {sku: eggs}
  - call: stock.scrap
    with: {reservation: '${ stock.reservation }'}
  - call: stock.claim
    with: {reservation: '${ other.reservation }'}
  - fail: no";
    let (mut trade, _) = Trade::begin(flow(steps));
    trade.done("stock", r#"{"reservation":"r1"}"#);
    trade.done("other", r#"{"reservation":"r2"}"#);
    trade.done("stock.scrap", "{}");
    assert_eq!(
        trade.done("stock.claim", "{}"),
        lines(["answer failed no {}", r#"undo stock.claim.undo: stock.unclaim {"reservation":"r2"}"#])
    );
    assert_eq!(
        trade.done("stock.claim.undo", "{}"),
        r#"undo other.undo: stock.release {"reservation":"r2"}"#,
        "the claim was taken back, so the stock is held again"
    );
    assert_eq!(trade.done("other.undo", "{}"), "end failed no", "r1 was scrapped, it is not released");
}

#[test]
fn a_wait_that_brought_money_is_undone_by_its_late_call() {
    let steps = "
  - id: captured
    wait: pay.captured
    match: p1
    timeout: 1h
    on_timeout:
      - fail: timeout
  - sleep: 1m
  - when: ${ input.fast }
    fail: no
  - call: pay.settle
    with: {payment_id: '${ captured.payment_id }'}
  - fail: no";
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(trade.event("captured", r#"{"payment_id":"p1","amount":5}"#), "sleep sleep: for 1m");
    assert_eq!(
        trade.due("sleep"),
        lines(["answer failed no {}", r#"undo captured.undo: pay.give_back {"payment_id":"p1","amount":5}"#])
    );
    assert_eq!(trade.done("captured.undo", "{}"), "end failed no");

    let (mut trade, _) = Trade::begin_with(flow(steps), r#"{"order":"o1","fast":false}"#);
    trade.event("captured", r#"{"payment_id":"p1","amount":5}"#);
    trade.due("sleep");
    assert_eq!(
        trade.done("pay.settle", "{}"),
        lines(["answer failed no {}", "end failed no"]),
        "the money was settled"
    );
}

#[test]
fn a_refused_undo_is_held_and_tried_again() {
    let mut trade = to_payment();
    trade.rejected("payment", "declined", "{}");
    let old = trade.call("stock.undo");
    assert_eq!(
        trade.rejected("stock.undo", "gone", "{}"),
        "stuck stock: the undo is rejected with `gone`, which no undo may be"
    );
    assert!(trade.state.position().contains("is held at stock"), "{}", trade.state.position());
    assert_eq!(trade.tell(Input::Replied { call: old, outcome: CallOutcome::Done(Default::default()) }), "");
    assert_eq!(trade.tell(Input::Resume), r#"undo stock.undo: stock.release {"reservation":"r1"}"#);
    assert_eq!(
        trade.done("stock.undo", "{}"),
        r#"undo limit.claim.undo: limit.give_back {"order":"o1","claim":"c1"}"#
    );
}

#[test]
fn an_unavailable_call_whose_undo_is_refused_is_held_and_tried_again() {
    let mut trade = to_payment();
    trade.unavailable("payment", r#"{"payment_id":"p1"}"#);
    assert_eq!(
        trade.rejected("payment.undo", "odd", "{}"),
        "stuck payment: the undo is rejected with `odd`, which no undo may be"
    );
    assert_eq!(trade.tell(Input::Resume), r#"undo payment.undo: pay.void {"payment_id":"p1"}"#);
}

#[test]
fn an_undo_without_a_value_is_held() {
    let mut trade = to_payment();
    assert_eq!(
        trade.unavailable("payment", "{}"),
        "stuck payment: there is no field `payment_id`",
        "the intent minted less than the undo needs"
    );
    assert_eq!(trade.tell(Input::Cancel), lines(["answer failed cancelled {}", "not cancellable"]));
    assert!(!trade.state.is_ended(), "it is not known what the provider did");
}
