//! `payment.assess`: whether the shop takes the risk of being paid at the door. What the customer's orders came to is read, and
//! whoever answers `payment-risk` is asked; nothing is remembered here.

use std::sync::Arc;

use mortise_capability::{Call, ExtensionCall, Policies, ReadOperation, Reply};
use mortise_points::payment_risk::{Highest, Question};
use mortise_points::{Opened, PaymentRisk, Points};
use mortise_store::{Reader, StoreError};
use mortise_types::Span;

use crate::contract::{AssessInput, Assessed, TooRisky};
use crate::policy::PaymentPolicy;
use crate::rules::{Facts, assess, ordered, with_highest};
use crate::store::{History, Placed, histories, recent};

const HOUR: Span = Span::hours(1);
const DAY: Span = Span::days(1);

pub(crate) struct Assess {
    pub(crate) policies: Arc<Policies>,
    pub(crate) points: Arc<dyn Points>,
}

impl ReadOperation for Assess {
    type Input = AssessInput;
    type Output = Assessed;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<AssessInput>],
    ) -> Result<Vec<Reply<Assessed>>, StoreError> {
        let customers = calls.iter().map(|call| (&call.context.scope.tenant, &call.input.customer_id));
        let histories = histories(reader, customers).await?;
        let opened: Vec<Option<Opened<PaymentRisk>>> =
            calls.iter().map(|call| self.points.open(&call.context.scope)).collect();
        let mut placed = lately(reader, calls, &opened).await?.into_iter();
        let mut replies = Vec::with_capacity(calls.len());
        for ((call, history), opened) in calls.iter().zip(histories).zip(opened) {
            let asking = opened.map(|opened| (opened, placed.next().unwrap_or_default()));
            replies.push(self.judge(call, history, asking)?);
        }
        Ok(replies)
    }
}

/// What was ordered lately, of each call whose extensions are asked.
async fn lately(
    reader: &Reader<'_>,
    calls: &[Call<AssessInput>],
    opened: &[Option<Opened<PaymentRisk>>],
) -> Result<Vec<Vec<Placed>>, StoreError> {
    let asked = calls.iter().zip(opened).filter(|(_, opened)| opened.is_some());
    let keys: Vec<_> = asked
        .map(|(Call { context, input }, _)| {
            (&context.scope.tenant, &input.customer_id, context.now.saturating_sub(DAY))
        })
        .collect();
    if keys.is_empty() { Ok(Vec::new()) } else { recent(reader, keys).await }
}

impl Assess {
    fn judge(
        &self,
        call: &Call<AssessInput>,
        history: History,
        asking: Option<(Opened<PaymentRisk>, Vec<Placed>)>,
    ) -> Result<Reply<Assessed>, StoreError> {
        let Call { context, input } = call;
        let chosen = self.policies.get::<PaymentPolicy>(&context.scope);
        let facts = Facts { amount: input.amount, ship_to: &input.ship_to, history };
        let (own, reasons) = assess(&facts, &chosen.policy.risk);
        let (highest, extensions): (Option<Highest>, Vec<ExtensionCall>) = match asking {
            None => (None, Vec::new()),
            Some((opened, placed)) => {
                let question = question(call, history, own, &placed);
                match mortise_asking::ask(&opened, context, &question) {
                    Ok(asked) => (asked.reduced, asked.calls),
                    Err(refusal) => return refusal.reply(),
                }
            }
        };
        let (score, reasons) = with_highest(own, reasons, highest);
        let refuse_from = i64::from(chosen.policy.risk.refuse_from);
        let reply = if score >= refuse_from {
            Reply::rejected("too_risky", &TooRisky { score, refuse_from, reasons })?
        } else {
            Reply::done(Assessed { score, reasons })
        };
        Ok(reply.asked(extensions))
    }
}

fn question(call: &Call<AssessInput>, history: History, score: i64, placed: &[Placed]) -> Question {
    let Call { context, input } = call;
    let History { collected, refused } = history;
    Question {
        currency: input.currency,
        customer_id: input.customer_id.clone(),
        amount: input.amount,
        country: input.ship_to.country,
        postal_code: input.ship_to.postal_code.clone(),
        city: input.ship_to.city.clone(),
        collected,
        refused,
        last_hour: ordered(placed, input.currency, context.now.saturating_sub(HOUR)),
        last_day: ordered(placed, input.currency, context.now.saturating_sub(DAY)),
        score,
        trade_time: context.now,
    }
}
