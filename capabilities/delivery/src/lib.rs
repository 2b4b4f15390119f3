//! Delivery: what bringing a parcel costs, giving it to a carrier, and where it is. It decides fees and follows
//! shipments. It knows no order but its id, no stock, and no carrier's protocol: `Carrier` is implemented by adapters.

mod book;
mod carrier;
mod check;
pub mod contract;
mod operations;
mod policy;
mod rules;
mod store;

use std::sync::Arc;

use mortise_capability::import::ROW_REFUSED;
use mortise_capability::{Capability, Policies, RejectionPage};
use mortise_contract::DeclarationError;
use mortise_points::Points;
use mortise_store::{Migration, Migrations, Role};
use mortise_types::IdSource;

pub use carrier::{CancelAnswer, Carrier, CarrierRequest, Cash, DispatchAnswer};
/// For adapters: the peer has not said what became of a call.
pub use mortise_capability::Unanswered;
pub use policy::{DeliveryPolicy, FeePer};

const MIGRATIONS: Migrations = Migrations {
    owner: "delivery",
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
            description: "cash at the door",
            sqlite: include_str!("../migrations/sqlite/0002_cash.sql"),
            postgres: include_str!("../migrations/postgres/0002_cash.sql"),
        },
    ],
};

const PAGES: [RejectionPage; 6] = [
    mortise_asking::PAGE,
    RejectionPage { code: "not_delivered_there", page: include_str!("../rejections/not_delivered_there.md") },
    RejectionPage { code: "carrier_refused", page: include_str!("../rejections/carrier_refused.md") },
    RejectionPage { code: "unknown_shipment", page: include_str!("../rejections/unknown_shipment.md") },
    RejectionPage { code: "remittance_refused", page: include_str!("../rejections/remittance_refused.md") },
    RejectionPage { code: ROW_REFUSED, page: include_str!("../rejections/row_refused.md") },
];

/// The capability `delivery`, whose remote operations ask `carrier`. Its ids come from `ids`; `points` holds whoever
/// answers `delivery-fee`.
///
/// # Errors
/// A contract outside of the language's subset; held by this crate's tests.
pub fn capability(
    ids: Arc<dyn IdSource>,
    policies: Arc<Policies>,
    carrier: Arc<dyn Carrier>,
    points: Arc<dyn Points>,
) -> Result<Capability, DeclarationError> {
    let summary = "What delivery costs, parcels with the carrier, and where they are.";
    let weights = Arc::clone(&policies);
    let dispatch = |direction| operations::Dispatch {
        ids: Arc::clone(&ids),
        policies: Arc::clone(&weights),
        carrier: Arc::clone(&carrier),
        direction,
    };
    let (out, back) = (dispatch(operations::Direction::Out), dispatch(operations::Direction::Back));
    Ok(Capability::new("delivery", summary, contract::declaration)?
        .read("quote", operations::Quote { policies, points })
        .remote("dispatch", out)
        .remote("request_return", operations::RequestReturn(back))
        .remote("cancel", operations::Cancel { carrier })
        .write("record_tracking_event", operations::RecordTrackingEvent)
        .write("record_remittance", operations::RecordRemittance)
        .read("track", operations::Track)
        .read("list", operations::List)
        .write("import_fees", operations::ImportFees)
        .write("import_weights", operations::ImportWeights)
        .write("import_origins", operations::ImportOrigins)
        .policy::<policy::DeliveryPolicy>()
        .migrations(MIGRATIONS)
        .check(check::TRACKING)
        .check(check::REMITTANCES)
        .book(book::BOOK)
        .pages(&PAGES))
}
