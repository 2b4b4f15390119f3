//! Who may bid, and what a batch of bids makes of an auction.

use mortise_capability::Outcome;
use mortise_types::Span;
use proptest::prelude::*;

use crate::room::*;

fn first(reply: &str) -> &str {
    reply.lines().next().expect("a reply has a line")
}

#[tokio::test]
async fn an_auction_is_opened_once() {
    let rig = rig().await;
    let input = open_with("a", "");
    let replies = rig.batch("auction.open", &[&input, &input]).await;
    assert_eq!(
        replies[0],
        format!(
            concat!(
                r#"ok {{"auction_id":"a","opens_at":"2026-01-01T00:00:00.000Z","closes_at":"{0}"}}"#,
                "\n",
                r#"event auction.opened {{"auction_id":"a","opens_at":"2026-01-01T00:00:00.000Z","closes_at":"{0}","starting_price":1000,"currency":"EUR"}}"#
            ),
            CLOSES_AT
        )
    );
    assert_eq!(replies[1], r#"rejected auction_exists {"auction_id":"a"}"#);
    let wrong = open_with("b", r#","reserve_price":999"#);
    let refused = rig.call("auction.open", &wrong).await;
    assert!(refused.starts_with(r#"rejected terms_refused {"field":"reserve_price""#), "{refused}");
}

#[tokio::test]
async fn only_who_is_admitted_bids() {
    let rig = opened("").await;
    let input = bid("a", "ann", &up_to(5_000));
    assert_eq!(rig.call("auction.bid", &input).await, r#"rejected not_registered {"deposit":0}"#);
    let replies = rig
        .batch("auction.register", &[&register("a", "ann"), &register("a", "ann"), &register("a", "sara")])
        .await;
    assert!(replies[0].ends_with(r#""paddle":1}"#), "{}", replies[0]);
    assert_eq!(replies[1], r#"rejected already_registered {"paddle":1}"#);
    assert_eq!(replies[2], r#"rejected own_auction {"auction_id":"a"}"#);
    let paid = rig.call("auction.register_with_deposit", &deposit("a", "bob", 500)).await;
    assert_eq!(paid, r#"rejected deposit_differs {"asked":0,"paid":500}"#);
    let placed = rig.call("auction.bid", &input).await;
    assert_eq!(
        first(&placed),
        format!(
            r#"ok {{"position":2,"leading":true,"price":1000,"asking_price":1100,"reserve_met":true,"closes_at":"{CLOSES_AT}"}}"#
        )
    );
    let unknown = rig.call("auction.bid", &bid("b", "ann", &up_to(5_000))).await;
    assert_eq!(unknown, r#"rejected auction_unknown {"auction_id":"b"}"#);
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_withdrawn_bidder_bids_no_more_and_keeps_the_number() {
    let rig = opened("").await;
    admitted(&rig, "a", &["ann"]).await;
    let again = rig.call("auction.register", &register("a", "ann")).await;
    assert_eq!(again, r#"rejected already_registered {"paddle":1}"#);
    let own = seen(&rig, "ann", "auction.get", &of("a")).await;
    let registration = own["own"]["registration"].as_str().expect("an id").to_owned();
    let input = format!(r#"{{"registration":"{registration}"}}"#);
    let withdrawn = rig.call("auction.withdraw", &input).await;
    assert_eq!(withdrawn, r#"ok {"applied":"now","deposit":"none"}"#);
    let refused = rig.call("auction.bid", &bid("a", "ann", &up_to(5_000))).await;
    assert_eq!(refused, r#"rejected not_registered {"deposit":0}"#);
    admitted(&rig, "a", &["bob"]).await;
    let back = rig.call("auction.register", &register("a", "ann")).await;
    assert!(back.ends_with(r#""paddle":1}"#), "{back}");
}

#[tokio::test]
async fn looking_at_a_bid_says_what_placing_it_would() {
    let mut rig = opened(r#","opens_at":"2026-01-01T00:10:00.000Z""#).await;
    admitted(&rig, "a", &["ann", "bob"]).await;
    for (at, who, amounts) in [
        (0, "ann", up_to(5_000)),
        (600, "ann", up_to(999)),
        (600, "ann", up_to(1_500)),
        (601, "ann", up_to(1_500)),
        (601, "bob", up_to(1_050)),
        (602, "bob", r#"{"amount":1200,"maximum":1100}"#.to_owned()),
        (602, "bob", "{}".to_owned()),
        (602, "sara", up_to(5_000)),
        (3_600, "bob", up_to(5_000)),
    ] {
        rig.now = seconds(at);
        let place = bid("a", who, &amounts);
        let look = place.replace(r#","bid""#, r#","currency":"EUR","bid""#);
        let (looked, placed) =
            (rig.call("auction.assess", &look).await, rig.call("auction.bid", &place).await);
        match looked.strip_prefix("rejected") {
            Some(_) => assert_eq!(looked, placed, "{who} {amounts}"),
            None => assert!(placed.starts_with("ok"), "{looked}\n{placed}"),
        }
    }
    let other = r#"{"auction_id":"a","customer_id":"ann","currency":"JPY","bid":{"maximum":5000}}"#;
    rig.now = seconds(700);
    assert_eq!(rig.call("auction.assess", other).await, r#"rejected wrong_currency {"currency":"EUR"}"#);
}

#[tokio::test]
async fn a_batch_is_decided_in_its_order_and_tells_who_was_outbid() {
    let rig = opened(r#","extension":{"within_s":7200,"by_s":7200,"most":1}"#).await;
    admitted(&rig, "a", &["ann", "bob"]).await;
    let inputs = [
        bid("a", "ann", &up_to(3_000)),
        bid("a", "bob", &up_to(3_000)),
        bid("a", "bob", &up_to(3_050)),
        bid("a", "bob", &up_to(4_000)),
    ];
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let replies = rig.batch("auction.bid", &inputs).await;
    let moved = "2026-01-01T03:00:00.000Z";
    assert_eq!(
        replies[0],
        format!(
            concat!(
                r#"ok {{"position":2,"leading":true,"price":1000,"asking_price":1100,"reserve_met":true,"closes_at":"{0}"}}"#,
                "\n",
                r#"event auction.bid_placed {{"auction_id":"a","position":2,"paddle":1,"leading":1,"price":1000,"reserve_met":true,"closes_at":"{0}","currency":"EUR"}}"#,
                "\n",
                r#"event auction.extended {{"auction_id":"a","closes_at":"{0}","extensions":1}}"#
            ),
            moved
        )
    );
    assert!(replies[1].starts_with(r#"ok {"position":4,"leading":false,"price":3000"#), "{}", replies[1]);
    assert_eq!(replies[2], r#"rejected bid_too_low {"asking_price":3100,"bid":3050}"#);
    assert!(
        replies[3].ends_with(&format!(
            r#"event auction.outbid {{"customer_id":"ann","auction_id":"a","price":3100,"asking_price":3200,"closes_at":"{moved}","currency":"EUR"}}"#
        )),
        "{}",
        replies[3]
    );
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_batch_of_bids_is_one_update_of_the_auction() {
    let rig = opened("").await;
    admitted(&rig, "a", &["ann", "bob"]).await;
    let inputs: Vec<String> = (0..100)
        .map(|n| {
            bid("a", if n % 2 == 0 { "ann" } else { "bob" }, &format!(r#"{{"amount":{}}}"#, 1_000 + n * 100))
        })
        .collect();
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let before = rig.store.cost();
    let replies = rig.batch("auction.bid", &inputs).await;
    let after = rig.store.cost();
    assert!(replies.iter().all(|reply| reply.starts_with("ok ")), "{replies:?}");
    // The auction once, each bidder once, each bid once, the auction again.
    assert_eq!(after.executions - before.executions, 1 + 2 + 100 + 1);
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

/// Bids of five bidders with a step of time each, cut into batches.
fn rush() -> impl Strategy<Value = (Vec<(u8, i64, u32)>, Vec<usize>)> {
    let one = (0_u8..5, 500_i64..9_000, 0_u32..120);
    (prop::collection::vec(one, 1..60), prop::collection::vec(1_usize..12, 1..12))
}

const WHO: [&str; 5] = ["ann", "bob", "cleo", "dan", "eve"];
const RUSH: &str = r#","reserve_price":4000,"extension":{"within_s":300,"by_s":300,"most":3}"#;

/// What an auction comes to when these bids are placed in such batches: every outcome, and the auction at the end.
async fn outcome(said: &[(u8, i64, u32)], mut cuts: impl Iterator<Item = usize>) -> (Vec<String>, String) {
    let mut rig = opened(RUSH).await;
    admitted(&rig, "a", &WHO).await;
    rig.now = rig.now.saturating_add(Span::minutes(40));
    let (mut told, mut rest) = (Vec::new(), said);
    while !rest.is_empty() {
        let (batch, behind) = rest.split_at(cuts.next().expect("cuts go on").min(rest.len()));
        let mut calls = Vec::new();
        for (who, most, pause) in batch {
            rig.now = rig.now.saturating_add(Span::seconds(*pause));
            let input = bid("a", WHO[usize::from(*who)], &up_to(*most));
            calls.push(rig.call_of(mortise_contract::json(&input).expect("JSON")));
        }
        let replies = rig.run("auction.bid", calls).await.expect("bids run");
        told.extend(replies.iter().map(|reply| match &reply.outcome {
            Outcome::Done(output) => output.to_json(),
            other => format!("{other:?}"),
        }));
        rest = behind;
    }
    rig.now = rig.now.saturating_add(Span::hours(2));
    rig.call("auction.close", &of("a")).await;
    assert_eq!(rig.findings().await, Vec::<String>::new());
    (told, rig.call("auction.get", &of("a")).await)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Any bids in any batches come to the winner and the price of the same bids one by one, and each is told the same.
    #[test]
    fn batches_come_to_what_single_bids_come_to((said, cuts) in rush()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let singly = outcome(&said, std::iter::repeat(1)).await;
            let in_batches = outcome(&said, cuts.iter().copied().cycle()).await;
            prop_assert_eq!(singly, in_batches);
            Ok(())
        })?;
    }
}
