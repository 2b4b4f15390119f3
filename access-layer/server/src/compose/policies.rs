//! The policies that can be chosen by name: what a document is held to before it is stored, and how a choice is shown.

use mortise_capability::{Policies, Policy, PolicyError, PolicyRow};
use mortise_types::{Currency, Scope};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a business line is by itself.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LinePolicy {
    /// The currency of amounts that nothing nearer says the currency of.
    pub(crate) currency: Currency,
}

impl Default for LinePolicy {
    fn default() -> Self {
        Self { currency: Currency::new("EUR").expect("a currency of ISO 4217") }
    }
}

impl Policy for LinePolicy {
    const NAME: &'static str = "line";
}

/// A policy as the command line handles it.
#[derive(Debug)]
pub(crate) struct Choices {
    /// Its name.
    pub(crate) name: &'static str,
    /// Whether a document is one of it.
    pub(crate) accepts: fn(&PolicyRow) -> Result<(), PolicyError>,
    /// What holds in a scope, with its version.
    pub(crate) holding: fn(&Policies, &Scope) -> (String, serde_json::Value),
}

impl Choices {
    const fn of<P: Policy>() -> Self {
        Self {
            name: P::NAME,
            accepts: |row| Policies::accepts::<P>(row).map(drop),
            holding: |policies, scope| {
                let chosen = policies.get::<P>(scope);
                (chosen.version.to_string(), serde_json::to_value(&chosen.policy).unwrap_or_default())
            },
        }
    }

    /// The policy of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Choices> {
        KNOWN.iter().find(|known| known.name == name)
    }
}

/// Every policy of every capability.
pub(crate) const KNOWN: &[Choices] = &[
    Choices::of::<mortise_delivery::DeliveryPolicy>(),
    Choices::of::<mortise_discount::DiscountPolicy>(),
    Choices::of::<mortise_inventory::InventoryPolicy>(),
    Choices::of::<LinePolicy>(),
    Choices::of::<mortise_payment::PaymentPolicy>(),
    Choices::of::<mortise_pricing::PricingPolicy>(),
    Choices::of::<mortise_purchase_limit::PurchaseLimitPolicy>(),
    Choices::of::<mortise_tax::TaxPolicy>(),
];
