//! The point `allocation` 1.0 for Rust: its trait, its plain types, and the bridge to the WIT world.
//! What the fields mean stands in the point's WIT file.

use crate::{Answer, attribute, read_config};

#[doc(hidden)]
pub mod world {
    wit_bindgen::generate!({
        path: "../../points/allocation/wit/1.0",
        world: "allocation",
        pub_export_macro: true,
        export_macro_name: "__export_allocation",
        default_bindings_module: "mortise_extension::allocation::world",
        additional_derives: [Clone, PartialEq],
    });
}

pub use world::exports::mortise::allocation::allocating::{
    Attribute, Destination, Line, Order, Proposal, Stock, Take,
};

/// Where an order's lines come from.
pub trait Allocation {
    /// What a binding may set; `serde_json::Value` if it is free.
    type Config: serde::de::DeserializeOwned;

    /// Where every unit of the order comes from; none: no opinion.
    ///
    /// # Errors
    /// Why there is no answer; the binding says whether the trade is then refused or goes on without it.
    fn allocate(config: &Self::Config, order: &Order) -> Answer<Option<Proposal>>;
}

impl Order {
    /// The stock that a line may come from, the location that the shop prefers first.
    pub fn stock_for<'a>(&'a self, line: &'a Line) -> impl Iterator<Item = &'a Stock> {
        self.stock.iter().filter(move |stock| stock.is_for(line))
    }

    /// Takes every line from the locations in the order that `preference` gives them, the lowest first; of equal ones, the
    /// one that the shop prefers. Lines that name their location are served first. None where the stock does not do.
    #[must_use]
    pub fn take_by<K: Ord>(
        &self,
        preference: impl Fn(&Line, &Stock) -> K,
        reason: impl Into<String>,
    ) -> Option<Proposal> {
        let mut left: Vec<i64> = self.stock.iter().map(|stock| stock.saleable).collect();
        let mut takes = Vec::new();
        let named = self.lines.iter().filter(|line| line.location.is_some());
        for line in named.chain(self.lines.iter().filter(|line| line.location.is_none())) {
            let mut offers: Vec<(usize, &Stock)> =
                self.stock.iter().enumerate().filter(|(_, stock)| stock.is_for(line)).collect();
            offers.sort_by_key(|(_, stock)| preference(line, stock));
            let mut wanted = line.quantity;
            for (at, stock) in offers {
                let quantity = wanted.min(left[at]);
                if quantity > 0 {
                    wanted -= quantity;
                    left[at] -= quantity;
                    let (line_id, location) = (line.line_id.clone(), stock.location.clone());
                    takes.push(Take { line_id, location, quantity });
                }
            }
            if wanted > 0 {
                return None;
            }
        }
        Some(Proposal { takes, reason: reason.into() })
    }
}

impl Stock {
    /// Whether a line may have these units.
    #[must_use]
    pub fn is_for(&self, line: &Line) -> bool {
        self.sku == line.sku
            && line.location.as_ref().map_or(!self.named_only, |named| *named == self.location)
    }
}

impl Line {
    /// A SKU attribute that the manifest asks for.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        attribute(self.attributes.iter().map(|a| (a.name.as_str(), a.value.as_str())), name)
    }
}

#[doc(hidden)]
pub struct Exported<T>(core::marker::PhantomData<T>);

impl<T: Allocation> world::exports::mortise::allocation::allocating::Guest for Exported<T> {
    fn allocate(config: String, order: Order) -> Answer<Option<Proposal>> {
        T::allocate(&read_config(&config)?, &order)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(lines: &[(&str, i64, Option<&str>)], stock: &[(&str, &str, i64)]) -> Order {
        let line = |(index, (sku, quantity, location)): (usize, &(&str, i64, Option<&str>))| Line {
            line_id: (index + 1).to_string(),
            sku: (*sku).to_owned(),
            quantity: *quantity,
            location: location.map(str::to_owned),
            attributes: vec![],
        };
        let stock = stock.iter().map(|(sku, location, saleable)| Stock {
            sku: (*sku).to_owned(),
            location: (*location).to_owned(),
            saleable: *saleable,
            abroad: false,
            priority: 0,
            named_only: false,
        });
        Order {
            ship_to: None,
            trade_time_ms: 0,
            lines: lines.iter().enumerate().map(line).collect(),
            stock: stock.collect(),
        }
    }

    #[test]
    fn lines_are_served_by_preference_and_named_ones_first() {
        let order =
            order(&[("tea", 2, None), ("tea", 2, Some("west"))], &[("tea", "east", 1), ("tea", "west", 3)]);
        let proposal = order.take_by(|_, stock| stock.location != "west", "west first").unwrap();
        let takes: Vec<_> = proposal.takes.iter().map(|t| (&*t.line_id, &*t.location, t.quantity)).collect();
        assert_eq!(takes, [("2", "west", 2), ("1", "west", 1), ("1", "east", 1)]);
    }

    #[test]
    fn too_little_stock_is_no_proposal() {
        let order = order(&[("tea", 5, None)], &[("tea", "east", 1), ("tea", "west", 3)]);
        assert_eq!(order.take_by(|_, _| 0, "any"), None);
    }
}
