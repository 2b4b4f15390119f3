//! How SQLite finds the entries of an item: by the key, never by a scan.

use std::sync::Arc;

use mortise_capability::Policies;
use mortise_points::NoExtensions;
use mortise_store::Statement;
use mortise_testkit::{Rig, TestDatabase};

const PLAN: Statement =
    Statement::sqlite("pricing.candidates_plan", concat!("EXPLAIN QUERY PLAN ", candidates_sql!()));

#[tokio::test]
async fn a_quote_seeks_by_the_key_down_to_the_period() {
    let capability = crate::capability(Arc::new(Policies::default()), Arc::new(NoExtensions)).unwrap();
    let rig = Rig::on(TestDatabase::sqlite(), [capability]).await;
    let read = rig.store.read(async move |reader| {
        reader.fetch_all::<(i64, i64, i64, String), _>(&PLAN, ("t", "l", "p", "s", "EUR", "g", 0_i64)).await
    });
    let plan: Vec<String> = read.await.unwrap().into_iter().map(|(_, _, _, step)| step).collect();
    let search = "SEARCH pricing_entry USING PRIMARY KEY (tenant=? AND line=? AND location=? AND sku=? AND currency=? \
                  AND customer_group=? AND valid_from<?)";
    let seeks = plan.iter().filter(|step| *step == search).count();
    assert_eq!(seeks, 8, "one for each of this or any line, location, group: {plan:#?}");
    assert!(plan.iter().all(|step| !step.starts_with("SCAN")), "{plan:#?}");
}
