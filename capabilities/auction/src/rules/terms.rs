//! The terms of an auction with the shop's choices filled in, and whether they hold together.

use mortise_types::{Amount, AuctionId, Currency, Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::contract::{EXTENSIONS_MOST, Extension, Increment, Lot, NextPrice, OpenInput, TermsRefused};
use crate::policy::AuctionPolicy;

/// Ids of orders and their parts are made from an auction's id, and an id has at most 128 characters.
const AUCTION_ID_MOST_CHARS: usize = 100;
/// Beyond closing and payment windows: how long deciding the last deposit may take.
const SLACK: Span = Span::days(7);

/// Everything that an auction is decided by. Stored with it, and never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rules {
    pub(crate) lot: Lot,
    pub(crate) currency: Currency,
    pub(crate) starting_price: Amount,
    pub(crate) reserve_price: Option<Amount>,
    pub(crate) opens_at: Timestamp,
    /// Before any bid moved it.
    pub(crate) closes_at: Timestamp,
    pub(crate) deposit: Amount,
    pub(crate) increments: Vec<Increment>,
    pub(crate) extension: Option<Extension>,
    pub(crate) payment_window_s: i64,
    pub(crate) offers_most: i64,
    pub(crate) next_price: NextPrice,
    pub(crate) policy_version: String,
}

impl Rules {
    /// The terms of an auction that opens now.
    pub(crate) fn of(
        input: OpenInput,
        policy: &AuctionPolicy,
        policy_version: &str,
        now: Timestamp,
    ) -> Result<Rules, TermsRefused> {
        let OpenInput { auction_id, lot, currency, terms } = input;
        let opens_at = terms.opens_at.unwrap_or(now).max(now);
        let closes_at = match (terms.closes_at, terms.lasts_s) {
            (Some(closes_at), None) => closes_at,
            (None, Some(lasts_s)) => opens_at.saturating_add(seconds(lasts_s)),
            _ => return refuse("closes_at", "say either when it closes or how long it lasts"),
        };
        let rules = Rules {
            lot,
            currency,
            starting_price: terms.starting_price,
            reserve_price: terms.reserve_price,
            opens_at,
            closes_at,
            deposit: terms.deposit.unwrap_or(policy.deposit),
            increments: terms.increments.unwrap_or_else(|| policy.increments.clone()),
            extension: terms.extension.or(policy.extension),
            payment_window_s: terms.payment_window_s.unwrap_or(policy.payment_window_s),
            offers_most: terms.offers_most.unwrap_or(policy.offers_most),
            next_price: terms.next_price.unwrap_or(policy.next_price),
            policy_version: policy_version.to_owned(),
        };
        rules.check(&auction_id).map(|()| rules)
    }

    fn check(&self, auction_id: &AuctionId) -> Result<(), TermsRefused> {
        if auction_id.as_str().chars().count() > AUCTION_ID_MOST_CHARS {
            return refuse("auction_id", "it has more than 100 characters, and its orders are named by it");
        }
        if self.closes_at <= self.opens_at {
            return refuse("closes_at", "the auction would close before it opens");
        }
        if self.reserve_price.is_some_and(|reserve| reserve < self.starting_price) {
            return refuse(
                "reserve_price",
                "it is below the starting price, and would never decide anything",
            );
        }
        if self.increments.first().is_none_or(|first| first.from > self.starting_price) {
            return refuse("increments", "there is no step at the starting price: begin with `from: 0`");
        }
        let rises = |pair: &[Increment]| pair[0].from < pair[1].from && pair[0].step <= pair[1].step;
        if !self.increments.windows(2).all(rises) {
            return refuse("increments", "prices must rise from band to band, and steps must not shrink");
        }
        if self.increments.iter().any(|band| band.step < Amount(1)) {
            return refuse("increments", "a step is at least 1");
        }
        match self.extension {
            Some(Extension { within_s, by_s, .. }) if by_s < within_s => {
                refuse("extension", "`by_s` is shorter than `within_s`: one rush of bids would use it up")
            }
            Some(Extension { within_s, most, .. })
                if within_s < 1 || !(1..=EXTENSIONS_MOST).contains(&most) =>
            {
                refuse("extension", "`within_s` is at least 1, and `most` from 1 to 500")
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The step above a price.
    pub(crate) fn step(&self, price: Amount) -> Amount {
        let band = self.increments.iter().rev().find(|band| band.from <= price);
        band.or(self.increments.first()).map_or(Amount(1), |band| band.step)
    }

    /// The least bid above a price.
    pub(crate) fn above(&self, price: Amount) -> Amount {
        Amount(price.minor().saturating_add(self.step(price).minor()))
    }

    /// Whether a lot is sold at a price.
    pub(crate) fn sells_at(&self, price: Amount) -> bool {
        self.reserve_price.is_none_or(|reserve| price >= reserve)
    }

    /// Until when a bidder whose turn comes now has to pay.
    pub(crate) fn pay_by(&self, now: Timestamp) -> Timestamp {
        now.saturating_add(seconds(self.payment_window_s))
    }

    /// By when all deposits are decided, whatever bidders do.
    pub(crate) fn decided_by(&self) -> Timestamp {
        let moved = self.extension.map_or(0, |extension| extension.by_s.saturating_mul(extension.most));
        let paying = self.payment_window_s.saturating_mul(self.offers_most);
        self.closes_at.saturating_add(seconds(moved.saturating_add(paying))).saturating_add(SLACK)
    }

    /// How much of a deposit counts towards a price. One that covers the whole price goes back instead, so that there is
    /// always something to be paid, and nothing is left over.
    pub(crate) fn credit(&self, deposited: Amount, price: Amount) -> Amount {
        if deposited < price { deposited } else { Amount::ZERO }
    }
}

fn refuse<T>(field: &str, reason: &str) -> Result<T, TermsRefused> {
    Err(TermsRefused { field: field.to_owned(), reason: reason.to_owned() })
}

/// So many seconds.
pub(crate) fn seconds(count: i64) -> Span {
    Span::from_millis(u64::try_from(count).unwrap_or(0).saturating_mul(1_000))
}
