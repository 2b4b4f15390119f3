//! After-sale: what may come back of an order, and what is owed for it, from its price proof. It moves no money and no
//! goods; a flow does, by what this says.

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
use mortise_types::IdSource;

pub use policy::{AfterSalePolicy, Approval, BrokenPromotion, FeeRule, GiftKept, GivenBack};

use operations::{Approve, Receive, Refuse, Say, Settle, Withdraw};

const MIGRATIONS: Migrations = Migrations {
    owner: "after_sale",
    role: Role::Capability,
    steps: &[Migration {
        version: 1,
        description: "init",
        sqlite: include_str!("../migrations/sqlite/0001_init.sql"),
        postgres: include_str!("../migrations/postgres/0001_init.sql"),
    }],
};

const PAGES: &[RejectionPage] = &[
    mortise_asking::PAGE,
    RejectionPage { code: contract::RMA_EXISTS, page: include_str!("../rejections/rma_exists.md") },
    RejectionPage { code: contract::RMA_UNKNOWN, page: include_str!("../rejections/rma_unknown.md") },
    RejectionPage { code: contract::UNITS_EXCEEDED, page: include_str!("../rejections/units_exceeded.md") },
    RejectionPage { code: contract::RETURN_REFUSED, page: include_str!("../rejections/return_refused.md") },
    RejectionPage { code: contract::WRONG_STATE, page: include_str!("../rejections/rma_wrong_state.md") },
];

/// The capability, choosing by `policies`; `ids` give returns their order in time, `points` holds whoever answers
/// `refund-check`.
///
/// # Errors
/// A contract outside of the language's subset.
pub fn capability(
    policies: Arc<Policies>,
    ids: Arc<dyn IdSource>,
    points: Arc<dyn Points>,
) -> Result<Capability, DeclarationError> {
    let summary = "What may come back of an order, and what is owed for it, from its price proof.";
    Ok(Capability::new("after_sale", summary, contract::declaration)?
        .read("assess", operations::Assess { policies: Arc::clone(&policies), points })
        .write("open", operations::Open { policies, ids })
        .write("withdraw", Say::<Withdraw>::new())
        .write("approve", Say::<Approve>::new())
        .write("refuse", Say::<Refuse>::new())
        .write("receive", Say::<Receive>::new())
        .write("inspect", operations::Inspect)
        .write("accept", operations::Accept)
        .write("settle", Say::<Settle>::new())
        .read("get", operations::Get)
        .read("list", operations::List)
        .policy::<policy::AfterSalePolicy>()
        .migrations(MIGRATIONS)
        .check(checks::ACCOUNTS)
        .book(book::BOOK)
        .pages(PAGES))
}
