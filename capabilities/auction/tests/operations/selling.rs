//! The hammer falls, the winner pays or does not, deposits go where they belong.

use mortise_types::Span;

use crate::room::*;

/// An auction with a deposit of 5.00, at which ann bids up to 90.00, bob up to 70.00 and cleo up to 30.00; dan does not bid.
async fn three(terms: &str) -> (mortise_testkit::Rig, Vec<String>) {
    let rig = opened(&format!(r#","deposit":500{terms}"#)).await;
    let registrations = deposited(&rig, "a", &["ann", "bob", "cleo", "dan"], 500).await;
    for (who, most) in [("cleo", 3_000), ("bob", 7_000), ("ann", 9_000)] {
        bids(&rig, "a", who, most).await;
    }
    (rig, registrations)
}

/// The lines of a reply without the auction's name, which is always the same.
fn told(reply: &str) -> Vec<String> {
    reply.lines().map(|line| line.replace(r#""auction_id":"a","#, "")).collect()
}

fn decided(registration: &str, who: &str, decision: &str, order: Option<&str>) -> String {
    let order = order.map_or_else(String::new, |order| format!(r#","order_id":"{order}""#));
    format!(
        r#"event auction.deposit_decided {{"registration":"{registration}","customer_id":"{who}","decision":"{decision}"{order}}}"#
    )
}

#[tokio::test]
async fn the_hammer_falls_when_the_time_is_up_and_once() {
    let (mut rig, ids) = three(r#","offers_most":2"#).await;
    assert_eq!(rig.call("auction.close", &of("a")).await, r#"ok {"applied":"already","state":"open"}"#);
    rig.now = seconds(3_600);
    let replies = rig.batch("auction.close", &[&of("a"), &of("a"), &of("nothing")]).await;
    // Ann is to pay, bob comes next; cleo and dan cannot come to buy any more.
    assert_eq!(
        told(&replies[0]),
        [
            r#"ok {"applied":"now","state":"awarded"}"#.to_owned(),
            r#"event auction.closed {"state":"awarded","price":7100,"bids":3,"currency":"EUR"}"#.to_owned(),
            r#"event auction.awarded {"customer_id":"ann","offer":1,"price":7100,"pay_by":"2026-01-01T02:00:00.000Z","currency":"EUR"}"#.to_owned(),
            decided(&ids[2], "cleo", "return", None),
            decided(&ids[3], "dan", "return", None),
        ]
    );
    assert_eq!(replies[1], r#"ok {"applied":"already","state":"awarded"}"#);
    assert_eq!(replies[2], r#"ok {"applied":"already","state":"unknown"}"#);
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_winner_who_pays_has_the_deposit_credited() {
    let (mut rig, ids) = three("").await;
    rig.now = seconds(3_600);
    rig.call("auction.close", &of("a")).await;
    let award = rig.call("auction.award", &of("a")).await;
    assert_eq!(
        award,
        format!(
            concat!(
                r#"ok {{"offer":1,"customer_id":"ann","order_id":"a-1","ship_to":{},"price":7100,"credit":500,"#,
                r#""lines":[{{"line_id":"1","sku":"chair","quantity":1,"list_price":{{"amount":7100,"per":1}},"list":7100,"adjustments":[],"taxes":[],"payable":7100}}],"#,
                r#""policy_version":"{}","pay_by":"2026-01-01T02:00:00.000Z","pay_within_s":3600}}"#
            ),
            SHIP_TO,
            award
                .split(r#""policy_version":""#)
                .nth(1)
                .and_then(|rest| rest.split('"').next())
                .unwrap_or("none"),
        )
    );
    assert_eq!(rig.call("auction.sale", &of("a")).await, r#"rejected not_sold {"state":"awarded"}"#);
    let ask = r#"{"auction_id":"a","offer":1,"amount":6600,"payment_id":"p-1","pay_url":"https://pay.example/p-1"}"#;
    assert_eq!(rig.call("auction.ask_payment", ask).await, r#"ok {"applied":"now"}"#);
    let own = seen(&rig, "ann", "auction.get", &of("a")).await;
    assert_eq!(own["own"]["offer"]["pay_url"], "https://pay.example/p-1");
    assert_eq!(own["own"]["offer"]["amount"], 6_600);
    let paid = rig.call("auction.record_paid", &offer("a", 1)).await;
    assert_eq!(
        told(&paid),
        [
            r#"ok {"applied":"now","state":"sold"}"#.to_owned(),
            r#"event auction.sold {"customer_id":"ann","price":7100,"order_id":"a-1","currency":"EUR"}"#
                .to_owned(),
            decided(&ids[0], "ann", "credit", Some("a-1")),
            decided(&ids[1], "bob", "return", None),
            decided(&ids[2], "cleo", "return", None),
        ]
    );
    assert_eq!(
        rig.call("auction.record_paid", &offer("a", 1)).await,
        r#"ok {"applied":"already","state":"sold"}"#
    );
    assert_eq!(rig.call("auction.award", &of("a")).await, r#"rejected not_awarded {"state":"sold"}"#);
    assert!(rig.call("auction.sale", &of("a")).await.starts_with(r#"ok {"offer":1,"customer_id":"ann""#));
    let settle = |id: &str| format!(r#"{{"registration":"{id}"}}"#);
    for (id, state) in [(&ids[0], "credited"), (&ids[1], "returned"), (&ids[3], "returned")] {
        let replies = rig.batch("auction.settle_deposit", &[&settle(id), &settle(id)]).await;
        assert_eq!(replies[0], format!(r#"ok {{"applied":"now","deposit":"{state}"}}"#));
        assert_eq!(replies[1], format!(r#"ok {{"applied":"already","deposit":"{state}"}}"#));
    }
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn whoever_does_not_pay_loses_lot_and_deposit_to_the_next_bidder() {
    let (mut rig, ids) = three("").await;
    rig.now = seconds(3_600);
    rig.call("auction.close", &of("a")).await;
    let early = rig.call("auction.next_bidder", &offer("a", 1)).await;
    assert_eq!(early, r#"ok {"applied":"already","state":"awarded"}"#, "there is still time to pay");
    rig.now = rig.now.saturating_add(Span::hours(1));
    let next = rig.call("auction.next_bidder", &offer("a", 1)).await;
    assert_eq!(
        told(&next),
        [
            r#"ok {"applied":"now","state":"awarded"}"#.to_owned(),
            r#"event auction.defaulted {"customer_id":"ann","offer":1}"#.to_owned(),
            r#"event auction.awarded {"customer_id":"bob","offer":2,"price":7000,"pay_by":"2026-01-01T03:00:00.000Z","currency":"EUR"}"#.to_owned(),
            decided(&ids[0], "ann", "forfeit", Some("a-1")),
        ]
    );
    let again = rig.call("auction.next_bidder", &offer("a", 1)).await;
    assert_eq!(again, r#"ok {"applied":"already","state":"awarded"}"#);
    let late = rig.call("auction.record_paid", &offer("a", 1)).await;
    assert_eq!(late, r#"ok {"applied":"already","state":"awarded"}"#, "ann's time is over");
    for (at, who, number) in [(2, "cleo", 3), (3, "", 0)] {
        rig.now = rig.now.saturating_add(Span::hours(1));
        let next = rig.call("auction.next_bidder", &offer("a", at)).await;
        match who {
            "" => assert!(next.contains(r#""state":"unsold""#), "{next}"),
            who => assert!(
                next.contains(&format!(r#""customer_id":"{who}","auction_id":"a","offer":{number}"#)),
                "{next}"
            ),
        }
        assert_eq!(rig.findings().await, Vec::<String>::new());
    }
    let own = seen(&rig, "cleo", "auction.get", &of("a")).await;
    assert_eq!(own["own"]["deposit"], "to_forfeit");
    assert_eq!(own["summary"]["state"], "unsold");
}

#[tokio::test]
async fn without_the_defaulter_the_next_price_is_what_it_would_have_been() {
    let (mut rig, _) = three(r#","next_price":"without_defaulters""#).await;
    rig.now = seconds(3_600);
    rig.call("auction.close", &of("a")).await;
    rig.now = rig.now.saturating_add(Span::hours(1));
    let next = rig.call("auction.next_bidder", &offer("a", 1)).await;
    assert!(next.contains(r#""customer_id":"bob","auction_id":"a","offer":2,"price":3100"#), "{next}");
}

#[tokio::test]
async fn below_the_reserve_price_everybody_has_the_deposit_back() {
    let (mut rig, ids) = three(r#","reserve_price":9001"#).await;
    rig.now = seconds(3_600);
    let closed = rig.call("auction.close", &of("a")).await;
    let mut expected = vec![
        r#"ok {"applied":"now","state":"unsold"}"#.to_owned(),
        r#"event auction.closed {"state":"unsold","price":7100,"bids":3,"currency":"EUR"}"#.to_owned(),
    ];
    let back =
        ids.iter().zip(["ann", "bob", "cleo", "dan"]).map(|(id, who)| decided(id, who, "return", None));
    expected.extend(back);
    assert_eq!(told(&closed), expected);
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_auction_is_taken_back_while_it_is_open_and_not_after() {
    let (mut rig, ids) = three("").await;
    let wish = r#"{"auction_id":"a","reason":"it is broken"}"#;
    assert_eq!(
        rig.call("auction.request_cancel", wish).await,
        concat!(
            r#"ok {"applied":"now"}"#,
            "\n",
            r#"event auction.cancel_requested {"auction_id":"a","reason":"it is broken"}"#
        )
    );
    let replies = rig.batch("auction.cancel", &[&of("a"), &of("a")]).await;
    assert!(replies[0].contains(r#""state":"cancelled""#) && replies[0].contains(&ids[3]), "{}", replies[0]);
    assert_eq!(replies[1], r#"ok {"applied":"already","state":"cancelled"}"#);
    let refused = bids(&rig, "a", "ann", 20_000).await;
    assert!(refused.starts_with(r#"rejected auction_closed {"state":"cancelled""#), "{refused}");
    rig.call("auction.open", &open_with("b", "")).await;
    rig.now = seconds(3_600);
    rig.call("auction.close", &of("b")).await;
    assert!(rig.call("auction.request_cancel", &of("b")).await.starts_with("rejected auction_closed"));
    assert_eq!(rig.call("auction.cancel", &of("b")).await, r#"ok {"applied":"already","state":"unsold"}"#);
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_lot_that_nobody_can_be_asked_to_pay_is_passed() {
    let (mut rig, ids) = three("").await;
    rig.now = seconds(3_600);
    rig.call("auction.close", &of("a")).await;
    let passed = rig.call("auction.pass", &of("a")).await;
    assert!(passed.starts_with(r#"ok {"applied":"now","state":"unsold"}"#), "{passed}");
    assert!(
        passed.contains(
            &decided(&ids[0], "ann", "return", None)
                .replace(r#","customer_id""#, r#","auction_id":"a","customer_id""#)
        ),
        "{passed}"
    );
    assert_eq!(rig.call("auction.pass", &of("a")).await, r#"ok {"applied":"already","state":"unsold"}"#);
    assert_eq!(rig.findings().await, Vec::<String>::new());
}
