//! Trades that are a part of another one: started, answered, withdrawn, taken back.

use mortise_flow::{Input, TAKEN_BACK};

use crate::trade::{Trade, flow, lines};

const INSURED: &str = "
  - call: limit.claim
    with: {order: '${ input.order }'}
  - id: insurance
    start: insure
    with: {order: '${ input.order }'}
    on:
      refused:
        - attention: '${ rejection.detail.why }'
  - answer: {policy: '${ has(insurance.policy) ? insurance.policy : input.order }'}
  - sleep: 1h
  - fail: no";

fn started() -> Trade {
    let (mut trade, _) = Trade::begin(flow(INSURED));
    assert_eq!(trade.done("limit.claim", r#"{"claim":"c"}"#), r#"start insurance: insure {"order":"o1"}"#);
    assert_eq!(trade.state.position(), "waits for the trade insure at insurance");
    trade
}

#[test]
fn its_answer_is_the_result_and_it_takes_itself_back() {
    let mut trade = started();
    let call = trade.call("insurance").0;
    assert_eq!(
        trade.done("insurance", r#"{"policy":"P"}"#),
        lines([r#"answer {"policy":"P"}"#, "sleep sleep: for 1h"])
    );
    assert_eq!(trade.due("sleep"), format!("take back insurance.undo: {call}"));
    assert_eq!(trade.state.position(), "goes backward with no: has a trade taken back at insurance");
    assert_eq!(
        trade.done("insurance.undo", "{}"),
        r#"undo limit.claim.undo: limit.give_back {"order":"o1","claim":"c"}"#
    );
}

#[test]
fn its_failure_is_a_rejection() {
    let mut trade = started();
    assert_eq!(
        trade.rejected("insurance", "refused", r#"{"why":"too dear"}"#),
        lines(["attention attention: too dear", r#"answer {"policy":"o1"}"#, "sleep sleep: for 1h"])
    );
    let mut trade = started();
    assert_eq!(
        trade.rejected("insurance", "odd", "{}"),
        lines([
            "answer failed odd {}",
            r#"undo limit.claim.undo: limit.give_back {"order":"o1","claim":"c"}"#
        ])
    );
}

const BESIDE: &str = "
  - parallel:
      left:
        - id: insurance
          start: insure
          with: {order: '${ input.order }'}
      right:
        - sleep: 1h
        - fail: no";

#[test]
fn a_trade_that_runs_beside_what_fails_is_withdrawn_and_waited_for() {
    let (mut trade, _) = Trade::begin(flow(BESIDE));
    let call = trade.call("left.insurance").0;
    assert_eq!(trade.due("right.sleep"), lines(["answer failed no {}", &format!("withdraw {call}")]));
    let open: Vec<String> =
        trade.state.outstanding().iter().map(|command| crate::trade::say(command, trade.now)).collect();
    assert_eq!(open, [r#"start left.insurance: insure {"order":"o1"}"#, &format!("withdraw {call}")]);
    assert_eq!(trade.rejected("left.insurance", TAKEN_BACK, "{}"), "end failed no");

    let (mut trade, _) = Trade::begin(flow(BESIDE));
    trade.due("right.sleep");
    assert_eq!(
        trade.done("left.insurance", r#"{"policy":"P"}"#),
        format!("take back left.insurance.undo: {call}"),
        "it had gone forward before it heard of it"
    );
    assert_eq!(trade.done("left.insurance.undo", "{}"), "end failed no");
}

#[test]
fn what_cannot_be_taken_back_is_started_behind_the_pivot() {
    let steps = "
  - pivot: paid
  - start: ship
    with: {order: '${ input.order }'}
  - attention: shipped";
    let (mut trade, said) = Trade::begin(flow(steps));
    assert_eq!(said, lines(["pivot", r#"start ship: ship {"order":"o1"}"#]));
    assert_eq!(trade.done("ship", "{}"), lines(["attention attention: shipped", "answer {}", "end"]));
}

const PART: &str = "
  - call: limit.claim
    with: {order: '${ input.order }'}
  - answer: {claimed: true}
  - sleep: 1h";

#[test]
fn a_part_that_runs_fails_when_it_is_taken_back() {
    let (mut trade, _) = Trade::begin(flow(PART));
    trade.done("limit.claim", r#"{"claim":"c"}"#);
    assert_eq!(
        trade.tell(Input::TakeBack),
        lines(["unwait 1", r#"undo limit.claim.undo: limit.give_back {"order":"o1","claim":"c"}"#])
    );
    assert_eq!(trade.tell(Input::TakeBack), "");
    assert_eq!(trade.done("limit.claim.undo", "{}"), "end failed taken_back");
    assert_eq!(trade.tell(Input::TakeBack), "");
}

#[test]
fn a_part_that_went_forward_reopens_when_it_is_taken_back() {
    let (mut trade, _) = Trade::begin(flow(PART));
    trade.done("limit.claim", r#"{"claim":"c"}"#);
    assert_eq!(trade.due("sleep"), "end");
    assert_eq!(
        trade.tell(Input::TakeBack),
        r#"undo limit.claim.undo: limit.give_back {"order":"o1","claim":"c"}"#
    );
    assert_eq!(
        trade.state.position(),
        "goes backward with taken_back: calls limit.give_back to take back limit.claim"
    );
    assert_eq!(trade.done("limit.claim.undo", "{}"), "end failed taken_back");
}

#[test]
fn behind_its_pivot_nothing_is_taken_back() {
    let (mut trade, _) = Trade::begin(flow(
        "
  - call: limit.claim
    with: {order: a}
  - pivot: done
  - sleep: 1h",
    ));
    trade.done("limit.claim", r#"{"claim":"c"}"#);
    assert_eq!(trade.tell(Input::TakeBack), "");
    assert_eq!(trade.due("sleep"), lines(["answer {}", "end"]));
    assert_eq!(trade.tell(Input::TakeBack), "");
}
