//! The point `bid-check` 1.0 for Rust: its trait, its plain types, and the bridge to the WIT world.
//! What the fields mean stands in the point's WIT file.

use crate::{Answer, read_config};

#[doc(hidden)]
pub mod world {
    wit_bindgen::generate!({
        path: "../../points/bid-check/wit/1.0",
        world: "bid-check",
        pub_export_macro: true,
        export_macro_name: "__export_bid_check",
        default_bindings_module: "mortise_extension::bid_check::world",
        additional_derives: [Clone, PartialEq],
    });
}

pub use world::exports::mortise::bid_check::bidding::{Bid, Objection};

/// Whether something speaks against a bid.
pub trait BidCheck {
    /// What a binding may set; `serde_json::Value` if it is free.
    type Config: serde::de::DeserializeOwned;

    /// An objection, or `None`. The auction's own rules admit the bid already.
    ///
    /// # Errors
    /// Why there is no answer; the binding says whether the trade is then refused or goes on without it.
    fn check(config: &Self::Config, bid: &Bid) -> Answer<Option<Objection>>;
}

impl Bid {
    /// Whether the bidder leads, and raises the own maximum.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.own_maximum.is_some()
    }

    /// An objection that names the least that would be taken; none if so much is bid.
    #[must_use]
    pub fn at_least(&self, least: i64, reason: impl Into<String>) -> Option<Objection> {
        (self.maximum < least).then(|| Objection { at_least: Some(least), reason: reason.into() })
    }

    /// An objection whatever is bid.
    #[must_use]
    pub fn object(&self, reason: impl Into<String>) -> Objection {
        Objection { at_least: None, reason: reason.into() }
    }
}

#[doc(hidden)]
pub struct Exported<T>(core::marker::PhantomData<T>);

impl<T: BidCheck> world::exports::mortise::bid_check::bidding::Guest for Exported<T> {
    fn check(config: String, bid: Bid) -> Answer<Option<Objection>> {
        T::check(&read_config(&config)?, &bid)
    }
}
