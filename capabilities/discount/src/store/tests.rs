//! How SQLite finds what every order asks for: by keys, never by reading a tenant's ledger or sheets.

use std::sync::Arc;

use mortise_capability::Policies;
use mortise_points::NoExtensions;
use mortise_store::{Params, Statement};
use mortise_testkit::{Rig, TestDatabase};

use super::catalogue::{COUPON_PLAN, SHEET_ENTRIES_PLAN};
use super::ledger::USAGE_BY_CUSTOMER_PLAN;

async fn plan(rig: &Rig, statement: Statement, parameters: impl Params + Send + 'static) -> String {
    let read = rig.store.read(async move |reader| {
        reader.fetch_all::<(i64, i64, i64, String), _>(&statement, parameters).await
    });
    let steps = read.await.expect("the plan of a statement").into_iter();
    steps.map(|(_, _, _, step)| step).collect::<Vec<String>>().join("; ")
}

#[tokio::test]
async fn an_order_seeks_sheets_coupons_and_the_ledger_by_keys() {
    let capability = crate::capability(Arc::new(Policies::default()), Arc::new(NoExtensions));
    let rig = Rig::on(TestDatabase::sqlite(), [capability.expect("the contract can be declared")]).await;
    let sheet = plan(&rig, SHEET_ENTRIES_PLAN, ("t", "l", "p", "s", "EUR", 0_i64)).await;
    let key = "discount_entry USING PRIMARY KEY (tenant=? AND line=? AND location=? AND sku=? AND currency=? AND \
               valid_from<?)";
    assert_eq!(sheet.matches(key).count(), 4, "one for each of this or any line, location: {sheet}");
    let by_customer = "USING INDEX discount_redemption_customer (tenant=? AND customer_id=? AND promotion=?)";
    let coupon = plan(&rig, COUPON_PLAN, ("t", "l", "c", "ann")).await;
    assert!(coupon.contains("c USING PRIMARY KEY (tenant=? AND line=? AND coupon=?)"), "{coupon}");
    assert!(coupon.contains(by_customer), "{coupon}");
    let usage = plan(&rig, USAGE_BY_CUSTOMER_PLAN, ("t", "ann", "p", "l", "c")).await;
    assert!(usage.contains(by_customer), "{usage}");
    assert!(![sheet, coupon, usage].iter().any(|plan| plan.contains("SCAN ")));
}
