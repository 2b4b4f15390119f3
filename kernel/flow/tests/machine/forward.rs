//! Going forward: calls, handlers, conditions, waits, answers, the pivot.

use mortise_flow::{Command, Input, Persistence};

use crate::trade::{Trade, flow, lines, program};

const PAY_FIRST: &str = include_str!("pay-first.yaml");

#[test]
fn a_whole_trade_goes_through() {
    let (mut trade, said) = Trade::begin_with(
        program(PAY_FIRST),
        r#"{"order_id":"o1","sku":"milk","parcels":["a","b"],"pay_by":"provider"}"#,
    );
    assert_eq!(
        said,
        lines(["cancellable order.cancel_requested \"o1\"", r#"call quote: price.quote {"sku":"milk"}"#])
    );
    assert_eq!(trade.done("quote", r#"{"amount":500}"#), r#"call limit.claim: limit.claim {"order":"o1"}"#);
    assert_eq!(trade.done("limit.claim", r#"{"claim":"c1"}"#), r#"call stock: stock.reserve {"sku":"milk"}"#);
    assert_eq!(
        trade.done("stock", r#"{"reservation":"r1"}"#),
        r#"call payment: pay.request {"order":"o1","amount":500}"#
    );
    assert_eq!(trade.state.position(), "calls pay.request at payment");
    assert_eq!(
        trade.done("payment", r#"{"payment_id":"p1","url":"https://pay"}"#),
        lines([
            r#"answer {"order_id":"o1","pay_url":"https://pay","text":"order o1: 500"}"#,
            r#"wait captured: pay.captured "p1" for 30m"#
        ])
    );
    assert_eq!(trade.state.position(), "waits for pay.captured at captured");
    trade.later("5m");
    assert_eq!(
        trade.event("captured", r#"{"payment_id":"p1","amount":500}"#),
        lines(["not cancellable", "pivot", r#"call pay.settle: pay.settle {"payment_id":"p1"}"#])
    );
    assert!(trade.state.passed_pivot());
    assert_eq!(trade.done("pay.settle", "{}"), r#"call stock.claim: stock.claim {"reservation":"r1"}"#);
    assert_eq!(
        trade.done("stock.claim", "{}"),
        lines([
            r#"call shipping[0].picking: pick.request {"parcel":"a"}"#,
            r#"call shipping[1].picking: pick.request {"parcel":"b"}"#
        ])
    );
    assert_eq!(
        trade.done("shipping[1].picking", r#"{"list":"L2"}"#),
        r#"wait shipping[1].pick.packed: pick.packed "L2" for 7d"#
    );
    assert_eq!(
        trade.done("shipping[0].picking", r#"{"list":"L1"}"#),
        r#"wait shipping[0].pick.packed: pick.packed "L1" for 7d"#
    );
    assert_eq!(trade.state.position(), "waits for pick.packed at shipping[0], and 1 more");
    assert_eq!(
        trade.due("shipping[1].pick.packed"),
        "attention shipping[1].attention#2: parcel b has not been packed for a week"
    );
    assert_eq!(
        trade.event("shipping[0].pick.packed", r#"{"list":"L1"}"#),
        lines([r#"emit order.placed {"order":"o1","amount":500}"#, "end"])
    );
    assert_eq!(trade.state.position(), "ended: completed");
    assert!(trade.state.outstanding().is_empty());
}

#[test]
fn a_switch_goes_one_way_and_its_result_sees_which() {
    let steps = "
  - switch:
      - if: ${ input.fast }
        do:
          - id: quick
            call: price.quote
            with: {sku: quick}
      - else:
          - id: slow
            call: price.quote
            with: {sku: slow}
    result: {amount: '${ has(quick.amount) ? quick.amount : slow.amount }'}
    id: chosen
  - emit: order.placed
    with: {order: '${ input.order }', amount: '${ chosen.amount }'}";
    let (mut trade, said) = Trade::begin(flow(steps));
    assert_eq!(said, r#"call quick: price.quote {"sku":"quick"}"#);
    assert_eq!(
        trade.done("quick", r#"{"amount":7}"#),
        lines([r#"emit order.placed {"order":"o1","amount":7}"#, "answer {}", "end"])
    );
    let (_, said) = Trade::begin_with(flow(steps), r#"{"order":"o2","fast":false}"#);
    assert_eq!(said, r#"call slow: price.quote {"sku":"slow"}"#);
}

#[test]
fn a_step_that_does_not_run_is_an_empty_record() {
    let steps = "
  - when: ${ !input.fast }
    id: quote
    call: price.quote
    with: {sku: x}
  - let: {amount: '${ has(quote.amount) ? quote.amount : 1 + 2 * 3 }'}
  - answer: {amount: '${ amount }', list: [1, '${ amount }'], text: 'a ${ amount } b ${ input.parcels }'}";
    let (_, said) = Trade::begin(flow(steps));
    assert_eq!(
        said,
        lines([r#"answer {"amount":7,"list":[1,7],"text":"a 7 b [\"a\",\"b\",\"c\"]"}"#, "end"])
    );
}

#[test]
fn a_handler_sees_the_rejection_and_goes_on_behind_its_step() {
    let steps = "
  - id: stock
    call: stock.reserve
    with: {sku: milk}
    on:
      out_of_stock:
        - attention: '${ rejection.code } of ${ rejection.detail.sku }'
      any:
        - fail: other
  - answer: {held: '${ has(stock.reservation) }'}";
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(
        trade.rejected("stock", "out_of_stock", r#"{"sku":"milk"}"#),
        lines(["attention attention: out_of_stock of milk", r#"answer {"held":false}"#, "end"])
    );
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(trade.rejected("stock", "odd", "{}"), lines(["answer failed other {}", "end failed other"]));
}

#[test]
fn a_fail_with_the_code_of_the_rejection_keeps_its_detail() {
    let steps = "
  - call: stock.reserve
    with: {sku: milk}
    on:
      out_of_stock:
        - fail: out_of_stock";
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(
        trade.rejected("stock.reserve", "out_of_stock", r#"{"sku":"milk"}"#),
        lines([r#"answer failed out_of_stock {"sku":"milk"}"#, "end failed out_of_stock"])
    );
}

#[test]
fn clocks_are_durations_and_moments() {
    let steps = "
  - sleep: 10m
  - sleep: ${ duration('90s') }
  - sleep: ${ input.until }
  - wait: pick.packed
    match: L1
    by: ${ now + duration('1h30m') }
    on_timeout:
      - end: given_up";
    let (mut trade, said) = Trade::begin(flow(steps));
    assert_eq!(said, "sleep sleep: for 10m");
    assert_eq!(trade.state.position(), "sleeps until 2026-01-01T08:10:00.000Z");
    trade.later("10m");
    assert_eq!(trade.due("sleep"), "sleep sleep#2: for 90s");
    trade.later("90s");
    assert_eq!(trade.due("sleep#2"), "sleep sleep#3: for 2910s", "10:00+01:00 is 09:00 in UTC");
    trade.later("2910s");
    assert_eq!(trade.due("sleep#3"), r#"wait pick.packed: pick.packed "L1" for 90m"#);
    assert_eq!(trade.due("pick.packed"), lines(["answer {}", "end given_up"]));
}

#[test]
fn moments_compare_by_value_whatever_their_offset() {
    let steps = "
  - answer:
      same: ${ input.until == timestamp('2026-01-01T09:00:00Z') }
      ahead: ${ started_at < input.until && input.until - now == duration('1h') }
      now: ${ now }
      passed_on: ${ input.until }
      first: ${ min(input.until, now) }";
    let (_, said) = Trade::begin(flow(steps));
    let answer = r#"answer {"same":true,"ahead":true,"now":"2026-01-01T08:00:00.000Z","passed_on":"2026-01-01T10:00:00+01:00","first":"2026-01-01T08:00:00.000Z"}"#;
    assert_eq!(said, lines([answer, "end"]));
}

#[test]
fn before_the_pivot_a_remote_call_may_be_given_up_behind_it_never() {
    let steps = "
  - call: pay.request
    with: {order: '${ input.order }'}
  - pivot: paid
  - call: pay.request
    with: {order: '${ input.order }'}
    timeout: 3s";
    let (mut trade, _) = Trade::begin(flow(steps));
    trade.done("pay.request", r#"{"payment_id":"p1","url":"u"}"#);
    let remote: Vec<(Persistence, Option<u64>)> = trade
        .commands
        .iter()
        .filter_map(|command| match command {
            Command::Call { persistence, timeout_ms, .. } => Some((*persistence, *timeout_ms)),
            _ => None,
        })
        .collect();
    assert_eq!(remote, [(Persistence::GiveUp, None), (Persistence::WithoutEnd, Some(3_000))]);
    assert_eq!(trade.unavailable("pay.request#2", "{}"), "", "it is out until it answers");
    assert_eq!(trade.done("pay.request#2", r#"{"payment_id":"p2","url":"u"}"#), lines(["answer {}", "end"]));
}

#[test]
fn a_remote_call_that_cannot_be_taken_back_is_never_given_up() {
    let (trade, _) = Trade::begin(flow("\n  - call: mail.send\n    with: {text: hello}"));
    assert!(matches!(trade.commands[0], Command::Call { persistence: Persistence::WithoutEnd, .. }));
}

#[test]
fn behind_the_pivot_an_expression_without_a_value_holds_its_step() {
    let steps = "
  - pivot: paid
  - id: quote
    call: price.quote
    with: {sku: x}
  - answer: {per: '${ 100 / quote.amount }'}";
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(trade.done("quote", r#"{"amount":0}"#), "stuck answer: division by zero");
    assert_eq!(trade.state.stuck().unwrap().1.as_ref(), "division by zero");
    assert_eq!(trade.state.position(), "is held at answer: division by zero");
    assert_eq!(trade.tell(Input::Resume), "stuck answer: division by zero");
    assert!(!trade.state.is_ended());
}

#[test]
fn before_the_pivot_an_expression_without_a_value_fails_the_trade() {
    let steps = "
  - call: limit.claim
    with: {order: '${ input.order }'}
  - answer: {n: '${ 9223372036854775807 + size(input.order) }'}";
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(
        trade.done("limit.claim", r#"{"claim":"c1"}"#),
        lines([
            r#"answer failed evaluation_failed {"step":"answer","problem":"the result of `+` is beyond the range of its type"}"#,
            r#"undo limit.claim.undo: limit.give_back {"order":"o1","claim":"c1"}"#
        ])
    );
    assert_eq!(trade.done("limit.claim.undo", "{}"), "end failed evaluation_failed");
}

#[test]
fn behind_the_pivot_a_rejection_that_nobody_takes_is_held_and_called_again() {
    let steps = "
  - pivot: paid
  - call: pick.request
    with: {parcel: a}";
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(
        trade.rejected("pick.request", "closed", "{}"),
        "stuck pick.request: pick.request is rejected with `closed`, which nobody takes"
    );
    assert_eq!(trade.tell(Input::Resume), r#"call pick.request: pick.request {"parcel":"a"}"#);
    assert_eq!(trade.done("pick.request", r#"{"list":"L"}"#), lines(["answer {}", "end"]));
}

#[test]
fn an_end_within_a_round_ends_the_trade_forward() {
    let steps = "
  - foreach: ${ input.parcels }
    as: parcel
    max: 9
    at_once: 3
    do:
      - id: picking
        call: pick.request
        with: {parcel: '${ parcel }'}
        on:
          closed:
            - end: enough
      - sleep: 1d";
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(trade.done("foreach[0].picking", r#"{"list":"L"}"#), "sleep foreach[0].sleep: for 1d");
    assert_eq!(trade.rejected("foreach[1].picking", "closed", "{}"), "unwait 1", "a call is still out");
    assert_eq!(trade.done("foreach[2].picking", r#"{"list":"M"}"#), lines(["answer {}", "end enough"]));
}

#[test]
fn a_length_of_time_may_have_a_name() {
    let steps = "
  - let: {patience: \"${ duration('90m') - duration('30m') }\", end: '${ now + duration(\"2h\") }'}
  - sleep: ${ patience }
  - sleep: ${ end }";
    let (mut trade, said) = Trade::begin(flow(steps));
    assert_eq!(said, "sleep sleep: for 1h");
    trade.later("1h");
    assert_eq!(trade.due("sleep"), "sleep sleep#2: for 1h");
}
