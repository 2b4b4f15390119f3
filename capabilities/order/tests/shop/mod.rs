//! What the orders' tests share: a database, and an order in short.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::sync::Arc;

use mortise_testkit::{Rig, SeededIds};

pub async fn rig() -> Rig {
    Rig::new([mortise_order::capability(Arc::new(SeededIds::new(1))).expect("it can be declared")]).await
}

/// The price proof of two lines and a delivery fee: 500 - 50 + 300 + 99 = 849.
pub const PROOF: &str = concat!(
    r#"{"policy_version":"pricing:0","lines":["#,
    r#"{"line_id":"1","sku":"tea","quantity":2,"list_price":{"amount":250,"per":1},"list":500,"adjustments":["#,
    r#"{"kind":"promotion","source":"ten","version":"1","amount":-50,"reason":"ten percent off"}],"taxes":[],"payable":450},"#,
    r#"{"line_id":"2","sku":"cup","quantity":1,"list_price":{"amount":300,"per":1},"list":300,"adjustments":[],"taxes":[],"payable":300}],"#,
    r#""fees":[{"fee_id":"delivery-1","kind":"delivery","list":99,"adjustments":[],"taxes":[],"payable":99}],"#,
    r#""payable":849,"tax":0}"#
);

pub const SHIP_TO: &str =
    r#"{"name":"A. Smith","street":["Main Street 1"],"city":"Berlin","postal_code":"10115","country":"DE"}"#;

/// The input that places an order of two parcels.
pub fn place(order: &str, customer: &str) -> String {
    place_with(order, customer, PROOF)
}

pub fn place_with(order: &str, customer: &str, proof: &str) -> String {
    let parcels = format!(
        concat!(
            r#"[{{"parcel_id":"{0}-1","location":"west","items":[{{"line_id":"1","sku":"tea","quantity":2}}]}},"#,
            r#"{{"parcel_id":"{0}-2","location":"east","items":[{{"line_id":"2","sku":"cup","quantity":1}}]}}]"#
        ),
        order
    );
    format!(
        r#"{{"order_id":"{order}","customer_id":"{customer}","currency":"EUR","proof":{proof},"parcels":{parcels},"ship_to":{SHIP_TO}}}"#
    )
}

pub async fn placed(rig: &Rig, order: &str, customer: &str) {
    let reply = rig.call("order.place", &place(order, customer)).await;
    assert!(reply.starts_with("ok "), "{reply}");
}

/// `{"order_id": ORDER, MORE}`.
pub fn of(order: &str, more: &str) -> String {
    let comma = if more.is_empty() { "" } else { "," };
    format!(r#"{{"order_id":"{order}"{comma}{more}}}"#)
}
