//! What goes in and out of the operations that look at orders.

use mortise_types::{
    Address, Amount, BusinessLine, Channel, Currency, CustomerId, LocationId, OrderId, ParcelId, ParcelItem,
    PaymentId, PriceProof, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::status::{AfterSaleStatus, Axis, FulfilmentStatus, OrderState, OrderStatus, PaymentStatus};

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
