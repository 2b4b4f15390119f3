//! What goes in and out of order splitting. It decides nothing.

use mortise_asking::{Decided, EXTENSION_REFUSED, ExtensionRefused};
use mortise_contract::{Declaration, Operation};
use mortise_points::{OrderSplit, Point as _};
use mortise_types::{Allocation, Amount, OrderId, Parcel, ParcelId, PriceProof, RequestedLine};
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
    /// The lines that are sold, whose attributes extensions may read: the allocations' line ids are positions in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 500))]
    pub lines: Vec<RequestedLine>,
}

/// What travels together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanOutput {
    /// `ORDER-1`, `ORDER-2`, ..., one a location, in the order in which the allocations name them, or as an extension
    /// splits them.
    #[schemars(length(max = 50))]
    pub parcels: Vec<Parcel>,
    /// The extension that split them, and why; left out where each location has its parcel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Decided")]
    pub decided: Option<Decided>,
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

/// An order's price, to be split as its goods are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitMoneyInput {
    /// The price.
    pub proof: PriceProof,
    /// How the goods travel; together they carry the units of the proof's lines.
    #[schemars(length(max = 50))]
    pub parcels: Vec<Parcel>,
}

/// What a parcel costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParcelMoney {
    /// The parcel.
    pub parcel: Parcel,
    /// Its part of what is payable, in minor units.
    pub amount: Amount,
}

/// What each parcel costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitMoneyOutput {
    /// One a parcel, in their order; together what is payable, to the minor unit.
    #[schemars(length(max = 50))]
    pub parts: Vec<ParcelMoney>,
}

/// The goods of a parcel are not those of the price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotOfThisPrice {
    /// The parcel, or that none carries a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ParcelId")]
    pub parcel_id: Option<ParcelId>,
    /// The line.
    pub line_id: mortise_types::LineId,
}

pub(crate) fn declaration() -> Declaration {
    Declaration::new("order_splitting")
    .operation(
        Operation::pure::<PlanInput, PlanOutput>("plan", "Splits an order into parcels, one a location.")
            .opens(OrderSplit::NAME)
            .rejects::<ExtensionRefused>(EXTENSION_REFUSED)
            .rejects::<TooManyParcels>("too_many_parcels")
            .rejects::<OrderIdTooLong>("order_id_too_long"),
    )
    .operation(
        Operation::pure::<SplitMoneyInput, SplitMoneyOutput>(
            "split_money",
            "What each parcel costs: lines by their units, a parcel's own fees, other fees by what the parcels cost.",
        )
        .rejects::<NotOfThisPrice>("not_of_this_price"),
    )
}
