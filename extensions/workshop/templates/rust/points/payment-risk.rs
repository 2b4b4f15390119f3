//! A score for whoever orders more often within an hour than is usual: how often that is, and the score, is what the
//! binding sets. It never lowers the shop's own score.

use mortise_extension::payment_risk::{Assessment, Order};
use mortise_extension::{Answer, PaymentRisk, export};

#[derive(serde::Deserialize)]
struct Config {
    orders_an_hour: i64,
    score: i64,
}

struct Extension;

impl PaymentRisk for Extension {
    type Config = Config;

    fn assess(config: &Config, order: &Order) -> Answer<Assessment> {
        let orders = order.last_hour.orders + 1;
        if orders <= config.orders_an_hour {
            return Ok(order.score(0, format!("order {orders} within an hour")));
        }
        let reason = format!("order {orders} within an hour, {} are usual", config.orders_an_hour);
        Ok(order.score(config.score, reason))
    }
}

export!(Extension: PaymentRisk);
