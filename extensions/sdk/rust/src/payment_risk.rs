//! The point `payment-risk` 1.0 for Rust: its trait, its plain types, and the bridge to the WIT world.
//! What the fields mean stands in the point's WIT file.

use crate::{Answer, read_config};

#[doc(hidden)]
pub mod world {
    wit_bindgen::generate!({
        path: "../../points/payment-risk/wit/1.0",
        world: "payment-risk",
        pub_export_macro: true,
        export_macro_name: "__export_payment_risk",
        default_bindings_module: "mortise_extension::payment_risk::world",
        additional_derives: [Clone, PartialEq],
    });
}

pub use world::exports::mortise::payment_risk::scoring::{Assessment, Order, Recent};

/// The risk of an order that is to be paid at the door.
pub trait PaymentRisk {
    /// What a binding may set; `serde_json::Value` if it is free.
    type Config: serde::de::DeserializeOwned;

    /// A score from 0 to 100. The shop's own score counts too: 0 leaves it as it is.
    ///
    /// # Errors
    /// Why there is no answer; the binding says whether the trade is then refused or goes on without it.
    fn assess(config: &Self::Config, order: &Order) -> Answer<Assessment>;
}

impl Order {
    /// A score of this order, with its reason; held within 0 to 100.
    #[must_use]
    pub fn score(&self, score: i64, reason: impl Into<String>) -> Assessment {
        Assessment { score: score.clamp(0, 100), reason: reason.into() }
    }
}

#[doc(hidden)]
pub struct Exported<T>(core::marker::PhantomData<T>);

impl<T: PaymentRisk> world::exports::mortise::payment_risk::scoring::Guest for Exported<T> {
    fn assess(config: String, order: Order) -> Answer<Assessment> {
        T::assess(&read_config(&config)?, &order)
    }
}
