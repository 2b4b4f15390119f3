//! Limits over several orders: what is left of a budget, and whether a redemption still fits when it is booked.

use mortise_types::Amount;

use super::{Use, Used};
use crate::contract::ExhaustedWhat;

/// A promotion's budgets; `None` is without limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) amount: Option<Amount>,
    pub(crate) count: Option<i64>,
    pub(crate) customer_amount: Option<Amount>,
    pub(crate) customer_count: Option<i64>,
}

impl Limits {
    /// What one more order may get off, given what is used; `None` where no more orders may have it.
    pub(crate) fn left(&self, used: Used) -> Option<Amount> {
        let full = |limit: Option<i64>, count: i64| limit.is_some_and(|limit| count >= limit);
        if full(self.count, used.all.count) || full(self.customer_count, used.customer.count) {
            return None;
        }
        let left = |limit: Option<Amount>, amount: Amount| {
            limit.map_or(Amount(i64::MAX), |limit| Amount(limit.minor().saturating_sub(amount.minor())))
        };
        Some(left(self.amount, used.all.amount).min(left(self.customer_amount, used.customer.amount)))
    }
}

/// A coupon's limits; `None` is without limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CouponLimits {
    pub(crate) redemptions: Option<i64>,
    pub(crate) per_customer: Option<i64>,
}

/// Limits and what is used of them, for one redemption.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) limits: Limits,
    pub(crate) used: Used,
    pub(crate) coupon: CouponLimits,
    pub(crate) coupon_used: Used,
}

/// The limit that a redemption of `amount` would pass, if there is one.
pub(crate) fn exhausted(amount: Amount, standing: &Standing) -> Option<ExhaustedWhat> {
    let reached = |limit: Option<i64>, used: Use| limit.is_some_and(|limit| used.count >= limit);
    let passed = |limit: Option<Amount>, used: Use| {
        limit.is_some_and(|limit| {
            i128::from(used.amount.minor()) + i128::from(amount.minor()) > i128::from(limit.minor())
        })
    };
    let Standing { limits, used, coupon, coupon_used } = standing;
    if reached(coupon.redemptions, coupon_used.all) {
        return Some(ExhaustedWhat::Coupon);
    }
    if reached(coupon.per_customer, coupon_used.customer) {
        return Some(ExhaustedWhat::CouponForCustomer);
    }
    if reached(limits.count, used.all) || passed(limits.amount, used.all) {
        return Some(ExhaustedWhat::Promotion);
    }
    if reached(limits.customer_count, used.customer) || passed(limits.customer_amount, used.customer) {
        return Some(ExhaustedWhat::PromotionForCustomer);
    }
    None
}
