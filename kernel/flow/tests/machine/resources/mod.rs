//! What the checker says of resources, against the machine: of a flow that is accepted nothing leaks and nothing is settled
//! twice, whatever the world does; of a flow that is refused each way is gone, and does what the message says.

mod book;
mod claim;
mod parts;
mod terms;
mod world;

use mortise_contract::Contracts;
use mortise_flow::check_text;
use mortise_flow::diagnostic::Diagnostic;
use proptest::prelude::*;

use crate::held::{flow, write};
use claim::Claim;
use terms::{Terms, terms};
use world::{World, inputs};

/// `None` if the flow is wrong for another reason.
fn judged(text: &str, contracts: &Contracts) -> Option<Vec<Diagnostic>> {
    let (_, found) = check_text(text.as_bytes(), contracts);
    let errors: Vec<Diagnostic> = found.into_iter().filter(Diagnostic::is_error).collect();
    let ours = |finding: &Diagnostic| matches!(finding.code.as_str(), "leaks-resource" | "used-twice");
    errors.iter().all(ours).then_some(errors)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_checker_and_the_machine_agree_on_resources(flow in flow(), terms in terms()) {
        let contracts = terms.contracts();
        let text = write(&flow, &contracts);
        let Some(found) = judged(&text, &contracts) else { return Ok(()) };
        let claims = found.iter().map(|finding| Claim::of(finding, &text)).collect();
        let world = World::new(&text, &contracts, claims).play(&inputs(&text));
        if found.is_empty() {
            prop_assert!(world.off.is_empty(), "accepted, and {:#?}\n{terms:?}\n{text}", world.off);
        } else if world.all {
            prop_assert!(
                world.claims.is_empty(), "refused, and not so: {:#?}\n{found:#?}\n{terms:?}\n{text}", world.claims
            );
        }
    }
}

const CANCELLABLE: &str =
    "cancel_on: {event: order.cancel_requested, match: '${ input.order }', fail: cancelled}";

/// What the checker finds in a flow, which is so on the machine.
fn codes(terms: Terms, head: &str, steps: &str) -> Vec<String> {
    let contracts = terms.contracts();
    let input =
        "{type: object, properties: {n: {type: integer, default: 0}, order: {type: string, default: o}}}";
    let text = format!("flow: case\nversion: 1\ninternal: true\ninput: {input}\n{head}\nsteps:\n{steps}");
    let (_, found) = check_text(text.as_bytes(), &contracts);
    let found: Vec<Diagnostic> = found.into_iter().filter(Diagnostic::is_error).collect();
    let ours: Vec<&Diagnostic> =
        found.iter().filter(|finding| matches!(&*finding.code, "leaks-resource" | "used-twice")).collect();
    let claims = ours.iter().map(|finding| Claim::of(finding, &text)).collect();
    let world = World::new(&text, &contracts, claims).play(&inputs(&text));
    assert_eq!(world.off.is_empty(), ours.is_empty(), "{found:#?}\n{:#?}", world.off);
    found.into_iter().map(|finding| finding.code.to_string()).collect()
}

/// Whether a flow is accepted, and is so on the machine.
fn is_fine(steps: &str) -> bool {
    codes(Terms::default(), "", steps).is_empty()
}

/// What cancels is heard at a branch's wait: the other branch is through its stretch by then.
#[test]
fn what_cancels_meets_no_branch_amid_a_stretch() {
    let terms = Terms { claim_is_final: true, ..Terms::default() };
    let steps = "
  - parallel:
      one:
        - id: stock1
          call: stock.reserve
          with: {sku: milk}
          undo: {call: stock.unclaim, with: {reservation: '${ stock1.reservation }'}}
        - SECOND
        - {call: stock.claim, with: {reservation: '${ stock1.reservation }'}}
      other:
        - {sleep: 1m}
";
    let stretch = steps.replace("SECOND", "{call: mail.check, with: {}}");
    assert_eq!(codes(terms, CANCELLABLE, &stretch), ["cannot-undo"]);
    let waits = steps.replace("SECOND", "{sleep: 1m}");
    assert_eq!(codes(terms, CANCELLABLE, &waits), ["leaks-resource"]);
}

/// What cancels while peers are asked to try cancels the tries; behind them, the confirms and what follows are one stretch.
#[test]
fn what_cancels_is_not_heard_between_confirms_and_the_next_step() {
    let terms = Terms { hold_is_remote: true, ..Terms::default() };
    let steps = "
  - id: stock1
    call: stock.reserve
    with: {sku: milk}
  - tcc:
      - id: credit1
        call: credit.hold
        with: {order: a}
        undo: {call: stock.release, with: {reservation: '${ stock1.reservation }'}}
      - {id: credit2, call: credit.hold, with: {order: b}}
  - SECOND
  - {call: stock.claim, with: {reservation: '${ stock1.reservation }'}}
";
    let stretch = steps.replace("SECOND", "{call: mail.check, with: {}}");
    assert_eq!(codes(terms, CANCELLABLE, &stretch), Vec::<String>::new());
    let waits = steps.replace("SECOND", "{sleep: 1m}");
    assert_eq!(codes(terms, CANCELLABLE, &waits), ["used-twice"]);
}

/// A round whose try is rejected gives back what that round has taken, not what an earlier one has.
#[test]
fn tries_in_rounds_are_confirmed_or_cancelled_one_round_at_a_time() {
    let promise = "
  - id: parts1
    call: stock.split
    with: {sku: milk}
  - foreach: ${ parts1.shares }
    as: each
    max: 9
    do:
      - tcc:
          - {call: stock.promise, with: {reservation: '${ each.share }'}}
          - {id: credit1, call: credit.hold, with: {order: a}}
        on:
          any: [REJECTED]
";
    assert!(is_fine(
        &promise.replace("REJECTED", "{call: stock.release, with: {reservation: '${ each.share }'}}")
    ));
    assert!(!is_fine(&promise.replace("REJECTED", "{attention: rejected}")));
}

/// What a try is given is worked out with the tries before it still open: they are cancelled where it has no value.
#[test]
fn a_try_without_its_input_cancels_those_before_it() {
    assert!(is_fine(
        "
  - id: stock1
    call: stock.reserve
    with: {sku: milk}
  - tcc:
      - {call: stock.promise, with: {reservation: '${ stock1.reservation }'}}
      - {id: credit1, call: credit.hold, with: {order: \"${ input.n + 1 > 0 ? 'a' : 'b' }\"}}
"
    ));
}

const BESIDE: &str = "
  - id: stock1
    call: stock.reserve
    with: {sku: milk}
  - parallel:
      one:
        - {call: mail.check, with: {}}
        - {id: stock2, call: stock.reserve, with: {sku: milk}}
        - {when: '${ input.n > 1 }', end: enough}
        - {call: stock.release, with: {reservation: '${ stock2.reservation }'}}
      other:
        - OTHER
  - {call: stock.release, with: {reservation: '${ stock1.reservation }'}}
";

/// Where a branch ends all at once, those before it end their first step and do no more: of two branches that end all under one
/// condition the second one does.
#[test]
fn a_branch_that_ends_all_at_once_meets_the_others_in_their_first_step() {
    let at_once = "{when: '${ input.n > 1 }', fail: enough}";
    assert!(is_fine(&BESIDE.replace("OTHER", at_once)));
    let not_at_once = "{call: mail.check, with: {}}\n        - {when: '${ input.n > 1 }', fail: enough}";
    assert!(!is_fine(&BESIDE.replace("OTHER", not_at_once)), "either of them may be the first");
}

/// Where a branch ends all later, those behind it have begun: their first step is ended with it.
#[test]
fn a_branch_that_ends_all_later_meets_the_others_behind_what_they_have_begun() {
    let settled = "
  - id: stock1
    call: stock.reserve
    with: {sku: milk}
  - parallel:
      one:
        - {call: mail.check, with: {}}
        - {end: enough}
      other:
        - OTHER{call: stock.release, with: {reservation: '${ stock1.reservation }'}}
";
    assert!(is_fine(&settled.replace("OTHER", "")));
    let second = "{call: mail.check, with: {}}\n        - ";
    assert!(!is_fine(&settled.replace("OTHER", second)), "it may not have come to its second step");
}

/// The generator makes all kinds, enough of each, and few that are too large to be gone to their end.
#[test]
fn random_flows_are_accepted_and_refused_in_turn() {
    use proptest::strategy::{Strategy as _, ValueTree};
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut accepted, mut leaks, mut twice, mut tried) = (0, 0, 0, 0);
    for _ in 0..600 {
        let (flow, terms) = (flow(), terms()).new_tree(&mut runner).unwrap().current();
        let contracts = terms.contracts();
        let text = write(&flow, &contracts);
        let Some(found) = judged(&text, &contracts) else { continue };
        accepted += usize::from(found.is_empty() && text.contains("\"call\": \"stock."));
        tried += usize::from(found.is_empty() && text.contains("\"tcc\""));
        leaks += usize::from(found.iter().any(|finding| finding.code == "leaks-resource"));
        twice += usize::from(found.iter().any(|finding| finding.code == "used-twice"));
    }
    assert!(
        accepted > 40 && leaks > 60 && twice > 15 && tried > 15,
        "{accepted} accepted, {tried} of which try, {leaks} leak, {twice} twice"
    );
}
