//! As `any_answer`, for the points that decide where an order comes from, how it travels, what that costs and whether it
//! may be bought at all.

use std::collections::{BTreeMap, HashSet};

use mortise_points::allocation::{self, Proposal, Take};
use mortise_points::delivery_fee::{self, Fee};
use mortise_points::order_split::{self, Parcel, Part, Plan};
use mortise_points::purchase_limit::{self, Objection};
use mortise_points::{Allocation, DeliveryFee, ExtensionId, OrderSplit, Point, PurchaseLimit};
use mortise_types::{CountryCode, Currency, CustomerId, FeeId, LineId, LocationId, Quantity, Sku, Timestamp};
use proptest::prelude::*;

const LINES: usize = 4;

fn line_id() -> impl Strategy<Value = String> {
    prop_oneof![8 => (1..=LINES).prop_map(|line| line.to_string()), 1 => any::<String>()]
}

fn reason() -> impl Strategy<Value = String> {
    prop_oneof![8 => "[a-z ]{1,20}x", 1 => any::<String>()]
}

fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![8 => 0..2_000_i64, 1 => any::<i64>()]
}

const PLACES: [&str; 3] = ["berlin", "munich", "museum"];

fn at(location: &str) -> LocationId {
    LocationId::new(location).expect("a short text")
}

/// Lines of these quantities, each of its own item, of which each place has so much.
fn allocated(quantities: [i64; LINES], saleable: [i64; LINES]) -> allocation::Question {
    let sku = |index: usize| Sku::new(format!("sku-{index}")).expect("a short text");
    let line = |(index, units): (usize, i64)| allocation::Line {
        line_id: LineId::nth(index),
        sku: sku(index),
        quantity: Quantity(units),
        location: (index == 0).then(|| at("museum")),
        attributes: vec![],
    };
    let stock = saleable.into_iter().enumerate().flat_map(|(index, units)| {
        PLACES.map(|location| allocation::Stock {
            sku: sku(index),
            location: at(location),
            saleable: Quantity(units),
            abroad: false,
            priority: 0,
            named_only: location == "museum",
        })
    });
    allocation::Question {
        ship_to: None,
        trade_time: Timestamp::EPOCH,
        lines: quantities.into_iter().enumerate().map(line).collect(),
        stock: stock.collect(),
    }
}

fn packed(quantities: [i64; LINES]) -> order_split::Question {
    let item = |(index, units): (usize, i64)| order_split::Item {
        line_id: LineId::nth(index),
        sku: Sku::new("jam").expect("a short text"),
        location: at(PLACES[index % 2]),
        quantity: Quantity(units),
        attributes: vec![],
    };
    let items = quantities.into_iter().enumerate().map(item).collect();
    order_split::Question { trade_time: Timestamp::EPOCH, items }
}

fn sent() -> delivery_fee::Question {
    let consignment = |index: usize| delivery_fee::Consignment {
        fee_id: FeeId::new((index + 1).to_string()).expect("a short text"),
        parcel_id: None,
        location: None,
        grams: 500,
        table_amount: None,
        items: vec![],
    };
    delivery_fee::Question {
        currency: Currency::new("EUR").expect("a currency"),
        country: CountryCode::new("DE").expect("a country"),
        region: None,
        postal_code: String::new(),
        trade_time: Timestamp::EPOCH,
        consignments: (0..LINES).map(consignment).collect(),
    }
}

fn wanted() -> purchase_limit::Question {
    let line = |index: usize| purchase_limit::Line {
        line_id: LineId::nth(index),
        sku: Sku::new("jam").expect("a short text"),
        quantity: Quantity(1),
        attributes: vec![],
    };
    purchase_limit::Question {
        customer_id: CustomerId::new("c-1").expect("a short text"),
        trade_time: Timestamp::EPOCH,
        lines: (0..LINES).map(line).collect(),
        tallies: vec![],
    }
}

fn location() -> impl Strategy<Value = String> {
    prop_oneof![8 => prop::sample::select(PLACES.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
}

/// Mostly a few units, sometimes any figure.
fn units() -> impl Strategy<Value = i64> {
    prop_oneof![16 => 1..3_i64, 1 => any::<i64>()]
}

prop_compose! {
    fn take()(line_id in line_id(), location in location(), quantity in units()) -> Take {
        Take { line_id, location, quantity }
    }
}

/// Any takes, or takes that cover one unit a line from somewhere, with one of them changed or not.
fn proposal() -> impl Strategy<Value = Proposal> {
    let any_takes = prop::collection::vec(take(), 0..6);
    let covering = prop::collection::vec(location(), LINES).prop_map(|locations| {
        let take = |(index, location): (usize, String)| Take {
            line_id: (index + 1).to_string(),
            location: if index == 0 { "museum".to_owned() } else { location },
            quantity: 1,
        };
        locations.into_iter().enumerate().map(take).collect::<Vec<_>>()
    });
    (prop_oneof![any_takes, covering], reason()).prop_map(|(takes, reason)| Proposal { takes, reason })
}

prop_compose! {
    fn parcel()(
        location in location(),
        parts in prop::collection::vec((line_id(), units()), 0..4),
    ) -> Parcel {
        let parts = parts.into_iter().map(|(line_id, quantity)| Part { line_id, quantity }).collect();
        Parcel { location, parts }
    }
}

/// Any parcels, or a parcel for each line.
fn plan() -> impl Strategy<Value = Plan> {
    let apart = (0..LINES).map(|index| {
        let part = Part { line_id: (index + 1).to_string(), quantity: 1 };
        Parcel { location: PLACES[index % 2].to_owned(), parts: vec![part] }
    });
    let apart = Just(apart.collect::<Vec<_>>()).prop_shuffle();
    (prop_oneof![prop::collection::vec(parcel(), 0..4), apart], reason())
        .prop_map(|(parcels, reason)| Plan { parcels, reason })
}

prop_compose! {
    fn fee()(fee_id in line_id(), amount in amount(), reason in reason()) -> Fee {
        Fee { fee_id, amount, reason }
    }
}

prop_compose! {
    fn objection()(line_id in prop::option::of(line_id()), reason in reason()) -> Objection {
        Objection { line_id, reason }
    }
}

/// One unit of each line, or any figures.
fn quantities() -> impl Strategy<Value = [i64; LINES]> {
    prop_oneof![8 => Just([1; LINES]), 1 => prop::array::uniform4(any::<i64>())]
}

proptest! {
    #[test]
    fn a_valid_allocation_covers_the_demand_from_what_is_offered(
        quantities in quantities(),
        saleable in quantities(),
        proposal in proposal(),
    ) {
        let question = allocated(quantities, saleable);
        if let Ok(Some(valid)) = Allocation::revalidate(&question, Some(proposal)) {
            let mut taken: BTreeMap<(usize, &str), i128> = BTreeMap::new();
            for take in &valid.takes {
                prop_assert!(take.quantity.units() >= 1);
                *taken.entry((take.line_index, take.location.as_str())).or_default() += i128::from(take.quantity.units());
            }
            for (index, line) in question.lines.iter().enumerate() {
                let of_line: i128 = taken.iter().filter(|((line, _), _)| *line == index).map(|(_, units)| units).sum();
                prop_assert_eq!(of_line, i128::from(line.quantity.units()));
            }
            for ((index, location), units) in taken {
                let stock = question.stock.iter().find(|stock| {
                    stock.sku == question.lines[index].sku && stock.location.as_str() == location
                });
                let stock = stock.expect("what is taken was offered");
                prop_assert!(units <= i128::from(stock.saleable.units()));
                prop_assert_eq!(stock.named_only, index == 0);
            }
        }
    }

    #[test]
    fn a_valid_plan_is_a_partition(quantities in quantities(), plan in plan()) {
        let question = packed(quantities);
        if let Ok(Some(valid)) = OrderSplit::revalidate(&question, Some(plan)) {
            let mut packed = [0_i128; LINES];
            for parcel in &valid.parcels {
                prop_assert!(!parcel.parts.is_empty());
                for part in &parcel.parts {
                    prop_assert!(part.quantity.units() >= 1);
                    prop_assert_eq!(&question.items[part.item_index].location, &parcel.location);
                    packed[part.item_index] += i128::from(part.quantity.units());
                }
            }
            prop_assert_eq!(packed, quantities.map(i128::from));
        }
    }

    #[test]
    fn fees_are_within_their_bounds_and_one_a_consignment(answers in prop::collection::vec(prop::collection::vec(fee(), 0..=LINES), 0..3)) {
        let question = sent();
        let valid: Vec<_> = answers
            .into_iter()
            .filter_map(|fees| DeliveryFee::revalidate(&question, fees).ok())
            .map(|valid| (ExtensionId::new("any", "1.0.0"), valid))
            .collect();
        let priced: HashSet<usize> = valid.iter().flat_map(|(_, fees)| fees.iter().map(|fee| fee.consignment_index)).collect();
        let won = DeliveryFee::reduce(&question, valid);
        prop_assert_eq!(won.len(), LINES);
        prop_assert_eq!(won.iter().flatten().count(), priced.len());
        for won in won.iter().flatten() {
            prop_assert!((0..=delivery_fee::MAX_FEE_MINOR).contains(&won.fee.amount.minor()));
        }
    }

    #[test]
    fn a_valid_objection_is_to_a_line_that_is_there(objections in prop::collection::vec(objection(), 0..4)) {
        let question = wanted();
        let count = objections.len();
        if let Ok(valid) = PurchaseLimit::revalidate(&question, objections) {
            prop_assert_eq!(valid.len(), count);
            prop_assert!(valid.iter().all(|one| one.line_index.is_none_or(|index| index < LINES)));
            prop_assert!(valid.iter().all(|one| !one.reason.trim().is_empty()));
        }
    }
}
