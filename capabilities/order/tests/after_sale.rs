//! What happens to an order after the sale: returns that run at once, money that goes back, each told once.

mod shop;

use std::sync::Arc;

use mortise_testkit::Rig;
use mortise_types::CustomerId;
use shop::{of, place, placed, rig};

const NOW: &str = r#"ok {"applied":"now"}"#;
const ALREADY: &str = r#"ok {"applied":"already"}"#;

async fn stage(rig: &Rig, rma: &str, stage: &str) -> String {
    let input = of("o-1", &format!(r#""rma_id":"{rma}","stage":"{stage}""#));
    let replies = rig.batch("order.record_after_sale", &[&input, &input]).await;
    assert_eq!(replies[1], ALREADY, "the second word about it changes nothing");
    replies[0].clone()
}

async fn refund(rig: &Rig, rma: &str, amount: i64) -> String {
    let input = of("o-1", &format!(r#""rma_id":"{rma}","amount":{amount}"#));
    let replies = rig.batch("order.record_refund", &[&input, &input]).await;
    assert_eq!(replies[1], ALREADY);
    replies[0].clone()
}

/// State, payment and after-sale of the order.
async fn standing(rig: &Rig) -> String {
    let reply = rig.call("order.get", &of("o-1", "")).await;
    let word = |name: &str| {
        let at = reply.find(&format!("\"{name}\":\"")).unwrap_or_else(|| panic!("{reply}")) + name.len() + 4;
        reply[at..].chars().take_while(|c| *c != '"').collect::<String>()
    };
    format!("{} {} {}", word("state"), word("payment"), word("after_sale"))
}

async fn paid(terms: &str) -> Rig {
    let rig = rig().await;
    placed(&rig, "o-1", "c-1").await;
    rig.call("order.confirm_payment", &of("o-1", &format!(r#""payment_id":"p-1","terms":"{terms}""#))).await;
    rig
}

#[tokio::test]
async fn two_returns_at_once_are_settled_one_by_one() {
    let rig = paid("paid").await;
    assert_eq!(stage(&rig, "r-1", "requested").await, NOW);
    assert_eq!(stage(&rig, "r-2", "requested").await, NOW);
    assert_eq!(standing(&rig).await, "after_sale paid requested");
    assert_eq!(refund(&rig, "r-1", 450).await, NOW);
    assert_eq!(stage(&rig, "r-1", "settled").await, NOW);
    assert_eq!(standing(&rig).await, "after_sale partially_refunded requested");
    assert_eq!(refund(&rig, "r-2", 399).await, NOW);
    assert_eq!(stage(&rig, "r-2", "settled").await, NOW);
    assert_eq!(standing(&rig).await, "awaiting_fulfilment refunded settled");
    let effects = rig.call("order.effects", &of("o-1", "")).await;
    assert_eq!(
        effects,
        concat!(
            r#"ok {"payments":["p-1"],"returnable_from":"2026-01-01T00:00:00.000Z","returns":[{"rma_id":"r-1","stage":"settled","refunded":450},"#,
            r#"{"rma_id":"r-2","stage":"settled","refunded":399}],"refunded":849}"#
        )
    );
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_return_of_which_nothing_comes_leaves_no_mark_and_may_be_asked_for_again() {
    let rig = paid("paid").await;
    stage(&rig, "r-1", "requested").await;
    assert_eq!(stage(&rig, "r-1", "closed").await, NOW);
    assert_eq!(standing(&rig).await, "awaiting_fulfilment paid none");
    assert_eq!(stage(&rig, "r-1", "requested").await, NOW);
    assert_eq!(stage(&rig, "r-1", "settled").await, NOW);
    assert_eq!(stage(&rig, "r-1", "closed").await, ALREADY, "what is settled stays settled");
    assert_eq!(stage(&rig, "r-9", "settled").await, ALREADY, "nobody has asked for it");
    assert_eq!(refund(&rig, "r-9", 5).await, ALREADY);
    assert_eq!(refund(&rig, "r-1", 0).await, ALREADY);
    assert_eq!(standing(&rig).await, "awaiting_fulfilment paid settled");
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_invoice_is_owed_less_and_then_no_more() {
    let rig = paid("invoice").await;
    stage(&rig, "r-1", "requested").await;
    stage(&rig, "r-2", "requested").await;
    refund(&rig, "r-1", 450).await;
    assert_eq!(standing(&rig).await, "after_sale invoiced requested");
    refund(&rig, "r-2", 399).await;
    assert_eq!(standing(&rig).await, "after_sale void requested");
    let told = rig.call("order.timeline", &of("o-1", r#""after":4"#)).await;
    assert!(
        told.contains(r#""axis":"payment","from":"invoiced","to":"invoiced","note":"450 for return r-1""#),
        "{told}"
    );
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_order_says_what_it_has_left_behind_to_whose_it_is() {
    let mut rig = rig().await;
    let placed = place("o-1", "c-1");
    let placed = placed.strip_suffix('}').expect("a record");
    let with_hold = format!(r#"{placed},"reservation":"hold-1"}}"#);
    let reply = rig.call("order.place", &with_hold).await;
    assert!(reply.starts_with("ok "), "{reply}");
    rig.call("order.confirm_payment", &of("o-1", r#""payment_id":"deposit""#)).await;
    let balance = of("o-1", r#""payment_id":"balance""#);
    assert_eq!(
        rig.call("order.confirm_payment", &balance).await,
        NOW,
        "a further payment is told, and no news"
    );
    assert_eq!(rig.call("order.confirm_payment", &balance).await, ALREADY);
    for parcel in ["o-1-1", "o-1-2"] {
        rig.now = rig.now.saturating_add(mortise_types::Span::minutes(1));
        let news = of("o-1", &format!(r#""parcel_id":"{parcel}","status":"delivered""#));
        rig.call("order.record_delivery", &news).await;
    }
    assert_eq!(
        rig.call("order.effects", &of("o-1", r#""customer_id":"c-1""#)).await,
        concat!(
            r#"ok {"payments":["balance","deposit"],"reservation":"hold-1","delivered_at":"2026-01-01T00:02:00.000Z","#,
            r#""returnable_from":"2026-01-01T00:02:00.000Z","returns":[],"refunded":0}"#
        )
    );
    let other = rig.call("order.effects", &of("o-1", r#""customer_id":"c-2""#)).await;
    assert_eq!(other, r#"rejected order_unknown {"order_id":"o-1"}"#);
    let mut call = rig.call_of(mortise_contract::json(&of("o-1", "")).expect("JSON"));
    let mut context = (*call.context).clone();
    context.caller = Some(CustomerId::new("c-2").expect("an id"));
    call.context = Arc::new(context);
    let signed_in = rig.run("order.effects", vec![call]).await.expect("it runs").remove(0);
    assert!(matches!(signed_in.outcome, mortise_capability::Outcome::Rejected(_)), "{signed_in:?}");
    assert_eq!(rig.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_order_that_is_placed_again_begins_without_returns() {
    let rig = paid("paid").await;
    stage(&rig, "r-1", "requested").await;
    refund(&rig, "r-1", 849).await;
    stage(&rig, "r-1", "settled").await;
    rig.call("order.cancel", &of("o-1", "")).await;
    placed(&rig, "o-1", "c-1").await;
    assert_eq!(standing(&rig).await, "awaiting_payment due none");
    assert_eq!(
        rig.call("order.effects", &of("o-1", "")).await,
        r#"ok {"payments":[],"returnable_from":"2026-01-01T00:00:00.000Z","returns":[],"refunded":0}"#
    );
    assert_eq!(rig.findings().await, Vec::<String>::new());
}
