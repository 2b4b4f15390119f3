//! What is auctioned and by which rules: what whoever opens an auction says, and what is stored once the shop's choices are
//! filled in.

use mortise_types::{Amount, AuctionId, Currency, CustomerId, Quantity, Sku, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// No price, bid or deposit is above this, in minor units, so that no sum of them leaves 64 bits.
pub const AMOUNT_MOST: i64 = 1_000_000_000_000_000;
/// The most extensions of an auction. The trade looks at the closing time once more after each.
pub const EXTENSIONS_MOST: i64 = 500;
/// The most bidders to whom a lot is offered, one after the other.
pub const OFFERS_MOST: i64 = 20;

/// What is auctioned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lot {
    /// What bidders read.
    pub title: String,
    /// The item.
    pub sku: Sku,
    /// Units of it; bids are for all of them together.
    #[schemars(range(min = 1))]
    pub quantity: Quantity,
    /// Whose it is, where it is not the shop's own. Sellers do not bid on what is theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CustomerId")]
    pub seller_id: Option<CustomerId>,
}

/// A band of prices with the step between two bids in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Increment {
    /// From this price on, in minor units.
    #[schemars(range(min = 0, max = 1_000_000_000_000_000_i64))]
    pub from: Amount,
    /// The next bid is at least so much higher, in minor units.
    #[schemars(range(min = 1, max = 1_000_000_000_000_000_i64))]
    pub step: Amount,
}

/// A late bid moves the closing time, so that others can answer it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// A bid is late when the auction would close within so many seconds.
    #[schemars(range(min = 1, max = 86_400), extend("x-unit" = "duration_s"))]
    pub within_s: i64,
    /// The closing time moves by so many seconds, at least `within_s`: a rush of bids moves it once.
    #[schemars(range(min = 1, max = 86_400), extend("x-unit" = "duration_s"))]
    pub by_s: i64,
    /// How often it moves at most.
    #[schemars(range(min = 1, max = 500), extend("x-unit" = "count"))]
    pub most: i64,
}

/// What the next bidder pays when the winner does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NextPrice {
    /// His own highest maximum: what he was ready to pay.
    #[default]
    OwnMaximum,
    /// What he would have paid if those who did not pay had never bid.
    WithoutDefaulters,
}

/// By which rules a lot is auctioned. What is left out is the shop's choice, the policy `auction`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The least first bid, in minor units.
    #[schemars(range(min = 1, max = 1_000_000_000_000_000_i64))]
    pub starting_price: Amount,
    /// Below this the lot is not sold, in minor units. Bidders learn only whether it is met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount", range(min = 1, max = 1_000_000_000_000_000_i64))]
    pub reserve_price: Option<Amount>,
    /// From when bids are taken; at once where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub opens_at: Option<Timestamp>,
    /// Until when bids are taken, unless a late bid moves it; or
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub closes_at: Option<Timestamp>,
    /// for how long after it opens, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64", range(min = 1, max = 4_000_000_000_i64), extend("x-unit" = "duration_s"))]
    pub lasts_s: Option<i64>,
    /// What a bidder deposits to be admitted, in minor units; 0 for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount", range(min = 0, max = 1_000_000_000_000_000_i64))]
    pub deposit: Option<Amount>,
    /// The steps between bids, by price band, from 0 up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<Increment>", length(min = 1, max = 50))]
    pub increments: Option<Vec<Increment>>,
    /// How a late bid moves the closing time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Extension")]
    pub extension: Option<Extension>,
    /// How long a winner has to pay, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64", range(min = 60, max = 2_592_000), extend("x-unit" = "duration_s"))]
    pub payment_window_s: Option<i64>,
    /// To how many bidders the lot is offered, one after the other, before it stays unsold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "i64", range(min = 1, max = 20), extend("x-unit" = "count"))]
    pub offers_most: Option<i64>,
    /// What the next bidder pays when the winner does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "NextPrice")]
    pub next_price: Option<NextPrice>,
}

/// An auction to open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenInput {
    /// The auction.
    pub auction_id: AuctionId,
    /// What is auctioned.
    pub lot: Lot,
    /// Of all its amounts.
    pub currency: Currency,
    /// By which rules.
    pub terms: Terms,
}

/// An auction that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// The auction.
    pub auction_id: AuctionId,
    /// From when bids are taken.
    pub opens_at: Timestamp,
    /// Until when, unless a late bid moves it.
    pub closes_at: Timestamp,
}

/// The auction of this id exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuctionExists {
    /// The auction.
    pub auction_id: AuctionId,
}

/// Terms that contradict themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TermsRefused {
    /// The field.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Names an auction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuctionRef {
    /// The auction.
    pub auction_id: AuctionId,
}

/// There is no such auction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuctionUnknown {
    /// The id that nothing has.
    pub auction_id: AuctionId,
}

/// Where an auction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuctionState {
    /// Bids are taken, or will be.
    Open,
    /// The hammer has fallen; a bidder is to pay.
    Awarded,
    /// It is paid.
    Sold,
    /// Nobody bid, the reserve price was not met, or nobody paid.
    Unsold,
    /// The shop took it back.
    Cancelled,
    /// There is no such auction.
    Unknown,
}
