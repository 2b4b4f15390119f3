//! The point `discount` on the real host, and one extension that answers two points, with a config for each.

use mortise_bindings::Bindings;
use mortise_host::{Extension, Host};
use mortise_points::discount::{Line, Question};
use mortise_points::{Attribute, Discount, FailureKind, Points, UnitPrice, Verdict};
use mortise_types::{Amount, CouponCode, Currency, CustomerId, LineId, Price, Quantity, Sku, Timestamp};

use crate::support::{CALL, host, only, question, runtime, scope, two_points};

const BINDINGS: &str = r#"
    [[binding]]
    point = "discount"
    tenant = "shop"
    extension = "two-points"
    version = "1.2.0"
    priority = 1
    on_failure = "skip"
    config = { department = "DAIRY" }

    [[binding]]
    point = "unit-price"
    tenant = "shop"
    line = "grocery"
    extension = "two-points"
    version = "1.2.0"
    priority = 1
    on_failure = "skip"
    config = { sku = "sku-1" }

    [[binding]]
    point = "discount"
    tenant = "shop"
    line = "without-department"
    extension = "two-points"
    version = "1.2.0"
    priority = 1
    on_failure = "skip"
"#;

fn bound() -> Host {
    let runtime = runtime();
    let extension = Extension::load(&runtime, &two_points()).unwrap();
    host(&runtime, [extension], &Bindings::from_toml(BINDINGS).unwrap())
}

/// Four cartons of milk at 1.29, three loaves at 1.99.
pub(crate) fn basket() -> Question {
    let line = |(index, (department, quantity, amount)): (usize, (&str, i64, i64))| Line {
        line_id: LineId::nth(index),
        sku: Sku::new("sku").unwrap(),
        quantity: Quantity(quantity),
        unit: Price::each(Amount(amount)),
        line_amount: Amount(amount * quantity),
        list_amount: None,
        attributes: vec![Attribute { name: "department".into(), value: department.into() }],
    };
    Question {
        currency: Currency::new("EUR").unwrap(),
        customer_id: Some(CustomerId::new("c-7").unwrap()),
        customer_group: None,
        coupons: vec![CouponCode::new("SPRING").unwrap(), CouponCode::new("MILK").unwrap()],
        trade_time: Timestamp::from_millis(1_800_000_000_000),
        delivery_amount: Amount(490),
        lines: [("DAIRY", 4, 129), ("BAKERY", 3, 199)].into_iter().enumerate().map(line).collect(),
    }
}

#[test]
fn candidates_come_back_with_what_they_were_made_from() {
    let host = bound();
    let points: &dyn Points = &host;
    let outcome = points.ask::<Discount>(&scope("grocery"), CALL, &basket()).unwrap();
    assert_eq!(only(&outcome.answers).verdict, Verdict::Answered);
    assert_eq!(outcome.reduced.len(), 1);
    let proposed = &outcome.reduced[0];
    assert_eq!(proposed.extension.as_str(), "two-points@1.2.0");
    assert_eq!(proposed.candidate.lines, [LineId::nth(0)]);
    assert_eq!((&*proposed.candidate.lane, proposed.candidate.amount_off), ("items", Amount(129)));
    assert_eq!(proposed.candidate.reason, "1 free in DAIRY for c-7 with SPRING+MILK, delivery 490");
}

#[test]
fn one_component_answers_two_points_with_a_config_each() {
    let host = bound();
    let points: &dyn Points = &host;
    let outcome = points.ask::<UnitPrice>(&scope("grocery"), CALL, &question(3)).unwrap();
    let won: Vec<_> = outcome.reduced.iter().map(|won| (won.line_id.as_str(), won.price)).collect();
    assert_eq!(won, [("2", Price::each(Amount(100)))]);
    assert!(points.open::<UnitPrice>(&scope("fashion")).is_none());
    let opened = points.open::<Discount>(&scope("fashion")).unwrap();
    assert_eq!(opened.sku_attributes(), ["department".into()]);
    let counted: Vec<_> =
        host.counted().iter().map(|counted| (counted.point, counted.counters.calls)).collect();
    assert_eq!(counted, [("discount", 0), ("unit-price", 1)]);
}

#[test]
fn a_config_that_the_extension_cannot_read_is_its_own_answer() {
    let host = bound();
    let points: &dyn Points = &host;
    let outcome = points.ask::<Discount>(&scope("without-department"), CALL, &basket()).unwrap();
    let Verdict::Skipped { why } = &only(&outcome.answers).verdict else { panic!("{outcome:?}") };
    assert_eq!(why.kind, FailureKind::Declined);
    assert!(why.detail.starts_with("config: missing field `department`"), "{why}");
}
