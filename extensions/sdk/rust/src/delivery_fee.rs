//! The point `delivery-fee` 1.0 for Rust: its trait, its plain types, and the bridge to the WIT world.
//! What the fields mean stands in the point's WIT file.

use crate::{Answer, attribute, read_config};

#[doc(hidden)]
pub mod world {
    wit_bindgen::generate!({
        path: "../../points/delivery-fee/wit/1.0",
        world: "delivery-fee",
        pub_export_macro: true,
        export_macro_name: "__export_delivery_fee",
        default_bindings_module: "mortise_extension::delivery_fee::world",
        additional_derives: [Clone, PartialEq],
    });
}

pub use world::exports::mortise::delivery_fee::charging::{Attribute, Consignment, Delivery, Fee, Item};

/// What bringing an order costs.
pub trait DeliveryFee {
    /// What a binding may set; `serde_json::Value` if it is free.
    type Config: serde::de::DeserializeOwned;

    /// At most one fee a consignment; those without an opinion are left out.
    ///
    /// # Errors
    /// Why there is no answer; the binding says whether the trade is then refused or goes on without it.
    fn charge(config: &Self::Config, delivery: &Delivery) -> Answer<Vec<Fee>>;
}

impl Consignment {
    /// A fee for this consignment, with its reason.
    #[must_use]
    pub fn fee(&self, amount: i64, reason: impl Into<String>) -> Fee {
        Fee { fee_id: self.fee_id.clone(), amount, reason: reason.into() }
    }
}

impl Item {
    /// A SKU attribute that the manifest asks for.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        attribute(self.attributes.iter().map(|a| (a.name.as_str(), a.value.as_str())), name)
    }
}

#[doc(hidden)]
pub struct Exported<T>(core::marker::PhantomData<T>);

impl<T: DeliveryFee> world::exports::mortise::delivery_fee::charging::Guest for Exported<T> {
    fn charge(config: String, delivery: Delivery) -> Answer<Vec<Fee>> {
        T::charge(&read_config(&config)?, &delivery)
    }
}
