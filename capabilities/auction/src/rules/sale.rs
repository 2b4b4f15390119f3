//! Who may buy an auctioned lot, at what price, and what becomes of the deposits.

use mortise_types::{Amount, CustomerId, Timestamp};

use super::bidding::{Bidder, Judged, Standing};
use super::terms::Rules;
use crate::contract::{DepositDecision, NextPrice};

/// What becomes of an auction whose time may be up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    /// It is not.
    NotDue,
    /// Who leads may buy at this price.
    Awarded { bidder: Bidder, price: Amount },
    /// It stays unsold; why, in a word.
    Unsold(&'static str),
}

/// Whether the hammer falls, and for whom.
pub(crate) fn close(rules: &Rules, standing: &Standing, now: Timestamp) -> Close {
    if now < standing.closes_at {
        return Close::NotDue;
    }
    match &standing.lead {
        None => Close::Unsold("no_bids"),
        Some((leader, price)) if rules.sells_at(*price) => {
            Close::Awarded { bidder: leader.bidder.clone(), price: *price }
        }
        Some(_) => Close::Unsold("reserve_not_met"),
    }
}

/// A bidder with the most that they bid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) bidder: Bidder,
    pub(crate) maximum: Amount,
    /// Of the bid in which they did.
    pub(crate) position: i64,
}

/// A bid as it was placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlacedBid {
    pub(crate) position: i64,
    pub(crate) bidder: Bidder,
    pub(crate) bid: Judged,
    pub(crate) at: Timestamp,
}

/// Those who may come to buy, the first one first: highest maximum, of equal ones the earlier; none below the reserve price,
/// no more than the terms say.
pub(crate) fn ranked(rules: &Rules, mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.retain(|candidate| rules.sells_at(candidate.maximum));
    candidates.sort_by_key(|candidate| (std::cmp::Reverse(candidate.maximum), candidate.position));
    candidates.truncate(usize::try_from(rules.offers_most).unwrap_or(1));
    candidates
}

/// The offer behind those to `defaulters`: the next of the ranked bidders, and what they pay.
pub(crate) fn next(
    rules: &Rules,
    ranked: &[Candidate],
    bids: &[PlacedBid],
    defaulters: &[CustomerId],
) -> Option<(Bidder, Amount)> {
    let next = ranked.iter().find(|candidate| !defaulters.contains(&candidate.bidder.customer_id))?;
    let price = match rules.next_price {
        NextPrice::OwnMaximum => next.maximum,
        NextPrice::WithoutDefaulters => {
            let without = bids.iter().filter(|bid| !defaulters.contains(&bid.bidder.customer_id));
            // The same maximum leads, so there is a price, and nobody pays more than they were ready to.
            replay(rules, without).price().unwrap_or(next.maximum).min(next.maximum)
        }
    };
    Some((next.bidder.clone(), price))
}

/// Where bids lead, taken one after the other.
pub(crate) fn replay<'a>(rules: &Rules, bids: impl Iterator<Item = &'a PlacedBid>) -> Standing {
    let mut standing = Standing::opened(rules);
    for placed in bids {
        standing.take(rules, &placed.bidder, placed.bid, placed.at);
    }
    standing
}

/// At which moment deposits are decided.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deposits<'a> {
    /// The hammer has fallen: who may still come to buy waits, the others get theirs back.
    Closed { may_buy: &'a [Candidate] },
    /// A bidder has not paid.
    Defaulted(&'a CustomerId),
    /// A bidder has paid, this much less for their deposit.
    Paid { buyer: &'a CustomerId, credit: Amount },
    /// Nobody buys any more.
    Over,
}

impl Deposits<'_> {
    /// What becomes of the held deposit of a bidder; nothing yet for whom it stays held.
    pub(crate) fn decide(self, bidder: &CustomerId) -> Option<DepositDecision> {
        match self {
            Deposits::Closed { may_buy } => {
                let waits = may_buy.iter().any(|candidate| candidate.bidder.customer_id == *bidder);
                (!waits).then_some(DepositDecision::Return)
            }
            Deposits::Defaulted(defaulter) => (defaulter == bidder).then_some(DepositDecision::Forfeit),
            Deposits::Paid { buyer, credit } if buyer == bidder && credit > Amount::ZERO => {
                Some(DepositDecision::Credit)
            }
            Deposits::Paid { .. } | Deposits::Over => Some(DepositDecision::Return),
        }
    }
}
