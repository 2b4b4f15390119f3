//! An order comes from one location, if that has all of it: which, is what the binding sets.
//! It has no opinion on an order of which a line names its own location.

use mortise_extension::allocation::{Order, Proposal};
use mortise_extension::{Allocation, Answer, export};

#[derive(serde::Deserialize)]
struct Config {
    location: String,
}

struct Extension;

impl Allocation for Extension {
    type Config = Config;

    fn allocate(config: &Config, order: &Order) -> Answer<Option<Proposal>> {
        if order.lines.iter().any(|line| line.location.is_some()) {
            return Ok(None);
        }
        let reason = format!("{} has all of it", config.location);
        let proposal = order.take_by(|_, stock| stock.location != config.location, reason);
        Ok(proposal.filter(|proposal| proposal.takes.iter().all(|take| take.location == config.location)))
    }
}

export!(Extension: Allocation);
