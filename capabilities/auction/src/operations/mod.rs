//! The auctions' operations, a file each or a file for a few that are one thing; and the ways in which they say no.

pub(crate) mod bid;
pub(crate) mod bidders;
pub(crate) mod close;
mod deposits;
pub(crate) mod looks;
pub(crate) mod open;
pub(crate) mod sale;

use std::collections::HashMap;

use mortise_capability::{CallContext, Reply, StoreError};
use mortise_types::{Amount, AuctionId, CustomerId, OrderId, Timestamp};

use crate::contract::{
    AuctionClosed, AuctionState, AuctionUnknown, Bid, NotRegistered, OwnAuction, WrongCurrency,
};
use crate::rules::{Judged, Refusal};
use crate::store::{BidderRow, Lot, LotKey, off};

pub(crate) fn key_of(context: &CallContext, auction_id: &AuctionId) -> LotKey {
    (context.scope.tenant.clone(), auction_id.clone())
}

/// The order under which an offer is bought.
pub(crate) fn order_of(auction_id: &AuctionId, offer: i64) -> Result<OrderId, StoreError> {
    OrderId::new(format!("{auction_id}-{offer}")).map_err(off)
}

/// Why a customer may not do what they ask for.
#[derive(Clone, Debug)]
pub(crate) enum No {
    Unknown(AuctionId),
    Own(AuctionId),
    NotRegistered(Amount),
    WrongCurrency(WrongCurrency),
    Closed(AuctionClosed),
    Bid(Refusal),
}

impl No {
    pub(crate) fn reply<O>(self) -> Result<Reply<O>, StoreError> {
        match self {
            No::Unknown(auction_id) => Reply::rejected("auction_unknown", &AuctionUnknown { auction_id }),
            No::Own(auction_id) => Reply::rejected("own_auction", &OwnAuction { auction_id }),
            No::NotRegistered(deposit) => Reply::rejected("not_registered", &NotRegistered { deposit }),
            No::WrongCurrency(detail) => Reply::rejected("wrong_currency", &detail),
            No::Closed(detail) | No::Bid(Refusal::Closed(detail)) => {
                Reply::rejected("auction_closed", &detail)
            }
            No::Bid(Refusal::NotOpen(detail)) => Reply::rejected("auction_not_open", &detail),
            No::Bid(Refusal::Unclear(detail)) => Reply::rejected("bid_unclear", &detail),
            No::Bid(Refusal::TooLow(detail)) => Reply::rejected("bid_too_low", &detail),
            No::Bid(Refusal::BelowOwnMaximum(detail)) => Reply::rejected("below_own_maximum", &detail),
        }
    }
}

/// An auction that a customer who is not its seller asks about.
pub(crate) fn lot_for<'a>(
    lots: &'a HashMap<LotKey, Lot>,
    key: &LotKey,
    customer: &CustomerId,
) -> Result<&'a Lot, No> {
    let lot = lots.get(key).ok_or_else(|| No::Unknown(key.1.clone()))?;
    match lot.rules.lot.seller_id.as_ref() == Some(customer) {
        true => Err(No::Own(key.1.clone())),
        false => Ok(lot),
    }
}

/// Whether an auction still takes bidders.
pub(crate) fn still_open(lot: &Lot, now: Timestamp) -> Result<(), No> {
    let closes_at = lot.standing.closes_at;
    match lot.state == AuctionState::Open && now < closes_at {
        true => Ok(()),
        false => Err(No::Closed(AuctionClosed { state: lot.state, closes_at })),
    }
}

/// Whether a customer may place a bid in an auction as it stands.
pub(crate) fn admissible(
    lot: &Lot,
    bidder: Option<&BidderRow>,
    customer: &CustomerId,
    bid: Bid,
    now: Timestamp,
) -> Result<Judged, No> {
    let judged = lot.standing.judge(&lot.rules, lot.state, customer, bid, now);
    match (judged, bidder.is_some_and(|row| row.admitted)) {
        (Err(closed @ (Refusal::Closed(_) | Refusal::NotOpen(_))), _) => Err(No::Bid(closed)),
        (_, false) => Err(No::NotRegistered(lot.rules.deposit)),
        (judged, true) => judged.map_err(No::Bid),
    }
}
