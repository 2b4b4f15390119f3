//! What the inventory promises: its operations. It decides nothing.

mod counts;
mod holds;
mod levels;
mod returns;

use mortise_asking::{EXTENSION_REFUSED, ExtensionRefused};
use mortise_contract::{Declaration, Operation};
use mortise_points::{Allocation, Point as _};
use serde_json::json;

pub use counts::{
    AdjustInput, AdjustmentReason, AdjustmentRow, BelowZero, ImportLocationsInput, ImportStockInput,
    Imported, LocationRow, LocationState, StockRow, UnknownLocation,
};
pub use holds::{
    AllocateInput, AllocateOutput, CannotShip, ReservationInput, ReservationState, ReserveInput,
    ReserveOutput, Settled, ShipInput, Shortage,
};
pub use levels::{
    GetStockInput, GetStockOutput, ListMovementsInput, ListMovementsOutput, Movement, StockLevel,
};
pub use returns::{FreeParcelInput, RestockInput, Restocked};

/// The most allocations that an order may have.
pub const ALLOCATIONS_MAX: usize = 1_000;

pub(crate) fn declaration() -> Declaration {
    returns::declare(Declaration::new("inventory"))
        .operation(
            Operation::read::<AllocateInput, AllocateOutput>(
                "allocate",
                "Proposes where each line comes from; holds nothing.",
            )
            .opens(Allocation::NAME)
            .rejects::<Shortage>("out_of_stock")
            .rejects::<ExtensionRefused>(EXTENSION_REFUSED),
        )
        .operation(
            Operation::write::<ReserveInput, ReserveOutput>(
                "reserve",
                "Holds stock until it is released or claimed.",
            )
            .undo("inventory.release", json!({"reservation": "${ output.reservation }"}))
            .rejects::<Shortage>("out_of_stock")
            .acquires("stock", "reservation")
            .may_be_stale(),
        )
        .operation(
            Operation::write::<ReservationInput, Settled>("release", "Frees what a hold still holds, once.")
                .nothing_to_undo()
                .releases("stock", "reservation"),
        )
        .operation(
            Operation::write::<ReservationInput, Settled>(
                "claim",
                "What is held is sold; it leaves with its parcels.",
            )
            .undo("inventory.unclaim", json!({"reservation": "${ input.reservation }"}))
            .consumes("stock", "reservation"),
        )
        .operation(
            Operation::write::<ReservationInput, Settled>(
                "unclaim",
                "A claimed hold of which nothing has left is held again.",
            )
            .nothing_to_undo(),
        )
        .operation(
            Operation::write::<ShipInput, Settled>("ship", "The claimed units of a parcel leave, once.")
                .nothing_to_undo()
                .rejects::<CannotShip>("cannot_ship"),
        )
        .operation(
            Operation::write::<ImportLocationsInput, Imported>(
                "import_locations",
                "Adds or replaces locations.",
            )
            .nothing_to_undo(),
        )
        .operation(
            Operation::write::<ImportStockInput, Imported>("import_stock", "Sets what is on hand.")
                .nothing_to_undo()
                .rejects::<UnknownLocation>("unknown_location"),
        )
        .operation(
            Operation::write::<AdjustInput, Imported>("adjust", "Changes what is on hand, with reasons.")
                .nothing_to_undo()
                .rejects::<UnknownLocation>("unknown_location")
                .rejects::<BelowZero>("stock_below_zero"),
        )
        .operation(
            Operation::read::<GetStockInput, GetStockOutput>("get_stock", "Stock levels of items.")
                .may_lag(2_000),
        )
        .operation(
            Operation::read::<ListMovementsInput, ListMovementsOutput>(
                "list_movements",
                "Why an item's stock at a location is what it is.",
            )
            .may_lag(5_000),
        )
}
