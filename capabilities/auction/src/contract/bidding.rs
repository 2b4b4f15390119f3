//! What goes in and out of being admitted and bidding.

use mortise_types::{
    Address, Amount, Applied, AuctionId, Currency, CustomerId, OrderId, PaymentId, RegistrationId, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::terms::AuctionState;

/// A customer who wants to be admitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdmissionInput {
    /// The auction.
    pub auction_id: AuctionId,
    /// Who wants to bid.
    pub customer_id: CustomerId,
    /// The auction's currency, as the customer understands it.
    pub currency: Currency,
}

/// What it takes to be admitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Admission {
    /// What is to be deposited, in minor units; 0 for nothing.
    pub deposit: Amount,
    /// Under which order the deposit is asked for: the bidder's own in this auction.
    pub deposit_order: OrderId,
    /// By when it is decided what becomes of the deposit, however often the closing time moves and whoever pays.
    pub decided_by: Timestamp,
}

/// A customer to be admitted without a deposit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterInput {
    /// The auction.
    pub auction_id: AuctionId,
    /// Who wants to bid.
    pub customer_id: CustomerId,
    /// Where the lot goes if it becomes theirs.
    pub ship_to: Address,
}

/// A customer to be admitted on a deposit that is paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DepositInput {
    /// The auction.
    pub auction_id: AuctionId,
    /// Who wants to bid.
    pub customer_id: CustomerId,
    /// Where the lot goes if it becomes theirs.
    pub ship_to: Address,
    /// The deposit's payment. It stays where it is until the auction says what becomes of it.
    pub payment_id: PaymentId,
    /// What was paid, in minor units.
    #[schemars(range(min = 1, max = 1_000_000_000_000_000_i64))]
    pub deposit: Amount,
}

/// A bidder of an auction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Registered {
    /// The admission: a handle on the deposit, where there is one.
    pub registration: RegistrationId,
    /// The number under which the others see the bidder.
    #[schemars(extend("x-unit" = "count"))]
    pub paddle: i64,
}

/// Names an admission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegistrationRef {
    /// The admission.
    pub registration: RegistrationId,
}

/// What becomes, or has become, of a bidder's deposit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DepositState {
    /// None was asked.
    None,
    /// It is held.
    Held,
    /// It is to go back to the bidder.
    ToReturn,
    /// It is to count towards what the bidder bought.
    ToCredit,
    /// It is to be kept: the bidder won and did not pay.
    ToForfeit,
    /// It went back.
    Returned,
    /// It counted towards the price.
    Credited,
    /// It was kept.
    Forfeited,
}

/// What was done with an admission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settled {
    /// Whether something changed.
    pub applied: Applied,
    /// What the deposit is now.
    pub deposit: DepositState,
}

/// What a bidder bids: an amount at once, a maximum up to which the platform bids for him, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bid {
    /// The price that is bid outright, in minor units; the least that is admissible where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount", range(min = 1, max = 1_000_000_000_000_000_i64))]
    pub amount: Option<Amount>,
    /// The proxy maximum, in minor units; the amount where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount", range(min = 1, max = 1_000_000_000_000_000_i64))]
    pub maximum: Option<Amount>,
}

/// A bid that is looked at before it is placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssessInput {
    /// The auction.
    pub auction_id: AuctionId,
    /// Who bids.
    pub customer_id: CustomerId,
    /// Of the bid.
    pub currency: Currency,
    /// The bid.
    pub bid: Bid,
}

/// A bid that is admissible as the auction stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assessed {
    /// The bid to place.
    pub bid: Bid,
    /// The least that was admissible when it was looked at, in minor units.
    pub asking_price: Amount,
    /// The position in the auction's timeline at which extensions judged the bid; 0 where none was asked.
    #[schemars(extend("x-unit" = "count"))]
    pub judged_at: i64,
}

/// A bid to place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BidInput {
    /// The auction.
    pub auction_id: AuctionId,
    /// Who bids.
    pub customer_id: CustomerId,
    /// The bid.
    pub bid: Bid,
    /// As `assess` answers it: if the auction has moved on since, the bid is looked at again. 0: no matter.
    #[serde(default)]
    #[schemars(extend("x-unit" = "count"))]
    pub judged_at: i64,
}

/// A bid that was placed, and what it made of the auction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Placed {
    /// The bid: its position in the auction's timeline.
    #[schemars(extend("x-unit" = "count"))]
    pub position: i64,
    /// Whether the bidder leads now.
    pub leading: bool,
    /// The price now, in minor units.
    pub price: Amount,
    /// The least next bid of anybody else, in minor units.
    pub asking_price: Amount,
    /// Whether the lot would be sold at this price.
    pub reserve_met: bool,
    /// Until when bids are taken now.
    pub closes_at: Timestamp,
}

/// A bid below what is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BidTooLow {
    /// The least that is admissible, in minor units.
    pub asking_price: Amount,
    /// The most that was bid, in minor units.
    pub bid: Amount,
}

/// A bid to which an extension objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BidObjected {
    /// Why, in the extension's words.
    pub reason: String,
    /// The least that would be taken, in minor units, if that is why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    pub at_least: Option<Amount>,
    /// `name@version`.
    pub extension: String,
}

/// The leader bids, and not more than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BelowOwnMaximum {
    /// The bidder's own maximum so far, in minor units.
    pub own_maximum: Amount,
}

/// No bids are taken any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuctionClosed {
    /// Where the auction stands; `open` when its time was up and it was not closed yet.
    pub state: AuctionState,
    /// When its time was up.
    pub closes_at: Timestamp,
}

/// No bids are taken yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuctionNotOpen {
    /// From when they are.
    pub opens_at: Timestamp,
}

/// The customer is not admitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotRegistered {
    /// What is to be deposited to be admitted, in minor units; 0 for nothing.
    pub deposit: Amount,
}

/// A seller does not bid on what is theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnAuction {
    /// The auction.
    pub auction_id: AuctionId,
}

/// The customer is admitted already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlreadyRegistered {
    /// Under which number.
    #[schemars(extend("x-unit" = "count"))]
    pub paddle: i64,
}

/// What is deposited is not what the auction asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DepositDiffers {
    /// What it asks, in minor units; 0 for nothing.
    pub asked: Amount,
    /// What came, in minor units.
    pub paid: Amount,
}

/// A bid that says nothing, or contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BidUnclear {
    /// What is wrong.
    pub reason: String,
}

/// The auction is held in another currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrongCurrency {
    /// The auction's.
    pub currency: Currency,
}
