//! Each of the orders' invariants finds what it is there to find.

mod shop;

use mortise_store::Statement;
use shop::{of, placed, rig};

/// An order that is paid and half packed, one that was cancelled and placed again; then one statement that breaks it.
async fn after(text: &'static str) -> Vec<String> {
    let rig = rig().await;
    placed(&rig, "o-1", "c-1").await;
    rig.call("order.confirm_payment", &of("o-1", r#""payment_id":"p-1""#)).await;
    for parcel in ["o-1-1", "o-1-2"] {
        let news = of("o-1", &format!(r#""parcel_id":"{parcel}","status":"requested""#));
        rig.call("order.record_fulfilment", &news).await;
    }
    placed(&rig, "o-2", "c-1").await;
    rig.call("order.cancel", &of("o-2", "")).await;
    placed(&rig, "o-2", "c-1").await;
    assert_eq!(rig.findings().await, Vec::<String>::new(), "before: {text}");
    let broken = Statement::both("test.break", text);
    let rows = rig.behind_the_back(broken).await.expect("it runs");
    assert!(rows[0] > 0, "nothing was broken: {text}");
    rig.findings().await
}

async fn finds(text: &'static str, found: &[&str]) {
    assert_eq!(after(text).await, found, "{text}");
}

#[tokio::test]
async fn a_price_that_nothing_proves_is_found() {
    finds(
        "UPDATE order_header SET payable = 848 WHERE order_id = 'o-1'",
        &["order price proofs: acme: order o-1: payable is 848, its price proof says 849"],
    )
    .await;
    finds(
        "UPDATE order_document SET proof = replace(proof, '\"amount\":-50', '\"amount\":-40') WHERE order_id = 'o-1'",
        &["order price proofs: acme: order o-1: the price proof does not add up: line 1: the payable amount is 450, its parts add up to 460"],
    )
    .await;
    finds(
        "UPDATE order_document SET parcels = '[]' || proof WHERE order_id = 'o-1'",
        &["order price proofs: acme: order o-1: its parcels cannot be read: trailing characters at line 1 column 3"],
    )
    .await;
}

#[tokio::test]
async fn parcels_that_carry_something_else_are_found() {
    finds(
        "UPDATE order_document SET parcels = replace(parcels, '\"quantity\":2', '\"quantity\":3') WHERE order_id = 'o-1'",
        &["order price proofs: acme: order o-1: line 1 is 2 units in the price proof and 3 in the parcels"],
    )
    .await;
    finds(
        "UPDATE order_header SET parcels = replace(parcels, 'requested', 'packed') WHERE order_id = 'o-1'",
        &["order price proofs: acme: order o-1: fulfilment is `requested`, its parcels are `packed`"],
    )
    .await;
}

#[tokio::test]
async fn an_order_without_documents_is_found() {
    finds(
        "DELETE FROM order_document WHERE order_id = 'o-1'",
        &["order price proofs: acme: order o-1: it has no documents"],
    )
    .await;
}

#[tokio::test]
async fn a_status_that_no_timeline_tells_is_found() {
    finds(
        "UPDATE order_header SET payment_status = 'refunded' WHERE order_id = 'o-1'",
        &["order timelines: acme: order o-1: it is open/refunded/requested/none at position 4, its timeline says open/paid/requested/none in 4 entries up to 4"],
    )
    .await;
    finds(
        "UPDATE order_header SET order_status = 'completed' WHERE order_id = 'o-2'",
        &["order timelines: acme: order o-2: it is completed/due/none/none at position 5, its timeline says open/due/none/none in 5 entries up to 5"],
    )
    .await;
}

#[tokio::test]
async fn a_gap_in_a_timeline_is_found() {
    finds(
        "DELETE FROM order_timeline WHERE order_id = 'o-1' AND position = 3",
        &["order timelines: acme: order o-1: it is open/paid/requested/none at position 4, its timeline says open/paid/requested/none in 3 entries up to 4"],
    )
    .await;
    finds(
        "DELETE FROM order_timeline WHERE order_id = 'o-1'",
        &["order timelines: acme: order o-1: it is open/paid/requested/none at position 4, its timeline says /due/none/none in 0 entries up to 0"],
    )
    .await;
}
