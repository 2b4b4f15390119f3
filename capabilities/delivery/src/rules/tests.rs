//! The rules as tables (`tests/cases`), and that no order of a carrier's events changes where a parcel ends.

use std::collections::HashMap;

use mortise_types::{Amount, OrderId, Parcel, ParcelId, ParcelItem, Quantity, ShipmentId, Sku, Timestamp};
use proptest::prelude::*;

use super::*;

/// `line country up_to amount`, a line each, `*` for any; then `weigh GRAMS`.
fn fee_case(input: &str) -> String {
    let (mut brackets, mut answers) = (Vec::new(), Vec::new());
    for line in input.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let any = |word: &str| word.replace('*', "");
        match words.as_slice() {
            ["weigh", grams] => {
                let fee = Table::choose(&brackets).ok_or(NoFee::NotThere);
                let name = fee.as_ref().map_or_else(|_| String::new(), |table| format!(" by {}", table.name));
                let answer = match fee.and_then(|table| table.fee(grams.parse().unwrap())) {
                    Ok(amount) => amount.to_string(),
                    Err(no_fee) => no_fee.word().to_owned(),
                };
                answers.push(format!("{grams}: {answer}{name}"));
            }
            [line, country, up_to, amount] => brackets.push(Bracket {
                line: any(line),
                country: any(country),
                up_to_grams: up_to.parse().unwrap_or(UNLIMITED_GRAMS),
                amount: Amount(amount.parse().unwrap()),
            }),
            _ => panic!("`{line}`"),
        }
    }
    answers.join("\n")
}

fn shipment() -> Shipment {
    Shipment {
        shipment_id: ShipmentId::new("shp-1").unwrap(),
        order_id: OrderId::new("o-1").unwrap(),
        parcel_id: ParcelId::new("o-1-1").unwrap(),
        status: Status::Requested,
        sequence: 0,
        delivered: false,
        refused_at_door: false,
        collect: Amount::ZERO,
        collect_currency: None,
        collected: Amount::ZERO,
        remitted: Amount::ZERO,
        carrier_ref: None,
        tracking_number: None,
        label_url: None,
        refusal: None,
        request: String::new(),
        created_at: Timestamp::EPOCH,
    }
}

/// `accepted`, `refused`, `taken_back STATUS`, or `SEQUENCE STATUS`, a line each.
fn tracking_case(input: &str) -> String {
    let mut shipment = shipment();
    let step = |line: &str| {
        let came = match line.split_once(' ') {
            None if line == "accepted" => {
                shipment.accepted("c".into(), "t".into(), "l".into());
                String::new()
            }
            None => {
                shipment.refused(line.to_owned());
                String::new()
            }
            Some(("taken_back", status)) => {
                let can = shipment.can_be_taken_back();
                shipment.taken_back(status.parse().unwrap());
                format!(" | {}", if can { "asked" } else { "not asked" })
            }
            Some((sequence, status)) => {
                let status: Status = status.parse().unwrap();
                let learnt = shipment.learn(status, sequence.parse().unwrap());
                let told = shipment.tell_delivered(status) || shipment.tell_refused(status);
                let told = if told { ", told" } else { "" };
                format!(" | {learnt:?}{told}")
            }
        };
        format!("{line}: {} {}{came}", shipment.status, shipment.sequence)
    };
    input.lines().map(step).collect::<Vec<_>>().join("\n")
}

#[test]
fn fee_tables() {
    mortise_testkit::table::run("tests/cases/fees", fee_case);
}

#[test]
fn tracking_tables() {
    mortise_testkit::table::run("tests/cases/tracking", tracking_case);
}

#[test]
fn every_status_has_its_word() {
    for word in [
        "requested",
        "dispatched",
        "refused",
        "picked_up",
        "in_transit",
        "out_for_delivery",
        "delivered",
        "exception",
        "refused_at_door",
        "returning",
        "returned",
        "cancelled",
    ] {
        assert_eq!(word.parse::<Status>().unwrap().word(), word);
    }
    assert!("".parse::<Status>().is_err() && "lost".parse::<Status>().is_err());
}

#[test]
fn a_parcel_weighs_what_is_in_it() {
    let item = |sku: &str, quantity| ParcelItem {
        line_id: mortise_types::LineId::nth(0),
        sku: Sku::new(sku).unwrap(),
        quantity: Quantity(quantity),
    };
    let parcel = |items| Parcel {
        parcel_id: ParcelId::new("p").unwrap(),
        location: mortise_types::LocationId::new("l").unwrap(),
        items,
    };
    let grams = HashMap::from([(Sku::new("tea").unwrap(), 120)]);
    assert_eq!(parcel_grams(&parcel(vec![item("tea", 3), item("pot", 1)]), &grams, 500), Ok(860));
    assert!(parcel_grams(&parcel(vec![item("tea", i64::MAX)]), &grams, 500).is_err());
}

proptest! {
    #[test]
    fn a_parcel_ends_where_it_ends_however_its_events_come(order in Just([
        (1, Status::PickedUp), (2, Status::InTransit), (3, Status::Exception), (4, Status::OutForDelivery), (5, Status::Delivered),
    ]).prop_shuffle(), copies in prop::collection::vec(0_usize..5, 0..5)) {
        let mut shipment = shipment();
        let mut told = 0;
        for (sequence, status) in order.into_iter().chain(copies.into_iter().map(|at| order[at])) {
            shipment.learn(status, sequence);
            told += u32::from(shipment.tell_delivered(status));
        }
        prop_assert_eq!((shipment.status, shipment.sequence, told), (Status::Delivered, 5, 1));
    }
}
