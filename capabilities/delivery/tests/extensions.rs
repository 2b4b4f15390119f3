//! What extensions at `delivery-fee` do to a quote: they change the table's fee, bring where no table does, or fail.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use mortise_capability::{Policies, Unanswered};
use mortise_delivery::{CancelAnswer, Carrier, CarrierRequest, DispatchAnswer};
use mortise_points::delivery_fee::Fee;
use mortise_points::{DeliveryFee, Failure, Native, Point, Points};
use mortise_testkit::{Rig, SeededIds};
use mortise_types::Scope;

/// One extension at a point, bound everywhere.
fn native<P: Point>(
    reads: &[&str],
    answer: impl Fn(&P::Question) -> Result<P::Answer, Failure> + Send + Sync + 'static,
) -> Arc<dyn Points> {
    Arc::new(Native::<P>::reading("native", reads, answer))
}

/// A carrier that takes nothing on: a quote asks none.
#[derive(Debug)]
struct Nobody;

impl Carrier for Nobody {
    fn dispatch<'a>(
        &'a self,
        _: &'a Scope,
        _: &'a CarrierRequest,
    ) -> BoxFuture<'a, Result<DispatchAnswer, Unanswered>> {
        async { Ok(DispatchAnswer::Refused { code: "nobody".to_owned() }) }.boxed()
    }

    fn cancel<'a>(&'a self, _: &'a Scope, _: &'a str) -> BoxFuture<'a, Result<CancelAnswer, Unanswered>> {
        async { Ok(CancelAnswer::Cancelled) }.boxed()
    }
}

async fn shop(points: Arc<dyn Points>) -> Rig {
    let (ids, policies) = (Arc::new(SeededIds::default()), Arc::new(Policies::default()));
    Rig::new([mortise_delivery::capability(ids, policies, Arc::new(Nobody), points).unwrap()]).await
}

const ADA: &str = r#"{"name":"Ada","street":["Main 1"],"city":"Lyon","postal_code":"69001","country":"FR"}"#;

fn parcel(id: &str, location: &str, quantity: i64) -> String {
    format!(
        r#"{{"parcel_id":"{id}","location":"{location}","items":[{{"line_id":"1","sku":"tea","quantity":{quantity}}}]}}"#
    )
}

/// Ten for each kilogram that has begun, where the shop has a table; half of it for what is fragile.
fn by_kilogram() -> Arc<dyn Points> {
    native::<DeliveryFee>(&["fragile"], |question| {
        let fees = question.consignments.iter().filter(|one| one.grams > 1_000).map(|one| {
            let fragile = one.items.iter().filter(|item| !item.attributes.is_empty()).count();
            let amount = (one.grams + 999) / 1_000 * 10;
            let table = one.table_amount.map_or(-1, |amount| amount.minor());
            let reason = format!(
                "{} {} from {:?}, {fragile} fragile, table {table}",
                one.grams, question.country, one.location
            );
            Fee { fee_id: one.fee_id.to_string(), amount, reason }
        });
        Ok(fees.collect())
    })
}

#[tokio::test]
async fn an_extensions_fee_is_an_adjustment_of_the_tables() {
    let rig = shop(by_kilogram()).await;
    let fees = r#"{"rows":[{"line":"*","country":"FR","currency":"EUR","amount":490}]}"#;
    assert_eq!(rig.call("delivery.import_fees", fees).await, r#"ok {"rows":1}"#);
    let lines = r#"[{"sku":"tea","quantity":1,"attributes":{"fragile":"yes"}}]"#;
    let parcels = [parcel("o-1", "berlin", 2), parcel("o-2", "berlin", 3)].join(",");
    let input = format!(r#"{{"parcels":[{parcels}],"ship_to":{ADA},"currency":"EUR","lines":{lines}}}"#);
    let answer = rig.call("delivery.quote", &input).await;
    let first = r#"{"fee_id":"delivery-1","kind":"delivery","parcel_id":"o-1","list":490,"adjustments":[],"taxes":[],"payable":490}"#;
    let second = concat!(
        r#"{"fee_id":"delivery-2","kind":"delivery","parcel_id":"o-2","list":490,"adjustments":[{"kind":"extension","#,
        r#""source":"native","version":"1.0.0","amount":-470,"#,
        r#""reason":"1500 FR from Some(LocationId(\"berlin\")), 1 fragile, table 490"}],"taxes":[],"payable":20}"#
    );
    assert_eq!(answer, format!(r#"ok {{"fees":[{first},{second}]}}"#));
}

#[tokio::test]
async fn an_extension_brings_where_no_table_does_and_silence_refuses() {
    let rig = shop(by_kilogram()).await;
    let quote = |parcels: String| format!(r#"{{"parcels":[{parcels}],"ship_to":{ADA},"currency":"EUR"}}"#);
    let answer = rig.call("delivery.quote", &quote(parcel("o-1", "berlin", 3))).await;
    assert!(answer.contains(r#""list":0,"adjustments":[{"kind":"extension""#), "{answer}");
    assert!(answer.contains("table -1") && answer.contains(r#""payable":20"#), "{answer}");
    let answer = rig.call("delivery.quote", &quote(parcel("o-1", "berlin", 1))).await;
    assert_eq!(answer, r#"rejected not_delivered_there {"country":"FR","reason":"not_there"}"#);
    let answer = rig.call("delivery.quote", &quote(String::new())).await;
    assert_eq!(answer, r#"rejected not_delivered_there {"country":"FR","reason":"not_there"}"#);
}

#[tokio::test]
async fn an_extension_that_fails_refuses_the_quote_where_its_binding_says_so() {
    let negative = native::<DeliveryFee>(&[], |question| {
        let fee_id = question.consignments[0].fee_id.to_string();
        Ok(vec![Fee { fee_id, amount: -1, reason: "we pay you".to_owned() }])
    });
    let rig = shop(negative).await;
    let input = format!(r#"{{"parcels":[{}],"ship_to":{ADA},"currency":"EUR"}}"#, parcel("o-1", "berlin", 1));
    assert_eq!(
        rig.call("delivery.quote", &input).await,
        r#"rejected extension_refused {"point":"delivery-fee","extension":"native@1.0.0","kind":"invalid","detail":"fees[0].amount: -1 is not within 0 to 1000000000000"}"#
    );
}
