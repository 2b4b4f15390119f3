//! What the inventory's tests share: a shop with two locations, and inputs in short.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::sync::Arc;

use mortise_capability::{Policies, PolicyRow};
use mortise_points::{NoExtensions, Points};
use mortise_testkit::{Rig, SeededIds};

/// The level of the one item that most tests are about.
pub const LINES: &str = r#"{"skus":["tea"],"location":"west"}"#;

/// A shop with the locations `east` and `west`, and policies by business line (empty for all).
pub async fn rig(policies: &[(&str, &str)]) -> Rig {
    rig_with(policies, Arc::new(NoExtensions)).await
}

/// The same, in which `points` are answered.
pub async fn rig_with(policies: &[(&str, &str)], points: Arc<dyn Points>) -> Rig {
    let chosen = Arc::new(Policies::default());
    chosen.replace(policies.iter().map(|(line, document)| PolicyRow {
        tenant: "acme".into(),
        line: (*line).to_owned(),
        channel: String::new(),
        name: "inventory".into(),
        document: (*document).to_owned(),
    }));
    let capability = mortise_inventory::capability(chosen, Arc::new(SeededIds::new(1)), points);
    let rig = Rig::new([capability.expect("it can be declared")]).await;
    locations(&rig).await;
    rig
}

pub async fn locations(rig: &Rig) {
    let rows = r#"{"rows":[{"location":"east"},{"location":"west"}]}"#;
    assert_eq!(rig.call("inventory.import_locations", rows).await, r#"ok {"rows":2}"#);
}

pub async fn stock(rig: &Rig, rows: &[(&str, &str, i64)]) {
    let rows: Vec<String> = rows
        .iter()
        .map(|(sku, location, on_hand)| {
            format!(r#"{{"sku":"{sku}","location":"{location}","on_hand":{on_hand}}}"#)
        })
        .collect();
    let reply = rig.call("inventory.import_stock", &format!(r#"{{"rows":[{}]}}"#, rows.join(","))).await;
    assert_eq!(reply, format!(r#"ok {{"rows":{}}}"#, rows.len()));
}

/// The input of a reserve: units of items at locations, a line each.
pub fn allocations(holder: &str, goods: &[(&str, &str, i64)]) -> String {
    let rows: Vec<String> = goods
        .iter()
        .enumerate()
        .map(|(n, (sku, location, units))| {
            let line = n + 1;
            format!(r#"{{"line_id":"{line}","sku":"{sku}","location":"{location}","quantity":{units}}}"#)
        })
        .collect();
    format!(r#"{{"holder":"{holder}","allocations":[{}]}}"#, rows.join(","))
}

/// What a reserve answered, as the input of what settles it.
pub fn reservation_of(reply: &str) -> String {
    reply.strip_prefix("ok ").unwrap_or_else(|| panic!("not held: {reply}")).to_owned()
}

/// The input of a ship: a parcel with units of one item.
pub fn ship(reservation: &str, parcel: &str, location: &str, sku: &str, units: i64) -> String {
    let reservation = reservation.trim_end_matches('}');
    let item = format!(r#"{{"line_id":"1","sku":"{sku}","quantity":{units}}}"#);
    format!(r#"{reservation},"parcel":{{"parcel_id":"{parcel}","location":"{location}","items":[{item}]}}}}"#)
}

/// The input of a restock: units of items at locations, in a condition.
pub fn restock(reference: &str, goods: &[(&str, &str, i64, &str)]) -> String {
    let units: Vec<String> = goods
        .iter()
        .map(|(sku, location, units, condition)| {
            format!(
                r#"{{"sku":"{sku}","location":"{location}","quantity":{units},"condition":"{condition}"}}"#
            )
        })
        .collect();
    format!(r#"{{"reference":"{reference}","units":[{}]}}"#, units.join(","))
}
