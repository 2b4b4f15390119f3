//! What goes in and out of order splitting. It decides nothing.

use mortise_contract::{Declaration, Operation};
use mortise_types::{Allocation, OrderId, Parcel};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most parcels of an order.
pub const PARCELS_MAX: usize = 50;

/// Allocated goods that want to travel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanInput {
    /// The order; its parcels are named after it.
    pub order_id: OrderId,
    /// What comes from where.
    #[schemars(length(max = 1000))]
    pub allocations: Vec<Allocation>,
}

/// What travels together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanOutput {
    /// `ORDER-1`, `ORDER-2`, ..., one a location, in the order in which the allocations name them.
    #[schemars(length(max = 50))]
    pub parcels: Vec<Parcel>,
}

/// More parcels than an order may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TooManyParcels {
    /// Parcels that it would take.
    #[schemars(extend("x-unit" = "count"))]
    pub parcels: i64,
    /// Parcels that an order may have.
    #[schemars(extend("x-unit" = "count"))]
    pub most: i64,
}

/// An order id that leaves no room for the parcels' numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderIdTooLong {
    /// The order.
    pub order_id: OrderId,
    /// The most characters.
    #[schemars(extend("x-unit" = "count"))]
    pub most_chars: i64,
}

pub(crate) fn declaration() -> Declaration {
    Declaration::new("order_splitting").operation(
        Operation::pure::<PlanInput, PlanOutput>("plan", "Splits an order into parcels, one a location.")
            .rejects::<TooManyParcels>("too_many_parcels")
            .rejects::<OrderIdTooLong>("order_id_too_long"),
    )
}
