//! Races and repeats: the first one wins, the others are withdrawn; rounds that read, wait and read again.

use mortise_flow::Input;

use crate::trade::{Trade, flow, lines};

const RACE: &str = "
  - id: paid
    race:
      money:
        wait: pay.captured
        match: p1
        do:
          - attention: 'paid ${ money.amount }'
      packed:
        wait: pick.packed
        match: L1
      late:
        timeout: 30m
        do:
          - attention: late
    result: {by: '${ has(money.amount) ? 1 : 2 }'}
  - answer: {by: '${ paid.by }'}
  - sleep: 1h";

#[test]
fn the_first_one_wins_and_the_others_are_withdrawn() {
    let (mut trade, said) = Trade::begin(flow(RACE));
    assert_eq!(
        said,
        lines([
            r#"wait paid.money: pay.captured "p1""#,
            r#"wait paid.packed: pick.packed "L1""#,
            "sleep paid.late: for 30m"
        ])
    );
    assert_eq!(
        trade.event("paid.money", r#"{"payment_id":"p1","amount":5}"#),
        lines([
            "unwait 2",
            "unwait 3",
            "attention attention: paid 5",
            r#"answer {"by":1}"#,
            "sleep sleep: for 1h"
        ])
    );
}

#[test]
fn a_loser_that_waits_for_money_becomes_a_late_key() {
    let (mut trade, _) = Trade::begin(flow(RACE));
    assert_eq!(
        trade.due("paid.late"),
        lines([
            "unwait 1",
            "unwait 2",
            r#"late pay.captured "p1""#,
            "attention attention#2: late",
            r#"answer {"by":2}"#,
            "sleep sleep: for 1h"
        ])
    );
    assert_eq!(trade.due("sleep"), "end");
}

#[test]
fn an_event_has_no_clock_of_its_own_in_a_race() {
    let (mut trade, _) = Trade::begin(flow(RACE));
    let wait = trade.wait("paid.money");
    assert_eq!(trade.tell(Input::Due { wait }), "");
    assert_eq!(trade.state.waits().len(), 3);
}

#[test]
fn a_branch_without_steps_wins_too() {
    let (mut trade, _) = Trade::begin(flow(RACE));
    assert!(trade.event("paid.packed", r#"{"list":"L1"}"#).ends_with(&lines([
        r#"late pay.captured "p1""#,
        r#"answer {"by":2}"#,
        "sleep sleep: for 1h"
    ])));
}

#[test]
fn a_race_in_a_trade_that_fails_is_withdrawn_and_its_money_would_be_late() {
    let steps = format!(
        "
  - parallel:
      other:
        - sleep: 1m
        - fail: no
      race:
{}",
        RACE.replace("\n  - sleep: 1h", "")
            .replace("\n  - answer: {by: '${ paid.by }'}", "")
            .replace('\n', "\n      ")
    );
    let (mut trade, _) = Trade::begin(flow(&steps));
    assert_eq!(
        trade.due("other.sleep"),
        lines([
            "answer failed no {}",
            "unwait 2",
            "unwait 3",
            "unwait 4",
            r#"late pay.captured "p1""#,
            "end failed no"
        ])
    );
}

#[test]
fn a_repeat_counts_from_one_ends_by_until_and_gives_its_last_rounds_result() {
    let steps = "
  - id: closing
    repeat: round
    max: 9
    until: ${ quote.amount > 20 }
    do:
      - id: quote
        call: price.quote
        with: {sku: 'bid ${ round }'}
    result: {amount: '${ quote.amount }', round: '${ round }'}
  - answer: {closing: '${ closing }'}";
    let (mut trade, said) = Trade::begin(flow(steps));
    assert_eq!(said, r#"call closing[1].quote: price.quote {"sku":"bid 1"}"#);
    assert_eq!(
        trade.done("closing[1].quote", r#"{"amount":10}"#),
        r#"call closing[2].quote: price.quote {"sku":"bid 2"}"#
    );
    assert_eq!(
        trade.done("closing[2].quote", r#"{"amount":30}"#),
        lines([r#"answer {"closing":{"amount":30,"round":2}}"#, "end"])
    );
}

#[test]
fn reaching_max_goes_on_behind_the_repeat_and_each_round_is_its_own() {
    let steps = "
  - id: last
    repeat: round
    max: 3
    do:
      - when: ${ round == 2 }
        id: quote
        call: price.quote
        with: {sku: x}
    result: {seen: '${ has(quote.amount) }', round: '${ round }'}
  - answer: {last: '${ last }'}";
    let (mut trade, _) = Trade::begin(flow(steps));
    assert_eq!(
        trade.done("last[2].quote", r#"{"amount":1}"#),
        lines([r#"answer {"last":{"seen":false,"round":3}}"#, "end"])
    );
}

const DUNNING: &str = "
  - id: paid
    repeat: round
    max: 3
    until: ${ r.payment_id == 'p1' }
    do:
      - race:
          money:
            wait: pay.captured
            match: p1
          late:
            timeout: 7d
            do:
              - call: mail.send
                with: {text: 'please pay, ${ round }'}
        id: r
        result: {payment_id: '${ has(money.payment_id) ? money.payment_id : input.order }'}
  - sleep: 1h";

#[test]
fn money_that_a_later_round_may_still_get_is_not_late_before_the_last_round_is_over() {
    let (mut trade, _) = Trade::begin(flow(DUNNING));
    assert_eq!(
        trade.due("paid[1].r.late"),
        lines(["unwait 1", r#"call paid[1].mail.send: mail.send {"text":"please pay, 1"}"#]),
        "the next round waits for it"
    );
    trade.done("paid[1].mail.send", "{}");
    trade.due("paid[2].r.late");
    trade.done("paid[2].mail.send", "{}");
    assert_eq!(
        trade.due("paid[3].r.late"),
        lines([
            "unwait 5",
            r#"late pay.captured "p1""#,
            r#"call paid[3].mail.send: mail.send {"text":"please pay, 3"}"#
        ])
    );
}

#[test]
fn money_that_came_is_not_late_for_the_rounds_that_are_left_out() {
    let (mut trade, _) = Trade::begin(flow(DUNNING));
    trade.due("paid[1].r.late");
    trade.done("paid[1].mail.send", "{}");
    assert_eq!(
        trade.event("paid[2].r.money", r#"{"payment_id":"p1","amount":1}"#),
        lines(["unwait 4", "sleep sleep: for 1h"])
    );
    assert_eq!(trade.due("sleep"), lines(["answer {}", "end"]));
}

#[test]
fn a_moment_in_the_past_is_due_at_once() {
    let steps = "
  - race:
      packed: {wait: pick.packed, match: L1}
      late: {by: '${ started_at }', do: [{attention: late}]}";
    let (mut trade, _) = Trade::begin(flow(steps));
    let due = trade.state.waits()[1].due.unwrap();
    assert!(due <= trade.now);
    assert_eq!(trade.due("race.late"), lines(["unwait 1", "attention attention: late", "answer {}", "end"]));
}
