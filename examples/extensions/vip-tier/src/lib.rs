//! Tiers of prices for groups of customers: a line of more units costs less, for gold customers sooner than for others. The
//! tiers are what the binding sets. It raises no price, and leaves alone what is already cheaper.

use mortise_extension::unit_price::{Line, Offer, Order};
use mortise_extension::{Answer, UnitPrice, export, percent};

#[derive(serde::Deserialize)]
struct Config {
    tiers: Vec<Tier>,
}

#[derive(serde::Deserialize)]
struct Tier {
    customer_group: String,
    #[serde(default = "one")]
    min_quantity: i64,
    /// Off the list price, in basis points: 500 is 5%.
    rate_bp: i64,
}

fn one() -> i64 {
    1
}

struct VipTier;

impl UnitPrice for VipTier {
    type Config = Config;

    fn offer_prices(config: &Config, order: &Order) -> Answer<Vec<Offer>> {
        let Some(group) = order.customer_group.as_deref() else { return Ok(vec![]) };
        let tiers: Vec<&Tier> = config.tiers.iter().filter(|tier| tier.customer_group == group).collect();
        Ok(order.lines.iter().filter_map(|line| offer(line, &tiers, group)).collect())
    }
}

fn offer(line: &Line, tiers: &[&Tier], group: &str) -> Option<Offer> {
    let fitting = tiers.iter().filter(|tier| tier.min_quantity <= line.quantity);
    let best = fitting.max_by_key(|tier| tier.rate_bp)?;
    let price = line.list().less(best.rate_bp);
    let reason = match best.min_quantity {
        ..=1 => format!("{} off for {group}", percent(best.rate_bp)),
        from => format!("{} off for {group} from {from} on", percent(best.rate_bp)),
    };
    price.is_below(line.current()).then(|| line.offer(price, reason))
}

export!(VipTier: UnitPrice);
