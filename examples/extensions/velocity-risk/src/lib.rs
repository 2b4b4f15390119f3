//! Orders that follow each other too fast, or add up to too much within a day, are a risk at the door: who tries stolen
//! names tries several. What is too fast and too much is what the binding sets.

use mortise_extension::payment_risk::{Assessment, Order};
use mortise_extension::{Answer, PaymentRisk, export};

#[derive(serde::Deserialize)]
struct Config {
    #[serde(default = "three")]
    orders_an_hour: i64,
    /// In minor units of the order's currency.
    amount_a_day: Option<i64>,
    #[serde(default = "eighty")]
    score: i64,
}

fn three() -> i64 {
    3
}

fn eighty() -> i64 {
    80
}

struct VelocityRisk;

impl PaymentRisk for VelocityRisk {
    type Config = Config;

    fn assess(config: &Config, order: &Order) -> Answer<Assessment> {
        let orders = order.last_hour.orders.saturating_add(1);
        let amount = order.last_day.amount.saturating_add(order.amount);
        if orders > config.orders_an_hour {
            let usual = config.orders_an_hour;
            return Ok(
                order.score(config.score, format!("orders within an hour: {orders}, {usual} are usual"))
            );
        }
        match config.amount_a_day {
            Some(most) if amount > most => {
                Ok(order.score(config.score, format!("ordered within a day: {amount}, {most} is usual")))
            }
            _ => Ok(order.score(0, format!("orders within an hour: {orders}"))),
        }
    }
}

export!(VelocityRisk: PaymentRisk);
