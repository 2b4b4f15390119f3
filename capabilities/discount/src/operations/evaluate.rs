//! `discount.evaluate` and `discount.explain`: the same decision; one answers what to pay, the other why.

use std::collections::HashMap;
use std::sync::Arc;

use mortise_capability::{Call, Chosen, ExtensionCall, Policies, ReadOperation, Reply, StoreError};
use mortise_points::Points;
use mortise_store::Reader;
use mortise_types::{CouponCode, PriceProof};

use super::extensions;
use super::gather::{Gathered, Tables, gather};
use crate::cache::Cache;
use crate::contract::{
    COUPON_REFUSED, CouponProblem, CouponRefused, EvaluateInput, EvaluateOutput, ExplainOutput,
    IgnoredCoupon, Judged, Redemption,
};
use crate::policy::{DiscountPolicy, RefusedCoupon};
use crate::rules::{self, Applied, Order, Promotion, Source, TooLarge, Trace};

/// The most judgements in an explanation.
const MOST_JUDGED: usize = 2000;

/// What both operations share.
pub(crate) struct Evaluator {
    pub(crate) policies: Arc<Policies>,
    pub(crate) points: Arc<dyn Points>,
    pub(crate) cache: Cache,
}

/// The code of `discount.evaluate`.
pub(crate) struct Evaluate {
    pub(crate) evaluator: Arc<Evaluator>,
}

/// The code of `discount.explain`.
pub(crate) struct Explain {
    pub(crate) evaluator: Arc<Evaluator>,
}

impl ReadOperation for Evaluate {
    type Input = EvaluateInput;
    type Output = EvaluateOutput;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<EvaluateInput>],
    ) -> Result<Vec<Reply<EvaluateOutput>>, StoreError> {
        let Evaluator { points, cache, .. } = &*self.evaluator;
        let (tables, orders) = gather(reader, calls, cache, &**points).await?;
        let decide = |(call, order): (&Call<EvaluateInput>, Gathered)| {
            let chosen = self.evaluator.policies.get::<DiscountPolicy>(&call.context.scope);
            let decided = decide(call, &order, &tables, &chosen, Trace::Coupons)?;
            answer(decided, chosen.policy.refused_coupon)
        };
        calls.iter().zip(orders).map(decide).collect()
    }
}

impl ReadOperation for Explain {
    type Input = EvaluateInput;
    type Output = ExplainOutput;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<EvaluateInput>],
    ) -> Result<Vec<Reply<ExplainOutput>>, StoreError> {
        let Evaluator { points, cache, .. } = &*self.evaluator;
        let (tables, orders) = gather(reader, calls, cache, &**points).await?;
        let decide = |(call, order): (&Call<EvaluateInput>, Gathered)| {
            let chosen = self.evaluator.policies.get::<DiscountPolicy>(&call.context.scope);
            match decide(call, &order, &tables, &chosen, Trace::Everything)? {
                Decided::Refused(reply) => {
                    reply.try_map(|()| Err(StoreError::Value("a refusal without one".into())))
                }
                Decided::Priced(mut priced) => {
                    priced.judged.truncate(MOST_JUDGED);
                    let Priced { proof, judged, refused, extensions, .. } = *priced;
                    Ok(Reply::done(ExplainOutput { proof, judged, refused_coupons: refused })
                        .asked(extensions))
                }
            }
        };
        calls.iter().zip(orders).map(decide).collect()
    }
}

fn answer(decided: Decided, refused_coupon: RefusedCoupon) -> Result<Reply<EvaluateOutput>, StoreError> {
    let priced = match decided {
        Decided::Refused(reply) => {
            return reply.try_map(|()| Err(StoreError::Value("a refusal without one".into())));
        }
        Decided::Priced(priced) => *priced,
    };
    let Priced { proof, redemptions, refused, extensions, .. } = priced;
    match refused.first() {
        Some(first) if refused_coupon == RefusedCoupon::Refuse => {
            let IgnoredCoupon { coupon, reason, detail } = first.clone();
            Ok(Reply::rejected(COUPON_REFUSED, &CouponRefused { coupon, reason, detail })?.asked(extensions))
        }
        _ => {
            let output = EvaluateOutput { proof, redemptions, ignored_coupons: refused };
            Ok(Reply::done(output).asked(extensions))
        }
    }
}

/// An order that is decided.
enum Decided {
    /// An extension failed that must not.
    Refused(Reply<()>),
    Priced(Box<Priced>),
}

struct Priced {
    proof: PriceProof,
    redemptions: Vec<Redemption>,
    judged: Vec<Judged>,
    refused: Vec<IgnoredCoupon>,
    extensions: Vec<ExtensionCall>,
}

fn decide(
    call: &Call<EvaluateInput>,
    gathered: &Gathered,
    tables: &Tables,
    chosen: &Chosen<DiscountPolicy>,
    trace: Trace,
) -> Result<Decided, StoreError> {
    let Call { context, input } = call;
    let promotions = gathered.compiled.promotions.as_slice();
    let none = |_: &_| &[][..];
    let facts: Vec<&[rules::Fact]> = match gathered.facts.as_slice() {
        [] => input.lines.iter().map(none).collect(),
        places => places.iter().map(|&place| tables.facts[place].as_slice()).collect(),
    };
    let (proposals, extensions) = match &gathered.opened {
        None => (Vec::new(), Vec::new()),
        Some(opened) => match extensions::ask(opened, call, &facts) {
            Ok(asked) => (asked.reduced, asked.calls),
            Err(refusal) => return refusal.reply().map(Decided::Refused),
        },
    };
    let (opened, mut refused) = open_coupons(call, gathered, promotions);
    let order = Order {
        channel: context.scope.channel.as_str(),
        customer: input.customer_id.as_ref(),
        customer_group: input.customer_group.as_deref().unwrap_or_default(),
        now: context.now,
        currency: input.currency,
        lines: &input.lines,
        fees: &input.fees,
        facts,
        sheets: match gathered.sheets.as_slice() {
            [] => input.lines.iter().map(|_| &[][..]).collect(),
            places => places.iter().map(|&place| tables.sheets[place].as_slice()).collect(),
        },
        opened,
        used: gathered.used.iter().map(|&(index, used)| (promotions[index].id.as_str(), used)).collect(),
    };
    let asked: Vec<&Promotion> = match trace {
        Trace::Everything => promotions.iter().collect(),
        Trace::Coupons => {
            gathered.compiled.concerning(input.lines.iter().map(|line| line.sku.as_str()), &order.opened)
        }
    };
    let outcome = rules::evaluate(&order, asked, &proposals, &chosen.policy, trace).map_err(too_large)?;
    refused.extend(without_effect(&order, &outcome.judged));
    let proof = rules::build_proof(&order, &outcome.applied, &chosen.version).map_err(too_large)?;
    // What came in may have been off already; nothing wrong goes out.
    proof.check().map_err(|error| StoreError::Contradiction(format!("the price proof: {error}")))?;
    let redemptions = outcome.applied.iter().filter_map(redemption).collect();
    Ok(Decided::Priced(Box::new(Priced { proof, redemptions, judged: outcome.judged, refused, extensions })))
}

fn too_large(_: TooLarge) -> StoreError {
    StoreError::Value("the discounts of an order: a figure is too large for 64 bits".to_owned())
}

/// The promotions that the order's coupons open, and the coupons that open none.
fn open_coupons<'a>(
    call: &'a Call<EvaluateInput>,
    gathered: &Gathered,
    promotions: &'a [Promotion],
) -> (HashMap<&'a str, &'a CouponCode>, Vec<IgnoredCoupon>) {
    let mut opened: HashMap<&str, &CouponCode> = HashMap::new();
    let mut refused = Vec::new();
    for (coupon, facts) in call.input.coupons.iter().zip(&gathered.coupons) {
        let judged = rules::judge_coupon(facts.as_ref(), promotions, call.context.now);
        let (reason, detail) = match judged {
            Ok(promotion) if !opened.contains_key(promotion.id.as_str()) => {
                opened.insert(&promotion.id, coupon);
                continue;
            }
            Ok(_) => (CouponProblem::Repeated, "its promotion is open already"),
            Err(problem) => problem,
        };
        refused.push(IgnoredCoupon { coupon: coupon.clone(), reason, detail: detail.to_owned() });
    }
    (opened, refused)
}

/// The coupons whose promotion is open, and does not apply.
fn without_effect(order: &Order<'_>, judged: &[Judged]) -> Vec<IgnoredCoupon> {
    let refused = |judged: &Judged| {
        let coupon = order.opened.get(judged.source.as_str())?;
        let reason = rules::problem_of_fate(judged.fate)?;
        Some(IgnoredCoupon { coupon: (*coupon).clone(), reason, detail: judged.reason.clone() })
    };
    judged.iter().filter_map(refused).collect()
}

fn redemption(applied: &Applied<'_>) -> Option<Redemption> {
    match applied.source {
        Source::Promotion(promotion, coupon) if coupon.is_some() || promotion.has_budget() => {
            Some(Redemption {
                promotion: promotion.id.clone(),
                version: promotion.version,
                coupon: coupon.cloned(),
                amount: applied.total,
            })
        }
        Source::Promotion(..) | Source::Extension(_) => None,
    }
}
