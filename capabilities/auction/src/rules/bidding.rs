//! What a bid makes of an auction. An auction stands where the fold of its bids leads: [`Standing::take`] is that fold's step,
//! and the same for one bid, a batch, or all of them again.
//!
//! An English auction with proxy bids: the price is what the second highest maximum and one step come to, but not above the highest
//! maximum, not below what was bid outright, and not below the reserve price once a maximum has reached it.

use mortise_types::{Amount, CustomerId, Timestamp};

use super::terms::{Rules, seconds};
use crate::contract::{
    AMOUNT_MOST, AuctionClosed, AuctionNotOpen, AuctionState, BelowOwnMaximum, Bid, BidTooLow, BidUnclear,
};

/// A customer as a bidder of one auction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bidder {
    pub(crate) customer_id: CustomerId,
    /// The number under which the others see the bidder.
    pub(crate) paddle: i64,
}

/// Who leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leader {
    pub(crate) bidder: Bidder,
    pub(crate) maximum: Amount,
    /// The position of the bid by which the bidder came to lead, or raised the maximum.
    pub(crate) position: i64,
}

/// Where an auction stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The leader and the price; nobody has bid without them.
    pub(crate) lead: Option<(Leader, Amount)>,
    pub(crate) closes_at: Timestamp,
    pub(crate) extensions: i64,
    pub(crate) bids: i64,
    /// Of the latest entry of the timeline.
    pub(crate) position: i64,
}

/// A bid that is admissible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    /// What is bid outright.
    pub(crate) amount: Option<Amount>,
    /// Up to how much is bid.
    pub(crate) maximum: Amount,
}

/// Why a bid is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NotOpen(AuctionNotOpen),
    Closed(AuctionClosed),
    Unclear(BidUnclear),
    TooLow(BidTooLow),
    BelowOwnMaximum(BelowOwnMaximum),
}

/// What a bid did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stood {
    /// The bid's own.
    pub(crate) position: i64,
    pub(crate) price: Amount,
    pub(crate) leading: Bidder,
    /// Who led before, and does no more.
    pub(crate) outbid: Option<Bidder>,
    /// Where the closing time moved; the position of that entry is the one behind the bid's.
    pub(crate) extended: Option<Timestamp>,
}

impl Standing {
    /// Before the first bid.
    pub(crate) fn opened(rules: &Rules) -> Standing {
        Standing { lead: None, closes_at: rules.closes_at, extensions: 0, bids: 0, position: 1 }
    }

    pub(crate) fn price(&self) -> Option<Amount> {
        self.lead.as_ref().map(|(_, price)| *price)
    }

    pub(crate) fn leader(&self) -> Option<&Leader> {
        self.lead.as_ref().map(|(leader, _)| leader)
    }

    /// The least next bid of whoever does not lead.
    pub(crate) fn asking_price(&self, rules: &Rules) -> Amount {
        self.price().map_or(rules.starting_price, |price| rules.above(price))
    }

    /// Whether the lot would be sold as it stands.
    pub(crate) fn reserve_met(&self, rules: &Rules) -> bool {
        self.price().is_some_and(|price| rules.sells_at(price))
    }

    /// Whether a bid is admissible now. It has to be said already that its bidder is admitted and not the seller.
    pub(crate) fn judge(
        &self,
        rules: &Rules,
        state: AuctionState,
        customer: &CustomerId,
        bid: Bid,
        now: Timestamp,
    ) -> Result<Judged, Refusal> {
        if state != AuctionState::Open || now >= self.closes_at {
            return Err(Refusal::Closed(AuctionClosed { state, closes_at: self.closes_at }));
        }
        if now < rules.opens_at {
            return Err(Refusal::NotOpen(AuctionNotOpen { opens_at: rules.opens_at }));
        }
        let judged =
            clear(bid).map_err(|reason| Refusal::Unclear(BidUnclear { reason: reason.to_owned() }))?;
        if let Some(leader) = self.leader().filter(|leader| leader.bidder.customer_id == *customer) {
            let own_maximum = leader.maximum;
            return match judged.maximum > own_maximum {
                true => Ok(judged),
                false => Err(Refusal::BelowOwnMaximum(BelowOwnMaximum { own_maximum })),
            };
        }
        let asking_price = self.asking_price(rules);
        let bid = judged.amount.unwrap_or(judged.maximum);
        match bid >= asking_price {
            true => Ok(judged),
            false => Err(Refusal::TooLow(BidTooLow { asking_price, bid })),
        }
    }

    /// Takes a bid.
    pub(crate) fn take(&mut self, rules: &Rules, bidder: &Bidder, bid: Judged, at: Timestamp) -> Stood {
        self.position += 1;
        self.bids += 1;
        let position = self.position;
        let before = self.lead.take();
        let was = before.as_ref().map(|(leader, price)| (leader.bidder.clone(), *price));
        let (leader, price) = lead(rules, before, bidder, bid, position);
        let price = lifted(rules, leader.maximum, price);
        let outbid = was.as_ref().map(|(led, _)| led).filter(|led| **led != leader.bidder).cloned();
        let moved = was.is_none_or(|(led, paid)| led != leader.bidder || paid != price);
        let leading = leader.bidder.clone();
        self.lead = Some((leader, price));
        let extended = if moved { self.extend(rules, at) } else { None };
        Stood { position, price, leading, outbid, extended }
    }

    /// A late bid that others have to answer moves the closing time.
    fn extend(&mut self, rules: &Rules, at: Timestamp) -> Option<Timestamp> {
        let extension = rules.extension.filter(|extension| self.extensions < extension.most)?;
        if self.closes_at.since(at) > seconds(extension.within_s) {
            return None;
        }
        self.closes_at = self.closes_at.saturating_add(seconds(extension.by_s));
        self.extensions += 1;
        self.position += 1;
        Some(self.closes_at)
    }
}

/// What a bid says, if it says something that can be meant.
fn clear(bid: Bid) -> Result<Judged, &'static str> {
    let maximum = bid.maximum.or(bid.amount).ok_or("it has neither an amount nor a maximum")?;
    match bid.amount {
        Some(amount) if amount > maximum => Err("its amount is above its maximum"),
        Some(amount) if amount < Amount(1) => Err("its amount is below 1"),
        _ if maximum < Amount(1) => Err("its maximum is below 1"),
        _ if maximum > Amount(AMOUNT_MOST) => Err("it is above what any auction takes"),
        amount => Ok(Judged { amount, maximum }),
    }
}

/// Who leads behind a bid, and at which price, before the reserve price is looked at.
fn lead(
    rules: &Rules,
    before: Option<(Leader, Amount)>,
    bidder: &Bidder,
    bid: Judged,
    position: i64,
) -> (Leader, Amount) {
    let new = Leader { bidder: bidder.clone(), maximum: bid.maximum, position };
    let Some((leader, price)) = before else {
        return (new, rules.starting_price.max(bid.amount.unwrap_or(rules.starting_price)));
    };
    if leader.bidder == *bidder {
        // Nobody bids against himself: a leader who raises his maximum pays no more for it.
        let raised = bid.maximum > leader.maximum;
        return (if raised { new } else { leader }, price);
    }
    if bid.maximum > leader.maximum {
        let second = rules.above(leader.maximum).min(bid.maximum);
        return (new, second.max(bid.amount.unwrap_or(second)).max(price));
    }
    // Of two equal maxima the earlier leads, at that price.
    let second = rules.above(bid.maximum).min(leader.maximum);
    (leader, second.max(price))
}

/// A maximum that reaches the reserve price bids the reserve price.
fn lifted(rules: &Rules, maximum: Amount, price: Amount) -> Amount {
    match rules.reserve_price {
        Some(reserve) if maximum >= reserve => price.max(reserve),
        Some(_) | None => price,
    }
}
