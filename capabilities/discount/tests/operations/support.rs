//! A rig with discount in it, orders to evaluate, and an extension that is bound without WebAssembly: the same panel, the
//! same revalidation and reduction as the host's.

use std::any::Any;
use std::sync::{Arc, LazyLock};

use mortise_capability::{Policies, PolicyRow};
use mortise_discount::capability;
use mortise_points::discount::{Candidate, Question};
use mortise_points::{
    Attempt, CallIdentity, Discount, ExtensionId, Failure, FailureKind, Invalid, NoExtensions, OnFailure,
    Panel, Point, PointError, Points, RawOutcome, Seat, consult,
};
use mortise_testkit::Rig;
use mortise_types::Scope;

/// A rig without extensions.
pub(crate) async fn rig() -> Rig {
    Rig::new([capability(Arc::new(Policies::default()), Arc::new(NoExtensions))
        .expect("the contract can be declared")])
    .await
}

/// A rig with a policy of its tenant.
pub(crate) async fn rig_by(policy: &str) -> Rig {
    let policies = Policies::default();
    policies.replace([PolicyRow {
        tenant: "acme".to_owned(),
        line: String::new(),
        channel: String::new(),
        name: "discount".to_owned(),
        document: policy.to_owned(),
    }]);
    let capability = capability(Arc::new(policies), Arc::new(NoExtensions));
    Rig::new([capability.expect("the contract can be declared")]).await
}

/// A rig in which somebody answers `discount`.
pub(crate) async fn rig_with(bound: Bound) -> Rig {
    let points = Arc::new(Everywhere(Arc::new(bound)));
    Rig::new([capability(Arc::new(Policies::default()), points).expect("the contract can be declared")]).await
}

/// Proposes this amount off every line of dairy, or traps.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) proposes: Result<i64, ()>,
}

#[derive(Debug)]
struct Everywhere(Arc<Bound>);

impl Points for Everywhere {
    fn panel(&self, point: &'static str, _: &Scope) -> Option<Arc<dyn Panel>> {
        (point == Discount::NAME).then(|| Arc::clone(&self.0) as Arc<dyn Panel>)
    }
}

impl Panel for Bound {
    fn sku_attributes(&self) -> &[Arc<str>] {
        static NAMES: LazyLock<[Arc<str>; 1]> = LazyLock::new(|| ["department".into()]);
        &*NAMES
    }

    fn ask_raw(&self, call: CallIdentity<'_>, question: &dyn Any) -> Result<RawOutcome, PointError> {
        let question = question.downcast_ref::<Question>().expect("the point's question");
        let outcome = consult::<Discount, _>(&[Only(self)], call, question)?;
        Ok(RawOutcome { reduced: Box::new(outcome.reduced), answers: outcome.answers })
    }
}

struct Only<'a>(&'a Bound);

impl Seat<Discount> for Only<'_> {
    fn extension(&self) -> &ExtensionId {
        static ID: LazyLock<ExtensionId> = LazyLock::new(|| ExtensionId::new("multibuy", "1.2.0"));
        &ID
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::Refuse
    }

    fn attempt(&self, _: CallIdentity<'_>, question: &Question) -> Attempt<<Discount as Point>::Valid> {
        let propose = |amount_off: i64| {
            let dairy =
                question.lines.iter().filter(|line| line.attributes.iter().any(|a| &*a.value == "DAIRY"));
            let candidates = dairy.map(|line| Candidate {
                lane: "items".to_owned(),
                stacking_group: None,
                lines: vec![line.line_id.to_string()],
                amount_off,
                reason: format!("{amount_off} off DAIRY"),
            });
            let invalid = |invalid: Invalid| Failure::new(FailureKind::Invalid, invalid.to_string());
            Discount::revalidate(question, candidates.collect()).map_err(invalid)
        };
        let result = match self.0.proposes {
            Ok(amount) => propose(amount),
            Err(()) => Err(Failure::new(FailureKind::Trapped, "unreachable")),
        };
        Attempt { result, fuel_used: 1_000, took_us: 5 }
    }
}

/// A quoted line.
pub(crate) fn line(number: usize, sku: &str, quantity: i64, amount: i64) -> String {
    format!(
        r#"{{"line_id":"{number}","sku":"{sku}","quantity":{quantity},"location":"367","list_price":{{"amount":{amount},"per":{quantity}}},"list":{amount},"adjustments":[],"taxes":[],"payable":{amount}}}"#
    )
}

/// An order of one line; `more` are further fields, with a comma before each.
pub(crate) fn order(amount: i64, more: &str) -> String {
    format!(r#"{{"currency":"EUR","lines":[{}]{more}}}"#, line(1, "jar", 2, amount))
}

/// What `redeem` is called with after an evaluation.
pub(crate) fn redeem(
    order: &str,
    customer: &str,
    promotion: &str,
    coupon: Option<&str>,
    amount: i64,
) -> String {
    let coupon = coupon.map_or_else(String::new, |coupon| format!(r#","coupon":"{coupon}""#));
    format!(
        r#"{{"order_id":"{order}","customer_id":"{customer}","redemptions":[{{"promotion":"{promotion}","version":1{coupon},"amount":{amount}}}]}}"#
    )
}
