//! Attempts: what fails inside is taken back and handled, alone or beside others, before the pivot and behind it.

use mortise_flow::Input;

use crate::trade::{Trade, flow, lines};

const ATTEMPT: &str = "
  - id: first
    call: limit.claim
    with: {order: first}
  - id: bought
    attempt:
      - id: stock
        call: stock.reserve
        with: {sku: milk}
      - id: payment
        call: pay.request
        with: {order: '${ input.order }'}
    else:
      declined:
        - id: cheaper
          call: stock.reserve
          with: {sku: '${ rejection.detail.why }'}
    result: {tried: '${ has(stock.reservation) }', other: '${ has(cheaper.reservation) }'}
  - answer: {bought: '${ bought }'}
  - sleep: 1h
  - fail: no";

fn attempted() -> Trade {
    let (mut trade, _) = Trade::begin(flow(ATTEMPT));
    assert_eq!(trade.done("first", r#"{"claim":"c"}"#), r#"call stock: stock.reserve {"sku":"milk"}"#);
    trade.done("stock", r#"{"reservation":"r1"}"#);
    trade
}

#[test]
fn an_attempt_that_goes_through_goes_on_behind_its_handlers() {
    let mut trade = attempted();
    assert_eq!(
        trade.done("payment", r#"{"payment_id":"p","url":"u"}"#),
        lines([r#"answer {"bought":{"tried":true,"other":false}}"#, "sleep sleep: for 1h"])
    );
    assert_eq!(
        trade.due("sleep"),
        r#"undo payment.undo: pay.void {"payment_id":"p"}"#,
        "all is still undone"
    );
    trade.done("payment.undo", "{}");
    assert_eq!(
        trade.done("stock.undo", "{}"),
        r#"undo first.undo: limit.give_back {"order":"first","claim":"c"}"#
    );
    assert_eq!(trade.done("first.undo", "{}"), "end failed no");
}

#[test]
fn what_fails_inside_is_taken_back_and_its_handler_runs() {
    let mut trade = attempted();
    assert_eq!(
        trade.rejected("payment", "declined", r#"{"why":"water"}"#),
        r#"undo stock.undo: stock.release {"reservation":"r1"}"#,
        "only what was done inside"
    );
    assert_eq!(trade.done("stock.undo", "{}"), r#"call cheaper: stock.reserve {"sku":"water"}"#);
    assert_eq!(
        trade.done("cheaper", r#"{"reservation":"r2"}"#),
        lines([r#"answer {"bought":{"tried":false,"other":true}}"#, "sleep sleep: for 1h"])
    );
    assert_eq!(trade.due("sleep"), r#"undo cheaper.undo: stock.release {"reservation":"r2"}"#);
    assert_eq!(
        trade.done("cheaper.undo", "{}"),
        r#"undo first.undo: limit.give_back {"order":"first","claim":"c"}"#
    );
}

#[test]
fn a_code_that_no_handler_takes_goes_on_to_the_scope_around() {
    let mut trade = attempted();
    assert_eq!(
        trade.unavailable("payment", r#"{"payment_id":"p"}"#),
        r#"undo payment.undo: pay.void {"payment_id":"p"}"#
    );
    assert_eq!(
        trade.done("payment.undo", "{}"),
        lines(["answer failed unavailable {}", r#"undo stock.undo: stock.release {"reservation":"r1"}"#])
    );
    assert_eq!(
        trade.done("stock.undo", "{}"),
        r#"undo first.undo: limit.give_back {"order":"first","claim":"c"}"#
    );
}

#[test]
fn a_rejection_that_the_call_itself_handles_is_none_of_the_attempt() {
    let steps = "
  - attempt:
      - call: limit.claim
        with: {order: a}
      - call: stock.reserve
        with: {sku: milk}
        on:
          out_of_stock:
            - attention: none
    else:
      any:
        - attention: failed
  - sleep: 1h";
    let (mut trade, _) = Trade::begin(flow(steps));
    trade.done("limit.claim", r#"{"claim":"c"}"#);
    assert_eq!(
        trade.rejected("stock.reserve", "out_of_stock", "{}"),
        lines(["attention attention: none", "sleep sleep: for 1h"])
    );
}

#[test]
fn attempts_nest_and_an_outer_one_takes_back_what_the_inner_has_done() {
    let steps = "
  - attempt:
      - id: outer
        call: limit.claim
        with: {order: outer}
      - attempt:
          - id: inner
            call: limit.claim
            with: {order: inner}
        else:
          any:
            - attention: inner
      - attempt:
          - call: stock.reserve
            with: {sku: milk}
        else:
          out_of_stock:
            - fail: nothing_left
    else:
      nothing_left:
        - attention: '${ rejection.code }'
  - sleep: 1h";
    let (mut trade, _) = Trade::begin(flow(steps));
    trade.done("outer", r#"{"claim":"c1"}"#);
    trade.done("inner", r#"{"claim":"c2"}"#);
    assert_eq!(
        trade.rejected("stock.reserve", "out_of_stock", "{}"),
        r#"undo inner.undo: limit.give_back {"order":"inner","claim":"c2"}"#
    );
    assert_eq!(
        trade.done("inner.undo", "{}"),
        r#"undo outer.undo: limit.give_back {"order":"outer","claim":"c1"}"#
    );
    assert_eq!(
        trade.done("outer.undo", "{}"),
        lines(["attention attention#2: nothing_left", "sleep sleep: for 1h"])
    );
}

#[test]
fn what_runs_beside_an_attempt_goes_on_while_it_is_taken_back() {
    let steps = "
  - parallel:
      left:
        - attempt:
            - call: stock.reserve
              with: {sku: milk}
            - id: pick
              call: pick.request
              with: {parcel: p}
          else:
            any:
              - attention: left
      right:
        - call: limit.claim
          with: {order: right}
        - sleep: 1h
  - sleep: 2h";
    let (mut trade, _) = Trade::begin(flow(steps));
    trade.done("left.stock.reserve", r#"{"reservation":"r"}"#);
    assert_eq!(
        trade.rejected("left.pick", "closed", "{}"),
        r#"undo left.stock.reserve.undo: stock.release {"reservation":"r"}"#
    );
    assert_eq!(trade.done("right.limit.claim", r#"{"claim":"c"}"#), "sleep right.sleep: for 1h");
    assert_eq!(trade.done("left.stock.reserve.undo", "{}"), "attention left.attention: left");
    assert_eq!(trade.due("right.sleep"), "sleep sleep#2: for 2h");
}

#[test]
fn a_failure_around_takes_over_what_an_attempt_was_taking_back() {
    let steps = "
  - parallel:
      left:
        - attempt:
            - id: one
              call: limit.claim
              with: {order: one}
            - id: two
              call: stock.reserve
              with: {sku: milk}
            - fail: no
          else:
            any:
              - attention: left
      right:
        - id: pick
          call: pick.request
          with: {parcel: p}";
    let (mut trade, _) = Trade::begin(flow(steps));
    trade.done("left.one", r#"{"claim":"c"}"#);
    assert_eq!(
        trade.done("left.two", r#"{"reservation":"r"}"#),
        r#"undo left.two.undo: stock.release {"reservation":"r"}"#
    );
    assert_eq!(trade.rejected("right.pick", "closed", "{}"), "answer failed closed {}");
    assert_eq!(
        trade.done("left.two.undo", "{}"),
        r#"undo left.one.undo: limit.give_back {"order":"one","claim":"c"}"#,
        "its handler does not run any more"
    );
    assert_eq!(trade.done("left.one.undo", "{}"), "end failed closed");
}

#[test]
fn an_undo_that_is_refused_while_all_turns_back_is_tried_once_more() {
    let steps = "
  - parallel:
      left:
        - attempt:
            - id: two
              call: stock.reserve
              with: {sku: milk}
            - fail: no
          else:
            any:
              - attention: left
      right:
        - id: pick
          call: pick.request
          with: {parcel: p}";
    let (mut trade, _) = Trade::begin(flow(steps));
    trade.done("left.two", r#"{"reservation":"r"}"#);
    trade.rejected("right.pick", "closed", "{}");
    assert_eq!(
        trade.rejected("left.two.undo", "odd", "{}"),
        r#"undo left.two.undo: stock.release {"reservation":"r"}"#
    );
    assert!(trade.rejected("left.two.undo", "odd", "{}").starts_with("stuck left.two"));
    trade.tell(Input::Resume);
    assert_eq!(trade.done("left.two.undo", "{}"), "end failed closed");
}

#[test]
fn a_held_undo_of_an_attempt_is_tried_again_and_its_handler_runs() {
    let mut trade = attempted();
    trade.rejected("payment", "declined", r#"{"why":"water"}"#);
    assert!(trade.rejected("stock.undo", "odd", "{}").starts_with("stuck stock: the undo is rejected"));
    assert!(trade.state.position().contains("is held at stock"), "{}", trade.state.position());
    assert_eq!(trade.tell(Input::Resume), r#"undo stock.undo: stock.release {"reservation":"r1"}"#);
    assert_eq!(trade.done("stock.undo", "{}"), r#"call cheaper: stock.reserve {"sku":"water"}"#);
}

const BEHIND: &str = "
  - pivot: paid
  - call: limit.claim
    with: {order: outside}
  - attempt:
      - id: stock
        call: stock.reserve
        with: {sku: milk}
      - id: pick
        call: pick.request
        with: {parcel: p}
    else:
      closed:
        - attention: closed
  - sleep: 1h
  - fail: no";

#[test]
fn behind_the_pivot_an_attempt_still_takes_back_its_own_steps() {
    let (mut trade, _) = Trade::begin(flow(BEHIND));
    trade.done("limit.claim", r#"{"claim":"c"}"#);
    trade.done("stock", r#"{"reservation":"r"}"#);
    assert_eq!(
        trade.rejected("pick", "closed", "{}"),
        r#"undo stock.undo: stock.release {"reservation":"r"}"#
    );
    assert_eq!(trade.done("stock.undo", "{}"), lines(["attention attention: closed", "sleep sleep: for 1h"]));
    assert!(trade.due("sleep").starts_with("stuck fail: `fail: no` behind the pivot"));
}

#[test]
fn behind_the_pivot_what_no_attempt_takes_is_held() {
    let (mut trade, _) = Trade::begin(flow(BEHIND));
    trade.done("limit.claim", r#"{"claim":"c"}"#);
    trade.done("stock", r#"{"reservation":"r"}"#);
    assert!(
        trade.rejected("pick", "odd", "{}").starts_with("stuck pick: pick.request is rejected with `odd`")
    );
    assert_eq!(trade.tell(Input::Resume), r#"call pick: pick.request {"parcel":"p"}"#);
}

const CANCELLABLE: &str = "
  - call: limit.claim
    with: {order: outside}
  - attempt:
      - id: stock
        call: stock.reserve
        with: {sku: milk}
      - wait: pick.packed
        match: L1
        timeout: 1h
        on_timeout:
          - fail: too_late
    else:
      given_up:
        - attention: given up
      too_late:
        - attention: too late
    cancel_on: {event: order.cancel_requested, match: '${ input.order }', fail: given_up}
  - sleep: 2h";

#[test]
fn an_attempts_own_cancel_on_fails_it_while_it_runs() {
    let (mut trade, _) = Trade::begin(flow(CANCELLABLE));
    assert_eq!(
        trade.done("limit.claim", r#"{"claim":"c"}"#),
        lines([
            r#"cancellable 1: order.cancel_requested "o1""#,
            r#"call stock: stock.reserve {"sku":"milk"}"#
        ])
    );
    trade.done("stock", r#"{"reservation":"r"}"#);
    let old = Input::CancelAttempt { wait: mortise_flow::WaitNo(1) };
    assert_eq!(
        trade.cancelled(),
        lines(["not cancellable 1", "unwait 2", r#"undo stock.undo: stock.release {"reservation":"r"}"#])
    );
    assert_eq!(trade.tell(old.clone()), "");
    assert_eq!(
        trade.done("stock.undo", "{}"),
        lines(["attention attention: given up", "sleep sleep: for 2h"])
    );
    assert_eq!(trade.tell(old), "");
}

#[test]
fn an_attempt_that_is_over_can_no_longer_be_cancelled() {
    let (mut trade, _) = Trade::begin(flow(CANCELLABLE));
    trade.done("limit.claim", r#"{"claim":"c"}"#);
    trade.done("stock", r#"{"reservation":"r"}"#);
    assert_eq!(
        trade.event("pick.packed", r#"{"list":"L1"}"#),
        lines(["not cancellable 1", "sleep sleep: for 2h"])
    );
    assert_eq!(trade.tell(Input::CancelAttempt { wait: mortise_flow::WaitNo(1) }), "");
}

#[test]
fn what_was_settled_for_good_in_an_attempt_is_not_released_later() {
    let steps = "
  - id: stock
    call: stock.reserve
    with: {sku: milk}
  - attempt:
      - call: stock.scrap
        with: {reservation: '${ stock.reservation }'}
      - fail: no
    else:
      any:
        - attention: scrapped
  - sleep: 1h
  - fail: never";
    let (mut trade, _) = Trade::begin(flow(steps));
    trade.done("stock", r#"{"reservation":"r"}"#);
    assert_eq!(
        trade.done("stock.scrap", "{}"),
        lines(["attention attention: scrapped", "sleep sleep: for 1h"]),
        "there is nothing to take back"
    );
    assert_eq!(trade.due("sleep"), lines(["answer failed never {}", "end failed never"]));
}

#[test]
fn money_that_a_failed_attempt_waited_for_is_late_unless_its_handler_waits_again() {
    let steps = |handler: &str| {
        format!(
            "
  - attempt:
      - wait: pay.captured
        match: p1
        timeout: 1h
        on_timeout:
          - fail: slow
    else:
      slow:
        - {handler}
  - sleep: 9h"
        )
    };
    let (mut trade, _) = Trade::begin(flow(&steps("attention: slow")));
    assert_eq!(
        trade.due("pay.captured"),
        lines([r#"late pay.captured "p1""#, "attention attention: slow", "sleep sleep: for 9h"])
    );
    let again = "{wait: pay.captured, match: p1, timeout: 2h, on_timeout: [{attention: none}]}";
    let (mut trade, _) = Trade::begin(flow(&steps(again)));
    assert_eq!(trade.due("pay.captured"), r#"wait pay.captured: pay.captured "p1" for 2h"#);
    assert_eq!(
        trade.due("pay.captured"),
        lines([r#"late pay.captured "p1""#, "attention attention: none", "sleep sleep: for 9h"])
    );
}

#[test]
fn money_that_a_wait_behind_a_failed_attempt_would_have_had_is_late() {
    let steps = "
  - id: asked
    attempt:
      - id: payment
        call: pay.request
        with: {order: '${ input.order }'}
      - call: stock.reserve
        with: {sku: milk}
    else:
      any:
        - attention: not asked
    result: {payment: '${ has(payment.payment_id) ? payment.payment_id : input.order }'}
  - wait: pay.captured
    match: ${ asked.payment }
    timeout: 1h
    on_timeout:
      - fail: timeout";
    let (mut trade, _) = Trade::begin(flow(steps));
    trade.done("payment", r#"{"payment_id":"p1","url":"u"}"#);
    assert_eq!(
        trade.rejected("stock.reserve", "out_of_stock", "{}"),
        lines([r#"late pay.captured "p1""#, r#"undo payment.undo: pay.void {"payment_id":"p1"}"#])
    );
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(
        trade.unavailable("payment", r#"{"payment_id":"p2"}"#),
        lines([r#"late pay.captured "p2""#, r#"undo payment.undo: pay.void {"payment_id":"p2"}"#])
    );
}
