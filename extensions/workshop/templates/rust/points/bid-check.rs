//! A bid is higher than the price by a least step, which the binding sets. A first bid, and a leader's own, are free.
//! It says nothing against what the auction's rules refuse anyway.

use mortise_extension::bid_check::{Bid, Objection};
use mortise_extension::{Answer, BidCheck, export};

#[derive(serde::Deserialize)]
struct Config {
    /// Minor units.
    step: i64,
}

struct Extension;

impl BidCheck for Extension {
    type Config = Config;

    fn check(config: &Config, bid: &Bid) -> Answer<Option<Objection>> {
        match bid.price {
            Some(price) if !bid.leads() => {
                let reason = format!("a bid is at least {} above the price", config.step);
                Ok(bid.at_least(price + config.step, reason))
            }
            _ => Ok(None),
        }
    }
}

export!(Extension: BidCheck);
