//! An extension that allocates and splits by the units of its config: line, location, how many; each is a take, or a parcel.

use mortise_extension::{Allocation, Answer, OrderSplit, allocation, export, order_split};

#[derive(serde::Deserialize)]
struct Config {
    units: Vec<(String, String, i64)>,
}

struct Careless;

impl Allocation for Careless {
    type Config = Config;

    fn allocate(config: &Config, _: &allocation::Order) -> Answer<Option<allocation::Proposal>> {
        let take = |(line_id, location, quantity): &(String, String, i64)| allocation::Take {
            line_id: line_id.clone(),
            location: location.clone(),
            quantity: *quantity,
        };
        let takes = config.units.iter().map(take).collect();
        Ok(Some(allocation::Proposal { takes, reason: "because".to_owned() }))
    }
}

impl OrderSplit for Careless {
    type Config = Config;

    fn split(config: &Config, _: &order_split::Order) -> Answer<Option<order_split::Plan>> {
        let parcel = |(line_id, location, quantity): &(String, String, i64)| order_split::Parcel {
            location: location.clone(),
            parts: vec![order_split::Part { line_id: line_id.clone(), quantity: *quantity }],
        };
        let parcels = config.units.iter().map(parcel).collect();
        Ok(Some(order_split::Plan { parcels, reason: "because".to_owned() }))
    }
}

export!(Careless: Allocation, OrderSplit);
