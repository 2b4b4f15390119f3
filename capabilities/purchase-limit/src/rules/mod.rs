//! What a purchase limit is and when it is passed. It reads no database and no clock.

mod returns;
mod window;

use std::collections::{BTreeMap, HashMap};

use mortise_types::{ArithmeticError, BusinessLine, Quantity, RequestedLine, Sku, Timestamp};

use crate::contract::{Claim, LimitExceeded, Period, RuleRow};
pub(crate) use returns::give_back;
pub(crate) use window::{UtcOffset, resets_at, window_start};

/// What a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    All,
    Item(Sku),
    Group(String),
}

/// A limit for each customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) rule: String,
    pub(crate) target: Target,
    pub(crate) business_line: Option<BusinessLine>,
    pub(crate) period: Period,
    pub(crate) most: Quantity,
    pub(crate) valid_from: Option<Timestamp>,
    pub(crate) valid_until: Option<Timestamp>,
}

impl Rule {
    fn holds(&self, line: &BusinessLine, now: Timestamp) -> bool {
        self.business_line.as_ref().is_none_or(|only| only == line)
            && self.valid_from.is_none_or(|from| from <= now)
            && self.valid_until.is_none_or(|until| now < until)
    }

    /// The refusal of `wanted` units where `used` were bought, if it is one.
    pub(crate) fn refuses(
        &self,
        used: Quantity,
        wanted: Quantity,
        window_start: Timestamp,
        offset: UtcOffset,
    ) -> Result<Option<LimitExceeded>, ArithmeticError> {
        if used.checked_add(wanted)? <= self.most {
            return Ok(None);
        }
        let (sku, item_group) = match &self.target {
            Target::All => (None, None),
            Target::Item(sku) => (Some(sku.clone()), None),
            Target::Group(group) => (None, Some(group.clone())),
        };
        Ok(Some(LimitExceeded {
            rule: self.rule.clone(),
            sku,
            item_group,
            period: self.period,
            most: self.most,
            used,
            wanted,
            resets_at: resets_at(self.period, window_start, offset),
        }))
    }
}

/// A rule as it is imported, if it is clear what it is about.
pub(crate) fn target(row: &RuleRow) -> Result<Target, &'static str> {
    if row.rule.is_empty() {
        return Err("a rule needs an id");
    }
    if row.valid_from.zip(row.valid_until).is_some_and(|(from, until)| until <= from) {
        return Err("it ends before it begins");
    }
    match (&row.sku, &row.item_group) {
        (Some(_), Some(_)) => Err("it names an item and a group: name one of them"),
        (Some(sku), None) => Ok(Target::Item(sku.clone())),
        (None, Some(group)) if group.is_empty() => Err("the group has no name"),
        (None, Some(group)) => Ok(Target::Group(group.clone())),
        (None, None) => Ok(Target::All),
    }
}

/// What a basket counts against one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Count<'a> {
    pub(crate) rule: &'a Rule,
    pub(crate) window_start: Timestamp,
    pub(crate) wanted: Quantity,
}

/// The rules that hold for a basket, by id, with the units of all lines that each is about.
pub(crate) fn counts<'a>(
    lines: &[RequestedLine],
    rules: &HashMap<&Sku, &'a [Rule]>,
    line: &BusinessLine,
    now: Timestamp,
    offset: UtcOffset,
) -> Result<Vec<Count<'a>>, ArithmeticError> {
    let mut counts: BTreeMap<&'a str, Count<'a>> = BTreeMap::new();
    for requested in lines {
        let found: &'a [Rule] = rules.get(&requested.sku).copied().unwrap_or_default();
        for rule in found.iter().filter(|rule| rule.holds(line, now)) {
            let count = counts.entry(&rule.rule).or_insert_with(|| Count {
                rule,
                window_start: window_start(rule.period, rule.valid_from, now, offset),
                wanted: Quantity::ZERO,
            });
            count.wanted = count.wanted.checked_add(requested.quantity)?;
        }
    }
    Ok(counts.into_values().collect())
}

/// Refuses the basket by the first rule that it passes, or says what to claim. `used` is in the order of `counts`.
pub(crate) fn check(
    counts: &[Count<'_>],
    used: &[Quantity],
    offset: UtcOffset,
) -> Result<Result<Vec<Claim>, LimitExceeded>, ArithmeticError> {
    let mut claims = Vec::new();
    for (count, used) in counts.iter().zip(used) {
        if let Some(refusal) = count.rule.refuses(*used, count.wanted, count.window_start, offset)? {
            return Ok(Err(refusal));
        }
        if count.rule.period != Period::Order {
            claims.push(Claim {
                rule: count.rule.rule.clone(),
                window_start: count.window_start,
                quantity: count.wanted,
            });
        }
    }
    Ok(Ok(claims))
}

/// Claims of one order with those of one rule and period added up.
pub(crate) fn summed(claims: &[Claim]) -> Result<Vec<Claim>, ArithmeticError> {
    let mut sums: BTreeMap<(&str, Timestamp), Quantity> = BTreeMap::new();
    for claim in claims {
        let sum = sums.entry((&claim.rule, claim.window_start)).or_default();
        *sum = sum.checked_add(claim.quantity)?;
    }
    let claim = |((rule, window_start), quantity): ((&str, Timestamp), Quantity)| Claim {
        rule: rule.to_owned(),
        window_start,
        quantity,
    };
    Ok(sums.into_iter().map(claim).collect())
}

#[cfg(test)]
mod tests;
