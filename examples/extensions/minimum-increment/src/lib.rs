//! Bids are further apart than an auction's own steps: by how much, in which band of prices, is what the binding sets. The
//! first bid is the auction's affair; a leader who raises the own maximum raises it by a step, too.

use mortise_extension::bid_check::{Bid, Objection};
use mortise_extension::{Answer, BidCheck, export};

#[derive(serde::Deserialize)]
struct Config {
    /// From the lowest up.
    steps: Vec<Band>,
}

/// Amounts in minor units.
#[derive(serde::Deserialize)]
struct Band {
    from: i64,
    step: i64,
}

struct MinimumIncrement;

impl BidCheck for MinimumIncrement {
    type Config = Config;

    fn check(config: &Config, bid: &Bid) -> Answer<Option<Objection>> {
        let Some(beaten) = bid.own_maximum.or(bid.price) else { return Ok(None) };
        let band = config.steps.iter().rev().find(|band| band.from <= beaten);
        let objection = band.and_then(|Band { from, step }| {
            let reason = format!("bids from {from} on are at least {step} apart");
            bid.at_least(beaten.saturating_add(*step), reason)
        });
        Ok(objection)
    }
}

export!(MinimumIncrement: BidCheck);
