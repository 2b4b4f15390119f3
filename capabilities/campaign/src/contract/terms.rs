//! Campaigns, their terms and their allotments, as records with schemas.

use mortise_types::{CampaignId, CustomerId, Quantity, RateBp, RequestedLine, Sku, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a campaign runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CampaignState {
    /// Within its period.
    #[default]
    Live,
    /// Not any more, or not yet: nobody enters. What was taken stays taken.
    Stopped,
}

/// An item that a campaign sells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The item.
    pub sku: Sku,
    /// Units that the campaign has for all together; without it, as many as there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Quantity", range(min = 0))]
    pub quota: Option<Quantity>,
    /// Units that one customer may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Quantity", range(min = 1))]
    pub per_customer: Option<Quantity>,
}

/// How buyers join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupTerms {
    /// How many buyers make a group.
    #[schemars(range(min = 2, max = 10_000), extend("x-unit" = "count"))]
    pub size: i64,
    /// How long a group has, in seconds; the campaign's end cuts it short.
    #[schemars(range(min = 60))]
    pub lasts_s: u32,
}

/// How the price is paid in two parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DepositTerms {
    /// The part of what the goods cost that is paid early: 1000 is a tenth.
    #[schemars(range(min = 1, max = 10_000))]
    pub deposit_bp: RateBp,
    /// What it counts: 10000 is itself, 20000 is double.
    #[schemars(range(min = 10_000, max = 100_000))]
    pub counts_bp: RateBp,
    /// When the balance can be paid.
    pub balance_opens_at: Timestamp,
    /// Until when.
    pub balance_closes_at: Timestamp,
    /// When the goods leave.
    pub ships_at: Timestamp,
}

/// What is sold under terms of its own, for a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    /// Its id.
    pub campaign: CampaignId,
    /// What people call it.
    pub title: String,
    /// Its first moment; without it, it has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub opens_at: Option<Timestamp>,
    /// The first moment at which it is over; without it, it has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub closes_at: Option<Timestamp>,
    /// Whether it runs.
    #[serde(default)]
    pub state: CampaignState,
    /// The customer group whose prices hold in it; without it, the customer's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub price_group: Option<String>,
    /// What it sells.
    #[schemars(length(min = 1, max = 500))]
    pub items: Vec<Item>,
    /// How buyers join, where they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "GroupTerms")]
    pub group: Option<GroupTerms>,
    /// How it is paid in two parts, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DepositTerms")]
    pub deposit: Option<DepositTerms>,
}

/// Campaigns to define.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefineInput {
    /// All are stored, or none. One that exists is defined anew: what was given out of it counts on.
    #[schemars(length(max = 100))]
    pub campaigns: Vec<Campaign>,
}

/// What was defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Defined {
    /// Campaigns.
    #[schemars(extend("x-unit" = "count"))]
    pub campaigns: i64,
}

/// A basket that wants into a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterInput {
    /// The campaign.
    pub campaign: CampaignId,
    /// Who buys.
    pub customer_id: CustomerId,
    /// What.
    #[schemars(length(min = 1, max = 500))]
    pub lines: Vec<RequestedLine>,
}

/// By what terms it may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entered {
    /// The campaign.
    pub campaign: CampaignId,
    /// Of its definition.
    pub version: String,
    /// The customer group whose prices hold; empty for none.
    pub price_group: String,
}

/// Names a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignMeant {
    /// The campaign.
    pub campaign: CampaignId,
}

/// How a campaign is paid in two parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DepositTermsView {
    /// The campaign.
    pub campaign: CampaignId,
    /// Of its definition.
    pub version: String,
    /// The part of what the goods cost that is paid early.
    pub deposit_bp: RateBp,
    /// What it counts.
    pub counts_bp: RateBp,
    /// When the balance can be paid.
    pub balance_opens_at: Timestamp,
    /// Until when.
    pub balance_closes_at: Timestamp,
    /// When the goods leave.
    pub ships_at: Timestamp,
}

/// Units to take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeAllotmentInput {
    /// For whom: an order id, as a rule. It takes of a campaign once.
    pub holder: String,
    /// The campaign.
    pub campaign: CampaignId,
    /// Who buys.
    pub customer_id: CustomerId,
    /// What; lines with one item are summed.
    #[schemars(length(min = 1, max = 500))]
    pub lines: Vec<RequestedLine>,
}

/// What was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// Units, over all items.
    pub units: Quantity,
}

/// Whose taking is given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnAllotmentInput {
    /// The holder.
    pub holder: String,
    /// The campaign.
    pub campaign: CampaignId,
}

/// What was given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Returned {
    /// Units, over all items: 0 where they were given back before, or none were taken.
    pub units: Quantity,
}

/// An item of a campaign, and what was given out of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemView {
    /// The item.
    pub sku: Sku,
    /// Units that were given out.
    pub given: Quantity,
    /// Units that are left, where there is a quota; never below zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Quantity")]
    pub left: Option<Quantity>,
}

/// A campaign and what it has given out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignView {
    /// As it was defined.
    pub campaign: Campaign,
    /// Of the definition.
    pub version: String,
    /// Its items.
    #[schemars(length(max = 500))]
    pub items: Vec<ItemView>,
}

/// There is no such campaign in this business line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignUnknown {
    /// What was asked for.
    pub campaign: CampaignId,
}

/// Why nobody enters a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClosedReason {
    /// It has not begun.
    NotYet,
    /// It is over.
    Over,
    /// It was stopped.
    Stopped,
}

/// Nobody enters the campaign now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignClosed {
    /// The campaign.
    pub campaign: CampaignId,
    /// Why.
    pub reason: ClosedReason,
    /// When it begins, where it has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub opens_at: Option<Timestamp>,
}

/// A campaign that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignInvalid {
    /// The campaign.
    pub campaign: CampaignId,
    /// What is wrong with it.
    pub problem: String,
}

/// The campaign does not sell the item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotInCampaign {
    /// The campaign.
    pub campaign: CampaignId,
    /// The item.
    pub sku: Sku,
}

/// The campaign has no terms of this kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoSuchTerms {
    /// The campaign.
    pub campaign: CampaignId,
    /// `group` or `deposit`.
    pub terms: String,
}

/// For whom nothing is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExhaustedFor {
    /// The campaign's quota is used up.
    Everybody,
    /// This customer has had as many as one may.
    Customer,
}

/// Less is left than was wanted. Nothing was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AllotmentExhausted {
    /// The campaign.
    pub campaign: CampaignId,
    /// The item.
    pub sku: Sku,
    /// For whom.
    pub exhausted_for: ExhaustedFor,
    /// Units wanted, over all lines with this item.
    pub wanted: Quantity,
    /// Units left; never below zero.
    pub left: Quantity,
}

/// The holder has taken of the campaign, and not given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlreadyTaken {
    /// The holder.
    pub holder: String,
    /// The campaign.
    pub campaign: CampaignId,
}
