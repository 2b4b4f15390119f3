//! Which entry's price holds for a line, what the line costs by it, and the words of the proof that say so. Pure: the
//! entries of the item are given, and so is what extensions offer.

use std::cmp::{Ordering, Reverse};

use mortise_points::unit_price::{Bounded, Won};
use mortise_types::{Adjustment, AdjustmentKind, Amount, ArithmeticError, Price, Quantity, Timestamp};

use crate::contract::Role;
use crate::policy::{Aspect, Bounds, Level, PricingPolicy, Winner};

/// An entry of the item that holds at the moment of the call, here. An empty text stands for any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) role: Role,
    pub(crate) price_list: String,
    pub(crate) line: String,
    pub(crate) location: String,
    pub(crate) customer_group: String,
    pub(crate) channel: String,
    pub(crate) min_quantity: Quantity,
    pub(crate) valid_from: Timestamp,
    pub(crate) priority: i64,
    pub(crate) price: Price,
}

/// What a line asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) quantity: Quantity,
    pub(crate) channel: &'a str,
    pub(crate) customer_group: &'a str,
}

/// The price that holds for a line, and how it came about.
#[derive(Debug, Clone)]
pub(crate) struct Decision<'c> {
    /// The entry for everybody, from which the winner is reckoned.
    pub(crate) base: &'c Candidate,
    /// The entry that won.
    pub(crate) winner: &'c Candidate,
    /// The floor and ceiling entries that hold for this line.
    pub(crate) floor: Option<&'c Candidate>,
    pub(crate) ceiling: Option<&'c Candidate>,
    /// The price that holds, bounded where the policy says so.
    pub(crate) price: Price,
    /// The list price over the quantity.
    pub(crate) list: Amount,
    /// What the line costs.
    pub(crate) amount: Amount,
    /// From `list` to `amount`; the first names the winner.
    pub(crate) adjustments: Vec<Adjustment>,
}

/// Decides a line; `None` where no entry holds.
pub(crate) fn decide<'c>(
    asked: Asked<'_>,
    candidates: &'c [Candidate],
    policy: &PricingPolicy,
    version: &str,
) -> Result<Option<Decision<'c>>, ArithmeticError> {
    let best = |role: Role, also: &dyn Fn(&Candidate) -> bool| {
        let holding = candidates.iter().filter(|c| c.role == role && holds(c, asked) && also(c));
        holding.reduce(|a, b| if rank(b, a, policy) == Ordering::Less { b } else { a })
    };
    let Some(winner) = best(Role::Price, &|_| true) else { return Ok(None) };
    let base = best(Role::Price, &is_for_everybody).unwrap_or(winner);
    let mut decision = Decision {
        base,
        winner,
        floor: best(Role::Floor, &|_| true),
        ceiling: best(Role::Ceiling, &|_| true),
        price: winner.price,
        list: amount_of(base.price, asked.quantity, policy)?,
        amount: amount_of(winner.price, asked.quantity, policy)?,
        adjustments: Vec::with_capacity(2),
    };
    decision.adjustments.push(Adjustment {
        kind: AdjustmentKind::PriceList,
        source: winner.price_list.clone(),
        version: version.to_owned(),
        lane: None,
        amount: decision.amount.checked_sub(decision.list)?,
        reason: reason(base, winner),
    });
    if policy.bounds == Bounds::EveryPrice {
        hold(&mut decision, asked.quantity, policy, version)?;
    }
    Ok(Some(decision))
}

/// What a line costs at a price.
pub(crate) fn amount_of(
    price: Price,
    quantity: Quantity,
    policy: &PricingPolicy,
) -> Result<Amount, ArithmeticError> {
    match policy.level {
        Level::Line => price.extend(quantity, policy.rounding),
        Level::Unit => price.unit_amount(policy.rounding)?.checked_mul(quantity),
    }
}

/// Whether an entry holds for what is asked.
pub(crate) fn holds(candidate: &Candidate, asked: Asked<'_>) -> bool {
    let any_or = |text: &str, is: &str| text.is_empty() || text == is;
    candidate.min_quantity <= asked.quantity
        && any_or(&candidate.channel, asked.channel)
        && any_or(&candidate.customer_group, asked.customer_group)
}

fn is_for_everybody(candidate: &Candidate) -> bool {
    candidate.customer_group.is_empty() && candidate.min_quantity <= Quantity::ONE
}

/// `Less` where `a` comes before `b`.
pub(crate) fn rank(a: &Candidate, b: &Candidate, policy: &PricingPolicy) -> Ordering {
    let specific = || Reverse(specificity(a, policy)).cmp(&Reverse(specificity(b, policy)));
    let priority = || b.priority.cmp(&a.priority);
    let first = match policy.winner {
        Winner::MostSpecific => specific().then_with(priority),
        Winner::HighestPriority => priority().then_with(specific),
        Winner::LowestPrice => a.price.compare_value(b.price).then_with(specific).then_with(priority),
    };
    first
        .then_with(|| b.min_quantity.cmp(&a.min_quantity))
        .then_with(|| b.valid_from.cmp(&a.valid_from))
        .then_with(|| a.price_list.cmp(&b.price_list))
}

/// The aspects in which an entry is specific, as a number: the weightiest aspect is the highest digit.
fn specificity(candidate: &Candidate, policy: &PricingPolicy) -> u32 {
    let left_out = Aspect::DEFAULT.iter().filter(|aspect| !policy.specificity.contains(aspect));
    policy.specificity.iter().chain(left_out).fold(0, |digits, aspect| {
        let text = match aspect {
            Aspect::CustomerGroup => &candidate.customer_group,
            Aspect::Location => &candidate.location,
            Aspect::Channel => &candidate.channel,
            Aspect::Line => &candidate.line,
        };
        (digits << 1) | u32::from(!text.is_empty())
    })
}

/// Holds the winner itself between floor and ceiling; the floor is asked last, and holds where it is the higher.
fn hold(
    decision: &mut Decision<'_>,
    quantity: Quantity,
    policy: &PricingPolicy,
    version: &str,
) -> Result<(), ArithmeticError> {
    let bounds = [
        (decision.ceiling, Ordering::Greater, "lowered to the ceiling price"),
        (decision.floor, Ordering::Less, "raised to the floor price"),
    ];
    for (bound, beyond, words) in bounds {
        let Some(bound) = bound.filter(|bound| decision.price.compare_value(bound.price) == beyond) else {
            continue;
        };
        let amount = amount_of(bound.price, quantity, policy)?;
        decision.adjustments.push(Adjustment {
            kind: AdjustmentKind::PriceList,
            source: bound.price_list.clone(),
            version: version.to_owned(),
            lane: None,
            amount: amount.checked_sub(decision.amount)?,
            reason: format!("{words} {} of {}", bound.price, bound.price_list),
        });
        (decision.price, decision.amount) = (bound.price, amount);
    }
    Ok(())
}

/// Takes an extension's offer into the decision.
pub(crate) fn take_offer(
    decision: &mut Decision<'_>,
    won: &Won,
    quantity: Quantity,
    policy: &PricingPolicy,
) -> Result<(), ArithmeticError> {
    let amount = amount_of(won.price, quantity, policy)?;
    let (source, version) = won.extension.as_str().split_once('@').unwrap_or((won.extension.as_str(), ""));
    let held = match won.bounded {
        Bounded::AsOffered => "",
        Bounded::RaisedToFloor => " (raised to the floor price)",
        Bounded::LoweredToCeiling => " (lowered to the ceiling price)",
    };
    decision.adjustments.push(Adjustment {
        kind: AdjustmentKind::Extension,
        source: source.to_owned(),
        version: version.to_owned(),
        lane: None,
        amount: amount.checked_sub(decision.amount)?,
        reason: format!("{}{held}", won.reason),
    });
    (decision.price, decision.amount) = (won.price, amount);
    Ok(())
}

/// Why the winner won: `499 of vip: customer group gold, from 10 units; instead of 550 of shelf`.
fn reason(base: &Candidate, winner: &Candidate) -> String {
    let mut words = format!("{} of {}: {}", winner.price, winner.price_list, scope_words(winner));
    if !std::ptr::eq(base, winner) {
        words.push_str(&format!("; instead of {} of {}", base.price, base.price_list));
    }
    words
}

/// Where and for whom an entry holds, in words.
pub(crate) fn scope_words(candidate: &Candidate) -> String {
    let mut words = String::new();
    let mut add = |what: &str, text: &str| {
        if !text.is_empty() {
            if !words.is_empty() {
                words.push_str(", ");
            }
            words.push_str(what);
            words.push_str(text);
        }
    };
    add("customer group ", &candidate.customer_group);
    add("location ", &candidate.location);
    add("channel ", &candidate.channel);
    if candidate.min_quantity > Quantity::ONE {
        add("from ", &format!("{} units", candidate.min_quantity));
    }
    if words.is_empty() { "everywhere".to_owned() } else { words }
}

#[cfg(test)]
mod tests;
