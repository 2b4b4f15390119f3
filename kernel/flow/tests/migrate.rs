//! Which definitions running trades may be moved to: each change of a small flow, and what stands in its way.

use mortise_contract::Contracts;
use mortise_flow::{Obstacle, obstacles, parse};

const FLOW: &str = r#"
flow: buy
version: 1
input: { type: object, required: [order], properties: { order: { type: string }, count: { type: integer } } }
steps:
  - id: seen
    call: stock.look
  - id: held
    call: stock.hold
    with: { order: "${ input.order }" }
  - id: asked
    call: pay.ask
    with: { order: "${ input.order }" }
  - answer: {}
  - id: paid
    wait: pay.came
    match: ${ asked.payment }
    timeout: 30m
    on_timeout: [ { fail: unpaid } ]
  - pivot: paid
  - id: claimed
    call: stock.claim
    with: { hold: "${ held.hold }" }
  - id: packing
    foreach: ${ held.parcels }
    as: parcel
    max: 9
    do:
      - id: packed
        wait: ware.packed
        match: ${ parcel.id }
        timeout: 7d
        on_timeout: [ { attention: late } ]
  - emit: shop.done
    with: { order: "${ input.order }" }
"#;

fn contracts() -> Contracts {
    serde_json::from_str(
        r#"{"operations": {
            "stock.look": {"effect": "read", "input": {"type": "object"}, "output": {"type": "object"}},
            "stock.hold": {"effect": "write", "input": {"type": "object"}, "output": {"type": "object"}},
            "pay.ask": {"effect": "remote", "input": {"type": "object"}, "output": {"type": "object"}},
            "stock.claim": {"effect": "write", "input": {"type": "object"}, "output": {"type": "object"}}},
          "events": {"pay.came": {"key": {"type": "string"}, "payload": {"type": "object"},
            "acquires": [{"resource": "money", "handle": "payment"}]},
            "ware.packed": {"key": {"type": "string"}, "payload": {"type": "object"}}}}"#,
    )
    .expect("contracts")
}

fn between(old: &str, new: &str) -> Vec<Obstacle> {
    let read = |text: &str| parse(text).unwrap_or_else(|found| panic!("{found:#?}"));
    obstacles(&read(old), &read(new), &contracts())
}

/// The obstacles of one change: `place: problem`.
fn change(from: &str, to: &str) -> Vec<String> {
    assert!(FLOW.contains(from), "the flow has no `{from}`");
    let found = between(FLOW, &FLOW.replacen(from, to, 1));
    found.into_iter().map(|obstacle| format!("{}: {}", obstacle.place, obstacle.problem)).collect()
}

#[test]
fn a_flow_is_moved_to_itself() {
    assert_eq!(between(FLOW, FLOW), []);
}

#[test]
fn what_comes_behind_every_place_may_change() {
    assert!(change("  - emit: shop.done", "  - sleep: 1h\n  - emit: shop.done").is_empty());
    assert!(change("timeout: 7d", "timeout: 9d").is_empty());
    assert!(
        change("[ { attention: late } ]", "[ { attention: late }, { attention: very late } ]").is_empty()
    );
}

#[test]
fn a_place_that_is_gone_is_named() {
    let found = change("id: paid", "id: money");
    assert_eq!(found, ["paid: the new definition has no `paid`, and a trade may stand there"]);
}

#[test]
fn a_result_that_trades_have_not_had_is_named() {
    let found = change(
        "  - id: packing",
        "  - emit: shop.told\n    with: { seen: \"${ noted.text }\" }\n  - id: packing",
    );
    assert!(found.is_empty(), "a name that nothing binds is the checker's: {found:?}");
    let new = FLOW.replacen("  - id: held", "  - id: noted\n    call: stock.look\n  - id: held", 1).replacen(
        "  - emit: shop.done",
        "  - emit: shop.told\n    with: { text: \"${ noted.text }\" }\n  - emit: shop.done",
        1,
    );
    let found = between(FLOW, &new);
    assert!(!found.is_empty());
    let line = new.lines().position(|line| line.contains("noted.text")).map(|at| at as u32 + 1);
    assert!(found.iter().all(|obstacle| obstacle.problem.contains("`noted` is read on line")), "{found:#?}");
    assert!(found.iter().all(|obstacle| obstacle.new_line == line), "{found:#?}");
    assert!(found.iter().any(|obstacle| obstacle.place == "paid"));
    assert!(
        found.iter().all(|obstacle| obstacle.place != "seen"),
        "in front of it nobody misses it: {found:#?}"
    );
}

#[test]
fn an_effect_that_could_not_be_taken_back_any_more_is_named() {
    let new = FLOW
        .replacen("  - id: held\n    call: stock.hold", "  - id: kept\n    call: stock.hold", 1)
        .replace("held.", "kept.");
    let found = between(FLOW, &new);
    assert!(
        found
            .iter()
            .any(|obstacle| obstacle.place == "paid" && obstacle.problem.contains("may have done `held`")),
        "{found:#?}"
    );
}

#[test]
fn the_pivot_stays_on_its_side() {
    let moved = FLOW.replacen("  - pivot: paid\n", "", 1).replacen(
        "  - id: packing",
        "  - pivot: paid\n  - id: packing",
        1,
    );
    let found = between(FLOW, &moved);
    let places: Vec<&str> = found.iter().map(|obstacle| obstacle.place.as_str()).collect();
    assert_eq!(places, ["claimed"]);
    assert!(found[0].problem.contains("was behind the pivot and is in front of it"));
}

#[test]
fn another_condition_may_have_left_a_result_out() {
    let found = change(
        "  - id: held\n    call: stock.hold",
        "  - id: held\n    when: ${ input.order != '' }\n    call: stock.hold",
    );
    assert!(found.iter().any(|problem| problem.contains("under another condition")), "{found:?}");
}

#[test]
fn steps_without_an_id_are_found_while_they_are_the_only_ones() {
    let twice = "  - call: stock.claim\n  - call: stock.claim\n  - emit: shop.done";
    let old = FLOW.replacen("  - emit: shop.done", twice, 1);
    assert!(between(&old, &old).is_empty());
    let one = "  - call: stock.claim\n  - emit: shop.done";
    let found = between(&old, &FLOW.replacen("  - emit: shop.done", one, 1));
    assert_eq!(found.len(), 1, "{found:#?}");
}

#[test]
fn two_flows_are_never_versions_of_each_other() {
    let found = change("flow: buy", "flow: sell");
    assert_eq!(found, ["the flow: `buy` and `sell` are two flows"]);
}

#[test]
fn a_step_that_is_found_by_its_number_keeps_it() {
    let old = FLOW.replacen("  - emit: shop.done", "  - call: stock.look\n  - emit: shop.done", 1);
    let new = old.replacen("  - id: claimed", "  - when: ${ has(input.count) }\n    foreach: ${ held.parcels }\n    as: each\n    max: 9\n    do: [ { call: stock.look } ]\n  - id: claimed", 1);
    let found = between(&old, &new);
    assert!(
        found.iter().any(|obstacle| obstacle.problem.contains("its number among steps like it has changed")),
        "{found:#?}"
    );
}
