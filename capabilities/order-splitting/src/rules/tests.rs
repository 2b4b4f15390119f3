//! Order splitting by tables, and the law that a split is a partition.

use std::collections::BTreeMap;

use mortise_testkit::table;
use mortise_types::{LineId, LocationId, Sku};
use proptest::prelude::*;

use super::*;

fn allocation(line: &str, sku: &str, location: &str, units: i64) -> Allocation {
    Allocation {
        line_id: LineId::new(line).unwrap(),
        sku: Sku::new(sku).unwrap(),
        location: LocationId::new(location).unwrap(),
        quantity: Quantity(units),
    }
}

/// `order ID`, then a line an allocation: `LINE UNITS SKU from LOCATION`.
fn answer(input: &str) -> String {
    let mut lines = input.lines();
    let order = lines.next().unwrap().strip_prefix("order ").unwrap();
    let allocations: Vec<Allocation> = lines
        .map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
            [id, units, sku, "from", location] => allocation(id, sku, location, units.parse().unwrap()),
            _ => panic!("`{line}` is no allocation"),
        })
        .collect();
    match plan(&OrderId::new(order).unwrap(), &allocations) {
        Ok(Decision::Planned(output)) => {
            let parcels = output.parcels.iter().map(|parcel| {
                let items: Vec<String> = parcel
                    .items
                    .iter()
                    .map(|i| format!("{} {} of line {}", i.quantity, i.sku, i.line_id))
                    .collect();
                format!("{} from {}: {}", parcel.parcel_id, parcel.location, items.join(", "))
            });
            let text = parcels.collect::<Vec<_>>().join("\n");
            if text.is_empty() { "no parcels".to_owned() } else { text }
        }
        Ok(Decision::TooMany(detail)) => format!("too_many_parcels: {} of {}", detail.parcels, detail.most),
        Ok(Decision::TooLong(detail)) => format!("order_id_too_long: at most {}", detail.most_chars),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn tables() {
    table::run("tests/cases", answer);
}

#[test]
fn fifty_parcels_are_the_most() {
    let order = OrderId::new("o").unwrap();
    let at = |n: usize| (0..n).map(|i| allocation("1", "tea", &format!("shop-{i}"), 1)).collect::<Vec<_>>();
    let Ok(Decision::Planned(output)) = plan(&order, &at(50)) else { panic!("fifty go") };
    assert_eq!(output.parcels.last().unwrap().parcel_id.as_str(), "o-50");
    let many = TooManyParcels { parcels: 52, most: 50 };
    assert_eq!(plan(&order, &at(52)), Ok(Decision::TooMany(many)));
}

#[test]
fn the_longest_order_id_still_names_fifty_parcels() {
    let longest = OrderId::new("ö".repeat(ORDER_ID_MAX_CHARS)).unwrap();
    let fifty: Vec<Allocation> = (0..50).map(|i| allocation("1", "tea", &format!("shop-{i}"), 1)).collect();
    assert!(matches!(plan(&longest, &fifty), Ok(Decision::Planned(_))));
    let longer = OrderId::new("ö".repeat(ORDER_ID_MAX_CHARS + 1)).unwrap();
    assert!(matches!(plan(&longer, &fifty), Ok(Decision::TooLong(_))));
}

proptest! {
    /// Every unit of every allocation is in exactly one parcel, at its location; no parcel is empty, no item twice.
    #[test]
    fn a_split_is_a_partition(
        asked in prop::collection::vec((1_usize..6, 0_usize..4, 0_usize..60, 1_i64..1_000_000), 0..200),
    ) {
        let allocations: Vec<Allocation> = asked
            .iter()
            .map(|(line, sku, shop, units)| allocation(&line.to_string(), &format!("s{sku}"), &format!("l{shop}"), *units))
            .collect();
        let mut wanted: BTreeMap<(String, String, String), i64> = BTreeMap::new();
        for a in &allocations {
            *wanted.entry((a.location.to_string(), a.line_id.to_string(), a.sku.to_string())).or_default() += a.quantity.0;
        }
        let shops = wanted.keys().map(|(location, ..)| location).collect::<std::collections::BTreeSet<_>>().len();
        match plan(&OrderId::new("o").unwrap(), &allocations).unwrap() {
            Decision::TooMany(detail) => prop_assert!(shops > PARCELS_MAX && detail.parcels == shops as i64),
            Decision::TooLong(_) => prop_assert!(false, "`o` is short"),
            Decision::Planned(output) => {
                prop_assert_eq!(output.parcels.len(), shops);
                let mut got = BTreeMap::new();
                for (n, parcel) in output.parcels.iter().enumerate() {
                    prop_assert_eq!(parcel.parcel_id.as_str(), format!("o-{}", n + 1));
                    prop_assert!(!parcel.items.is_empty());
                    for item in &parcel.items {
                        let key = (parcel.location.to_string(), item.line_id.to_string(), item.sku.to_string());
                        prop_assert!(got.insert(key, item.quantity.0).is_none(), "an item stands twice");
                    }
                }
                prop_assert_eq!(got, wanted);
            }
        }
    }
}
