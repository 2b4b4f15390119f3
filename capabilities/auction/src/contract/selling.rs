//! What goes in and out of closing an auction and selling its lot.

use mortise_types::{
    Address, Amount, Applied, AuctionId, CustomerId, OrderId, PaymentId, ProofLine, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::terms::AuctionState;

/// When an auction closes, as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosingTime {
    /// Where it stands.
    pub state: AuctionState,
    /// Until when bids are taken; now where there is no such auction.
    pub closes_at: Timestamp,
}

/// What a command did to an auction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    /// Whether it did something.
    pub applied: Applied,
    /// Where the auction stands now.
    pub state: AuctionState,
}

impl Changed {
    /// It did.
    pub const fn now(state: AuctionState) -> Self {
        Changed { applied: Applied::Now, state }
    }

    /// There was nothing to do.
    pub const fn already(state: AuctionState) -> Self {
        Changed { applied: Applied::Already, state }
    }
}

/// To whom a lot is offered: what their order needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Award {
    /// The offer, from 1: the winner's, then that of the next bidder, ...
    #[schemars(extend("x-unit" = "count"))]
    pub offer: i64,
    /// Who may buy.
    pub customer_id: CustomerId,
    /// The order under which it is bought.
    pub order_id: OrderId,
    /// Where it goes.
    pub ship_to: Address,
    /// What the lot costs, in minor units.
    pub price: Amount,
    /// What of the bidder's deposit counts towards it, in minor units; 0 for nothing.
    pub credit: Amount,
    /// The lot as a line of the order, before taxes.
    #[schemars(length(min = 1, max = 1))]
    pub lines: Vec<ProofLine>,
    /// The version of the policy by which the price came about.
    pub policy_version: String,
    /// Until when it has to be paid.
    pub pay_by: Timestamp,
    /// How long that is from now, in seconds, at least a minute.
    #[schemars(range(min = 60, max = 2_592_000), extend("x-unit" = "duration_s"))]
    pub pay_within_s: i64,
}

/// Nobody is to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotAwarded {
    /// Where the auction stands.
    pub state: AuctionState,
}

/// Names an offer of a lot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfferRef {
    /// The auction.
    pub auction_id: AuctionId,
    /// The offer.
    #[schemars(range(min = 1), extend("x-unit" = "count"))]
    pub offer: i64,
}

/// Where the bidder pays, for them to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskPaymentInput {
    /// The auction.
    pub auction_id: AuctionId,
    /// The offer.
    #[schemars(range(min = 1), extend("x-unit" = "count"))]
    pub offer: i64,
    /// What is to be paid, in minor units: with taxes and fees, without what the deposit covers.
    pub amount: Amount,
    /// The payment.
    pub payment_id: PaymentId,
    /// Where it is paid.
    pub pay_url: String,
}
