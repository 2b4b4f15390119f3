//! A lower unit price for the customers of one group: by how much, and for whom, is what the binding sets.
//! It raises no price, and leaves alone what is already cheaper.

use mortise_extension::unit_price::{Offer, Order};
use mortise_extension::{Answer, UnitPrice, export, percent};

#[derive(serde::Deserialize)]
struct Config {
    customer_group: String,
    /// Off the list price, in basis points: 500 is 5%.
    rate_bp: i64,
}

struct Extension;

impl UnitPrice for Extension {
    type Config = Config;

    fn offer_prices(config: &Config, order: &Order) -> Answer<Vec<Offer>> {
        if order.customer_group.as_deref() != Some(&config.customer_group) {
            return Ok(vec![]);
        }
        let reason = format!("{} off for {}", percent(config.rate_bp), config.customer_group);
        let offers = order.lines.iter().filter_map(|line| {
            let loyal = line.list().less(config.rate_bp);
            loyal.is_below(line.current()).then(|| line.offer(loyal, reason.clone()))
        });
        Ok(offers.collect())
    }
}

export!(Extension: UnitPrice);
