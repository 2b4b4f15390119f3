//! Guests that do harm, through the SDK: each is stopped, named, counted and settled as its binding says, and the next
//! call works.

use mortise_host::{Ceilings, Host};
use mortise_points::unit_price::Question;
use mortise_points::{CallIdentity, Failure, FailureKind, PointError, Points, UnitPrice, Verdict};

use crate::support::{
    ask, bind, each, host, hostile_extension, only, question, runtime, runtime_with, scope,
};

/// A harm, its kind of failure, and how what its author is told begins. Twenty lines are asked for: eleven million
/// units of fuel.
const HARMS: [(&str, FailureKind, &str); 17] = [
    ("panic", FailureKind::Trapped, "wasm `unreachable` instruction executed; it said: thread '<unnamed>'"),
    ("loop", FailureKind::OutOfFuel, "used up its 11000000 units of fuel"),
    ("recurse", FailureKind::Trapped, "call stack exhausted"),
    ("eat memory", FailureKind::OutOfMemory, "wanted "),
    ("exit", FailureKind::Trapped, "it ended itself (exit)"),
    ("decline", FailureKind::Declined, "not on a Saturday"),
    ("print on", FailureKind::OutOfFuel, "used up its 11000000 units of fuel"),
    ("answer much", FailureKind::OutputTooLarge, "its answer is larger than an answer may be"),
    ("unknown line", FailureKind::Invalid, "offers[0].line-id: no line \"nobody's\""),
    ("same line twice", FailureKind::Invalid, "offers[1].line-id: a second offer for line \"1\""),
    ("too many", FailureKind::Invalid, "offers: 21 of them, at most 20"),
    ("negative price", FailureKind::Invalid, "offers[0].amount: -1 is not within 0 to 1000000000000"),
    (
        "absurd price",
        FailureKind::Invalid,
        "offers[0].amount: 9223372036854775807 is not within 0 to 1000000000000",
    ),
    ("per zero", FailureKind::Invalid, "offers[0].per: a price is for at least one unit, not for 0"),
    ("no reason", FailureKind::Invalid, "offers[0].reason: empty; every answer says why"),
    ("long reason", FailureKind::Invalid, "offers[0].reason: 201 bytes, at most 200"),
    ("something new", FailureKind::Declined, "what harm is \"something new\"?"),
];

const LINES: usize = 20;

fn all_harms(on_failure: &str) -> Host {
    let runtime = runtime();
    let harms: Vec<&str> = HARMS.iter().map(|(harm, ..)| *harm).chain(["nothing", "print"]).collect();
    host(&runtime, [hostile_extension(&runtime)], &bind(&harms, on_failure))
}

fn assert_works(host: &Host, after: &str) {
    let good = ask(host, "nothing", &question(LINES)).unwrap();
    assert_eq!(only(&good.answers).verdict, Verdict::Answered, "after {after}");
    let prices: Vec<_> = good.reduced.iter().map(|won| won.price).collect();
    assert_eq!(prices, [each(999); LINES], "after {after}");
}

fn assert_is(harm: &str, why: &Failure, kind: FailureKind, detail: &str) {
    assert_eq!(why.kind, kind, "{harm}: {why}");
    assert!(why.detail.starts_with(detail), "{harm}: {why}");
}

#[test]
fn every_harm_is_skipped_and_the_next_call_works() {
    let host = all_harms("skip");
    for (harm, kind, detail) in HARMS {
        let outcome = ask(&host, harm, &question(LINES)).unwrap();
        assert!(outcome.reduced.is_empty(), "{harm}");
        match &only(&outcome.answers).verdict {
            Verdict::Skipped { why } => assert_is(harm, why, kind, detail),
            other => panic!("{harm}: {other:?}"),
        }
        assert_works(&host, harm);
    }
}

#[test]
fn every_harm_is_refused_where_the_binding_says_so() {
    let host = all_harms("refuse");
    for (harm, kind, detail) in HARMS {
        let PointError::Refused { point, extension, why, answers } =
            ask(&host, harm, &question(LINES)).unwrap_err()
        else {
            panic!("{harm}: another error");
        };
        assert_eq!((point, extension.as_str()), ("unit-price", "hostile@6.6.6"));
        assert_is(harm, &why, kind, detail);
        assert_eq!(only(&answers).verdict, Verdict::Failed { why });
        assert_works(&host, harm);
    }
}

#[test]
fn failures_are_counted_by_kind() {
    let host = all_harms("skip");
    for harm in ["panic", "loop", "loop", "negative price", "nothing"] {
        ask(&host, harm, &question(1)).unwrap();
    }
    let counted = host.counted();
    assert_eq!(counted.len(), 1);
    assert_eq!((counted[0].point, counted[0].extension.as_str()), ("unit-price", "hostile@6.6.6"));
    let counters = &counted[0].counters;
    assert_eq!(counters.calls, 5);
    assert!(counters.fuel_used > 2 * 1_500_000, "{counters:?}");
    let failures = [(FailureKind::Trapped, 1), (FailureKind::OutOfFuel, 2), (FailureKind::Invalid, 1)];
    assert_eq!(counters.failures, failures);
}

#[test]
fn printing_is_capped_and_harmless() {
    let host = all_harms("refuse");
    let outcome = ask(&host, "print", &question(LINES)).unwrap();
    assert_eq!(only(&outcome.answers).verdict, Verdict::Answered);

    let runtime = runtime();
    let case = mortise_host::Case {
        point: "unit-price".to_owned(),
        config: serde_json::json!({ "do": "print" }),
        question: serde_json::to_value(question(LINES)).unwrap(),
        answer: serde_json::json!([]),
        fuel_at_most: 0,
    };
    let log = case.run(&runtime, &hostile_extension(&runtime)).unwrap().log.unwrap();
    assert!(log.starts_with("line 0 of a long story that nobody asked for\nline 1 of"), "{log}");
    let cap = Ceilings::default().log_bytes;
    assert!(log.len() > cap && log.len() < cap + 40 && log.ends_with(" bytes more]"), "{}: {log}", log.len());
}

#[test]
fn what_fuel_would_allow_is_ended_by_the_deadline() {
    let ceilings = Ceilings {
        fuel_per_line: u64::MAX / 2,
        deadline: std::time::Duration::from_millis(20),
        ..Ceilings::default()
    };
    let runtime = runtime_with(ceilings);
    let host = host(&runtime, [hostile_extension(&runtime)], &bind(&["loop", "nothing"], "skip"));
    let outcome = ask(&host, "loop", &question(1)).unwrap();
    let answered = only(&outcome.answers);
    let Verdict::Skipped { why } = &answered.verdict else { panic!("{answered:?}") };
    assert_is("loop", why, FailureKind::Overran, "ran past its deadline");
    assert!(answered.took_us >= 15_000, "{answered:?}");
}

fn looks(host: &Host, call: CallIdentity<'_>, question: &Question) -> String {
    let points: &dyn Points = host;
    let outcome = points.ask::<UnitPrice>(&scope("look around"), call, question).unwrap();
    outcome.reduced[0].reason.clone()
}

#[test]
fn there_is_nothing_to_see_but_the_question() {
    let runtime = runtime();
    let host = host(&runtime, [hostile_extension(&runtime)], &bind(&["look around"], "refuse"));
    let first = CallIdentity { instance: "trade-1", step: "quote", attempt: 1, customer: None };
    let seen = looks(&host, first, &question(2));
    // The clock stands at the trade's time, sleeping takes none of it; of the attributes it sees the one it asks for.
    let (before, after) = seen.split_once(" random ").unwrap();
    assert_eq!(before, "now 1800000000123 slept 0ns env 0 args 0 file false dir false stdin Ok(0)");
    assert!(after.ends_with(r#" department Some("DAIRY") brand None"#), "{after}");

    // What it takes for randomness follows from the call's identity, and from nothing else.
    assert_eq!(looks(&host, first, &question(2)), seen);
    let others = [
        CallIdentity { attempt: 2, ..first },
        CallIdentity { step: "quote.2", ..first },
        CallIdentity { instance: "trade-2", ..first },
    ];
    let seen_by_others: Vec<String> =
        others.into_iter().map(|call| looks(&host, call, &question(2))).collect();
    assert!(seen_by_others.iter().any(|other| *other != seen), "{seen_by_others:?}");
}
