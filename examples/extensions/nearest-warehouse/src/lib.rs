//! From the warehouse that is nearest to the customer: the nearest that has the whole order, so that it is one parcel, or
//! each unit from as near as possible. Where the customer lives is known by the postal code; nobody there, no opinion.

use std::collections::BTreeMap;

use mortise_extension::allocation::{Destination, Order, Proposal, Stock};
use mortise_extension::{Allocation, Answer, export};

/// A place, in ten-thousandths of a degree.
#[derive(Clone, Copy, serde::Deserialize)]
struct Place {
    lat_e4: i64,
    lon_e4: i64,
}

#[derive(serde::Deserialize)]
struct Zone {
    country: String,
    postal_prefix: String,
    #[serde(flatten)]
    place: Place,
}

#[derive(Default, PartialEq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Parcels {
    #[default]
    One,
    Nearest,
}

#[derive(serde::Deserialize)]
struct Config {
    locations: BTreeMap<String, Place>,
    zones: Vec<Zone>,
    #[serde(default)]
    parcels: Parcels,
}

struct NearestWarehouse;

impl Allocation for NearestWarehouse {
    type Config = Config;

    fn allocate(config: &Config, order: &Order) -> Answer<Option<Proposal>> {
        let Some((to, home)) = order.ship_to.as_ref().and_then(|to| Some((to, home(config, to)?))) else {
            return Ok(None);
        };
        let way = |stock: &Stock| {
            config.locations.get(&stock.location).map_or(i64::MAX, |place| distance(*place, home))
        };
        if config.parcels == Parcels::One {
            let mut locations: Vec<(i64, &str)> =
                order.stock.iter().map(|stock| (way(stock), stock.location.as_str())).collect();
            locations.sort_unstable();
            locations.dedup();
            let all_from = |location: &str| {
                let reason = format!("{location} is the nearest that has all of it");
                let proposal = order.take_by(|_, stock| stock.location != location, reason)?;
                proposal.takes.iter().all(|take| take.location == location).then_some(proposal)
            };
            if let Some(proposal) = locations.iter().find_map(|(_, location)| all_from(location)) {
                return Ok(Some(proposal));
            }
        }
        Ok(order.take_by(|_, stock| way(stock), format!("nearest to {}", to.postal_code)))
    }
}

/// Where the goods go: the zone with the longest prefix.
fn home(config: &Config, to: &Destination) -> Option<Place> {
    let zones = config.zones.iter();
    let fitting =
        zones.filter(|zone| zone.country == to.country && to.postal_code.starts_with(&zone.postal_prefix));
    fitting.max_by_key(|zone| zone.postal_prefix.len()).map(|zone| zone.place)
}

/// A measure by which places are ranked: the square of the way over a flat map, whose degrees of longitude are narrower
/// towards the poles.
fn distance(a: Place, b: Place) -> i64 {
    const COSINE_PER_MILLE: [i64; 10] = [1000, 985, 940, 866, 766, 643, 500, 342, 174, 0];
    let degrees = (a.lat_e4 + b.lat_e4).abs() / 2 / 10_000;
    let narrow = COSINE_PER_MILLE[usize::try_from(degrees / 10).unwrap_or(0).min(9)];
    let (north, east) = (a.lat_e4 - b.lat_e4, (a.lon_e4 - b.lon_e4) * narrow / 1000);
    north * north + east * east
}

export!(NearestWarehouse: Allocation);
