//! A surcharge on the fee of the shop's table, for one region: which, and how much, is what the binding sets.
//! It names no fee where the table has none.

use mortise_extension::delivery_fee::{Delivery, Fee};
use mortise_extension::{Answer, DeliveryFee, export};

#[derive(serde::Deserialize)]
struct Config {
    country: String,
    postal_prefix: String,
    /// Minor units.
    surcharge: i64,
}

struct Extension;

impl DeliveryFee for Extension {
    type Config = Config;

    fn charge(config: &Config, delivery: &Delivery) -> Answer<Vec<Fee>> {
        if delivery.country != config.country || !delivery.postal_code.starts_with(&config.postal_prefix) {
            return Ok(vec![]);
        }
        let reason = format!("surcharge for {}..", config.postal_prefix);
        let fees = delivery.consignments.iter().filter_map(|consignment| {
            Some(consignment.fee(consignment.table_amount? + config.surcharge, reason.clone()))
        });
        Ok(fees.collect())
    }
}

export!(Extension: DeliveryFee);
