//! Whether a coupon code opens its promotion for an order.

use mortise_types::Timestamp;

use super::promotion::Promotion;
use crate::contract::{CouponProblem, Fate, OpenedBy, Status};

/// A code as it is stored, and how often it was redeemed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CouponFacts {
    pub(crate) promotion: String,
    pub(crate) valid_from: Timestamp,
    pub(crate) valid_until: Timestamp,
    pub(crate) limits: super::CouponLimits,
    pub(crate) redeemed: i64,
    /// By the customer who asks; `None` where nobody is named.
    pub(crate) redeemed_by_customer: Option<i64>,
}

/// The promotion that a code opens.
///
/// # Errors
/// Why it opens none, and in words.
pub(crate) fn judge<'p>(
    coupon: Option<&CouponFacts>,
    promotions: &'p [Promotion],
    now: Timestamp,
) -> Result<&'p Promotion, (CouponProblem, &'static str)> {
    let coupon = coupon.ok_or((CouponProblem::Unknown, "there is no such code"))?;
    let opens = |promotion: &&Promotion| {
        promotion.id == coupon.promotion
            && promotion.opened_by == OpenedBy::Coupon
            && promotion.status == Status::Live
    };
    let promotion =
        promotions.iter().find(opens).ok_or((CouponProblem::Unknown, "the code opens no promotion here"))?;
    if now < coupon.valid_from || now < promotion.valid_from {
        return Err((CouponProblem::NotYet, "its period has not begun"));
    }
    if now >= coupon.valid_until || now >= promotion.valid_until {
        return Err((CouponProblem::Expired, "its period is over"));
    }
    if coupon.limits.redemptions.is_some_and(|most| coupon.redeemed >= most) {
        return Err((CouponProblem::Exhausted, "it was redeemed as often as it may be"));
    }
    let needs_customer = coupon.limits.per_customer.is_some()
        || promotion.limits.customer_amount.is_some()
        || promotion.limits.customer_count.is_some();
    match (coupon.redeemed_by_customer, coupon.limits.per_customer) {
        (None, _) if needs_customer => {
            Err((CouponProblem::CustomerUnknown, "it is limited for each customer"))
        }
        (Some(redeemed), Some(most)) if redeemed >= most => {
            Err((CouponProblem::ExhaustedForCustomer, "this customer has redeemed it as often as one may"))
        }
        _ => Ok(promotion),
    }
}

/// What a promotion's fate means for the code that opened it; `None` where it applies.
pub(crate) fn problem_of_fate(fate: Fate) -> Option<CouponProblem> {
    match fate {
        Fate::Applied => None,
        Fate::Closed | Fate::NotForThis | Fate::BelowMinimum => Some(CouponProblem::ConditionsNotMet),
        Fate::Outranked | Fate::Excluded => Some(CouponProblem::Excluded),
        Fate::OverBudget => Some(CouponProblem::Exhausted),
        Fate::NoEffect => Some(CouponProblem::NoEffect),
    }
}
