//! What goes in and out of fulfilment's operations, and the events they write. It decides nothing.

mod stop;

use mortise_contract::{Declaration, Event, Operation};
use mortise_types::{Applied, LocationId, OrderId, Parcel, ParcelId, PickListId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) use stop::STOPPED_MAX;
pub use stop::{ResumeInput, StopInput, Stopped};

/// A parcel that is to be packed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestInput {
    /// The order.
    pub order_id: OrderId,
    /// What to pack, and where.
    pub parcel: Parcel,
}

/// Names a pick list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PickListRef {
    /// The pick list.
    pub pick_list_id: PickListId,
}

/// How far a pick list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PickListState {
    /// The warehouse has been asked.
    Requested,
    /// The parcel is packed.
    Packed,
    /// The carrier has it.
    HandedOver,
    /// It was taken back before that.
    Cancelled,
}

/// What a command did to a pick list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    /// Whether it did something.
    pub applied: Applied,
}

/// There is no such pick list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PickListUnknown {
    /// What was asked for.
    pub pick_list_id: PickListId,
}

/// The pick list is not where this can be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrongState {
    /// The pick list.
    pub pick_list_id: PickListId,
    /// How far it is.
    pub state: PickListState,
}

/// Which pick lists to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListInput {
    /// Only of this location; without it, of all, location by location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "LocationId")]
    pub location: Option<LocationId>,
    /// Go on behind this page's end, as `next` of the last page says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub cursor: Option<String>,
    /// At most so many.
    #[serde(default = "page")]
    #[schemars(range(min = 1, max = 200), extend("x-unit" = "count"))]
    pub limit: i64,
}

const fn page() -> i64 {
    50
}

/// A pick list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PickList {
    /// Its id.
    pub pick_list_id: PickListId,
    /// The order.
    pub order_id: OrderId,
    /// What to pack, and where.
    pub parcel: Parcel,
    /// How far it is.
    pub state: PickListState,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it was packed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub packed_at: Option<Timestamp>,
}

/// Open pick lists: requested or packed, oldest first at each location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListOutput {
    /// The pick lists.
    #[schemars(length(max = 200))]
    pub pick_lists: Vec<PickList>,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub next: Option<String>,
}

/// A pick list was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requested {
    /// The pick list.
    pub pick_list_id: PickListId,
    /// The order.
    pub order_id: OrderId,
    /// What to pack, and where.
    pub parcel: Parcel,
}

/// A pick list went a step further.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Progressed {
    /// The pick list.
    pub pick_list_id: PickListId,
    /// The order.
    pub order_id: OrderId,
    /// The parcel.
    pub parcel_id: ParcelId,
    /// Where it was packed.
    pub location: LocationId,
    /// When.
    pub at: Timestamp,
}

pub(crate) fn declaration() -> Declaration {
    stop::declare(Declaration::new("fulfilment"))
        .operation(
            Operation::write::<RequestInput, PickListRef>("request", "Asks the warehouse for a parcel.")
                .undo("fulfilment.cancel", json!({"pick_list_id": "${ output.pick_list_id }"}))
                .emits("fulfilment.requested"),
        )
        .operation(
            Operation::write::<PickListRef, Changed>("pack", "The parcel is packed.")
                .nothing_to_undo()
                .rejects::<PickListUnknown>("pick_list_unknown")
                .rejects::<WrongState>("pick_list_cancelled")
                .emits("fulfilment.packed"),
        )
        .operation(
            Operation::write::<PickListRef, Changed>("hand_over", "The carrier has taken the parcel.")
                .nothing_to_undo()
                .rejects::<PickListUnknown>("pick_list_unknown")
                .rejects::<WrongState>("pick_list_cancelled")
                .rejects::<WrongState>("not_packed")
                .emits("fulfilment.handed_over"),
        )
        .operation(
            Operation::write::<PickListRef, Changed>(
                "cancel",
                "Takes a pick list back, unless the carrier has it.",
            )
            .nothing_to_undo(),
        )
        .operation(
            Operation::read::<ListInput, ListOutput>("list", "What the warehouses still have to do.")
                .may_lag(2_000),
        )
        .event(Event::new::<Requested, PickListId>("requested", "pick_list_id", "A pick list was asked for."))
        .event(Event::new::<Progressed, PickListId>("packed", "pick_list_id", "A parcel is packed."))
        .event(Event::new::<Progressed, PickListId>(
            "handed_over",
            "pick_list_id",
            "The carrier has taken a parcel.",
        ))
}
