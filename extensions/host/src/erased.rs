//! A point for whoever handles its questions and outcomes without knowing their types: what nobody's answer comes to, what
//! an outcome comes to in money, for whom it was asked. It asks no extension.

use std::any::Any;

use mortise_points::{PointMoney, RawOutcome};

use crate::doors::{DOORS, Door};

/// A point of this host.
#[derive(Clone, Copy)]
pub struct ErasedPoint(&'static Door);

impl ErasedPoint {
    /// The point of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<ErasedPoint> {
        Door::named(name).map(ErasedPoint)
    }

    /// All points of this host.
    pub fn all() -> impl Iterator<Item = ErasedPoint> {
        DOORS.iter().map(ErasedPoint)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// What the point comes to when nobody answers.
    #[must_use]
    pub fn unanswered(self, question: &dyn Any) -> RawOutcome {
        RawOutcome { reduced: (self.0.unanswered)(question), answers: Vec::new() }
    }

    /// What an outcome comes to in money; none where the point is not about money.
    #[must_use]
    pub fn money(self, question: &dyn Any, reduced: &dyn Any) -> Option<PointMoney> {
        (self.0.money)(question, reduced)
    }

    /// The customer for whom it is asked, where the question says.
    #[must_use]
    pub fn customer(self, question: &dyn Any) -> Option<String> {
        (self.0.customer)(question)
    }
}

impl std::fmt::Debug for ErasedPoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ErasedPoint").field(&self.name()).finish()
    }
}
