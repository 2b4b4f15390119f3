//! How likely it is that a customer does not pay at the door: a score of 0 to 100 out of facts, each with its reason. The
//! weights are the shop's; a score that others propose may only be compared with this one, never read from a table here.

use mortise_types::{Address, Amount};

use crate::contract::{RiskReason, RiskReasonCode};
use crate::policy::RiskPolicy;
use crate::store::History;

/// The highest score.
const SCORE_MAX: i64 = 100;

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
            reasons.push(RiskReason { code, points });
        }
    };
    if policy.amount_limit.is_some_and(|limit| facts.amount > limit) {
        add(RiskReasonCode::OverLimit, SCORE_MAX);
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
        add(RiskReasonCode::Country, SCORE_MAX);
    }
    add(RiskReasonCode::PaidBefore, -collected.saturating_mul(policy.relief_per_collection.into()));
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.points));
    // What the shop does not do at all is not made good by having paid before.
    let never =
        |reason: &RiskReason| matches!(reason.code, RiskReasonCode::OverLimit | RiskReasonCode::Country);
    let sum = reasons.iter().fold(0_i64, |sum, reason| sum.saturating_add(reason.points));
    let score = if reasons.iter().any(never) { SCORE_MAX } else { sum.clamp(0, SCORE_MAX) };
    (score, reasons)
}

/// Whether a carrier would look for the door: no house number in any line, or no city.
fn is_incomplete(address: &Address) -> bool {
    let has_number = address.street.iter().any(|line| line.chars().any(|letter| letter.is_numeric()));
    !has_number || address.city.trim().is_empty()
}
