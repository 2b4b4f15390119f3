//! An extension that proposes the amounts of its config, each off all lines together, whatever they cost.

use mortise_extension::discount::{Candidate, Order};
use mortise_extension::{Answer, Discount, export};

#[derive(serde::Deserialize)]
struct Config {
    amounts: Vec<i64>,
}

struct Greedy;

impl Discount for Greedy {
    type Config = Config;

    fn propose(config: &Config, order: &Order) -> Answer<Vec<Candidate>> {
        let off = |amount: &i64| Candidate {
            lane: "items".to_owned(),
            stacking_group: None,
            lines: order.lines.iter().map(|line| line.line_id.clone()).collect(),
            amount_off: *amount,
            reason: "because".to_owned(),
        };
        Ok(config.amounts.iter().map(off).collect())
    }
}

export!(Greedy: Discount);
