//! Every so many units of the same item one is free, in one department: which, and how many, is what the binding sets.
//! It does not mix items, and gives no other discount.

use mortise_extension::discount::{Candidate, Line, Order};
use mortise_extension::{Answer, Discount, export};

#[derive(serde::Deserialize)]
struct Config {
    department: String,
    /// 3 is "3 for 2".
    every: i64,
}

struct Extension;

impl Discount for Extension {
    type Config = Config;

    fn propose(config: &Config, order: &Order) -> Answer<Vec<Candidate>> {
        let on_offer = |line: &&Line| line.attribute("department") == Some(&config.department);
        Ok(order.lines.iter().filter(on_offer).filter_map(|line| multi_buy(config, line)).collect())
    }
}

fn multi_buy(config: &Config, line: &Line) -> Option<Candidate> {
    let free = line.quantity / config.every;
    let amount_off = free * line.unit_amount / line.unit_per;
    let reason = format!("{} for {} on {}", config.every, config.every - 1, config.department);
    (amount_off > 0).then(|| Candidate {
        stacking_group: Some("multibuy".to_owned()),
        ..line.amount_off("items", amount_off, reason)
    })
}

export!(Extension: Discount);
