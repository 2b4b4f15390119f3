//! What a carrier is to the capability: two calls that may be repeated, and what it answers. Protocols, addresses and
//! signatures are the adapters' matter.

use std::fmt;

use futures::future::BoxFuture;
use mortise_capability::Unanswered;
use mortise_types::{Address, Amount, Currency, OrderId, ParcelId, ParcelItem, Scope, ShipmentId};
use serde::{Deserialize, Serialize};

/// A parcel to be taken. Equal for every attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarrierRequest {
    /// Ours; also the idempotency key.
    pub shipment_id: ShipmentId,
    /// For people.
    pub order_id: OrderId,
    /// For people.
    pub parcel_id: ParcelId,
    /// Where it is picked up.
    pub from: Address,
    /// Where it goes.
    pub to: Address,
    /// What is in it.
    pub items: Vec<ParcelItem>,
    /// What it weighs.
    pub weight_grams: i64,
    /// What is collected at the door, where something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collect: Option<Cash>,
}

/// Cash to be collected, above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cash {
    /// In minor units.
    pub amount: Amount,
    /// Of the amount.
    pub currency: Currency,
}

/// What a carrier says to a parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DispatchAnswer {
    /// It will be picked up.
    Accepted {
        /// The carrier's name for the shipment.
        carrier_ref: String,
        /// What the recipient asks for.
        tracking_number: String,
        /// What is stuck on the parcel.
        label_url: String,
    },
    /// It will not be.
    Refused {
        /// The carrier's reason.
        code: String,
    },
}

/// What a carrier says to a cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelAnswer {
    /// It is not picked up.
    Cancelled,
    /// It was on its way, and comes back.
    Returning,
    /// The recipient has it.
    Delivered,
}

/// A carrier. A repetition with the same key must have one effect; an error means that it is not known whether there was
/// one.
pub trait Carrier: Send + Sync + fmt::Debug + 'static {
    /// Gives it a parcel. The key is the shipment's id.
    fn dispatch<'a>(
        &'a self,
        scope: &'a Scope,
        request: &'a CarrierRequest,
    ) -> BoxFuture<'a, Result<DispatchAnswer, Unanswered>>;

    /// Takes a parcel back. Repeated, it says again what became of it.
    fn cancel<'a>(
        &'a self,
        scope: &'a Scope,
        carrier_ref: &'a str,
    ) -> BoxFuture<'a, Result<CancelAnswer, Unanswered>>;
}
