//! A rig with pricing in it, and an extension that is bound without WebAssembly: the same panel, the same revalidation
//! and reduction as the host's.

use std::any::Any;
use std::sync::Arc;

use mortise_capability::Policies;
use mortise_points::unit_price::{Offer, Question};
use mortise_points::{
    Attempt, CallIdentity, ExtensionId, Failure, FailureKind, NoExtensions, OnFailure, Panel, Point,
    PointError, Points, RawOutcome, Seat, UnitPrice, consult,
};
use mortise_pricing::{PricingPolicy, capability};
use mortise_testkit::Rig;
use mortise_types::Scope;

/// A rig without extensions.
pub(crate) async fn rig() -> Rig {
    Rig::new([capability(Arc::new(Policies::default()), Arc::new(NoExtensions))
        .expect("the contract can be declared")])
    .await
}

/// A rig in which somebody answers `unit-price`.
pub(crate) async fn rig_with(bound: Bound) -> Rig {
    let points = Arc::new(Everywhere(Arc::new(Native(bound))));
    Rig::new([capability(Arc::new(Policies::default()), points).expect("the contract can be declared")]).await
}

/// The version of the default policy.
pub(crate) fn version() -> String {
    let scope = Scope::new("a", "b", "c").expect("a valid scope");
    Policies::default().get::<PricingPolicy>(&scope).version.to_string()
}

/// Offers this price for every line, or traps.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) price: Result<i64, ()>,
}

#[derive(Debug)]
struct Everywhere(Arc<Native>);

impl Points for Everywhere {
    fn panel(&self, point: &'static str, _: &Scope) -> Option<Arc<dyn Panel>> {
        (point == UnitPrice::NAME).then(|| Arc::clone(&self.0) as Arc<dyn Panel>)
    }
}

#[derive(Debug)]
struct Native(Bound);

impl Panel for Native {
    fn sku_attributes(&self) -> &[Arc<str>] {
        static NAMES: std::sync::LazyLock<[Arc<str>; 1]> = std::sync::LazyLock::new(|| ["brand".into()]);
        &*NAMES
    }

    fn ask_raw(&self, call: CallIdentity<'_>, question: &dyn Any) -> Result<RawOutcome, PointError> {
        assert_eq!((call.instance, call.attempt), ("trade-1", 1));
        let question = question.downcast_ref::<Question>().expect("the point's question");
        let outcome = consult::<UnitPrice, _>(&[Only(self)], call, question)?;
        Ok(RawOutcome { reduced: Box::new(outcome.reduced), answers: outcome.answers })
    }
}

struct Only<'a>(&'a Native);

impl Seat<UnitPrice> for Only<'_> {
    fn extension(&self) -> &ExtensionId {
        static ID: std::sync::LazyLock<ExtensionId> =
            std::sync::LazyLock::new(|| ExtensionId::new("happy-hour", "2.1.0"));
        &ID
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Refuse
    }

    fn attempt(&self, _: CallIdentity<'_>, question: &Question) -> Attempt<<UnitPrice as Point>::Valid> {
        let offer = |amount: i64| {
            let offers = question.lines.iter().map(|line| Offer {
                line_id: line.line_id.to_string(),
                amount,
                per: 1,
                reason: format!(
                    "{amount} for {}",
                    line.attributes.first().map_or("all", |brand| &brand.value)
                ),
            });
            let invalid =
                |invalid: mortise_points::Invalid| Failure::new(FailureKind::Invalid, invalid.to_string());
            UnitPrice::revalidate(question, offers.collect()).map_err(invalid)
        };
        let result = match self.0.0.price {
            Ok(amount) => offer(amount),
            Err(()) => Err(Failure::new(FailureKind::Trapped, "unreachable")),
        };
        Attempt { result, fuel_used: 1_000, took_us: 5 }
    }
}
