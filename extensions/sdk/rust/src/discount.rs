//! The point `discount` 1.1 for Rust: its trait, its plain types, and the bridge to the WIT world.
//! What the fields mean stands in the point's WIT file.

use crate::{Answer, Price, attribute, read_config};

#[doc(hidden)]
pub mod world {
    wit_bindgen::generate!({
        path: "../../points/discount/wit/1.1",
        world: "discount",
        pub_export_macro: true,
        export_macro_name: "__export_discount",
        default_bindings_module: "mortise_extension::discount::world",
        additional_derives: [Clone, PartialEq],
    });
}

pub use world::exports::mortise::discount::discounting::{Attribute, Candidate, Line, Order};

/// Candidate discounts for an order's lines.
pub trait Discount {
    /// What a binding may set; `serde_json::Value` if it is free.
    type Config: serde::de::DeserializeOwned;

    /// Every discount that the extension proposes; which of them count is the stacking policy's decision.
    ///
    /// # Errors
    /// Why there is no answer; the binding says whether the trade is then refused or goes on without it.
    fn propose(config: &Self::Config, order: &Order) -> Answer<Vec<Candidate>>;
}

impl Line {
    /// The quoted price.
    #[must_use]
    pub fn unit(&self) -> Price {
        Price { amount: self.unit_amount, per: self.unit_per }
    }

    /// Whether the quoted price is below the list price already.
    #[must_use]
    pub fn is_reduced(&self) -> bool {
        self.line_amount < self.list_amount
    }

    /// A SKU attribute that the manifest asks for.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        attribute(self.attributes.iter().map(|a| (a.name.as_str(), a.value.as_str())), name)
    }

    /// An amount off this line alone, in a lane, stacking with all.
    #[must_use]
    pub fn amount_off(&self, lane: &str, amount_off: i64, reason: impl Into<String>) -> Candidate {
        Candidate {
            lane: lane.to_owned(),
            stacking_group: None,
            lines: vec![self.line_id.clone()],
            amount_off,
            reason: reason.into(),
        }
    }
}

#[doc(hidden)]
pub struct Exported<T>(core::marker::PhantomData<T>);

impl<T: Discount> world::exports::mortise::discount::discounting::Guest for Exported<T> {
    fn propose(config: String, order: Order) -> Answer<Vec<Candidate>> {
        T::propose(&read_config(&config)?, &order)
    }
}
