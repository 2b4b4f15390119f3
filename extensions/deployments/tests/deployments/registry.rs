//! The registry on a real database: what is stored comes back, and revisions are made one after the other.

use std::sync::Arc;

use mortise_bindings::{Canary, Rollout};
use mortise_deployments::{
    ChangeError, Deploy, Observation, Registry, RegistryError, Revision, Seen, deploy, migrations,
};
use mortise_host::Asks;
use mortise_testkit::TestDatabase;
use mortise_types::{Span, TenantId, Timestamp};

use crate::guest::{Does, package};
use crate::rules::binding;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

pub(crate) async fn registry() -> (TestDatabase, Registry) {
    let database = TestDatabase::new().await;
    let store = database.open(&[migrations()]).await.unwrap();
    (database, Registry::new(Arc::new(store)))
}

fn deploying(
    text: &str,
    rollout: Rollout,
) -> impl Fn(&[Revision]) -> Result<mortise_deployments::Change, ChangeError> + Clone + Send + 'static {
    let wish = Deploy { bindings: vec![binding(text, rollout)], reason: "spring".to_owned() };
    move |history| deploy(history.first(), wish.clone())
}

#[tokio::test]
async fn a_component_is_stored_once_and_its_version_means_one_content() {
    let (_database, registry) = registry().await;
    let first = package("promo", "1.0.0", Does::Offer(900));
    let hash = registry.put(&first, Asks::default(), ("ada", NOW)).await.unwrap();
    let bounded = Asks { fuel_per_line: Some(7), ..Asks::default() };
    assert_eq!(registry.put(&first, bounded, ("bob", NOW)).await.unwrap(), hash);
    let stored = registry.component("promo", "1.0.0").await.unwrap().unwrap();
    assert_eq!((stored.hash, stored.package, stored.granted), (hash, first, bounded));
    assert!(registry.component("promo", "2.0.0").await.unwrap().is_none());

    let other = registry.put(&package("promo", "1.0.0", Does::Trap), Asks::default(), ("ada", NOW)).await;
    let refused = other.unwrap_err();
    assert!(matches!(&refused, RegistryError::OtherContent(id) if id == "promo@1.0.0"), "{refused}");
}

#[tokio::test]
async fn revisions_are_numbered_and_come_back_as_they_were_made() {
    let (_database, registry) = registry().await;
    assert_eq!(registry.newest().await.unwrap(), 0);
    let canary = Rollout::Canary(Canary::of(5));
    let change = deploying("promo@2.0.0 shop/grocery/* 10", canary);
    let first = registry.revise("ada", NOW, Span::seconds(1), change).await.unwrap();
    assert_eq!((first.number, first.effective_from), (1, NOW.saturating_add(Span::seconds(1))));
    // Another machine's clock may be behind: what holds later never holds from earlier on.
    let before = Timestamp::from_millis(NOW.as_millis() - 60_000);
    let change = deploying("other@1.0.0 shop/*/* 20", Rollout::Live);
    let second = registry.revise("bob", before, Span::ZERO, change).await.unwrap();
    assert_eq!((second.number, second.effective_from), (2, first.effective_from));
    assert_eq!(registry.newest().await.unwrap(), 2);
    assert_eq!(registry.revisions(10).await.unwrap(), [second.clone(), first]);
    assert_eq!(registry.revisions(1).await.unwrap(), [second]);

    let tie = deploying("third@1.0.0 shop/*/* 20", Rollout::Live);
    let refused = registry.revise("bob", NOW, Span::ZERO, tie).await.unwrap_err();
    assert!(matches!(refused, RegistryError::Change(ChangeError::Bindings(_))), "{refused}");
    assert_eq!(registry.newest().await.unwrap(), 2);
}

#[tokio::test]
async fn two_who_deploy_at_a_time_make_two_revisions() {
    let (_database, registry) = registry().await;
    let deploys = (0..8).map(|number| {
        let registry = registry.clone();
        let change = deploying(&format!("e{number}@1.0.0 shop/*/* {number}"), Rollout::Live);
        tokio::spawn(async move { registry.revise("ada", NOW, Span::ZERO, change).await.unwrap() })
    });
    for deployed in deploys.collect::<Vec<_>>() {
        deployed.await.unwrap();
    }
    let revisions = registry.revisions(10).await.unwrap();
    assert_eq!(revisions.len(), 8);
    assert_eq!(revisions[0].change.bindings.len(), 8);
}

#[tokio::test]
async fn observations_are_summed_an_order_and_a_currency() {
    let (_database, registry) = registry().await;
    let seen = |instance: &str, call: &str, failed: bool, live: i64, trial: i64| Observation {
        rollout: 1,
        point: "unit-price",
        tenant: TenantId::new("shop").unwrap(),
        instance: instance.to_owned(),
        call: call.to_owned(),
        at: NOW,
        failed,
        took_us: 100,
        money: Some(("EUR".to_owned(), live, trial)),
    };
    let batch = vec![
        seen("t1", "quote/1", false, 1000, 1000),
        // The same call, run again: the last counts.
        seen("t1", "quote/1", false, 1000, 950),
        seen("t1", "quote/2", false, 500, 550),
        seen("t2", "quote/1", false, 1000, 900),
        seen("t3", "quote/1", true, 1000, 1000),
    ];
    registry.observe(batch).await.unwrap();
    registry.observe(vec![seen("t2", "quote/1", false, 1000, 800)]).await.unwrap();
    let mut trial = binding("promo@2.0.0 shop/grocery/* 10", Rollout::Shadow);
    assert_eq!(registry.seen(&trial).await.unwrap(), []);
    trial.since = 1;
    let expected = Seen {
        currency: "EUR".to_owned(),
        calls: 4,
        orders: 3,
        failures: 1,
        took_us: 400,
        difference_minor: -200,
        off_minor: 300,
    };
    assert_eq!(registry.seen(&trial).await.unwrap(), [expected]);
    let furthest = registry.furthest(&trial, 5).await.unwrap();
    assert_eq!(furthest, [("t2".to_owned(), "EUR".to_owned(), 1000, 800)]);
}
