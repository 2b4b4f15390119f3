//! Payments: on invoice, on delivery, and through a provider (request, capture, void, refund), on a double-entry ledger.
//! It decides what is owed and what may be given back. It knows no order but its id, and no provider's protocol:
//! `PaymentProvider` is implemented by adapters.

mod book;
mod check;
pub mod contract;
mod declaration;
mod operations;
mod policy;
mod provider;
mod rules;
mod store;

use std::sync::Arc;

use mortise_capability::{Capability, Policies, RejectionPage};
use mortise_contract::DeclarationError;
use mortise_points::Points;
use mortise_store::{Migration, Migrations, Role};
use mortise_types::IdSource;

/// For adapters: the peer has not said what became of a call.
pub use mortise_capability::Unanswered;
pub use policy::{CaptureMethod, PaymentPolicy, RiskPolicy};
pub use provider::{
    CaptureAnswer, PaymentProvider, ProviderCapture, ProviderRefundRequest, ProviderRequest, RefundAnswer,
    RequestAnswer, VoidAnswer,
};

const MIGRATIONS: Migrations = Migrations {
    owner: "payment",
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
            description: "deposits",
            sqlite: include_str!("../migrations/sqlite/0002_deposits.sql"),
            postgres: include_str!("../migrations/postgres/0002_deposits.sql"),
        },
        Migration {
            version: 3,
            description: "what became of payments at the door",
            sqlite: include_str!("../migrations/sqlite/0003_history.sql"),
            postgres: include_str!("../migrations/postgres/0003_history.sql"),
        },
        Migration {
            version: 4,
            description: "payments that wait for their customer",
            sqlite: include_str!("../migrations/sqlite/0004_open.sql"),
            postgres: include_str!("../migrations/postgres/0004_open.sql"),
        },
        Migration {
            version: 5,
            description: "what a customer has ordered lately",
            sqlite: include_str!("../migrations/sqlite/0005_recent.sql"),
            postgres: include_str!("../migrations/postgres/0005_recent.sql"),
        },
    ],
};

const PAGES: [RejectionPage; 10] = [
    mortise_asking::PAGE,
    RejectionPage { code: "payment_refused", page: include_str!("../rejections/payment_refused.md") },
    RejectionPage { code: "unknown_payment", page: include_str!("../rejections/unknown_payment.md") },
    RejectionPage { code: "not_capturable", page: include_str!("../rejections/not_capturable.md") },
    RejectionPage { code: "capture_refused", page: include_str!("../rejections/capture_refused.md") },
    RejectionPage {
        code: "refund_exceeds_captured",
        page: include_str!("../rejections/refund_exceeds_captured.md"),
    },
    RejectionPage { code: "refund_refused", page: include_str!("../rejections/refund_refused.md") },
    RejectionPage { code: "receipt_differs", page: include_str!("../rejections/receipt_differs.md") },
    RejectionPage { code: "too_risky", page: include_str!("../rejections/too_risky.md") },
    RejectionPage { code: "receipt_refused", page: include_str!("../rejections/receipt_refused.md") },
];

/// The capability `payment`, whose remote operations ask `provider`. Its ids come from `ids`; `points` holds whoever answers
/// `payment-risk`.
///
/// # Errors
/// A contract outside of the language's subset; held by this crate's tests.
pub fn capability(
    ids: Arc<dyn IdSource>,
    policies: Arc<Policies>,
    provider: Arc<dyn PaymentProvider>,
    points: Arc<dyn Points>,
) -> Result<Capability, DeclarationError> {
    let summary = "Money of orders: owed, captured, given back, on a double-entry ledger.";
    let taking_back = operations::TakingBack { ids: Arc::clone(&ids), provider: Arc::clone(&provider) };
    Ok(Capability::new("payment", summary, declaration::declaration)?
        .write("on_invoice", operations::OnInvoice { ids: Arc::clone(&ids) })
        .write("on_delivery", operations::OnDelivery { ids: Arc::clone(&ids) })
        .write("cancel_invoice", operations::CancelInvoice)
        .write("record_receipt", operations::RecordReceipt)
        .read("assess", operations::Assess { policies: Arc::clone(&policies), points })
        .write("credit_deposit", operations::CreditDeposit)
        .write("hold_deposit", operations::HoldDeposit)
        .write("forfeit_deposit", operations::ForfeitDeposit)
        .remote(
            "request",
            operations::Request { ids: Arc::clone(&ids), policies, provider: Arc::clone(&provider) },
        )
        .remote("capture", operations::Capture { provider: Arc::clone(&provider) })
        .remote("refund", operations::Refund { ids, provider })
        .remote("refund_order", operations::RefundOrder(taking_back.clone()))
        .read("funds", operations::ReadFunds)
        .write("transfer", operations::TransferFunds)
        .remote("void", operations::Void(taking_back.clone()))
        .remote("give_back", operations::GiveBack(taking_back))
        .write("record_provider_event", operations::RecordProviderEvent)
        .read("get", operations::Get)
        .read("open", operations::Open)
        .read("list", operations::List)
        .read("balances", operations::Balances)
        .policy::<policy::PaymentPolicy>()
        .migrations(MIGRATIONS)
        .check(check::LEDGER)
        .check(check::FUNDS)
        .check(check::HISTORY)
        .check(check::REFUNDS)
        .book(book::BOOK)
        .pages(&PAGES))
}
