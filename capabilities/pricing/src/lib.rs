//! Pricing: which price of which list an item has here, now, for this customer, and what a line costs by it. It takes
//! no discount, knows no tax, and asks nobody but the extensions at the point `unit-price`.

mod contract;
mod operations;
mod policy;
mod rules;
mod store;

use std::sync::Arc;

use mortise_capability::import::ROW_REFUSED;
use mortise_capability::{Capability, Check, Policies, RejectionPage};
use mortise_contract::DeclarationError;
use mortise_points::Points;
use mortise_store::{Migration, Migrations, Role};

pub use policy::{Aspect, Bounds, Level, PricingPolicy, Winner};

const MIGRATIONS: Migrations = Migrations {
    owner: "pricing",
    role: Role::Capability,
    steps: &[Migration {
        version: 1,
        description: "price entries and customer groups",
        sqlite: include_str!("../migrations/sqlite/0001_init.sql"),
        postgres: include_str!("../migrations/postgres/0001_init.sql"),
    }],
};

const PAGES: &[RejectionPage] = &[
    RejectionPage { code: contract::PRICE_MISSING, page: include_str!("../rejections/price_missing.md") },
    mortise_asking::PAGE,
    RejectionPage { code: ROW_REFUSED, page: include_str!("../rejections/row_refused.md") },
];

/// The capability: `policies` holds the choices by scope, `points` whoever answers `unit-price`.
///
/// # Errors
/// A contract outside of the language's subset: a mistake of this crate.
pub fn capability(policies: Arc<Policies>, points: Arc<dyn Points>) -> Result<Capability, DeclarationError> {
    let quote = operations::Quote { policies: Arc::clone(&policies), points };
    let capability =
        Capability::new("pricing", "What an item costs, and by which price list.", contract::declaration)?;
    Ok(capability
        .read("quote", quote)
        .read("explain", operations::Explain { policies })
        .write("import_entries", operations::ImportEntries)
        .write("remove_entries", operations::RemoveEntries)
        .write("import_members", operations::ImportMembers)
        .policy::<policy::PricingPolicy>()
        .migrations(MIGRATIONS)
        .check(Check { name: "price entries", run: |reader| Box::pin(store::odd_entries(reader)) })
        .check(Check { name: "price bounds", run: |reader| Box::pin(store::crossed_bounds(reader)) })
        .pages(PAGES))
}
