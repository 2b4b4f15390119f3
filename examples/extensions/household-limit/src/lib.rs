//! So many units of each of a flyer's offers a household: over all lines of the basket, and with what was bought already
//! where one of the shop's own limits counts it. It limits nothing that is not on the flyer.

use std::collections::BTreeMap;

use mortise_extension::purchase_limit::{Basket, Line, Objection};
use mortise_extension::{Answer, PurchaseLimit, export};

#[derive(serde::Deserialize)]
struct Config {
    /// Units of one item.
    most: i64,
    /// The name of the shop's limits that count for this, less the item.
    rule_prefix: Option<String>,
}

struct HouseholdLimit;

impl PurchaseLimit for HouseholdLimit {
    type Config = Config;

    fn object(config: &Config, basket: &Basket) -> Answer<Vec<Objection>> {
        let mut items: BTreeMap<&str, (i64, &Line)> = BTreeMap::new();
        for line in basket.lines.iter().filter(|line| line.attribute("flyer") == Some("yes")) {
            let (units, _) = items.entry(&line.sku).or_insert((0, line));
            *units = units.saturating_add(line.quantity);
        }
        let over = items.into_iter().filter_map(|(sku, (units, first))| {
            let used = bought(config, basket, sku);
            (units.saturating_add(used) > config.most).then(|| first.objection(reason(config.most, used)))
        });
        Ok(over.collect())
    }
}

fn bought(config: &Config, basket: &Basket, sku: &str) -> i64 {
    let rule = config.rule_prefix.as_ref().map(|prefix| format!("{prefix}{sku}"));
    rule.and_then(|rule| basket.tally(&rule)).map_or(0, |tally| tally.used)
}

fn reason(most: i64, used: i64) -> String {
    match used {
        0 => format!("at most {most} a household"),
        _ => format!("at most {most} a household, {used} bought already"),
    }
}

export!(HouseholdLimit: PurchaseLimit);
