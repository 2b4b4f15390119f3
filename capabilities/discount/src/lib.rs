//! Discount: which promotions, coupons and extensions take what off an order, and the ledger of what is limited. It does
//! not know what an item costs by itself, nor any tax.

mod cache;
mod contract;
mod operations;
mod policy;
mod rules;
mod store;

use std::sync::Arc;

use mortise_capability::import::ROW_REFUSED;
use mortise_capability::{Book, Capability, Check, Policies, RejectionPage};
use mortise_contract::DeclarationError;
use mortise_points::Points;
use mortise_store::{Migration, Migrations, Role};

pub use policy::{
    Base, Budget, Conditions, DiscountPolicy, EachDefault, GroupWinner, Lane, RefusedCoupon, Several,
    SpreadDelivery, SpreadOver, UnitOrder,
};

const MIGRATIONS: Migrations = Migrations {
    owner: "discount",
    role: Role::Capability,
    steps: &[Migration {
        version: 1,
        description: "promotions, sheets, coupons and the ledger of redemptions",
        sqlite: include_str!("../migrations/sqlite/0001_init.sql"),
        postgres: include_str!("../migrations/postgres/0001_init.sql"),
    }],
};

const PAGES: &[RejectionPage] = &[
    RejectionPage { code: contract::COUPON_REFUSED, page: include_str!("../rejections/coupon_refused.md") },
    RejectionPage {
        code: contract::COUPON_EXHAUSTED,
        page: include_str!("../rejections/coupon_exhausted.md"),
    },
    RejectionPage {
        code: contract::DEPOSIT_COVERS_PRICE,
        page: include_str!("../rejections/deposit_covers_price.md"),
    },
    mortise_asking::PAGE,
    RejectionPage {
        code: contract::PROMOTION_INVALID,
        page: include_str!("../rejections/promotion_invalid.md"),
    },
    RejectionPage { code: ROW_REFUSED, page: include_str!("../rejections/row_refused.md") },
];

/// The capability: `policies` holds the choices by scope, `points` whoever answers `discount`.
///
/// # Errors
/// A contract outside of the language's subset: a mistake of this crate.
pub fn capability(policies: Arc<Policies>, points: Arc<dyn Points>) -> Result<Capability, DeclarationError> {
    let deposits = operations::GrantForDeposit { policies: Arc::clone(&policies) };
    let evaluator = Arc::new(operations::Evaluator { policies, points, cache: cache::Cache::default() });
    let capability = Capability::new(
        "discount",
        "What promotions, coupons and extensions take off.",
        contract::declaration,
    )?;
    Ok(capability
        .read("evaluate", operations::Evaluate { evaluator: Arc::clone(&evaluator) })
        .read("explain", operations::Explain { evaluator })
        .pure("grant_for_deposit", deposits)
        .write("redeem", operations::Redeem)
        .write("restore", operations::Restore)
        .read("terms", operations::Terms)
        .read("usage", operations::Usage)
        .write("define", operations::Define)
        .write("import_entries", operations::ImportEntries)
        .write("import_coupons", operations::ImportCoupons)
        .write("import_items", operations::ImportItems)
        .policy::<policy::DiscountPolicy>()
        .migrations(MIGRATIONS)
        .check(Check {
            name: "redemption counters",
            run: |reader| Box::pin(store::usage_is_the_ledger(reader)),
        })
        .check(Check { name: "promotions", run: |reader| Box::pin(store::unreadable_promotions(reader)) })
        .book(Book { name: "coupons", run: |reader| Box::pin(store::redemptions(reader)) })
        .pages(PAGES))
}
