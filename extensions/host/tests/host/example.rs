//! The first example on the real host: its effect on one business line and on no other. Its cases are run with all others.

use mortise_bindings::Bindings;
use mortise_host::{Case, Extension, Host};
use mortise_points::unit_price::Bounded;
use mortise_points::{Points, UnitPrice, Verdict};
use mortise_types::{Amount, Price, Quantity, Scope};

use crate::support::{self, CALL, each, only, question, runtime, scope};

fn bound_to_grocery() -> Host {
    let bindings = Bindings::from_toml(
        r#"
        [[binding]]
        point = "unit-price"
        tenant = "shop"
        line = "grocery"
        extension = "loyal-price"
        version = "1.0.0"
        priority = 10
        on_failure = "refuse"
        config = { customer_group = "member", rate_bp = 500 }
        "#,
    )
    .unwrap();
    let runtime = runtime();
    support::host(&runtime, [Extension::load(&runtime, &support::loyal_price()).unwrap()], &bindings)
}

#[test]
fn a_case_that_differs_says_how() {
    let runtime = runtime();
    let folder = support::loyal_price();
    let extension = Extension::load(&runtime, &folder).unwrap();
    let mut case =
        Case::from_json(&std::fs::read_to_string(folder.join("cases/stranger.json")).unwrap()).unwrap();
    case.answer = serde_json::json!([{ "line_id": "1" }]);
    case.fuel_at_most = 1;
    let differences = case.run(&runtime, &extension).unwrap().differences;
    assert_eq!(differences[0], r#"answered [], expected [{"line_id":"1"}]"#);
    assert!(differences[1].ends_with("at most 1 expected"), "{differences:?}");
}

#[test]
fn it_changes_the_price_for_its_line_and_for_no_other() {
    let host = bound_to_grocery();
    let mut question = question(3);
    question.lines[1].list = Price::new(Amount(500), Quantity(3)).unwrap();
    question.lines[1].current = question.lines[1].list;
    question.lines[2].floor = Some(each(960));

    let outcome = support::ask(&host, "grocery", &question).unwrap();
    let won: Vec<_> =
        outcome.reduced.iter().map(|won| (won.price, won.bounded, won.reason.as_str())).collect();
    assert_eq!(
        won,
        [
            (each(950), Bounded::AsOffered, "5% off for member"),
            (Price::new(Amount(475), Quantity(3)).unwrap(), Bounded::AsOffered, "5% off for member"),
            (each(960), Bounded::RaisedToFloor, "5% off for member"),
        ]
    );
    assert!(outcome.reduced.iter().all(|won| won.extension.as_str() == "loyal-price@1.0.0"));
    let answered = only(&outcome.answers);
    assert_eq!(answered.verdict, Verdict::Answered);
    assert!(answered.fuel_used > 0);

    let other = support::ask(&host, "fashion", &question).unwrap();
    assert!(other.reduced.is_empty() && other.answers.is_empty());
    let points: &dyn Points = &host;
    assert!(points.open::<UnitPrice>(&scope("fashion")).is_none());
    assert!(points.open::<UnitPrice>(&Scope::new("mall", "grocery", "web").unwrap()).is_none());
    assert!(points.open::<mortise_points::Discount>(&scope("grocery")).is_none());
}

#[test]
fn one_question_has_one_answer_and_one_fuel() {
    let host = bound_to_grocery();
    let ask = || {
        let outcome = support::ask(&host, "grocery", &question(10)).unwrap();
        (outcome.reduced, outcome.answers[0].fuel_used)
    };
    let first = ask();
    assert_eq!(first.0.len(), 10);
    for _ in 0..20 {
        assert_eq!(ask(), first);
    }
}

#[test]
fn a_binding_is_held_to_the_schema_of_the_config() {
    let runtime = runtime();
    let extension = Extension::load(&runtime, &support::loyal_price()).unwrap();
    let error = extension
        .check_config(&serde_json::json!({ "customer_group": "member", "rate_bp": 20_000 }))
        .unwrap_err();
    assert_eq!(error, "config/rate_bp: 20000 is greater than the maximum of 10000");
    let identity = extension.id().to_string();
    assert_eq!((identity.as_str(), CALL.attempt), ("loyal-price@1.0.0", 1));
}
