//! The panels of what changes: one that answers a trade as the revision says with which it began, and one that tries a
//! version beside what is live. Who is asked is decided by ids and hashes alone, so that every process decides alike.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use mortise_bindings::Binding;
use mortise_host::ErasedPoint;
use mortise_points::{Answered, CallIdentity, Failure, Panel, PointError, PointMoney, RawOutcome, Verdict};
use mortise_types::{TenantId, Timestamp};

use crate::judge::Customers;
use crate::revision::began_at;

/// Who is asked by a trade that began at that moment or later, the latest first.
pub(crate) type From = (Timestamp, Option<Arc<dyn Panel>>);

/// A panel for every revision that trades may have begun with.
pub(crate) struct Pinned {
    point: ErasedPoint,
    /// The last one is for all that began earlier.
    from: Vec<From>,
    sku_attributes: Vec<Arc<str>>,
}

impl Pinned {
    /// None where nobody is asked by any trade.
    pub(crate) fn panel(point: ErasedPoint, from: Vec<From>) -> Option<Arc<dyn Panel>> {
        let panels = || from.iter().filter_map(|(_, panel)| panel.as_ref());
        panels().next()?;
        let sku_attributes = attributes(panels());
        Some(Arc::new(Pinned { point, from, sku_attributes }))
    }
}

impl Panel for Pinned {
    fn sku_attributes(&self) -> &[Arc<str>] {
        &self.sku_attributes
    }

    fn ask_raw(&self, call: CallIdentity<'_>, question: &dyn Any) -> Result<RawOutcome, PointError> {
        let began = began_at(call.instance).unwrap_or(Timestamp::MAX);
        let found = self.from.iter().find(|(from, _)| *from <= began).or(self.from.last());
        match found.and_then(|(_, panel)| panel.as_ref()) {
            Some(panel) => panel.ask_raw(call, question),
            None => Ok(self.point.unanswered(question)),
        }
    }
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.from).finish()
    }
}

/// All attributes that at least one of them reads.
fn attributes<'p>(panels: impl Iterator<Item = &'p Arc<dyn Panel>>) -> Vec<Arc<str>> {
    let mut all: Vec<Arc<str>> = panels.flat_map(|panel| panel.sku_attributes().to_vec()).collect();
    all.sort();
    all.dedup();
    all
}

/// What a trial came to beside what is live.
#[derive(Debug)]
pub struct Comparison<'c> {
    /// The trial.
    pub trial: &'c Binding,
    /// Which call of which trade.
    pub call: CallIdentity<'c>,
    /// Why the trial failed, if it did.
    pub failure: Option<Failure>,
    /// How long the trial took, in microseconds.
    pub took_us: u64,
    /// What it is live.
    pub live: Option<PointMoney>,
    /// What the trial would make of it; what is live where it failed.
    pub tried: Option<PointMoney>,
}

/// Takes comparisons. It is called while an order waits, and may not wait itself.
pub type Compare = Arc<dyn Fn(Comparison<'_>) + Send + Sync>;

/// A comparison as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The revision that brought the trial.
    pub rollout: i64,
    /// The point's name.
    pub point: &'static str,
    /// Whose order.
    pub tenant: TenantId,
    /// The order's trade.
    pub instance: String,
    /// The call within it.
    pub call: String,
    /// When.
    pub at: Timestamp,
    /// Whether the trial failed.
    pub failed: bool,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// The currency, what it is live, and by the trial, in minor units.
    pub money: Option<(String, i64, i64)>,
}

impl Observation {
    pub(crate) fn of(comparison: &Comparison<'_>, point: ErasedPoint, at: Timestamp) -> Self {
        let Comparison { trial, call, failure, took_us, live, tried } = comparison;
        let money = live.as_ref().zip(tried.as_ref());
        Observation {
            rollout: trial.since,
            point: point.name(),
            tenant: trial.tenant.clone(),
            instance: call.instance.to_owned(),
            call: format!("{}/{}", call.step, call.attempt),
            at,
            failed: failure.is_some(),
            took_us: *took_us,
            money: money.map(|(live, tried)| {
                (live.currency.code().to_owned(), live.total_minor(), tried.total_minor())
            }),
        }
    }
}

/// A version that is tried beside what is live.
pub(crate) struct Trial {
    pub(crate) point: ErasedPoint,
    pub(crate) binding: Arc<Binding>,
    /// Who answers those for whom the trial does not count; none: nobody does.
    pub(crate) live: Option<Arc<dyn Panel>>,
    /// The same with the trial in its place.
    pub(crate) tried: Arc<dyn Panel>,
    pub(crate) compare: Compare,
    sku_attributes: Vec<Arc<str>>,
}

impl Trial {
    pub(crate) fn new(
        point: ErasedPoint,
        binding: Arc<Binding>,
        (live, tried): (Option<Arc<dyn Panel>>, Arc<dyn Panel>),
        compare: Compare,
    ) -> Self {
        let sku_attributes = attributes(live.iter().chain([&tried]));
        Trial { point, binding, live, tried, compare, sku_attributes }
    }

    pub(crate) fn with_attribute(mut self, name: &str) -> Self {
        self.sku_attributes.push(name.into());
        self.sku_attributes.sort();
        self.sku_attributes.dedup();
        self
    }

    fn ask_live(&self, call: CallIdentity<'_>, question: &dyn Any) -> Result<RawOutcome, PointError> {
        match &self.live {
            Some(panel) => panel.ask_raw(call, question),
            None => Ok(self.point.unanswered(question)),
        }
    }

    fn money(&self, question: &dyn Any, asked: &Result<RawOutcome, PointError>) -> Option<PointMoney> {
        self.point.money(question, &*asked.as_ref().ok()?.reduced)
    }

    /// What the trial's own extension did: its failure, and the time that it took.
    fn own(&self, asked: &Result<RawOutcome, PointError>) -> (Option<Failure>, u64) {
        let answers = match asked {
            Ok(outcome) => &outcome.answers,
            Err(PointError::Refused { answers, .. }) => answers,
            Err(_) => return (None, 0),
        };
        let id = self.binding.id();
        let Some(own) = answers.iter().find(|answered| answered.extension == id) else { return (None, 0) };
        let failure = match &own.verdict {
            Verdict::Answered => None,
            Verdict::Skipped { why } | Verdict::Failed { why } => Some(why.clone()),
        };
        (failure, own.took_us)
    }

    fn counts_for(&self, call: CallIdentity<'_>, question: &dyn Any) -> bool {
        let customers = Customers::of(&self.binding.rollout);
        // Of a call that the shop's staff makes, the question may say for whom.
        let asked_for = self.point.customer(question);
        let customer = call.customer.or(asked_for.as_deref());
        // The parts of a trade are one customer's too.
        let trade = call.instance.split('-').next().unwrap_or(call.instance);
        customers.include(self.binding.since, customer.unwrap_or(trade))
    }
}

impl Panel for Trial {
    fn sku_attributes(&self) -> &[Arc<str>] {
        &self.sku_attributes
    }

    /// Who has no part in the trial is asked as ever. For the others both are asked, so that the difference is known; a
    /// trial that fails is as if it had not been asked, whatever its binding says, but for the record of it.
    fn ask_raw(&self, call: CallIdentity<'_>, question: &dyn Any) -> Result<RawOutcome, PointError> {
        let counts = self.counts_for(call, question);
        let live = self.ask_live(call, question);
        if !counts && Customers::of(&self.binding.rollout) != Customers::None {
            return live;
        }
        let tried = self.tried.ask_raw(call, question);
        let (failure, took_us) = self.own(&tried);
        let (live_money, tried_money) = (self.money(question, &live), self.money(question, &tried));
        let failed = failure.is_some();
        (self.compare)(Comparison {
            trial: &self.binding,
            call,
            failure: failure.clone(),
            took_us,
            tried: if failed { live_money.clone() } else { tried_money },
            live: live_money,
        });
        match (counts, failure) {
            (false, _) => live,
            (true, None) => tried.or(live),
            (true, Some(why)) => live.map(|outcome| self.with_failure(outcome, why, took_us)),
        }
    }
}

impl Trial {
    fn with_failure(&self, mut outcome: RawOutcome, why: Failure, took_us: u64) -> RawOutcome {
        let verdict = Verdict::Skipped { why };
        outcome.answers.push(Answered { extension: self.binding.id(), verdict, fuel_used: 0, took_us });
        outcome
    }
}

impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trial").field("binding", &self.binding.to_string()).finish_non_exhaustive()
    }
}
