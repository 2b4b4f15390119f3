//! What goes in and out of looking at auctions. Bidders see each other by number, and their own maxima only.

use mortise_types::{Amount, AuctionId, Currency, CustomerId, OrderId, RegistrationId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bidding::DepositState;
use super::terms::{AuctionState, Increment, Lot};

/// Which auction to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetInput {
    /// The auction.
    pub auction_id: AuctionId,
    /// Whose own part is shown with it. A signed-in customer sees only their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CustomerId")]
    pub customer_id: Option<CustomerId>,
}

/// An auction in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuctionSummary {
    /// The auction.
    pub auction_id: AuctionId,
    /// What is auctioned.
    pub lot: Lot,
    /// Where it stands.
    pub state: AuctionState,
    /// Of its amounts.
    pub currency: Currency,
    /// The price now, in minor units; nothing where nobody has bid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    pub price: Option<Amount>,
    /// The least next bid, in minor units.
    pub asking_price: Amount,
    /// Whether the lot would be sold at this price.
    pub reserve_met: bool,
    /// The number of who leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64", extend("x-unit" = "count"))]
    pub leading: Option<i64>,
    /// Bids that were placed.
    #[schemars(extend("x-unit" = "count"))]
    pub bids: i64,
    /// From when bids are taken.
    pub opens_at: Timestamp,
    /// Until when.
    pub closes_at: Timestamp,
    /// How often a late bid has moved the closing time.
    #[schemars(extend("x-unit" = "count"))]
    pub extensions: i64,
    /// The position of the latest entry of its timeline.
    #[schemars(extend("x-unit" = "count"))]
    pub position: i64,
}

/// What an auction is to one of its bidders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnPart {
    /// The admission.
    pub registration: RegistrationId,
    /// Their number.
    #[schemars(extend("x-unit" = "count"))]
    pub paddle: i64,
    /// Whether they lead.
    pub leading: bool,
    /// Their maximum, where they lead, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    pub maximum: Option<Amount>,
    /// What became of their deposit.
    pub deposit: DepositState,
    /// What was deposited, in minor units.
    pub deposited: Amount,
    /// Their offer, where they won or came next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "OwnOffer")]
    pub offer: Option<OwnOffer>,
}

/// Where an offer of a lot stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OfferState {
    /// It is to be paid.
    Awarded,
    /// It is paid.
    Paid,
    /// It was not paid in time.
    Defaulted,
    /// The lot was passed before the time was up.
    Passed,
}

/// An offer of the lot to a bidder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnOffer {
    /// Where it stands.
    pub state: OfferState,
    /// What the lot costs, in minor units.
    pub price: Amount,
    /// The order under which it is bought.
    pub order_id: OrderId,
    /// Until when it has to be paid.
    pub pay_by: Timestamp,
    /// What is to be paid, with taxes and fees and without the deposit, in minor units; once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    pub amount: Option<Amount>,
    /// Where it is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub pay_url: Option<String>,
}

/// An auction with its rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuctionView {
    /// What a list shows of it.
    pub summary: AuctionSummary,
    /// The least first bid, in minor units.
    pub starting_price: Amount,
    /// Whether there is a price below which the lot is not sold.
    pub has_reserve: bool,
    /// That price, in minor units; for the shop's staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    pub reserve_price: Option<Amount>,
    /// What a bidder deposits, in minor units; 0 for nothing.
    pub deposit: Amount,
    /// The steps between bids.
    #[schemars(length(max = 50))]
    pub increments: Vec<Increment>,
    /// What it is to the bidder who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "OwnPart")]
    pub own: Option<OwnPart>,
}

const fn page() -> i64 {
    50
}

/// Which auctions to list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListInput {
    /// Whoever asks; everybody sees the same auctions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CustomerId")]
    pub customer_id: Option<CustomerId>,
    /// Go on behind this auction, as `next` of the last page says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "AuctionId")]
    pub after: Option<AuctionId>,
    /// At most so many.
    #[serde(default = "page")]
    #[schemars(range(min = 1, max = 200), extend("x-unit" = "count"))]
    pub limit: i64,
}

/// Auctions, by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListOutput {
    /// The auctions.
    #[schemars(length(max = 200))]
    pub auctions: Vec<AuctionSummary>,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "AuctionId")]
    pub next: Option<AuctionId>,
}

/// Which part of a timeline, or of the bids, to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimelineInput {
    /// The auction.
    pub auction_id: AuctionId,
    /// Whose own maxima are shown with it; without it all of them, for the shop's staff. A signed-in customer sees only
    /// their own.
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

/// What an entry of a timeline tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// Bids are taken.
    Opened,
    /// A bid was placed.
    Bid,
    /// A late bid moved the closing time.
    Extended,
    /// The lot was offered to who leads, or came next.
    Awarded,
    /// Whose turn it was has not paid.
    Defaulted,
    /// It is sold and paid.
    Sold,
    /// It was not sold.
    Unsold,
    /// The shop took it back.
    Cancelled,
}

/// What happened in an auction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its place in the auction's timeline: 1, 2, 3, ...
    #[schemars(extend("x-unit" = "count"))]
    pub position: i64,
    /// What happened.
    pub kind: EntryKind,
    /// The number of the bidder whom it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64", extend("x-unit" = "count"))]
    pub paddle: Option<i64>,
    /// Who that is: the bidder's own entries, and for the shop's staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CustomerId")]
    pub customer_id: Option<CustomerId>,
    /// What was bid outright, in minor units: the bidder's own entries, and for the shop's staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    pub amount: Option<Amount>,
    /// Up to how much was bid, in minor units: the bidder's own entries, and for the shop's staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    pub maximum: Option<Amount>,
    /// The price from then on, in minor units; of an offer of the lot, what it costs: the bidder's own entries, and for the
    /// shop's staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    pub price: Option<Amount>,
    /// The number of who led from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64", extend("x-unit" = "count"))]
    pub leading: Option<i64>,
    /// The closing time from then on, where it moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub closes_at: Option<Timestamp>,
    /// Why, where there is more than one reason.
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
    pub entries: Vec<Entry>,
    /// The position of the auction's latest entry, whether it is on this page or not.
    #[schemars(extend("x-unit" = "count"))]
    pub position: i64,
    /// Where the auction stands now: a follower may stop at `sold`, `unsold` and `cancelled`.
    pub state: AuctionState,
}
