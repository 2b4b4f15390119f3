//! Tax: which taxes are in or on a line or fee at its destination, and how they are rounded. It sets no price and files
//! no return.

mod contract;
mod operations;
mod policy;
mod rules;
mod store;

use std::sync::Arc;

use mortise_capability::import::ROW_REFUSED;
use mortise_capability::{Capability, Check, Policies, RejectionPage};
use mortise_contract::DeclarationError;
use mortise_store::{Migration, Migrations, Role};

pub use policy::{Regions, Several, TaxPolicy, Unknown};

const MIGRATIONS: Migrations = Migrations {
    owner: "tax",
    role: Role::Capability,
    steps: &[Migration {
        version: 1,
        description: "rates and classes",
        sqlite: include_str!("../migrations/sqlite/0001_init.sql"),
        postgres: include_str!("../migrations/postgres/0001_init.sql"),
    }],
};

const PAGES: &[RejectionPage] = &[
    RejectionPage { code: contract::TAX_UNKNOWN, page: include_str!("../rejections/tax_unknown.md") },
    RejectionPage { code: ROW_REFUSED, page: include_str!("../rejections/row_refused.md") },
];

/// The capability: `policies` holds the choices by scope.
///
/// # Errors
/// A contract outside of the language's subset: a mistake of this crate.
pub fn capability(policies: Arc<Policies>) -> Result<Capability, DeclarationError> {
    let assess = operations::Assess { policies: Arc::clone(&policies) };
    let capability = Capability::new("tax", "The taxes in or on a line or fee.", contract::declaration)?;
    Ok(capability
        .read("assess", assess)
        .read("rates", operations::Rates { policies })
        .write("import_rates", operations::ImportRates)
        .write("import_items", operations::ImportItems)
        .policy::<policy::TaxPolicy>()
        .migrations(MIGRATIONS)
        .check(Check { name: "tax rates", run: |reader| Box::pin(store::overlapping(reader)) })
        .pages(PAGES))
}
