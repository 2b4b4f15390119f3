//! What goes in and out of the orders' operations, and the events they write. It decides nothing.

use mortise_contract::{Declaration, Event, Operation};
use mortise_types::{
    Address, Amount, Applied, BusinessLine, Channel, Currency, CustomerId, LocationId, OrderId, Parcel,
    ParcelId, ParcelItem, PaymentId, PriceProof, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use crate::status::{AfterSaleStatus, Axis, FulfilmentStatus, OrderState, OrderStatus, PaymentStatus};

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
}

/// News about an order's money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordPaymentInput {
    /// The order.
    pub order_id: OrderId,
    /// What has become of it.
    pub status: PaymentProgress,
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

/// Which order to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetInput {
    /// The order.
    pub order_id: OrderId,
    /// Whose it has to be; without it, anybody's (for the shop's staff). A signed-in customer sees only their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CustomerId")]
    pub customer_id: Option<CustomerId>,
}

/// An order's four statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Statuses {
    /// Whether it stands.
    pub order: OrderStatus,
    /// What has become of the money.
    pub payment: PaymentStatus,
    /// How far the goods are.
    pub fulfilment: FulfilmentStatus,
    /// What is going on after the sale.
    pub after_sale: AfterSaleStatus,
}

/// An order in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderSummary {
    /// The order.
    pub order_id: OrderId,
    /// Who bought.
    pub customer_id: CustomerId,
    /// In which business line.
    pub business_line: BusinessLine,
    /// Through which channel.
    pub channel: Channel,
    /// The currency of its amounts.
    pub currency: Currency,
    /// What the customer pays.
    pub payable: Amount,
    /// Where it stands, in one word.
    pub state: OrderState,
    /// Where it stands, in four.
    pub statuses: Statuses,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// The position of the latest entry of its timeline.
    #[schemars(extend("x-unit" = "count"))]
    pub position: i64,
}

/// A parcel of an order, with how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParcelState {
    /// The parcel.
    pub parcel_id: ParcelId,
    /// Where it is packed.
    pub location: LocationId,
    /// What is in it.
    #[schemars(length(max = 500))]
    pub items: Vec<ParcelItem>,
    /// How far it is.
    pub status: FulfilmentStatus,
}

/// An order with all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderView {
    /// What a list shows of it.
    pub summary: OrderSummary,
    /// Its payment, once it is settled how it is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PaymentId")]
    pub payment_id: Option<PaymentId>,
    /// How its price came about.
    pub proof: PriceProof,
    /// How it travels.
    #[schemars(length(max = 50))]
    pub parcels: Vec<ParcelState>,
    /// Where it goes.
    pub ship_to: Address,
}

const fn page() -> i64 {
    50
}

/// Which orders to list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListInput {
    /// Whose; without it, all of the shop's. A signed-in customer sees only their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CustomerId")]
    pub customer_id: Option<CustomerId>,
    /// Go on behind this page's end, as `next` of the last page says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub cursor: Option<String>,
    /// At most so many.
    #[serde(default = "page")]
    #[schemars(range(min = 1, max = 200), extend("x-unit" = "count"))]
    pub limit: i64,
}

/// Orders, latest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListOutput {
    /// The orders.
    #[schemars(length(max = 200))]
    pub orders: Vec<OrderSummary>,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub next: Option<String>,
}

/// Which part of a timeline to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimelineInput {
    /// The order.
    pub order_id: OrderId,
    /// Whose it has to be; without it, anybody's (for the shop's staff). A signed-in customer sees only their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CustomerId")]
    pub customer_id: Option<CustomerId>,
    /// Entries behind this position; 0 for all. A follower resumes from the last one that it has seen.
    #[serde(default)]
    #[schemars(range(min = 0), extend("x-unit" = "count"))]
    pub after: i64,
    /// At most so many.
    #[serde(default = "page")]
    #[schemars(range(min = 1, max = 500), extend("x-unit" = "count"))]
    pub limit: i64,
}

/// A change of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimelineEntry {
    /// Its place in the order's timeline: 1, 2, 3, ...
    #[schemars(extend("x-unit" = "count"))]
    pub position: i64,
    /// What changed.
    pub axis: Axis,
    /// What it was; empty for what began.
    pub from: String,
    /// What it is.
    pub to: String,
    /// The parcel or payment, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub subject: Option<String>,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub note: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A part of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimelineOutput {
    /// The entries, in order.
    #[schemars(length(max = 500))]
    pub entries: Vec<TimelineEntry>,
    /// The position of the order's latest entry, whether it is on this page or not.
    #[schemars(extend("x-unit" = "count"))]
    pub position: i64,
    /// Where the order stands now, in one word: a follower may stop at `completed` and `cancelled`.
    pub state: OrderState,
}

/// An order was placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Placed {
    /// The order.
    pub order_id: OrderId,
    /// Who bought.
    pub customer_id: CustomerId,
    /// The currency of its amounts.
    pub currency: Currency,
    /// What the customer pays.
    pub payable: Amount,
}

/// It is settled how an order is paid; the goods may go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Paid {
    /// The order.
    pub order_id: OrderId,
    /// The payment.
    pub payment_id: PaymentId,
    /// Whether the money is there, or comes later.
    pub terms: PaymentTerms,
}

/// An order has come to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// The order.
    pub order_id: OrderId,
    /// Who bought.
    pub customer_id: CustomerId,
}

/// Somebody wants an order cancelled. Whether it is, the trade decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelRequested {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub reason: Option<String>,
}

pub(crate) fn declaration() -> Declaration {
    let declared = Declaration::new("order")
        .operation(
            Operation::write::<PlaceInput, OrderRef>("place", "Stores an order with its price proof.")
                .undo("order.cancel", json!({"order_id": "${ input.order_id }"}))
                .rejects::<OrderExists>("order_exists")
                .emits("order.placed"),
        )
        .operation(
            Operation::write::<OrderRef, Changed>("cancel", "Takes an order back, once.")
                .nothing_to_undo()
                .emits("order.cancelled"),
        )
        .operation(
            Operation::write::<ConfirmPaymentInput, Changed>(
                "confirm_payment",
                "It is settled how the order is paid.",
            )
            .consumes("money", "payment_id")
            .emits("order.paid"),
        )
        .operation(
            Operation::write::<RecordPaymentInput, Changed>("record_payment", "News about an order's money.")
                .nothing_to_undo()
                .rejects::<OrderUnknown>("order_unknown")
                .rejects::<PaymentRefused>("payment_status_refused"),
        )
        .operation(
            Operation::write::<RecordFulfilmentInput, Changed>(
                "record_fulfilment",
                "News of a parcel from the warehouse.",
            )
            .nothing_to_undo(),
        )
        .operation(
            Operation::write::<RecordDeliveryInput, Changed>(
                "record_delivery",
                "News of a parcel from the carrier.",
            )
            .nothing_to_undo(),
        )
        .operation(
            Operation::write::<OrderRef, Changed>("complete", "All of an order is done.")
                .emits("order.completed"),
        )
        .operation(
            Operation::write::<RequestCancelInput, Changed>(
                "request_cancel",
                "Asks the trade to take the order back.",
            )
            .nothing_to_undo()
            .rejects::<OrderUnknown>("order_unknown")
            .rejects::<NotCancellable>("not_cancellable")
            .emits("order.cancel_requested"),
        );
    declared
        .operation(
            Operation::read::<GetInput, OrderView>("get", "An order with its price proof.")
                .rejects::<OrderUnknown>("order_unknown"),
        )
        .operation(Operation::read::<ListInput, ListOutput>("list", "Orders, latest first, page by page."))
        .operation(
            Operation::read::<TimelineInput, TimelineOutput>(
                "timeline",
                "What happened to an order, from a position on.",
            )
            .rejects::<OrderUnknown>("order_unknown"),
        )
        .event(Event::new::<Placed, OrderId>("placed", "order_id", "An order was placed."))
        .event(Event::new::<Paid, OrderId>("paid", "order_id", "It is settled how an order is paid."))
        .event(Event::new::<Ended, OrderId>("completed", "order_id", "All of an order is done."))
        .event(Event::new::<Ended, OrderId>("cancelled", "order_id", "An order was taken back."))
        .event(Event::new::<CancelRequested, OrderId>(
            "cancel_requested",
            "order_id",
            "Somebody wants an order cancelled.",
        ))
}
