//! The point `purchase-limit` 1.0 for Rust: its trait, its plain types, and the bridge to the WIT world.
//! What the fields mean stands in the point's WIT file.

use crate::{Answer, attribute, read_config};

#[doc(hidden)]
pub mod world {
    wit_bindgen::generate!({
        path: "../../points/purchase-limit/wit/1.0",
        world: "purchase-limit",
        pub_export_macro: true,
        export_macro_name: "__export_purchase_limit",
        default_bindings_module: "mortise_extension::purchase_limit::world",
        additional_derives: [Clone, PartialEq],
    });
}

pub use world::exports::mortise::purchase_limit::limiting::{Attribute, Basket, Line, Objection, Tally};

/// Whether a customer may buy a basket.
pub trait PurchaseLimit {
    /// What a binding may set; `serde_json::Value` if it is free.
    type Config: serde::de::DeserializeOwned;

    /// Every objection; none: the customer may buy this.
    ///
    /// # Errors
    /// Why there is no answer; the binding says whether the trade is then refused or goes on without it.
    fn object(config: &Self::Config, basket: &Basket) -> Answer<Vec<Objection>>;
}

impl Basket {
    /// What one of the shop's own limits has counted for the customer.
    #[must_use]
    pub fn tally(&self, rule: &str) -> Option<&Tally> {
        self.tallies.iter().find(|tally| tally.rule == rule)
    }

    /// An objection to the whole basket.
    #[must_use]
    pub fn objection(&self, reason: impl Into<String>) -> Objection {
        Objection { line_id: None, reason: reason.into() }
    }
}

impl Line {
    /// A SKU attribute that the manifest asks for.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        attribute(self.attributes.iter().map(|a| (a.name.as_str(), a.value.as_str())), name)
    }

    /// An objection to this line.
    #[must_use]
    pub fn objection(&self, reason: impl Into<String>) -> Objection {
        Objection { line_id: Some(self.line_id.clone()), reason: reason.into() }
    }
}

#[doc(hidden)]
pub struct Exported<T>(core::marker::PhantomData<T>);

impl<T: PurchaseLimit> world::exports::mortise::purchase_limit::limiting::Guest for Exported<T> {
    fn object(config: String, basket: Basket) -> Answer<Vec<Objection>> {
        T::object(&read_config(&config)?, &basket)
    }
}
