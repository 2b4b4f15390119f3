//! Write a Mortise extension in Rust: implement a point's trait, name it in `export!`, build for `wasm32-wasip2`.
//! It knows plain values only; the WIT world of each point is beneath, and an extension never sees it.
//!
//! ```
//! use mortise_extension::unit_price::{Offer, Order};
//! use mortise_extension::{Answer, UnitPrice, export};
//!
//! #[derive(serde::Deserialize)]
//! struct Config {
//!     rate_bp: i64,
//! }
//!
//! struct HappyHour;
//!
//! impl UnitPrice for HappyHour {
//!     type Config = Config;
//!
//!     fn offer_prices(config: &Config, order: &Order) -> Answer<Vec<Offer>> {
//!         let offers = order.lines.iter().map(|line| line.offer(line.list().less(config.rate_bp), "happy hour"));
//!         Ok(offers.collect())
//!     }
//! }
//!
//! export!(HappyHour: UnitPrice);
//! # fn main() {}
//! ```

/// The point `allocation`: where an order's lines come from.
pub mod allocation;
/// The point `bid-check`: whether something speaks against a bid.
pub mod bid_check;
/// The point `delivery-fee`: what bringing an order costs.
pub mod delivery_fee;
/// The point `discount`: candidate discounts for an order's lines.
pub mod discount;
mod money;
/// The point `order-split`: what of an order travels together.
pub mod order_split;
/// The point `payment-risk`: how likely an order is not paid.
pub mod payment_risk;
/// The point `purchase-limit`: whether a customer may buy a basket.
pub mod purchase_limit;
/// The point `refund-check`: what may come back of an order, and for how much.
pub mod refund_check;
/// The point `request-mapping`: a flow's input, of what a front end sends.
pub mod request_mapping;
/// The point `unit-price`: other prices for an order's lines.
pub mod unit_price;

pub use allocation::Allocation;
pub use bid_check::BidCheck;
pub use delivery_fee::DeliveryFee;
pub use discount::Discount;
pub use money::{Price, percent, rate_of};
pub use order_split::OrderSplit;
pub use payment_risk::PaymentRisk;
pub use purchase_limit::PurchaseLimit;
pub use refund_check::RefundCheck;
pub use request_mapping::RequestMapping;
pub use unit_price::UnitPrice;

/// What an extension answers: its result, or why it has none (the binding's `on_failure` then decides).
pub type Answer<T> = Result<T, String>;

/// Makes the extension callable: `export!(LoyalPrice: UnitPrice)`. It names the type, and the points that it
/// implements; of several, with commas between them.
#[macro_export]
macro_rules! export {
    ($extension:ident : $($point:ident),+ $(,)?) => {
        $($crate::__export_point!($extension, $point);)+
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_point {
    ($extension:ident, Allocation) => {
        const _: () = {
            type Exported = $crate::allocation::Exported<$extension>;
            $crate::allocation::world::__export_allocation!(Exported with_types_in $crate::allocation::world);
        };
    };
    ($extension:ident, BidCheck) => {
        const _: () = {
            type Exported = $crate::bid_check::Exported<$extension>;
            $crate::bid_check::world::__export_bid_check!(Exported with_types_in $crate::bid_check::world);
        };
    };
    ($extension:ident, DeliveryFee) => {
        const _: () = {
            type Exported = $crate::delivery_fee::Exported<$extension>;
            $crate::delivery_fee::world::__export_delivery_fee!(Exported with_types_in $crate::delivery_fee::world);
        };
    };
    ($extension:ident, Discount) => {
        const _: () = {
            type Exported = $crate::discount::Exported<$extension>;
            $crate::discount::world::__export_discount!(Exported with_types_in $crate::discount::world);
        };
    };
    ($extension:ident, OrderSplit) => {
        const _: () = {
            type Exported = $crate::order_split::Exported<$extension>;
            $crate::order_split::world::__export_order_split!(Exported with_types_in $crate::order_split::world);
        };
    };
    ($extension:ident, PaymentRisk) => {
        const _: () = {
            type Exported = $crate::payment_risk::Exported<$extension>;
            $crate::payment_risk::world::__export_payment_risk!(Exported with_types_in $crate::payment_risk::world);
        };
    };
    ($extension:ident, PurchaseLimit) => {
        const _: () = {
            type Exported = $crate::purchase_limit::Exported<$extension>;
            $crate::purchase_limit::world::__export_purchase_limit!(Exported with_types_in $crate::purchase_limit::world);
        };
    };
    ($extension:ident, RefundCheck) => {
        const _: () = {
            type Exported = $crate::refund_check::Exported<$extension>;
            $crate::refund_check::world::__export_refund_check!(Exported with_types_in $crate::refund_check::world);
        };
    };
    ($extension:ident, RequestMapping) => {
        const _: () = {
            type Exported = $crate::request_mapping::Exported<$extension>;
            $crate::request_mapping::world::__export_request_mapping!(Exported with_types_in $crate::request_mapping::world);
        };
    };
    ($extension:ident, UnitPrice) => {
        const _: () = {
            type Exported = $crate::unit_price::Exported<$extension>;
            $crate::unit_price::world::__export_unit_price!(Exported with_types_in $crate::unit_price::world);
        };
    };
}

/// The binding's config as the extension's own type. An empty text is an empty object.
fn read_config<C: serde::de::DeserializeOwned>(config: &str) -> Answer<C> {
    let text = if config.is_empty() { "{}" } else { config };
    serde_json::from_str(text).map_err(|error| format!("config: {error}"))
}

fn attribute<'a>(mut pairs: impl Iterator<Item = (&'a str, &'a str)>, name: &str) -> Option<&'a str> {
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}
