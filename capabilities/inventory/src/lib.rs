//! The inventory: what stock there is, who may have it, what is held and what is sold. It knows no order, no price and no
//! parcel's way; flows bring what it holds stock for.

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

use operations::{allocate, counts, levels, locations, reserve, returns, settle, ship};
pub use policy::{InventoryPolicy, ShortStock};
use rules::reservation::Settlement;

const MIGRATIONS: Migrations = Migrations {
    owner: "inventory",
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
    RejectionPage { code: "out_of_stock", page: include_str!("../rejections/out_of_stock.md") },
    mortise_asking::PAGE,
    RejectionPage { code: "cannot_ship", page: include_str!("../rejections/cannot_ship.md") },
    RejectionPage { code: "unknown_location", page: include_str!("../rejections/unknown_location.md") },
    RejectionPage { code: "stock_below_zero", page: include_str!("../rejections/stock_below_zero.md") },
];

/// The capability, choosing by `policies` and naming holds by `ids`; `points` holds whoever answers `allocation`.
///
/// # Errors
/// A contract outside of the language's subset.
pub fn capability(
    policies: Arc<Policies>,
    ids: Arc<dyn IdSource>,
    points: Arc<dyn Points>,
) -> Result<Capability, DeclarationError> {
    let summary = "Stock: locations, on hand, reserved, claimed; allocations and reservations.";
    Ok(Capability::new("inventory", summary, contract::declaration)?
        .read("allocate", allocate::Allocate { policies: Arc::clone(&policies), points })
        .write("reserve", reserve::Reserve { policies: Arc::clone(&policies), ids: Arc::clone(&ids) })
        .write("release", settle::Settle(Settlement::Release))
        .write("claim", settle::Settle(Settlement::Claim))
        .write("unclaim", settle::Settle(Settlement::Unclaim))
        .write("ship", ship::Ship { ids: Arc::clone(&ids) })
        .write("restock", returns::Restock { ids: Arc::clone(&ids) })
        .write("free_parcel", returns::FreeParcel)
        .write("import_locations", locations::ImportLocations)
        .write("import_stock", counts::ImportStock { ids: Arc::clone(&ids) })
        .write("adjust", counts::Adjust { ids })
        .read("get_stock", levels::GetStock { policies })
        .read("list_movements", levels::ListMovements)
        .policy::<policy::InventoryPolicy>()
        .migrations(MIGRATIONS)
        .check(checks::STOCK_IDENTITY)
        .check(checks::MOVEMENTS)
        .check(checks::HOLDS)
        .book(book::BOOK)
        .pages(PAGES))
}
