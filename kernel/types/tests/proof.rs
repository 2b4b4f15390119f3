//! A price proof holds or names the place that is off: each figure of a sound proof is broken in turn.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test, a broken fixture is a failure")]

use mortise_types::{
    Adjustment, AdjustmentKind, Amount, ArithmeticError, FeeId, FeeKind, LineId, Price, PriceProof,
    ProofError, ProofFee, ProofLine, ProofPlace, Quantity, RateBp, Sku, TaxPart, TaxTreatment,
};

fn adjustment(kind: AdjustmentKind, source: &str, amount: i64) -> Adjustment {
    Adjustment {
        kind,
        source: source.into(),
        version: "3".into(),
        lane: None,
        amount: Amount(amount),
        reason: "why".into(),
    }
}

fn tax(rate_bp: i64, base: i64, tax: i64, treatment: TaxTreatment) -> TaxPart {
    TaxPart { code: "vat".into(), rate_bp: RateBp(rate_bp), base: Amount(base), tax: Amount(tax), treatment }
}

/// Four units at 3 for 5.00 (6.67) with a promotion and tax on top, one unit with included tax, and a delivery fee.
fn sound() -> PriceProof {
    let first = ProofLine {
        line_id: LineId::nth(0),
        sku: Sku::new("milk").unwrap(),
        quantity: Quantity(4),
        location: None,
        list_price: Price::new(Amount(500), Quantity(3)).unwrap(),
        list: Amount(667),
        adjustments: vec![
            adjustment(AdjustmentKind::Promotion, "spring", -67),
            adjustment(AdjustmentKind::TaxAdded, "vat", 114),
        ],
        taxes: vec![tax(1_900, 600, 114, TaxTreatment::Added)],
        payable: Amount(714),
    };
    let second = ProofLine {
        line_id: LineId::nth(1),
        sku: Sku::new("bread").unwrap(),
        quantity: Quantity(1),
        location: None,
        list_price: Price::each(Amount(107)),
        list: Amount(107),
        adjustments: vec![],
        taxes: vec![tax(700, 100, 7, TaxTreatment::Included)],
        payable: Amount(107),
    };
    let fee = ProofFee {
        fee_id: FeeId::new("delivery-1").unwrap(),
        kind: FeeKind::Delivery,
        parcel_id: None,
        list: Amount(490),
        adjustments: vec![adjustment(AdjustmentKind::Coupon, "FREE", -490)],
        taxes: vec![],
        payable: Amount(0),
    };
    PriceProof {
        policy_version: "2026-11".into(),
        lines: vec![first, second],
        fees: vec![fee],
        payable: Amount(821),
        tax: Amount(121),
    }
}

fn broken(change: impl FnOnce(&mut PriceProof)) -> ProofError {
    let mut proof = sound();
    change(&mut proof);
    proof.check().expect_err("a broken proof does not hold")
}

#[test]
fn a_sound_proof_holds() {
    assert_eq!(sound().check(), Ok(()));
    let empty = PriceProof {
        policy_version: "1".into(),
        lines: vec![],
        fees: vec![],
        payable: Amount(0),
        tax: Amount(0),
    };
    assert_eq!(empty.check(), Ok(()));
}

#[test]
fn the_line_that_is_off_is_named() {
    let second = ProofPlace::Line(LineId::nth(1));
    let off = broken(|proof| proof.lines[1].payable = Amount(106));
    let sum = |what, stated, sum| ProofError::Sum {
        place: second.clone(),
        what,
        stated: Amount(stated),
        sum: Amount(sum),
    };
    assert_eq!(off, sum("the payable amount", 106, 107));
    assert_eq!(off.to_string(), "line 2: the payable amount is 106, its parts add up to 107");

    let off = broken(|proof| proof.lines[1].taxes[0].treatment = TaxTreatment::Added);
    assert_eq!(off, sum("the tax among the adjustments", 0, 7));
    assert_eq!(broken(|proof| proof.lines[1].quantity = Quantity(0)), ProofError::Quantity(second.clone()));
    assert_eq!(
        broken(|proof| proof.lines[1].line_id = LineId::nth(0)),
        ProofError::Repeated(ProofPlace::Line(LineId::nth(0)))
    );
}

#[test]
fn an_adjustment_that_is_off_is_found() {
    let first = ProofPlace::Line(LineId::nth(0));
    for index in 0..2 {
        let off = broken(|proof| proof.lines[0].adjustments[index].amount = Amount(-66));
        assert!(matches!(off, ProofError::Sum { place, what: "the payable amount", .. } if place == first));
    }
    let off = broken(|proof| proof.lines[0].adjustments.truncate(1));
    assert!(matches!(off, ProofError::Sum { place, .. } if place == first));
}

#[test]
fn the_list_amount_is_near_price_times_quantity() {
    // Rounded per unit, four units at 1.666... are 6.68; a whole cent a unit is no rounding.
    for (list, holds) in [(664, true), (670, true), (668, true), (671, false), (662, false)] {
        let mut proof = sound();
        proof.lines[0].list = Amount(list);
        proof.lines[0].payable = Amount(list + 47);
        proof.payable = Amount(list + 47 + 107);
        let expected = if holds { Ok(()) } else { Err(ProofError::List(ProofPlace::Line(LineId::nth(0)))) };
        assert_eq!(proof.check(), expected, "{list}");
    }
}

#[test]
fn fees_and_the_order_are_checked_too() {
    let fee = FeeId::new("delivery-1").unwrap();
    let off = broken(|proof| proof.fees[0].list = Amount(491));
    assert!(matches!(off, ProofError::Sum { place: ProofPlace::Fee(id), .. } if id == fee));
    let twice = broken(|proof| proof.fees.push(proof.fees[0].clone()));
    assert_eq!(twice, ProofError::Repeated(ProofPlace::Fee(fee)));
    for (what, change) in [
        ("the payable amount", (|proof| proof.payable = Amount(820)) as fn(&mut PriceProof)),
        ("the tax", |proof| proof.tax = Amount(122)),
    ] {
        assert!(
            matches!(broken(change), ProofError::Sum { place: ProofPlace::Order, what: found, .. } if found == what)
        );
    }
}

#[test]
fn figures_too_large_are_reported() {
    let off = broken(|proof| proof.fees[0].adjustments[0].amount = Amount(i64::MAX));
    assert_eq!(
        off,
        ProofError::Arithmetic(ProofPlace::Fee(FeeId::new("delivery-1").unwrap()), ArithmeticError::Overflow)
    );
    let off = broken(|proof| {
        proof.lines[0].list_price = Price::new(Amount(i64::MIN), Quantity(i64::MAX)).unwrap();
        proof.lines[0].quantity = Quantity(i64::MAX);
        proof.lines[0].list = Amount(i64::MAX);
    });
    assert_eq!(off, ProofError::List(ProofPlace::Line(LineId::nth(0))));
}

#[test]
fn json_reads_back_and_is_closed() {
    let text = serde_json::to_string(&sound()).unwrap();
    assert!(!text.contains("null"), "what is absent is left out: {text}");
    assert_eq!(serde_json::from_str::<PriceProof>(&text).unwrap(), sound());
    let open = text.replacen('{', r#"{"margin":1,"#, 1);
    assert!(
        serde_json::from_str::<PriceProof>(&open).unwrap_err().to_string().contains("unknown field `margin`")
    );
}
