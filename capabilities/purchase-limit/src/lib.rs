//! Purchase limits: how much of an item one customer may buy in a period. A limit is an effect with a ledger, not a
//! look: two baskets at once cannot both have the last unit. It knows no stock and no price.

mod book;
mod checks;
pub mod contract;
mod operations;
mod policy;
mod rules;
mod store;

use std::sync::Arc;

use mortise_capability::{Capability, Policies, RejectionPage};
use mortise_contract::DeclarationError;
use mortise_points::Points;
use mortise_store::{Migration, Migrations, Role};

use operations::{check, claim, import, returns};
pub use policy::PurchaseLimitPolicy;

const MIGRATIONS: Migrations = Migrations {
    owner: "purchase_limit",
    role: Role::Capability,
    steps: &[
        Migration {
            version: 1,
            description: "init",
            sqlite: include_str!("../migrations/sqlite/0001_init.sql"),
            postgres: include_str!("../migrations/postgres/0001_init.sql"),
        },
        Migration {
            version: 2,
            description: "returns",
            sqlite: include_str!("../migrations/sqlite/0002_returns.sql"),
            postgres: include_str!("../migrations/postgres/0002_returns.sql"),
        },
    ],
};

const PAGES: &[RejectionPage] = &[
    RejectionPage { code: "limit_exceeded", page: include_str!("../rejections/limit_exceeded.md") },
    RejectionPage { code: "already_claimed", page: include_str!("../rejections/already_claimed.md") },
    RejectionPage { code: "purchase_refused", page: include_str!("../rejections/purchase_refused.md") },
    mortise_asking::PAGE,
    RejectionPage { code: "rule_unclear", page: include_str!("../rejections/rule_unclear.md") },
];

/// The capability, choosing by `policies`; `points` holds whoever answers `purchase-limit`.
///
/// # Errors
/// A contract outside of the language's subset.
pub fn capability(policies: Arc<Policies>, points: Arc<dyn Points>) -> Result<Capability, DeclarationError> {
    let summary = "How much of an item one customer may buy in a period.";
    Ok(Capability::new("purchase_limit", summary, contract::declaration)?
        .read("check", check::Check { policies: Arc::clone(&policies), points })
        .write("claim", claim::ClaimLimits { policies })
        .write("release", claim::ReleaseLimits)
        .write("give_back", returns::GiveBackUnits)
        .write("import_rules", import::ImportRules)
        .write("import_items", import::ImportItems)
        .policy::<policy::PurchaseLimitPolicy>()
        .migrations(MIGRATIONS)
        .check(checks::LIMITS_USED)
        .book(book::BOOK)
        .pages(PAGES))
}
