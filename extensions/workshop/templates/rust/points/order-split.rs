//! Goods of one storage class travel in parcels of their own: which class, is what the binding sets.
//! An order without any is nobody's here to split.

use mortise_extension::order_split::{Item, Order, Plan};
use mortise_extension::{Answer, OrderSplit, export};

#[derive(serde::Deserialize)]
struct Config {
    /// A value of the attribute `storage`.
    storage: String,
}

struct Extension;

impl OrderSplit for Extension {
    type Config = Config;

    fn split(config: &Config, order: &Order) -> Answer<Option<Plan>> {
        let apart = |item: &Item| item.attribute("storage") == Some(&config.storage);
        if !order.items.iter().any(apart) {
            return Ok(None);
        }
        let reason = format!("{} travels apart", config.storage);
        Ok(Some(Plan { parcels: order.parcels_by(apart), reason }))
    }
}

export!(Extension: OrderSplit);
