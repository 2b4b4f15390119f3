//! What a deploy and a rollback make of the bindings that are there: pure decisions on lists, and their refusals. Storing
//! a revision, and loading what it names, is done elsewhere.

use std::collections::BTreeSet;

use mortise_bindings::{Binding, BindingError, Bindings, Place, Rollout};

use crate::judge::Seen;
use crate::revision::{Change, Kind, Revision};

/// Bindings that are to be there from now on.
#[derive(Clone, Debug, PartialEq)]
pub struct Deploy {
    /// All of one version of one extension: one for each point.
    pub bindings: Vec<Binding>,
    /// Why.
    pub reason: String,
}

/// What is to be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollback {
    /// One extension; everything if left out.
    pub extension: Option<String>,
    /// The revision whose bindings are to be back; the one before the last change if left out.
    pub to: Option<i64>,
    /// Whether running trades leave what is taken back too.
    pub hard: bool,
    /// Why.
    pub reason: String,
}

/// What a shadow must have shown before it is promoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AfterShadow {
    /// So many orders at least.
    pub orders_min: i64,
    /// The sum of the differences, either way, at most: minor units.
    pub total_max_minor: i64,
    /// The mean difference an order, either way, at most: minor units.
    pub order_max_minor: Option<i64>,
}

/// Why nothing is changed. Each says what would mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// Bindings that cannot be together.
    #[error(transparent)]
    Bindings(#[from] BindingError),
    /// A trial of what is live.
    #[error("{0} is live there already; a trial is of another version")]
    TrialOfItself(String),
    /// There is nothing to promote.
    #[error("{extension} is no shadow at {place}; deploy it with --shadow first, and let some orders pass")]
    NoShadow {
        /// `name@version`.
        extension: String,
        /// Where.
        place: String,
    },
    /// The shadow has not shown what it must.
    #[error("{extension} stays a shadow: {problem}")]
    ShadowOff {
        /// `name@version`.
        extension: String,
        /// What it has shown.
        problem: String,
    },
    /// Nothing of it was ever deployed, or all of it was taken back.
    #[error(
        "there is nothing of `{0}` to take back; `mortise ext list` shows what is deployed, and the history"
    )]
    NothingToTakeBack(String),
    /// There is no such revision.
    #[error("there is no revision {0}; `mortise ext list` shows the history")]
    NoRevision(i64),
    /// It is as it was.
    #[error("nothing would change: revision {0} has the same bindings")]
    Unchanged(i64),
}

/// The revision that a deploy makes of the newest one.
///
/// # Errors
/// Bindings that cannot be together; a trial of what is live.
pub fn deploy(newest: Option<&Revision>, wish: Deploy) -> Result<Change, ChangeError> {
    let number = newest.map_or(0, |revision| revision.number) + 1;
    let mut bindings = newest.map(|revision| revision.change.bindings.clone()).unwrap_or_default();
    for wanted in wish.bindings {
        let is_trial = !wanted.rollout.is_live();
        let same_place = |binding: &Binding| is_same_place(binding, &wanted);
        if is_trial
            && bindings.iter().any(|binding| {
                same_place(binding) && binding.rollout.is_live() && binding.version == wanted.version
            })
        {
            return Err(ChangeError::TrialOfItself(wanted.id().to_string()));
        }
        // A version that goes live takes the place of the former one and of every trial; a trial only that of a trial.
        bindings.retain(|binding| !same_place(binding) || (is_trial && binding.rollout.is_live()));
        bindings.push(Binding { since: number, ..wanted });
    }
    check(&bindings)?;
    Ok(Change {
        kind: Kind::Deploy,
        reason: wish.reason,
        restores: None,
        withdrawn: BTreeSet::new(),
        bindings,
    })
}

/// The revision that makes a shadow live, if what it has shown is within bounds; `seen` gives what a trial has shown, by
/// the revision that brought it and its point.
///
/// # Errors
/// There is no such shadow, or it has not shown what it must.
pub fn promote(
    newest: Option<&Revision>,
    wish: Deploy,
    bounds: AfterShadow,
    seen: impl Fn(i64, &str) -> Vec<Seen>,
) -> Result<Change, ChangeError> {
    let bindings = newest.map(|revision| revision.change.bindings.as_slice()).unwrap_or_default();
    let mut live = Vec::with_capacity(wish.bindings.len());
    for wanted in &wish.bindings {
        let is_it = |binding: &&Binding| {
            is_same_place(binding, wanted)
                && binding.rollout == Rollout::Shadow
                && binding.version == wanted.version
        };
        let shadow = bindings.iter().find(is_it).ok_or_else(|| ChangeError::NoShadow {
            extension: wanted.id().to_string(),
            place: named(wanted),
        })?;
        within(&seen(shadow.since, &shadow.point), bounds)
            .map_err(|problem| ChangeError::ShadowOff { extension: wanted.id().to_string(), problem })?;
        live.push(Binding { rollout: Rollout::Live, ..shadow.clone() });
    }
    deploy(newest, Deploy { bindings: live, reason: wish.reason })
}

fn within(seen: &[Seen], bounds: AfterShadow) -> Result<(), String> {
    let orders: i64 = seen.iter().map(|seen| seen.orders).sum();
    let failures: i64 = seen.iter().map(|seen| seen.failures).sum();
    if orders < bounds.orders_min {
        return Err(format!(
            "it was asked for {orders} orders, at least {} are wanted; wait, or lower --min-orders",
            bounds.orders_min
        ));
    }
    if failures > 0 {
        return Err(format!("it failed {failures} times; `mortise ext list` shows its figures"));
    }
    for seen in seen {
        let mean = seen.off_minor / seen.orders.max(1);
        if seen.off_minor > bounds.total_max_minor {
            return Err(format!(
                "its differences come to {} {} over {orders} orders, at most {} are allowed (minor units); mend it, or raise \
                 --max-difference",
                seen.off_minor, seen.currency, bounds.total_max_minor
            ));
        }
        if bounds.order_max_minor.is_some_and(|most| mean > most) {
            return Err(format!(
                "it differs by {mean} {} an order, at most {} are allowed (minor units); mend it, or raise \
                 --max-difference-per-order",
                seen.currency,
                bounds.order_max_minor.unwrap_or_default()
            ));
        }
    }
    Ok(())
}

/// The revision that a rollback makes; `history` is all revisions, the newest first.
///
/// # Errors
/// Nothing to take back, no such revision.
pub fn roll_back(history: &[Revision], wish: Rollback) -> Result<Change, ChangeError> {
    let name = wish.extension.as_deref();
    let what = || name.unwrap_or("everything").to_owned();
    let newest = history.first().ok_or_else(|| ChangeError::NothingToTakeBack(what()))?;
    let target = match wish.to {
        Some(0) => 0,
        Some(number) if history.iter().any(|revision| revision.number == number) => number,
        Some(number) => return Err(ChangeError::NoRevision(number)),
        None => former(history, name).ok_or_else(|| ChangeError::NothingToTakeBack(what()))?,
    };
    let former = of(history, target, name);
    if former == of(history, newest.number, name) {
        return Err(ChangeError::Unchanged(target));
    }
    let kept =
        newest.change.bindings.iter().filter(|binding| name.is_some_and(|name| *binding.extension != *name));
    let bindings: Vec<Binding> = kept.chain(former).cloned().collect();
    check(&bindings)?;
    let ids = |bindings: &[Binding]| -> BTreeSet<String> {
        bindings.iter().map(|binding| binding.id().to_string()).collect()
    };
    let gone = &ids(&newest.change.bindings) - &ids(&bindings);
    let withdrawn = if wish.hard { gone } else { BTreeSet::new() };
    Ok(Change { kind: Kind::Rollback, reason: wish.reason, restores: Some(target), withdrawn, bindings })
}

/// The bindings of a revision, or of one extension in it.
fn of<'r>(history: &'r [Revision], number: i64, name: Option<&str>) -> Vec<&'r Binding> {
    let revision = history.iter().find(|revision| revision.number == number);
    let all = revision.map(|revision| revision.change.bindings.as_slice()).unwrap_or_default();
    all.iter().filter(|binding| name.is_none_or(|name| *binding.extension == *name)).collect()
}

/// The revision before the last change; what a rollback brought back is followed to where it came from, so that a second
/// rollback goes further back instead of forth.
fn former(history: &[Revision], name: Option<&str>) -> Option<i64> {
    let mut number = history.first()?.number;
    loop {
        let here = of(history, number, name);
        let older = |revision: &&Revision| revision.number < number;
        let mut changed_by = number;
        let mut before = 0;
        for revision in history.iter().filter(older) {
            if of(history, revision.number, name) != here {
                before = revision.number;
                break;
            }
            changed_by = revision.number;
        }
        let change = history.iter().find(|revision| revision.number == changed_by)?;
        match change.change.restores {
            Some(0) => return None,
            Some(restored) if restored < changed_by => number = restored,
            _ if before == 0 && here.is_empty() => return None,
            _ => return Some(before),
        }
    }
}

/// The revision without a trial that passed a threshold: trades under way leave it too.
///
/// # Errors
/// Somebody has ended it already.
pub(crate) fn end(history: &[Revision], trial: &Binding, reason: &str) -> Result<Change, ChangeError> {
    let newest = history.first().filter(|newest| newest.change.bindings.contains(trial));
    let newest = newest.ok_or_else(|| ChangeError::NothingToTakeBack(trial.id().to_string()))?;
    let mut bindings = newest.change.bindings.clone();
    bindings.retain(|binding| binding != trial);
    let is_left = bindings.iter().any(|binding| binding.id() == trial.id());
    let withdrawn = if is_left { BTreeSet::new() } else { BTreeSet::from([trial.id().to_string()]) };
    let reason = format!("{}: {reason}", trial.id());
    Ok(Change { kind: Kind::Returned, reason, restores: None, withdrawn, bindings })
}

fn check(bindings: &[Binding]) -> Result<(), BindingError> {
    Bindings::new(bindings.to_vec()).map(drop)
}

fn is_same_place(one: &Binding, other: &Binding) -> bool {
    one.point == other.point && one.extension == other.extension && one.place() == other.place()
}

fn named(binding: &Binding) -> String {
    let place = match binding.place() {
        Place::Tenant(tenant) => format!("{tenant}/*/*"),
        Place::Channel(tenant, channel) => format!("{tenant}/*/{channel}"),
        Place::Line(tenant, line) => format!("{tenant}/{line}/*"),
        Place::LineChannel(tenant, line, channel) => format!("{tenant}/{line}/{channel}"),
    };
    format!("{} for {place}", binding.point)
}
