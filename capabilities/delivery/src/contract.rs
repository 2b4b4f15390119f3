//! What the capability takes and answers: records, schemas, the declaration of its operations and events.

mod cash;

use mortise_asking::{EXTENSION_REFUSED, ExtensionRefused};
use mortise_capability::import::{ROW_REFUSED, RowRefused, Rows};
use mortise_contract::{Declaration, Event, Operation};
use mortise_points::{DeliveryFee, Point as _};
use mortise_types::{
    Address, Amount, CountryCode, Currency, LocationId, OrderId, Parcel, ParcelId, ProofFee, RequestedLine,
    ShipmentId, Sku, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use cash::{CollectCash, Remittance, RemittanceItem, RemittanceTaken};
pub(crate) use cash::{RemittanceNews, RemittanceRefused};

/// Parcels to be brought somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteInput {
    /// The parcels.
    #[schemars(length(max = 50))]
    pub parcels: Vec<Parcel>,
    /// Where they go.
    pub ship_to: Address,
    /// Of the fees.
    pub currency: Currency,
    /// The lines that are sold, whose attributes extensions may read: the items' line ids are positions in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 500))]
    pub lines: Vec<RequestedLine>,
}

/// What bringing them costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quoted {
    /// One for each parcel, or one for the order, by policy; none where the fee is 0.
    #[schemars(length(max = 50))]
    pub fees: Vec<ProofFee>,
}

/// A parcel for the carrier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DispatchInput {
    /// The order.
    pub order_id: OrderId,
    /// The parcel.
    pub parcel: Parcel,
    /// Where it goes.
    pub ship_to: Address,
    /// What the carrier collects at the door; left out, nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CollectCash")]
    pub collect: Option<CollectCash>,
}

/// A parcel that comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnInput {
    /// The order.
    pub order_id: OrderId,
    /// The parcel; its location is where it comes back to.
    pub parcel: Parcel,
    /// Where the customer gives it to the carrier.
    pub ship_from: Address,
}

/// A parcel that the carrier has taken on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dispatched {
    /// The shipment; `delivery.delivered` comes with it as key.
    pub shipment_id: ShipmentId,
    /// What the recipient asks for.
    pub tracking_number: String,
    /// What is stuck on the parcel.
    pub label_url: String,
}

/// A shipment that is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShipmentMeant {
    /// The shipment.
    pub shipment_id: ShipmentId,
}

/// How a parcel was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TakenBackBy {
    /// It is not picked up.
    Cancelled,
    /// It was on its way, and comes back.
    Returning,
    /// Too late: the recipient has it.
    Delivered,
    /// There was nothing to take back.
    Nothing,
}

/// What became of a shipment that was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TakenBack {
    /// How.
    pub by: TakenBackBy,
}

/// Where a carrier says that a parcel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrackingStatus {
    /// The carrier has it.
    PickedUp,
    /// It is between two places.
    InTransit,
    /// It is in the van.
    OutForDelivery,
    /// The recipient has it.
    Delivered,
    /// Something holds it up.
    Exception,
    /// The recipient did not take it.
    RefusedAtDoor,
    /// It is on its way back.
    Returning,
    /// The sender has it again.
    Returned,
    /// It was never picked up.
    Cancelled,
}

/// What a carrier reports. An adapter makes it of a webhook whose signature it has verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrackingEvent {
    /// The carrier's id of the event: one is taken once.
    pub event_id: String,
    /// Our shipment.
    pub shipment_id: ShipmentId,
    /// The carrier's name for it.
    pub carrier_ref: String,
    /// Where it is.
    pub status: TrackingStatus,
    /// The carrier's number of the step, from 1, by which events that overtake each other are told.
    #[schemars(range(min = 1))]
    pub sequence: i64,
    /// When it happened.
    pub at: Timestamp,
    /// What was collected, in minor units, where it was delivered against cash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    pub collected: Option<Amount>,
}

/// Whether an event that may come twice changed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Applied {
    /// It did.
    Now,
    /// It had come before.
    Already,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppliedOnce {
    /// Whether it changed something.
    pub applied: Applied,
}

/// A step of a parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrackingStep {
    /// The carrier's number.
    pub sequence: i64,
    /// Where it was.
    pub status: String,
    /// When.
    pub at: Timestamp,
}

/// A shipment as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShipmentView {
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// Its order.
    pub order_id: OrderId,
    /// Its parcel.
    pub parcel_id: ParcelId,
    /// Where it is.
    pub status: String,
    /// The carrier's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub carrier_ref: Option<String>,
    /// What the recipient asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub tracking_number: Option<String>,
    /// What is stuck on the parcel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub label_url: Option<String>,
    /// Why the carrier did not take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub refusal: Option<String>,
    /// What is to be collected at the door, in minor units.
    pub collect: Amount,
    /// What was.
    pub collected: Amount,
    /// What the carrier has paid out of it.
    pub remitted: Amount,
    /// Of these amounts, where cash is collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Currency")]
    pub collect_currency: Option<Currency>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A shipment with its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tracked {
    /// The shipment.
    pub shipment: ShipmentView,
    /// Its steps, in the carrier's order.
    #[schemars(length(max = 1_000))]
    pub steps: Vec<TrackingStep>,
}

/// A page of shipments to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListInput {
    /// The last shipment of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ShipmentId")]
    pub after: Option<ShipmentId>,
}

/// A page of shipments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// In the order in which they were made; fewer than 1,000 on the last page.
    #[schemars(length(max = 1_000))]
    pub shipments: Vec<ShipmentView>,
}

/// A row of a fee table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeeRow {
    /// The country; any where it is left out or `*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub country: Option<String>,
    /// Of the amount.
    pub currency: Currency,
    /// The heaviest that it takes, in grams; any weight where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64", range(min = 1))]
    pub up_to_grams: Option<i64>,
    /// The fee, in minor units; 0 is a fee.
    #[schemars(range(min = 0))]
    pub amount: Amount,
    /// The business line: left out, the line of the call; `*`, all lines of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub line: Option<String>,
}

/// What an item weighs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WeightRow {
    /// The item.
    pub sku: Sku,
    /// A unit of it, in grams.
    #[schemars(range(min = 0))]
    pub grams: i64,
}

/// Where parcels of a location leave from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OriginRow {
    /// The location.
    pub location: LocationId,
    /// Who sends.
    pub name: String,
    /// Street and house.
    pub street: String,
    /// City.
    pub city: String,
    /// Postal code.
    pub postal_code: String,
    /// Country.
    pub country: CountryCode,
}

/// Rows of fee tables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportFeesInput {
    /// They replace rows of the same line, country, currency and bracket.
    #[schemars(length(max = 10_000))]
    pub rows: Vec<FeeRow>,
}

/// Weights of items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportWeightsInput {
    /// They replace what the items weighed.
    #[schemars(length(max = 10_000))]
    pub rows: Vec<WeightRow>,
}

/// Addresses of locations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportOriginsInput {
    /// They replace what the locations had.
    #[schemars(length(max = 10_000))]
    pub rows: Vec<OriginRow>,
}

/// Detail of `not_delivered_there`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct NotDeliveredThere {
    /// Where it should have gone.
    pub(crate) country: CountryCode,
    /// `not_there`: no fee table has it; `too_heavy`: the table ends below the weight.
    pub(crate) reason: String,
    /// The table that ends below the weight: its line and country.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) table: Option<String>,
    /// The parcel that is too heavy, where the fee is for each.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ParcelId")]
    pub(crate) parcel_id: Option<ParcelId>,
}

/// Detail of `carrier_refused`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct CarrierRefused {
    /// The carrier's reason, or `origin_unknown`: the location has no address.
    pub(crate) code: String,
    /// The parcel.
    pub(crate) parcel_id: ParcelId,
}

/// Detail of `unknown_shipment`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct UnknownShipment {
    /// The id that nothing has.
    pub(crate) shipment_id: ShipmentId,
}

/// What happened to a shipment.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ShipmentNews {
    /// The shipment: the event's key.
    pub(crate) shipment_id: ShipmentId,
    /// Its order.
    pub(crate) order_id: OrderId,
    /// Its parcel.
    pub(crate) parcel_id: ParcelId,
    /// Where it is.
    pub(crate) status: String,
    /// When it came there.
    pub(crate) at: Timestamp,
    /// What was to be collected at the door, in minor units.
    pub(crate) collect: Amount,
    /// What was.
    pub(crate) collected: Amount,
}

pub(crate) fn declaration() -> Declaration {
    let operations = Declaration::new("delivery")
        .operation(
            Operation::read::<QuoteInput, Quoted>("quote", "What bringing the parcels costs.")
                .opens(DeliveryFee::NAME)
                .rejects::<NotDeliveredThere>("not_delivered_there")
                .rejects::<ExtensionRefused>(EXTENSION_REFUSED),
        )
        .operation(
            Operation::remote::<DispatchInput, Dispatched>("dispatch", "Gives a parcel to the carrier.")
                .rejects::<CarrierRefused>("carrier_refused")
                .undo("delivery.cancel", json!({ "shipment_id": "${ output.shipment_id }" })),
        )
        .operation(
            Operation::remote::<ReturnInput, Dispatched>(
                "request_return",
                "Asks the carrier for a label by which a customer sends a parcel back; delivered is back at the location.",
            )
            .rejects::<CarrierRefused>("carrier_refused")
            .undo("delivery.cancel", json!({ "shipment_id": "${ output.shipment_id }" })),
        )
        .operation(
            Operation::remote::<ShipmentMeant, TakenBack>(
                "cancel",
                "Takes a parcel back, whatever has become of it: not picked up, called back, or too late.",
            )
            .nothing_to_undo(),
        )
        .operation(
            Operation::write::<TrackingEvent, AppliedOnce>(
                "record_tracking_event",
                "Takes over what the carrier's webhook reports. Once an event, in any order.",
            )
            .rejects::<UnknownShipment>("unknown_shipment")
            .nothing_to_undo()
            .emits("delivery.delivered")
            .emits("delivery.moved")
            .emits("delivery.exception")
            .emits("delivery.refused")
            .emits("delivery.returned"),
        )
        .operation(
            Operation::write::<Remittance, RemittanceTaken>(
                "record_remittance",
                "Takes over what the carrier has paid out of the cash that it collected. Once a payout.",
            )
            .rejects::<RemittanceRefused>("remittance_refused")
            .nothing_to_undo()
            .emits("delivery.remitted"),
        )
        .operation(
            Operation::read::<ShipmentMeant, Tracked>("track", "A shipment with its way.")
                .may_lag(2_000)
                .rejects::<UnknownShipment>("unknown_shipment"),
        )
        .operation(
            Operation::read::<ListInput, Listed>("list", "The shipments of a tenant, page by page.")
                .may_lag(2_000),
        )
        .operation(
            Operation::write::<ImportFeesInput, Rows>("import_fees", "Stores rows of fee tables.")
                .rejects::<RowRefused>(ROW_REFUSED),
        )
        .operation(
            Operation::write::<ImportWeightsInput, Rows>("import_weights", "Stores what items weigh.")
                .rejects::<RowRefused>(ROW_REFUSED),
        )
        .operation(
            Operation::write::<ImportOriginsInput, Rows>(
                "import_origins",
                "Stores where locations send from.",
            )
            .rejects::<RowRefused>(ROW_REFUSED),
        );
    let event = |name, summary| Event::new::<ShipmentNews, ShipmentId>(name, "shipment_id", summary);
    operations
        .event(event("delivered", "The recipient has the parcel. Told once."))
        .event(event("moved", "The parcel is one step further."))
        .event(event("refused", "The recipient did not take the parcel; it comes back. Told once."))
        .event(Event::new::<RemittanceNews, ShipmentId>(
            "remitted",
            "shipment_id",
            "The carrier has paid out what it collected for the parcel.",
        ))
        .event(event("exception", "Something holds the parcel up."))
        .event(event("returned", "The sender has the parcel again."))
}
