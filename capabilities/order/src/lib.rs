//! Orders: four statuses, the proof of the price, the timeline. An order remembers what its trade did; it prices nothing,
//! holds no stock and moves no money.

mod checks;
pub mod contract;
mod operations;
mod rules;
mod status;
mod store;

use std::sync::Arc;

use mortise_capability::{Capability, RejectionPage};
use mortise_contract::DeclarationError;
use mortise_store::{Migration, Migrations, Role};
use mortise_types::IdSource;

use operations::{after_sale, change, look, place};

const MIGRATIONS: Migrations = Migrations {
    owner: "order",
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
            description: "after_sale",
            sqlite: include_str!("../migrations/sqlite/0002_after_sale.sql"),
            postgres: include_str!("../migrations/postgres/0002_after_sale.sql"),
        },
    ],
};

const PAGES: &[RejectionPage] = &[
    RejectionPage { code: "order_exists", page: include_str!("../rejections/order_exists.md") },
    RejectionPage { code: "order_unknown", page: include_str!("../rejections/order_unknown.md") },
    RejectionPage { code: "not_cancellable", page: include_str!("../rejections/not_cancellable.md") },
    RejectionPage {
        code: "payment_status_refused",
        page: include_str!("../rejections/payment_status_refused.md"),
    },
];

/// The capability, naming placements by `ids`.
///
/// # Errors
/// A contract outside of the language's subset.
pub fn capability(ids: Arc<dyn IdSource>) -> Result<Capability, DeclarationError> {
    let summary = "Orders: four statuses, the price proof, the timeline.";
    Ok(Capability::new("order", summary, contract::declaration)?
        .write("place", place::Place { ids })
        .write("cancel", change::Run(change::Cancel))
        .write("confirm_payment", change::Run(change::ConfirmPayment))
        .write("record_payment", change::Run(change::RecordPayment))
        .write("record_fulfilment", change::Run(change::RecordFulfilment))
        .write("record_delivery", change::Run(change::RecordDelivery))
        .write("complete", change::Run(change::Complete))
        .write("request_cancel", change::Run(change::RequestCancel))
        .write("record_after_sale", after_sale::RecordAfterSale)
        .write("record_refund", after_sale::RecordRefund)
        .read("effects", after_sale::ReadEffects)
        .read("get", look::Get)
        .read("list", look::List)
        .read("timeline", look::Timeline)
        .migrations(MIGRATIONS)
        .check(checks::PRICE_PROOFS)
        .check(checks::ORDER_TIMELINES)
        .pages(PAGES))
}
