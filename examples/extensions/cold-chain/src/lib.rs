//! Cold goods travel in a parcel of their own: what a location sends is at most two parcels, one that is cooled and one
//! that is not. An order without cold goods is nobody's here to split.

use mortise_extension::order_split::{Item, Order, Plan};
use mortise_extension::{Answer, OrderSplit, export};

#[derive(serde::Deserialize)]
struct Config {
    /// Values of the attribute `storage`.
    cold: Vec<String>,
}

struct ColdChain;

impl OrderSplit for ColdChain {
    type Config = Config;

    fn split(config: &Config, order: &Order) -> Answer<Option<Plan>> {
        let is_cold = |item: &Item| {
            item.attribute("storage").is_some_and(|storage| config.cold.iter().any(|cold| cold == storage))
        };
        let cold = order.items.iter().filter(|item| is_cold(item)).count();
        if cold == 0 {
            return Ok(None);
        }
        let reason = format!("{cold} of {} items need the cold chain", order.items.len());
        Ok(Some(Plan { parcels: order.parcels_by(is_cold), reason }))
    }
}

export!(ColdChain: OrderSplit);
