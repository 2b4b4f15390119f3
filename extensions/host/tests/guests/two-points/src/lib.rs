//! One extension at two points: a round price for one item, and three for the price of two in a department.

use mortise_extension::{Answer, Discount, Price, UnitPrice, discount, export, unit_price};

#[derive(serde::Deserialize)]
struct RoundPrice {
    #[serde(default)]
    sku: String,
}

#[derive(serde::Deserialize)]
struct Multibuy {
    department: String,
}

struct TwoPoints;

impl UnitPrice for TwoPoints {
    type Config = RoundPrice;

    fn offer_prices(config: &RoundPrice, order: &unit_price::Order) -> Answer<Vec<unit_price::Offer>> {
        let round = Price { amount: 100, per: 1 };
        let meant = order.lines.iter().filter(|line| line.sku == config.sku);
        Ok(meant.map(|line| line.offer(round, "a round price")).collect())
    }
}

impl Discount for TwoPoints {
    type Config = Multibuy;

    fn propose(config: &Multibuy, order: &discount::Order) -> Answer<Vec<discount::Candidate>> {
        let meant =
            order.lines.iter().filter(|line| line.attribute("department") == Some(&config.department));
        let candidates = meant.filter(|line| line.quantity >= 3).map(|line| {
            let free = line.quantity / 3;
            let reason = format!("{} free in {} for {}", free, config.department, who(order));
            line.amount_off("items", line.line_amount * free / line.quantity, reason)
        });
        Ok(candidates.collect())
    }
}

fn who(order: &discount::Order) -> String {
    let coupons = order.coupons.join("+");
    let customer = order.customer_id.as_deref().unwrap_or("a guest");
    format!("{customer} with {coupons}, delivery {}", order.delivery_amount)
}

export!(TwoPoints: UnitPrice, Discount);
