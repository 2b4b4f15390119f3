//! How likely it is that a customer does not pay at the door: a score of 0 to 100 out of facts, each with its reason. The
//! weights are the shop's; a score that others propose may only be compared with this one, never read from a table here.

use std::collections::BTreeSet;

use mortise_points::payment_risk::{Highest, MAX_SCORE, Recent};
use mortise_types::{Address, Amount, Currency, OrderId, Timestamp};

use crate::contract::{RiskReason, RiskReasonCode};
use crate::policy::RiskPolicy;
use crate::store::{History, Placed};

/// What is known of an order that is to be paid at the door.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) amount: Amount,
    pub(crate) ship_to: &'a Address,
    pub(crate) history: History,
}

/// The score, and what it is made of, the heaviest first.
pub(crate) fn assess(facts: &Facts<'_>, policy: &RiskPolicy) -> (i64, Vec<RiskReason>) {
    let mut reasons = Vec::new();
    let mut add = |code, points: i64| {
        if points != 0 {
            reasons.push(RiskReason { code, points, extension: None, detail: None });
        }
    };
    if policy.amount_limit.is_some_and(|limit| facts.amount > limit) {
        add(RiskReasonCode::OverLimit, MAX_SCORE);
    }
    let History { collected, refused } = facts.history;
    add(RiskReasonCode::RefusedBefore, refused.saturating_mul(policy.points_per_refusal.into()));
    if collected == 0 && refused == 0 {
        add(RiskReasonCode::Newcomer, policy.points_newcomer.into());
    }
    if is_incomplete(facts.ship_to) {
        add(RiskReasonCode::IncompleteAddress, policy.points_incomplete_address.into());
    }
    if !policy.countries.is_empty() && !policy.countries.contains(&facts.ship_to.country) {
        add(RiskReasonCode::Country, MAX_SCORE);
    }
    add(RiskReasonCode::PaidBefore, -collected.saturating_mul(policy.relief_per_collection.into()));
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.points));
    // What the shop does not do at all is not made good by having paid before.
    let never =
        |reason: &RiskReason| matches!(reason.code, RiskReasonCode::OverLimit | RiskReasonCode::Country);
    let sum = reasons.iter().fold(0_i64, |sum, reason| sum.saturating_add(reason.points));
    let score = if reasons.iter().any(never) { MAX_SCORE } else { sum.clamp(0, MAX_SCORE) };
    (score, reasons)
}

/// What an extension says joins the shop's own score: the higher of the two counts, so that it never looks safer.
pub(crate) fn with_highest(
    score: i64,
    mut reasons: Vec<RiskReason>,
    highest: Option<Highest>,
) -> (i64, Vec<RiskReason>) {
    let Some(Highest { score: points, reason, extension }) = highest else { return (score, reasons) };
    let extension = Some(extension.as_str().to_owned());
    reasons.push(RiskReason { code: RiskReasonCode::Extension, points, extension, detail: Some(reason) });
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.points));
    (score.max(points), reasons)
}

/// What was ordered behind a moment. Several payments of an order are one order; amounts of other currencies don't count,
/// and a sum that no order comes to ends at the largest figure.
pub(crate) fn ordered(placed: &[Placed], currency: Currency, since: Timestamp) -> Recent {
    let within = || placed.iter().filter(|payment| payment.at > since);
    let orders: BTreeSet<&OrderId> = within().map(|payment| &payment.order_id).collect();
    let amounts = within().filter(|payment| payment.currency == currency).map(|payment| payment.amount);
    Recent {
        orders: i64::try_from(orders.len()).unwrap_or(i64::MAX),
        amount: Amount::sum(amounts).unwrap_or(Amount(i64::MAX)),
    }
}

/// Whether a carrier would look for the door: no house number in any line, or no city.
fn is_incomplete(address: &Address) -> bool {
    let has_number = address.street.iter().any(|line| line.chars().any(|letter| letter.is_numeric()));
    !has_number || address.city.trim().is_empty()
}
