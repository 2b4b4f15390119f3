//! The point `refund-check` 1.0 for Rust: its trait, its plain types, and the bridge to the WIT world.
//! What the fields mean stands in the point's WIT file.

use crate::{Answer, read_config};

#[doc(hidden)]
pub mod world {
    wit_bindgen::generate!({
        path: "../../points/refund-check/wit/1.0",
        world: "refund-check",
        pub_export_macro: true,
        export_macro_name: "__export_refund_check",
        default_bindings_module: "mortise_extension::refund_check::world",
        additional_derives: [Clone, PartialEq],
    });
}

pub use world::exports::mortise::refund_check::returning::{Asked, Cap, Line, Refusal, Ruling};

/// What may come back of an order, and for how much.
pub trait RefundCheck {
    /// What a binding may set; `serde_json::Value` if it is free.
    type Config: serde::de::DeserializeOwned;

    /// Refusals and caps; lines without an opinion are left out.
    ///
    /// # Errors
    /// Why there is no answer; the binding says whether the trade is then refused or goes on without it.
    fn rule(config: &Self::Config, asked: &Asked) -> Answer<Ruling>;
}

impl Asked {
    /// Whole days since it was delivered, or placed where that is not known.
    #[must_use]
    pub fn days(&self) -> i64 {
        (self.trade_time_ms - self.returnable_from_ms) / (24 * 60 * 60 * 1_000)
    }
}

impl Line {
    /// This line may not come back.
    #[must_use]
    pub fn refuse(&self, reason: impl Into<String>) -> Refusal {
        Refusal { line_id: self.line_id.clone(), reason: reason.into() }
    }

    /// No more than so much is owed for this line; held within 0 and what was paid.
    #[must_use]
    pub fn at_most(&self, at_most: i64, reason: impl Into<String>) -> Cap {
        let at_most = at_most.clamp(0, self.paid.max(0));
        Cap { line_id: self.line_id.clone(), at_most, reason: reason.into() }
    }
}

#[doc(hidden)]
pub struct Exported<T>(core::marker::PhantomData<T>);

impl<T: RefundCheck> world::exports::mortise::refund_check::returning::Guest for Exported<T> {
    fn rule(config: String, asked: Asked) -> Answer<Ruling> {
        T::rule(&read_config(&config)?, &asked)
    }
}
