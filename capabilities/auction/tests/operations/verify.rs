//! Each of the auctions' invariants finds what it is there to find.

use mortise_store::Statement;

use crate::room::*;

/// A sold auction and an open one; then one statement that breaks something.
async fn after(text: &'static str) -> Vec<String> {
    let mut rig = opened(r#","deposit":500"#).await;
    deposited(&rig, "a", &["ann", "bob"], 500).await;
    bids(&rig, "a", "ann", 5_000).await;
    bids(&rig, "a", "bob", 4_000).await;
    rig.call("auction.open", &open_with("b", r#","deposit":500"#)).await;
    deposited(&rig, "b", &["ann"], 500).await;
    bids(&rig, "b", "ann", 5_000).await;
    rig.now = seconds(3_600);
    rig.call("auction.close", &of("a")).await;
    rig.call("auction.record_paid", &offer("a", 1)).await;
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
async fn an_auction_that_its_bids_do_not_lead_to_is_found() {
    let price = "auction standings: acme: auction a: it stands at 4099 of ann up to 5000, closing 2026-01-01T01:00:00.000Z after 0 \
                 extensions, its 2 bids lead to 4100 of ann up to 5000, closing 2026-01-01T01:00:00.000Z after 0 extensions";
    finds("UPDATE auction_lot SET price = 4099 WHERE auction_id = 'a'", &[price]).await;
    let winner = "auction standings: acme: auction b: it stands at 1000 of bob up to 5000, closing 2026-01-01T01:00:00.000Z after 0 \
                  extensions, its 1 bids lead to 1000 of ann up to 5000, closing 2026-01-01T01:00:00.000Z after 0 extensions";
    finds("UPDATE auction_lot SET leader = 'bob' WHERE auction_id = 'b'", &[winner]).await;
}

#[tokio::test]
async fn a_lost_bid_is_found() {
    let found = after("DELETE FROM auction_bid WHERE auction_id = 'a' AND customer_id = 'bob'").await;
    assert_eq!(found.len(), 1, "{found:?}");
    let gap = "auction standings: acme: auction a: its timeline is at position 5, which these entries, from, up to, different ones \
               tell: Some((4, 1, 5, 4))";
    finds("DELETE FROM auction_entry WHERE auction_id = 'a' AND kind = 'awarded'", &[gap]).await;
}

#[tokio::test]
async fn two_winners_are_found() {
    let text = "INSERT INTO auction_offer (tenant, auction_id, offer, customer_id, state, price, credit, pay_by, offered_at)
                VALUES ('acme', 'a', 2, 'bob', 'paid', 4000, 0, 0, 0)";
    let two = "auction sales: acme: auction a: it is sold, its latest offer (1) is paid, and 2 offers are open or paid";
    finds(text, &[two]).await;
    let dear = "auction sales: acme: auction a: offer 1 is at 5001, its bidder bid 5000 at most";
    finds("UPDATE auction_offer SET price = 5001", &[dear]).await;
}

#[tokio::test]
async fn a_deposit_that_nobody_decides_is_found() {
    let held = "auction deposits: acme: auction a: it is sold, and the deposit of bob is undecided";
    finds(
        "UPDATE auction_bidder SET deposit_state = 'held' WHERE auction_id = 'a' AND customer_id = 'bob'",
        &[held],
    )
    .await;
}
