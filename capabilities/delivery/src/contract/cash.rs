//! Cash at the door, as records with schemas: what is to be collected, and what a carrier pays out of it.

use mortise_types::{Amount, Currency, OrderId, ParcelId, ShipmentId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Applied;

/// Cash to be collected against a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CollectCash {
    /// In minor units; 0 is handed over against nothing.
    #[schemars(range(min = 0))]
    pub amount: Amount,
    /// Of the amount.
    pub currency: Currency,
}

/// A parcel's part of what a carrier paid out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemittanceItem {
    /// Our shipment.
    pub shipment_id: ShipmentId,
    /// In minor units.
    #[schemars(range(min = 0))]
    pub amount: Amount,
}

/// What a carrier paid out of the cash that it had collected. An adapter makes it of a webhook whose signature it has
/// verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Remittance {
    /// The carrier's id of it: one is taken once.
    pub remittance_id: String,
    /// Of all amounts.
    pub currency: Currency,
    /// What came, in minor units: its items together.
    #[schemars(range(min = 0))]
    pub amount: Amount,
    /// For which parcels.
    #[schemars(length(max = 10_000))]
    pub items: Vec<RemittanceItem>,
}

/// What became of a remittance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemittanceTaken {
    /// Whether it changed something.
    pub applied: Applied,
    /// Shipments in it that nothing here has; a person asks the carrier.
    #[schemars(length(max = 10_000))]
    pub unknown: Vec<ShipmentId>,
}

/// Detail of `remittance_refused`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct RemittanceRefused {
    /// The carrier's id of it.
    pub(crate) remittance_id: String,
    /// What it says that it comes to, in minor units.
    pub(crate) stated: Amount,
    /// What its items add up to.
    pub(crate) added_up: Amount,
}

/// Cash of a parcel that the carrier has paid out.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct RemittanceNews {
    /// The shipment: the event's key.
    pub(crate) shipment_id: ShipmentId,
    /// Its order.
    pub(crate) order_id: OrderId,
    /// Its parcel.
    pub(crate) parcel_id: ParcelId,
    /// The carrier's id of the payout.
    pub(crate) remittance_id: String,
    /// What came for this parcel, in minor units.
    pub(crate) amount: Amount,
    /// What the carrier has collected for it.
    pub(crate) collected: Amount,
    /// Of the amounts.
    pub(crate) currency: Currency,
}
