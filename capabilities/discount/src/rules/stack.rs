//! Which of several discounts count: exclusive ones first, then lane by lane, each seeing what the former left. Promotions
//! and extensions' proposals go through the same gate, and everything that is turned away has a reason.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashSet};

use mortise_points::discount::Proposed;
use mortise_types::{Amount, CouponCode};

use super::effect::Reckoning;
use super::promotion::{Promotion, Turn};
use super::{Amounts, Order, TooLarge};
use crate::contract::{Exclusive, Fate, Judged, Target};
use crate::policy::{Budget, Conditions, DiscountPolicy, GroupWinner, Several};

/// How much is written down about what was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trace {
    /// What coupons opened.
    Coupons,
    /// Everything.
    Everything,
}

/// Whose discount it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'a> {
    Promotion(&'a Promotion, Option<&'a CouponCode>),
    Extension(&'a Proposed),
}

/// A discount that counts.
#[derive(Debug, Clone)]
pub(crate) struct Applied<'a> {
    pub(crate) source: Source<'a>,
    /// What each part of the order is reduced by.
    pub(crate) shares: Vec<Amount>,
    pub(crate) total: Amount,
}

/// What came of an order.
#[derive(Debug)]
pub(crate) struct Outcome<'a> {
    /// In the order in which they were decided.
    pub(crate) applied: Vec<Applied<'a>>,
    pub(crate) judged: Vec<Judged>,
}

impl Source<'_> {
    fn id(&self) -> &str {
        match self {
            Source::Promotion(promotion, _) => &promotion.id,
            Source::Extension(proposed) => proposed.extension.as_str(),
        }
    }

    fn lane(&self) -> &str {
        match self {
            Source::Promotion(promotion, _) => &promotion.lane,
            Source::Extension(proposed) => &proposed.candidate.lane,
        }
    }

    fn group(&self) -> Option<&str> {
        match self {
            Source::Promotion(promotion, _) => promotion.stacking_group.as_deref(),
            Source::Extension(proposed) => proposed.candidate.stacking_group.as_deref(),
        }
    }

    fn exclusive(&self) -> Exclusive {
        match self {
            Source::Promotion(promotion, _) => promotion.exclusive,
            Source::Extension(_) => Exclusive::No,
        }
    }

    fn turn(&self) -> Turn<'_> {
        match self {
            Source::Promotion(promotion, _) => promotion.turn(),
            Source::Extension(_) => (Exclusive::No, Target::Items, Reverse(0), self.id()),
        }
    }
}

/// Decides an order.
pub(crate) fn evaluate<'a>(
    order: &Order<'a>,
    promotions: impl IntoIterator<Item = &'a Promotion>,
    proposals: &'a [Proposed],
    policy: &DiscountPolicy,
    trace: Trace,
) -> Result<Outcome<'a>, TooLarge> {
    let mut run = Run {
        order,
        policy,
        trace,
        amounts: Amounts::of(order),
        groups: HashSet::new(),
        outcome: Outcome { applied: Vec::new(), judged: Vec::new() },
    };
    let mut open = Vec::new();
    for promotion in promotions {
        let source = Source::Promotion(promotion, order.opened.get(promotion.id.as_str()).copied());
        match promotion.open_to(order) {
            Ok(()) => open.push(source),
            Err((fate, why)) => run.turned_away(source, fate, || why.to_owned()),
        }
    }
    open.extend(proposals.iter().map(Source::Extension));
    // Stable: proposals of one extension stay in the order of its answer.
    open.sort_by(|a, b| a.turn().cmp(&b.turn()));
    if !run.alone(&mut open)? {
        for lane in lanes(&open, policy) {
            let (here, elsewhere) = open.into_iter().partition(|source| source.lane() == lane);
            open = elsewhere;
            run.lane(&lane, here)?;
        }
    }
    Ok(run.outcome)
}

/// The lanes that somebody is in: those of the policy in its order, then the others by name.
fn lanes(open: &[Source<'_>], policy: &DiscountPolicy) -> Vec<String> {
    let mut used: BTreeSet<&str> = open.iter().map(Source::lane).collect();
    let named = policy.lanes.iter().map(|lane| lane.lane.as_str());
    let mut lanes: Vec<String> = named.filter(|lane| used.remove(lane)).map(str::to_owned).collect();
    lanes.extend(used.into_iter().map(str::to_owned));
    lanes
}

struct Run<'o, 'a> {
    order: &'o Order<'a>,
    policy: &'o DiscountPolicy,
    trace: Trace,
    amounts: Amounts,
    /// Stacking groups of which one applies.
    groups: HashSet<String>,
    outcome: Outcome<'a>,
}

/// Why something does not count.
type Away = (Fate, String);

impl<'a> Run<'_, 'a> {
    /// Tries what wants to be alone in the order, by priority. The others are turned away if one applies.
    fn alone(&mut self, open: &mut Vec<Source<'a>>) -> Result<bool, TooLarge> {
        let (alone, others): (Vec<Source<'a>>, Vec<Source<'a>>) =
            open.drain(..).partition(|source| source.exclusive() == Exclusive::Order);
        let mut winner: Option<String> = None;
        for source in alone {
            match &winner {
                Some(winner) => self.turned_away(source, Fate::Excluded, || excluded_by(winner)),
                None if self.apply(source)? => winner = Some(source.id().to_owned()),
                None => {}
            }
        }
        let Some(winner) = winner else {
            *open = others;
            return Ok(false);
        };
        others
            .into_iter()
            .for_each(|source| self.turned_away(source, Fate::Excluded, || excluded_by(&winner)));
        Ok(true)
    }

    fn lane(&mut self, lane: &str, mut here: Vec<Source<'a>>) -> Result<(), TooLarge> {
        let alone = here.iter().take_while(|source| source.exclusive() == Exclusive::Lane).count();
        let others = here.split_off(alone);
        let mut exclusive = here.into_iter();
        while let Some(source) = exclusive.next() {
            if self.apply(source)? {
                let id = source.id().to_owned();
                exclusive
                    .chain(others)
                    .for_each(|away| self.turned_away(away, Fate::Excluded, || excluded_by(&id)));
                return Ok(());
            }
        }
        let named = self.policy.lanes.iter().find(|named| named.lane == lane);
        match named.map_or(self.policy.several, |named| named.several) {
            Several::Stack => self.stack(others),
            Several::Best => self.best(others),
            Several::BestPerLine => self.best_per_line(others),
        }
    }

    fn stack(&mut self, here: Vec<Source<'a>>) -> Result<(), TooLarge> {
        let mut turns = std::collections::VecDeque::from(here);
        while let Some(source) = turns.pop_front() {
            let group = source.group().filter(|group| !self.groups.contains(*group)).map(str::to_owned);
            match group {
                Some(group) if self.policy.stacking_group == GroupWinner::Best => {
                    let (mut members, rest): (Vec<Source<'a>>, Vec<Source<'a>>) =
                        turns.into_iter().partition(|other| other.group() == Some(&group));
                    turns = rest.into();
                    members.insert(0, source);
                    self.best(members)?;
                }
                _ => drop(self.apply(source)?),
            }
        }
        Ok(())
    }

    /// The one that takes most off; the earlier of equals.
    fn best(&mut self, here: Vec<Source<'a>>) -> Result<(), TooLarge> {
        let mut best: Option<Applied<'a>> = None;
        for source in here {
            let beaten = match (self.tried(source)?, &best) {
                (Err((fate, why)), _) => {
                    self.turned_away(source, fate, || why);
                    continue;
                }
                (Ok(applied), Some(better)) if applied.total <= better.total => Some(applied),
                (Ok(applied), _) => best.replace(applied),
            };
            if let Some(beaten) = beaten {
                self.turned_away(beaten.source, Fate::Outranked, || "another takes more off".to_owned());
            }
        }
        best.map_or(Ok(()), |best| self.take(best))
    }

    /// For each part, the one that takes most off it; the earlier of equals. Of a stacking group only the one that
    /// takes most off in all is asked.
    fn best_per_line(&mut self, here: Vec<Source<'a>>) -> Result<(), TooLarge> {
        let mut tried: Vec<Applied<'a>> = Vec::new();
        for source in here {
            match self.tried(source)? {
                Err((fate, why)) => self.turned_away(source, fate, || why),
                Ok(applied) => {
                    let same_group = |other: &Applied<'a>| {
                        source.group().is_some() && other.source.group() == source.group()
                    };
                    let beaten = match tried.iter().position(same_group) {
                        Some(at) if tried[at].total < applied.total => {
                            Some(std::mem::replace(&mut tried[at], applied))
                        }
                        Some(_) => Some(applied),
                        None => {
                            tried.push(applied);
                            None
                        }
                    };
                    if let Some(beaten) = beaten {
                        self.turned_away(beaten.source, Fate::Outranked, || {
                            "its group has a better one".to_owned()
                        });
                    }
                }
            }
        }
        for part in 0..self.amounts.running.len() {
            let most = tried.iter().map(|applied| applied.shares[part]).max().unwrap_or_default();
            let winner = tried.iter().position(|applied| applied.shares[part] == most);
            for (index, applied) in tried.iter_mut().enumerate() {
                if Some(index) != winner {
                    applied.shares[part] = Amount::ZERO;
                }
            }
        }
        for mut applied in tried {
            applied.total = Amount::sum(applied.shares.iter().copied())?;
            if applied.total.is_zero() {
                self.turned_away(applied.source, Fate::Outranked, || {
                    "others take more off each line".to_owned()
                });
            } else {
                self.take(applied)?;
            }
        }
        Ok(())
    }

    fn apply(&mut self, source: Source<'a>) -> Result<bool, TooLarge> {
        match self.tried(source)? {
            Ok(applied) => self.take(applied).map(|()| true),
            Err((fate, why)) => {
                self.turned_away(source, fate, || why);
                Ok(false)
            }
        }
    }

    /// What a source would take off what is left now.
    fn tried(&self, source: Source<'a>) -> Result<Result<Applied<'a>, Away>, TooLarge> {
        if let Some(group) = source.group().filter(|group| self.groups.contains(*group)) {
            return Ok(Err((Fate::Outranked, format!("another one of the stacking group {group} applies"))));
        }
        let reckoning = Reckoning { order: self.order, amounts: &self.amounts, policy: self.policy };
        let mut shares = match source {
            Source::Extension(proposed) => {
                reckoning.off_named(&proposed.candidate.lines, proposed.candidate.amount_off)?
            }
            Source::Promotion(promotion, _) => {
                let selected = reckoning.selected(promotion);
                if let Err(away) = self.conditions(promotion, &selected)? {
                    return Ok(Err(away));
                }
                reckoning.shares(promotion, &selected)?
            }
        };
        let mut total = Amount::sum(shares.iter().copied())?;
        if total.is_zero() {
            return Ok(Err((Fate::NoEffect, "there is nothing for it to take off".to_owned())));
        }
        if let Source::Promotion(promotion, _) = source {
            match self.within_budget(promotion, total) {
                Ok(within) if within < total => {
                    shares = reckoning.scaled(&shares, within)?;
                    total = within;
                }
                Ok(_) => {}
                Err(why) => return Ok(Err((Fate::OverBudget, why))),
            }
        }
        Ok(Ok(Applied { source, shares, total }))
    }

    fn conditions(&self, promotion: &Promotion, selected: &[usize]) -> Result<Result<(), Away>, TooLarge> {
        if selected.is_empty() {
            return Ok(Err((Fate::NotForThis, "the order has none of its items".to_owned())));
        }
        let amounts = match self.policy.conditions {
            Conditions::Quoted => &self.amounts.quoted,
            Conditions::Running => &self.amounts.running,
        };
        if let Some(least) = promotion.min_subtotal {
            let subtotal = Amount::sum(selected.iter().map(|&part| amounts[part]))?;
            if subtotal < least {
                return Ok(Err((Fate::BelowMinimum, format!("its items cost {subtotal}, not {least}"))));
            }
        }
        if let Some(least) = promotion.min_quantity {
            let quantities = selected.iter().map(|&part| self.order.lines[part].quantity);
            let quantity = mortise_types::Quantity::sum(quantities)?;
            if quantity < least {
                return Ok(Err((
                    Fate::BelowMinimum,
                    format!("the order has {quantity} of its items, not {least}"),
                )));
            }
        }
        Ok(Ok(()))
    }

    /// How much of `total` the budgets leave, or which one is used up.
    fn within_budget(&self, promotion: &Promotion, total: Amount) -> Result<Amount, String> {
        if !promotion.has_budget() {
            return Ok(total);
        }
        let used = self.order.used.get(promotion.id.as_str()).copied().unwrap_or_default();
        let within = promotion.limits.left(used);
        match within {
            None => Err("its budget of orders is used up".to_owned()),
            Some(left) if left >= total => Ok(total),
            Some(left) if left.minor() < 1 => Err("its budget is used up".to_owned()),
            Some(left) => match self.policy.budget {
                Budget::WhatFits => Ok(left),
                Budget::Nothing => Err(format!("its budget has {left} left, not {total}")),
            },
        }
    }

    fn take(&mut self, applied: Applied<'a>) -> Result<(), TooLarge> {
        for (running, share) in self.amounts.running.iter_mut().zip(&applied.shares) {
            *running = running.checked_sub(*share)?;
        }
        if let Some(group) = applied.source.group() {
            self.groups.insert(group.to_owned());
        }
        if self.is_traced(applied.source) {
            self.outcome.judged.push(Judged {
                source: applied.source.id().to_owned(),
                lane: applied.source.lane().to_owned(),
                fate: Fate::Applied,
                amount: applied.total,
                reason: "it applies".to_owned(),
            });
        }
        self.outcome.applied.push(applied);
        Ok(())
    }

    fn turned_away(&mut self, source: Source<'a>, fate: Fate, why: impl FnOnce() -> String) {
        if self.is_traced(source) {
            self.outcome.judged.push(Judged {
                source: source.id().to_owned(),
                lane: source.lane().to_owned(),
                fate,
                amount: Amount::ZERO,
                reason: why(),
            });
        }
    }

    fn is_traced(&self, source: Source<'a>) -> bool {
        match (self.trace, source) {
            (Trace::Everything, _) | (Trace::Coupons, Source::Promotion(_, Some(_))) => true,
            (Trace::Coupons, _) => false,
        }
    }
}

fn excluded_by(id: &str) -> String {
    format!("{id} applies, and excludes it")
}
