//! So many units of an item in a basket, in one department: which, and how many, is what the binding sets.
//! It counts the basket only; what was bought before is a limit of the shop's own.

use std::collections::HashMap;

use mortise_extension::purchase_limit::{Basket, Objection};
use mortise_extension::{Answer, PurchaseLimit, export};

#[derive(serde::Deserialize)]
struct Config {
    department: String,
    /// Units of one item.
    most: i64,
}

struct Extension;

impl PurchaseLimit for Extension {
    type Config = Config;

    fn object(config: &Config, basket: &Basket) -> Answer<Vec<Objection>> {
        let mut units: HashMap<&str, i64> = HashMap::new();
        let mut objections = Vec::new();
        for line in &basket.lines {
            if line.attribute("department") != Some(&config.department) {
                continue;
            }
            let before = units.get(line.sku.as_str()).copied().unwrap_or(0);
            units.insert(&line.sku, before + line.quantity);
            // Once an item: the line that goes beyond.
            if before <= config.most && before + line.quantity > config.most {
                let reason = format!("at most {} of an item of {}", config.most, config.department);
                objections.push(line.objection(reason));
            }
        }
        Ok(objections)
    }
}

export!(Extension: PurchaseLimit);
