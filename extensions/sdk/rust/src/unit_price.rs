//! The point `unit-price` 1.0 for Rust: its trait, its plain types, and the bridge to the WIT world.
//! What the fields mean stands in the point's WIT file.

use crate::{Answer, Price, attribute, read_config};

#[doc(hidden)]
pub mod world {
    wit_bindgen::generate!({
        path: "../../points/unit-price/wit/1.0",
        world: "unit-price",
        pub_export_macro: true,
        export_macro_name: "__export_unit_price",
        default_bindings_module: "mortise_extension::unit_price::world",
        additional_derives: [Clone, PartialEq],
    });
}

pub use world::exports::mortise::unit_price::pricing::{Attribute, Line, Offer, Order};

/// Other prices for an order's lines.
pub trait UnitPrice {
    /// What a binding may set; `serde_json::Value` if it is free.
    type Config: serde::de::DeserializeOwned;

    /// At most one offer a line; lines without an opinion are left out.
    ///
    /// # Errors
    /// Why there is no answer; the binding says whether the trade is then refused or goes on without it.
    fn offer_prices(config: &Self::Config, order: &Order) -> Answer<Vec<Offer>>;
}

impl Line {
    /// The price of the price list.
    #[must_use]
    pub fn list(&self) -> Price {
        Price { amount: self.list_amount, per: self.list_per }
    }

    /// The price that holds if nobody offers another.
    #[must_use]
    pub fn current(&self) -> Price {
        Price { amount: self.current_amount, per: self.current_per }
    }

    /// A SKU attribute that the manifest asks for.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        attribute(self.attributes.iter().map(|a| (a.name.as_str(), a.value.as_str())), name)
    }

    /// An offer for this line, with its reason.
    #[must_use]
    pub fn offer(&self, price: Price, reason: impl Into<String>) -> Offer {
        Offer { line_id: self.line_id.clone(), amount: price.amount, per: price.per, reason: reason.into() }
    }
}

#[doc(hidden)]
pub struct Exported<T>(core::marker::PhantomData<T>);

impl<T: UnitPrice> world::exports::mortise::unit_price::pricing::Guest for Exported<T> {
    fn offer_prices(config: String, order: Order) -> Answer<Vec<Offer>> {
        T::offer_prices(&read_config(&config)?, &order)
    }
}
