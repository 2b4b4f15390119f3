//! A rig with discount in it, and orders to evaluate.

use std::sync::Arc;

use mortise_capability::Policies;
use mortise_discount::capability;
use mortise_points::NoExtensions;
use mortise_testkit::Rig;

/// A rig without extensions.
pub(crate) async fn rig() -> Rig {
    Rig::new([capability(Arc::new(Policies::default()), Arc::new(NoExtensions)).unwrap()]).await
}

/// A quoted line.
pub(crate) fn line(number: usize, sku: &str, quantity: i64, amount: i64) -> String {
    format!(
        r#"{{"line_id":"{number}","sku":"{sku}","quantity":{quantity},"location":"367","list_price":{{"amount":{amount},"per":{quantity}}},"list":{amount},"adjustments":[],"taxes":[],"payable":{amount}}}"#
    )
}

/// An order of one line; `more` are further fields, with a comma before each.
pub(crate) fn order(amount: i64, more: &str) -> String {
    format!(r#"{{"currency":"EUR","lines":[{}]{more}}}"#, line(1, "jar", 2, amount))
}

/// What `redeem` is called with after an evaluation.
pub(crate) fn redeem(order: &str, customer: &str, promotion: &str, coupon: Option<&str>, amount: i64) -> String {
    let coupon = coupon.map_or_else(String::new, |coupon| format!(r#","coupon":"{coupon}""#));
    format!(
        r#"{{"order_id":"{order}","customer_id":"{customer}","redemptions":[{{"promotion":"{promotion}","version":1{coupon},"amount":{amount}}}]}}"#
    )
}
