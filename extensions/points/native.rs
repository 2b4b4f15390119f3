//! One extension that is a Rust function, bound everywhere: for the tests of whoever asks. Its answers are revalidated and
//! reduced like any other's; what a component may do beyond that is the host's, and is tested there.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use mortise_types::Scope;

use crate::{
    Attempt, CallIdentity, ExtensionId, Failure, FailureKind, OnFailure, Panel, Point, PointError, Points,
    RawOutcome, Seat, consult,
};

type Answer<P> = dyn Fn(&<P as Point>::Question) -> Result<<P as Point>::Answer, Failure> + Send + Sync;

/// A platform with one extension at one point. Its failures refuse.
pub struct Native<P: Point>(Arc<Seated<P>>);

struct Seated<P: Point> {
    extension: ExtensionId,
    sku_attributes: Vec<Arc<str>>,
    answer: Box<Answer<P>>,
}

impl<P: Point> Native<P> {
    /// Answers every question by `answer`, as version 1.0.0 of the extension `name`.
    pub fn new(
        name: &str,
        answer: impl Fn(&P::Question) -> Result<P::Answer, Failure> + Send + Sync + 'static,
    ) -> Self {
        Self::reading(name, &[], answer)
    }

    /// The same, for an extension that reads SKU attributes.
    pub fn reading(
        name: &str,
        sku_attributes: &[&str],
        answer: impl Fn(&P::Question) -> Result<P::Answer, Failure> + Send + Sync + 'static,
    ) -> Self {
        let extension = ExtensionId::new(name, "1.0.0");
        let sku_attributes = sku_attributes.iter().map(|&name| name.into()).collect();
        Self(Arc::new(Seated { extension, sku_attributes, answer: Box::new(answer) }))
    }
}

impl<P: Point> Points for Native<P> {
    fn panel(&self, point: &'static str, _: &Scope) -> Option<Arc<dyn Panel>> {
        (point == P::NAME).then(|| Arc::clone(&self.0) as Arc<dyn Panel>)
    }
}

impl<P: Point> Panel for Seated<P> {
    fn sku_attributes(&self) -> &[Arc<str>] {
        &self.sku_attributes
    }

    fn ask_raw(&self, call: CallIdentity<'_>, question: &dyn Any) -> Result<RawOutcome, PointError> {
        let question = question.downcast_ref().expect("a panel of a point is asked that point's question");
        let outcome = consult::<P, _>(std::slice::from_ref(&self), call, question)?;
        Ok(RawOutcome { reduced: Box::new(outcome.reduced), answers: outcome.answers })
    }
}

impl<P: Point> Seat<P> for &Seated<P> {
    fn extension(&self) -> &ExtensionId {
        &self.extension
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Refuse
    }

    fn attempt(&self, _: CallIdentity<'_>, question: &P::Question) -> Attempt<P::Valid> {
        let invalid = |found: crate::Invalid| Failure::new(FailureKind::Invalid, found.to_string());
        let result =
            (self.answer)(question).and_then(|answer| P::revalidate(question, answer).map_err(invalid));
        Attempt { result, fuel_used: 0, took_us: 0 }
    }
}

impl<P: Point> fmt::Debug for Native<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<P: Point> fmt::Debug for Seated<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.extension, P::NAME)
    }
}
