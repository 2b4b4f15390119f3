//! What goes in and out of the operations that change an order, and their refusals.

use mortise_types::{
    Address, Applied, Currency, CustomerId, OrderId, Parcel, ParcelId, PaymentId, PriceProof, ReservationId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::status::{OrderState, PaymentStatus};

/// An order as the trade has worked it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceInput {
    /// The caller's id of it.
    pub order_id: OrderId,
    /// Who buys.
    pub customer_id: CustomerId,
    /// The currency of all its amounts.
    pub currency: Currency,
    /// How its price came about. A proof that does not add up is no order.
    pub proof: PriceProof,
    /// How it travels: together exactly the units of the proof's lines, or nothing at all where nothing travels.
    #[schemars(length(max = 50))]
    pub parcels: Vec<Parcel>,
    /// Where it goes.
    pub ship_to: Address,
    /// The hold that its goods come from, for a way back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ReservationId")]
    pub reservation: Option<ReservationId>,
}

/// Names an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderRef {
    /// The order.
    pub order_id: OrderId,
}

/// What a command did to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    /// Whether it did something.
    pub applied: Applied,
}

/// How an order is paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentTerms {
    /// The shop has the money.
    #[default]
    Paid,
    /// The customer pays by invoice.
    Invoice,
    /// The customer pays the carrier.
    OnDelivery,
}

/// The way in which an order is paid is settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmPaymentInput {
    /// The order.
    pub order_id: OrderId,
    /// The payment.
    pub payment_id: PaymentId,
    /// Whether the money is there, or comes later.
    #[serde(default)]
    pub terms: PaymentTerms,
}

/// What becomes of money after the order was let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentProgress {
    /// An invoice was paid.
    Paid,
    /// The carrier has it.
    Collected,
    /// The carrier has passed it on.
    Remitted,
    /// The customer has it back.
    Refunded,
    /// A deposit has come.
    DepositPaid,
    /// The shop keeps the deposit.
    DepositForfeited,
}

/// News about an order's money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordPaymentInput {
    /// The order.
    pub order_id: OrderId,
    /// What has become of it.
    pub status: PaymentProgress,
    /// The payment that it is about, where it is one that the order does not know: a deposit, as a rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PaymentId")]
    pub payment_id: Option<PaymentId>,
}

/// What the warehouse says of a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FulfilmentProgress {
    /// It has been asked.
    Requested,
    /// It is packed.
    Packed,
    /// The carrier has it.
    HandedOver,
}

/// News about a parcel from the warehouse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordFulfilmentInput {
    /// The order.
    pub order_id: OrderId,
    /// The parcel.
    pub parcel_id: ParcelId,
    /// How far it is.
    pub status: FulfilmentProgress,
}

/// What the carrier says of a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryProgress {
    /// It is on its way.
    InTransit,
    /// The customer has it.
    Delivered,
    /// It cannot be brought.
    Undeliverable,
    /// It has come back.
    Returned,
}

/// News about a parcel from the carrier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordDeliveryInput {
    /// The order.
    pub order_id: OrderId,
    /// The parcel.
    pub parcel_id: ParcelId,
    /// How far it is.
    pub status: DeliveryProgress,
}

/// Until when somebody may want out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CancelUntil {
    /// Until it has left.
    #[default]
    Shipped,
    /// Until it is settled how it is paid: behind that its trade does not turn back by itself.
    Paid,
}

/// A customer wants out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestCancelInput {
    /// The order.
    pub order_id: OrderId,
    /// Whose it has to be; without it, anybody's (for the shop's staff).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CustomerId")]
    pub customer_id: Option<CustomerId>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub reason: Option<String>,
    /// Until when it is taken on.
    #[serde(default)]
    pub until: CancelUntil,
}

/// There is no such order, or it is somebody else's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderUnknown {
    /// What was asked for.
    pub order_id: OrderId,
}

/// An order with this id stands already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderExists {
    /// The id.
    pub order_id: OrderId,
}

/// The money cannot go that way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentRefused {
    /// The order.
    pub order_id: OrderId,
    /// What has become of the money.
    pub from: PaymentStatus,
    /// What was reported.
    pub to: PaymentStatus,
}

/// It is too late to cancel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotCancellable {
    /// The order.
    pub order_id: OrderId,
    /// Where it stands.
    pub state: OrderState,
}
