//! A shop with the capability, and the calls that tests make again and again.

use std::sync::Arc;

use mortise_capability::Policies;
use mortise_points::{NoExtensions, Points};
use mortise_testkit::{Rig, SeededIds};

use crate::provider::Provider;

pub(crate) async fn shop() -> (Rig, Arc<Provider>, Arc<Policies>) {
    shop_with(Arc::new(NoExtensions)).await
}

/// A shop whose extension points are answered by `points`.
pub(crate) async fn shop_with(points: Arc<dyn Points>) -> (Rig, Arc<Provider>, Arc<Policies>) {
    let (provider, policies) = (Arc::new(Provider::default()), Arc::new(Policies::default()));
    let ids = Arc::new(SeededIds::default());
    let capability =
        mortise_payment::capability(ids, Arc::clone(&policies), Arc::clone(&provider) as _, points).unwrap();
    (Rig::new([capability]).await, provider, policies)
}

/// The value of a field in an answer, as its text.
pub(crate) fn field(answer: &str, name: &str) -> String {
    let json = answer.lines().next().unwrap().strip_prefix("ok ").unwrap_or_else(|| panic!("{answer}"));
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    let found = &value[name];
    found.as_str().map_or_else(|| found.to_string(), str::to_owned)
}

pub(crate) async fn request(rig: &Rig, order: &str) -> String {
    let input = format!(r#"{{"order_id":"{order}","amount":1000,"currency":"EUR"}}"#);
    field(&rig.call("payment.request", &input).await, "payment_id")
}

pub(crate) async fn event(rig: &Rig, event_id: &str, kind: &str, payment: &str, more: &str) -> String {
    let input = format!(
        r#"{{"event_id":"{event_id}","kind":"{kind}","payment_id":"{payment}","provider_ref":"{payment}"{more}}}"#
    );
    rig.call("payment.record_provider_event", &input).await
}

pub(crate) async fn figures(rig: &Rig, payment: &str) -> String {
    let answer = rig.call("payment.get", &format!(r#"{{"payment_id":"{payment}"}}"#)).await;
    let view: serde_json::Value = serde_json::from_str(answer.strip_prefix("ok ").unwrap()).unwrap();
    let p = &view["payment"];
    format!("{} {}-{}-{}", p["status"].as_str().unwrap(), p["captured"], p["refunded"], p["pending_refund"])
}

pub(crate) async fn clean(rig: &Rig) {
    assert_eq!(rig.findings().await, Vec::<String>::new());
}
