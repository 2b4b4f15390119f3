//! The events of an auction. None of them carries a bidder's maximum.

use mortise_types::{Amount, AuctionId, Currency, CustomerId, OrderId, RegistrationId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::terms::AuctionState;

/// Bids are taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenedEvent {
    /// The auction: the event's key.
    pub auction_id: AuctionId,
    /// From when.
    pub opens_at: Timestamp,
    /// Until when, unless a late bid moves it.
    pub closes_at: Timestamp,
    /// The least first bid, in minor units.
    pub starting_price: Amount,
    /// Of its amounts.
    pub currency: Currency,
}

/// A bid was placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BidPlaced {
    /// The auction: the event's key.
    pub auction_id: AuctionId,
    /// The bid: its position in the auction's timeline.
    #[schemars(extend("x-unit" = "count"))]
    pub position: i64,
    /// The bidder's number.
    #[schemars(extend("x-unit" = "count"))]
    pub paddle: i64,
    /// The number of who leads now.
    #[schemars(extend("x-unit" = "count"))]
    pub leading: i64,
    /// The price now, in minor units.
    pub price: Amount,
    /// Whether the lot would be sold at this price.
    pub reserve_met: bool,
    /// Until when bids are taken now.
    pub closes_at: Timestamp,
    /// Of its amounts.
    pub currency: Currency,
}

/// Somebody else leads now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outbid {
    /// Who led: the event's key.
    pub customer_id: CustomerId,
    /// The auction.
    pub auction_id: AuctionId,
    /// The price now, in minor units.
    pub price: Amount,
    /// The least bid that would count, in minor units.
    pub asking_price: Amount,
    /// Until when bids are taken.
    pub closes_at: Timestamp,
    /// Of its amounts.
    pub currency: Currency,
}

/// A late bid moved the closing time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Extended {
    /// The auction: the event's key.
    pub auction_id: AuctionId,
    /// Until when bids are taken now.
    pub closes_at: Timestamp,
    /// How often it has moved.
    #[schemars(extend("x-unit" = "count"))]
    pub extensions: i64,
}

/// The hammer has fallen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// The auction: the event's key.
    pub auction_id: AuctionId,
    /// `awarded` or `unsold`.
    pub state: AuctionState,
    /// The last price; nothing where nobody bid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    pub price: Option<Amount>,
    /// Bids that were placed.
    #[schemars(extend("x-unit" = "count"))]
    pub bids: i64,
    /// Of its amounts.
    pub currency: Currency,
}

/// Somebody may buy the lot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Awarded {
    /// Who may buy: the event's key.
    pub customer_id: CustomerId,
    /// The auction.
    pub auction_id: AuctionId,
    /// The offer, from 1.
    #[schemars(extend("x-unit" = "count"))]
    pub offer: i64,
    /// What the lot costs, in minor units.
    pub price: Amount,
    /// Until when it has to be paid.
    pub pay_by: Timestamp,
    /// Of its amounts.
    pub currency: Currency,
}

/// Whose turn it was has not paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Defaulted {
    /// The auction: the event's key.
    pub auction_id: AuctionId,
    /// Who did not pay.
    pub customer_id: CustomerId,
    /// The offer, from 1.
    #[schemars(extend("x-unit" = "count"))]
    pub offer: i64,
}

/// The lot is sold and paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sold {
    /// The auction: the event's key.
    pub auction_id: AuctionId,
    /// Who bought.
    pub customer_id: CustomerId,
    /// What the lot cost, in minor units.
    pub price: Amount,
    /// The order.
    pub order_id: OrderId,
    /// Of its amounts.
    pub currency: Currency,
}

/// What becomes of a deposit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DepositDecision {
    /// It goes back to the bidder.
    Return,
    /// It counts towards what the bidder bought.
    Credit,
    /// The shop keeps it: the bidder won and did not pay.
    Forfeit,
}

/// It is decided what becomes of a bidder's deposit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DepositDecided {
    /// The admission: the event's key.
    pub registration: RegistrationId,
    /// The auction.
    pub auction_id: AuctionId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// What becomes of it.
    pub decision: DepositDecision,
    /// The order that the bidder has paid, or was to pay; none for who did not win.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "OrderId")]
    pub order_id: Option<OrderId>,
}

/// Somebody wants an auction taken back. Whether it is, the trade decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelRequested {
    /// The auction: the event's key.
    pub auction_id: AuctionId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub reason: Option<String>,
}
