//! How a capability asks, and how failures are treated: who is bound is asked in order of rank, a failure is refused or
//! skipped as its binding says, and the rest is reduced. Who answers, and how, is behind [`Points`] and [`Panel`].

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use mortise_types::Scope;
use serde::{Deserialize, Serialize};

use crate::{CallIdentity, ExtensionId, Failure, Point};

/// All extension points of a running platform. A capability keeps an `Arc<dyn Points>` and asks by
/// [`ask`](trait.Points.html#method.ask), or by [`open`](trait.Points.html#method.open) where the question itself is
/// costly. Asking computes on the caller's thread and ends with the host's deadline at the latest; never ask while a
/// write transaction is open.
pub trait Points: Send + Sync + fmt::Debug {
    /// Who is asked at a point for a scope; `None` where nobody is bound. A look-up in a prepared table.
    fn panel(&self, point: &'static str, scope: &Scope) -> Option<Arc<dyn Panel>>;
}

/// The extensions that are asked at one point for one scope, in order of rank.
pub trait Panel: Send + Sync + fmt::Debug {
    /// The SKU attributes that at least one of them asks for; no other is worth loading.
    fn sku_attributes(&self) -> &[Arc<str>];

    /// Asks them all. `question` is the point's `Question`, `RawOutcome::reduced` the point's `Reduced`.
    ///
    /// # Errors
    /// One of them failed, and its binding says refuse.
    fn ask_raw(&self, call: CallIdentity<'_>, question: &dyn Any) -> Result<RawOutcome, PointError>;
}

/// An [`Outcome`] whose point is known to the caller only.
#[derive(Debug)]
pub struct RawOutcome {
    /// The point's `Reduced`.
    pub reduced: Box<dyn Any + Send>,
    /// What each extension did, in order of rank.
    pub answers: Vec<Answered>,
}

impl dyn Points + '_ {
    /// Opens a point for a scope; `None` where nobody is bound, and then there is no question to prepare.
    #[must_use]
    pub fn open<P: Point>(&self, scope: &Scope) -> Option<Opened<P>> {
        self.panel(P::NAME, scope).map(|panel| Opened { panel, point: PhantomData })
    }

    /// Puts a question to whoever is bound.
    ///
    /// # Errors
    /// An extension failed, and its binding says refuse.
    pub fn ask<P: Point>(
        &self,
        scope: &Scope,
        call: CallIdentity<'_>,
        question: &P::Question,
    ) -> Result<Outcome<P>, PointError> {
        match self.open::<P>(scope) {
            Some(opened) => opened.ask(call, question),
            None => Ok(Outcome { reduced: P::reduce(question, Vec::new()), answers: Vec::new() }),
        }
    }
}

/// A point at which somebody is bound, for one scope.
pub struct Opened<P> {
    panel: Arc<dyn Panel>,
    point: PhantomData<fn() -> P>,
}

impl<P: Point> Opened<P> {
    /// The SKU attributes that belong into the question.
    #[must_use]
    pub fn sku_attributes(&self) -> &[Arc<str>] {
        self.panel.sku_attributes()
    }

    /// Puts the question.
    ///
    /// # Errors
    /// An extension failed, and its binding says refuse.
    pub fn ask(&self, call: CallIdentity<'_>, question: &P::Question) -> Result<Outcome<P>, PointError> {
        let RawOutcome { reduced, answers } = self.panel.ask_raw(call, question)?;
        let reduced =
            reduced.downcast::<P::Reduced>().expect("a panel of a point answers with that point's type");
        Ok(Outcome { reduced: *reduced, answers })
    }
}

impl<P: Point> fmt::Debug for Opened<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("point", &P::NAME).field("panel", &self.panel).finish()
    }
}

/// What came of a question.
#[derive(Debug)]
pub struct Outcome<P: Point> {
    /// What the valid answers come to.
    pub reduced: P::Reduced,
    /// What each extension did, in order of rank: for the journal and the price proof.
    pub answers: Vec<Answered>,
}

/// What one extension did when it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Which version of which extension.
    pub extension: ExtensionId,
    /// What came of it.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Fuel that it used: the same for the same question of the same call, on every machine.
    pub fuel_used: u64,
    /// How long it took here, in microseconds.
    pub took_us: u64,
}

/// What came of asking one extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Verdict {
    /// It answered, and the answer was valid.
    Answered,
    /// It failed, and its binding says to go on without it.
    Skipped {
        /// Why it failed.
        why: Failure,
    },
    /// It failed, and its binding says to refuse.
    Failed {
        /// Why it failed.
        why: Failure,
    },
}

/// What a binding says about a failing extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The operation is rejected.
    Refuse,
    /// The operation goes on as if the extension were not bound.
    Skip,
}

/// Why a point gave no outcome.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PointError {
    /// An extension failed, and its binding says refuse: a rejection of the operation.
    #[error("extension {extension} failed at point {point}: {why}")]
    Refused {
        /// The point's name.
        point: &'static str,
        /// Who failed.
        extension: ExtensionId,
        /// Why.
        why: Failure,
        /// What each extension did that was asked, the failed one last.
        answers: Vec<Answered>,
    },
}

/// One place at a panel.
pub trait Seat<P: Point> {
    /// Who sits there.
    fn extension(&self) -> &ExtensionId;
    /// What a failure means.
    fn on_failure(&self) -> OnFailure;
    /// Asks. A failure is an attempt's result, never a panic.
    fn attempt(&self, call: CallIdentity<'_>, question: &P::Question) -> Attempt<P::Valid>;
}

/// What asking one extension gave, and what it cost.
#[derive(Debug)]
pub struct Attempt<T> {
    /// The valid answer.
    pub result: Result<T, Failure>,
    /// Fuel used.
    pub fuel_used: u64,
    /// Time taken, in microseconds.
    pub took_us: u64,
}

/// Asks every seat in its order, treats failures as the bindings say, and reduces what is left.
///
/// # Errors
/// The first failure whose binding says refuse; the seats behind it are not asked.
pub fn consult<P: Point, S: Seat<P>>(
    seats: &[S],
    call: CallIdentity<'_>,
    question: &P::Question,
) -> Result<Outcome<P>, PointError> {
    let mut valid = Vec::with_capacity(seats.len());
    let mut answers = Vec::with_capacity(seats.len());
    for seat in seats {
        let extension = seat.extension().clone();
        let Attempt { result, fuel_used, took_us } = seat.attempt(call, question);
        let answered = |extension, verdict| Answered { extension, verdict, fuel_used, took_us };
        match (result, seat.on_failure()) {
            (Ok(answer), _) => {
                answers.push(answered(extension.clone(), Verdict::Answered));
                valid.push((extension, answer));
            }
            (Err(why), OnFailure::Skip) => answers.push(answered(extension, Verdict::Skipped { why })),
            (Err(why), OnFailure::Refuse) => {
                answers.push(answered(extension.clone(), Verdict::Failed { why: why.clone() }));
                return Err(PointError::Refused { point: P::NAME, extension, why, answers });
            }
        }
    }
    Ok(Outcome { reduced: P::reduce(question, valid), answers })
}

/// A platform without extensions.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoExtensions;

impl Points for NoExtensions {
    fn panel(&self, _: &'static str, _: &Scope) -> Option<Arc<dyn Panel>> {
        None
    }
}
