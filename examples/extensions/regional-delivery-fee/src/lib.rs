//! Other delivery fees for regions, by postal code: on top of the shop's table, or in its place. Elsewhere the table holds.

use mortise_extension::delivery_fee::{Consignment, Delivery, Fee};
use mortise_extension::{Answer, DeliveryFee, export};

#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Add,
    Instead,
}

#[derive(serde::Deserialize)]
struct Region {
    name: String,
    country: String,
    from: String,
    to: String,
    /// Minor units.
    amount: i64,
    #[serde(default)]
    mode: Mode,
}

#[derive(serde::Deserialize)]
struct Config {
    regions: Vec<Region>,
}

struct RegionalDeliveryFee;

impl DeliveryFee for RegionalDeliveryFee {
    type Config = Config;

    fn charge(config: &Config, delivery: &Delivery) -> Answer<Vec<Fee>> {
        let Some(region) = config.regions.iter().find(|region| region.has(delivery)) else {
            return Ok(vec![]);
        };
        Ok(delivery.consignments.iter().filter_map(|one| region.fee(one)).collect())
    }
}

impl Region {
    fn has(&self, delivery: &Delivery) -> bool {
        let code = delivery.postal_code.as_str();
        self.country == delivery.country && (self.from.as_str()..=self.to.as_str()).contains(&code)
    }

    fn fee(&self, consignment: &Consignment) -> Option<Fee> {
        match self.mode {
            Mode::Add => {
                let amount = consignment.table_amount?.saturating_add(self.amount);
                Some(consignment.fee(amount, format!("surcharge for {}", self.name)))
            }
            Mode::Instead => Some(consignment.fee(self.amount, format!("fee for {}", self.name))),
        }
    }
}

export!(RegionalDeliveryFee: DeliveryFee);
