//! What a failure of an extension means, and how a capability asks: with seats and a panel that answer from a table.
//! The real ones are the host's, and are tested there.

#![allow(clippy::unwrap_used, reason = "a test says by panicking")]

use std::any::Any;
use std::cell::Cell;
use std::sync::Arc;

use mortise_points::unit_price::{Question, ValidOffer};
use mortise_points::{
    Attempt, CallIdentity, ExtensionId, Failure, FailureKind, NoExtensions, OnFailure, Panel, PointError,
    Points, RawOutcome, Seat, UnitPrice, Verdict, consult,
};
use mortise_types::{Currency, Scope, Timestamp};

const CALL: CallIdentity<'static> =
    CallIdentity { instance: "trade-1", step: "quote", attempt: 1, customer: None };

fn nothing_asked() -> Question {
    let currency = Currency::new("EUR").unwrap();
    Question {
        currency,
        customer_id: None,
        customer_group: None,
        trade_time: Timestamp::EPOCH,
        lines: vec![],
    }
}

#[derive(Debug)]
struct Chair {
    id: ExtensionId,
    on_failure: OnFailure,
    fails: Option<FailureKind>,
    asked: Cell<u32>,
}

fn chair(name: &str, on_failure: OnFailure, fails: Option<FailureKind>) -> Chair {
    Chair { id: ExtensionId::new(name, "1.0.0"), on_failure, fails, asked: Cell::new(0) }
}

impl Seat<UnitPrice> for Chair {
    fn extension(&self) -> &ExtensionId {
        &self.id
    }

    fn on_failure(&self) -> OnFailure {
        self.on_failure
    }

    fn attempt(&self, _: CallIdentity<'_>, _: &Question) -> Attempt<Vec<ValidOffer>> {
        self.asked.set(self.asked.get() + 1);
        let result = self.fails.map_or(Ok(vec![]), |kind| Err(Failure::new(kind, "as told")));
        Attempt { result, fuel_used: 7, took_us: 9 }
    }
}

#[test]
fn a_skipped_failure_is_recorded_and_the_rest_is_asked() {
    let seats = [
        chair("a", OnFailure::Skip, Some(FailureKind::Trapped)),
        chair("b", OnFailure::Refuse, None),
        chair("c", OnFailure::Skip, None),
    ];
    let outcome = consult::<UnitPrice, _>(&seats, CALL, &nothing_asked()).unwrap();
    let json = serde_json::to_value(&outcome.answers).unwrap();
    assert_eq!(
        json,
        serde_json::json!([
            { "extension": "a@1.0.0", "outcome": "skipped", "why": { "kind": "trapped", "detail": "as told" }, "fuel_used": 7, "took_us": 9 },
            { "extension": "b@1.0.0", "outcome": "answered", "fuel_used": 7, "took_us": 9 },
            { "extension": "c@1.0.0", "outcome": "answered", "fuel_used": 7, "took_us": 9 },
        ])
    );
    let read: Vec<mortise_points::Answered> = serde_json::from_value(json).unwrap();
    assert_eq!(read, outcome.answers);
}

#[test]
fn a_refused_failure_ends_the_asking() {
    let seats = [
        chair("a", OnFailure::Skip, None),
        chair("b", OnFailure::Refuse, Some(FailureKind::OutOfFuel)),
        chair("c", OnFailure::Skip, None),
    ];
    let error = consult::<UnitPrice, _>(&seats, CALL, &nothing_asked()).unwrap_err();
    assert_eq!(error.to_string(), "extension b@1.0.0 failed at point unit-price: out_of_fuel: as told");
    let PointError::Refused { answers, .. } = error else { panic!("another error") };
    assert!(
        matches!(answers[..], [_, ref last] if matches!(last.verdict, Verdict::Failed { .. })),
        "{answers:?}"
    );
    assert_eq!(seats.map(|seat| seat.asked.get()), [1, 1, 0]);
}

#[derive(Debug)]
struct OnePanel;

impl Points for OnePanel {
    fn panel(&self, point: &'static str, scope: &Scope) -> Option<Arc<dyn Panel>> {
        (point == "unit-price" && scope.line.as_str() == "grocery")
            .then(|| Arc::new(OnePanel) as Arc<dyn Panel>)
    }
}

impl Panel for OnePanel {
    fn sku_attributes(&self) -> &[Arc<str>] {
        &[]
    }

    fn ask_raw(&self, call: CallIdentity<'_>, question: &dyn Any) -> Result<RawOutcome, PointError> {
        let seats = [chair("a", OnFailure::Skip, None)];
        let outcome = consult::<UnitPrice, _>(&seats, call, question.downcast_ref().unwrap())?;
        Ok(RawOutcome { reduced: Box::new(outcome.reduced), answers: outcome.answers })
    }
}

#[test]
fn only_the_bound_scope_is_asked() {
    let bound = Scope::new("shop", "grocery", "web").unwrap();
    let other = Scope::new("shop", "fashion", "web").unwrap();
    let question = nothing_asked();
    for (points, scope, answers) in
        [(&OnePanel as &dyn Points, &bound, 1), (&OnePanel, &other, 0), (&NoExtensions, &bound, 0)]
    {
        assert_eq!(points.ask::<UnitPrice>(scope, CALL, &question).unwrap().answers.len(), answers);
        assert_eq!(points.open::<UnitPrice>(scope).is_some(), answers == 1);
    }
}

#[test]
fn every_kind_of_failure_has_one_code() {
    for kind in FailureKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.code());
    }
}
