//! Groups and seats, as records with schemas.

use mortise_types::{Applied, CampaignId, CustomerId, GroupId, SeatId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A group to open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenGroupInput {
    /// Its campaign, whose terms say how many make a group and how long it has.
    pub campaign: CampaignId,
}

/// A group that can be joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupOpened {
    /// The group: what others join by.
    pub group_id: GroupId,
}

/// Names a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupMeant {
    /// The group.
    pub group_id: GroupId,
}

/// What a group has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupCondition {
    /// It can be joined, and its time is not up.
    Open,
    /// All its seats were confirmed in time.
    Filled,
    /// They were not.
    Expired,
}

/// What a group has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupSettled {
    /// What.
    pub condition: GroupCondition,
}

/// A seat to take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeSeatInput {
    /// The campaign that the group must be of.
    pub campaign: CampaignId,
    /// The group.
    pub group_id: GroupId,
    /// Who buys: one seat in a group for each.
    pub customer_id: CustomerId,
    /// With what: an order id, as a rule.
    pub holder: String,
}

/// A seat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeatTaken {
    /// The handle of the seat.
    pub seat_id: SeatId,
    /// Its group.
    pub group_id: GroupId,
    /// Until when the group must be filled.
    pub closes_at: Timestamp,
}

/// Names a seat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeatMeant {
    /// The handle of the seat.
    pub seat_id: SeatId,
}

/// What a seat is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeatCondition {
    /// Nobody else can have it.
    Held,
    /// It counts.
    Confirmed,
    /// Somebody else may have it.
    Returned,
    /// There is no such seat.
    Unknown,
}

/// What a command did to a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeatSettled {
    /// Whether it did something.
    pub applied: Applied,
    /// What the seat is now.
    pub condition: SeatCondition,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupView {
    /// The group.
    pub group_id: GroupId,
    /// Its campaign.
    pub campaign: CampaignId,
    /// What it has come to.
    pub condition: GroupCondition,
    /// How many buyers make it.
    #[schemars(extend("x-unit" = "count"))]
    pub size: i64,
    /// Seats that are taken and do not count yet.
    #[schemars(extend("x-unit" = "count"))]
    pub held: i64,
    /// Seats that count.
    #[schemars(extend("x-unit" = "count"))]
    pub confirmed: i64,
    /// Until when it must be filled.
    pub closes_at: Timestamp,
}

/// A seat of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeatView {
    /// Who has it.
    pub customer_id: CustomerId,
    /// With what.
    pub holder: String,
    /// What it is.
    pub condition: SeatCondition,
}

/// A group and its seats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupWithSeats {
    /// The group.
    pub group: GroupView,
    /// Its seats, those that were given back too, in the order in which they were taken.
    #[schemars(length(max = 10_000))]
    pub seats: Vec<SeatView>,
}

/// Whose groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupsInput {
    /// The campaign.
    pub campaign: CampaignId,
}

/// Groups that can be joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupsOutput {
    /// At most 200, the first to close first.
    #[schemars(length(max = 200))]
    pub groups: Vec<GroupView>,
}

/// There is no such group in this campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupUnknown {
    /// What was asked for.
    pub group_id: GroupId,
}

/// All seats are taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupFull {
    /// The group.
    pub group_id: GroupId,
    /// How many buyers make it.
    #[schemars(extend("x-unit" = "count"))]
    pub size: i64,
    /// Seats of it that are taken and do not count yet: one may become free.
    #[schemars(extend("x-unit" = "count"))]
    pub held: i64,
}

/// The group's time is up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupClosed {
    /// The group.
    pub group_id: GroupId,
    /// Since when.
    pub closed_at: Timestamp,
}

/// The customer has a seat in the group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlreadyIn {
    /// The group.
    pub group_id: GroupId,
    /// With what the seat was taken.
    pub holder: String,
}

/// The seat cannot be confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeatUnavailable {
    /// The seat.
    pub seat_id: SeatId,
    /// What it is.
    pub condition: SeatCondition,
}

/// What became of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupNews {
    /// The group: the event's key.
    pub group_id: GroupId,
    /// Its campaign.
    pub campaign: CampaignId,
    /// How many buyers make it.
    #[schemars(extend("x-unit" = "count"))]
    pub size: i64,
    /// How many were confirmed.
    #[schemars(extend("x-unit" = "count"))]
    pub confirmed: i64,
}
