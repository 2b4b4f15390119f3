//! `payment.assess`: whether the shop takes the risk of being paid at the door. What the customer's orders came to is read;
//! nothing is remembered here.

use std::sync::Arc;

use mortise_capability::{Call, Policies, ReadOperation, Reply};
use mortise_store::{Reader, StoreError};

use crate::contract::{AssessInput, Assessed, TooRisky};
use crate::policy::PaymentPolicy;
use crate::rules::{Facts, assess};
use crate::store::histories;

pub(crate) struct Assess {
    pub(crate) policies: Arc<Policies>,
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
        let mut replies = Vec::with_capacity(calls.len());
        for (Call { context, input }, history) in calls.iter().zip(histories) {
            let chosen = self.policies.get::<PaymentPolicy>(&context.scope);
            let facts = Facts { amount: input.amount, ship_to: &input.ship_to, history };
            let (score, reasons) = assess(&facts, &chosen.policy.risk);
            let refuse_from = i64::from(chosen.policy.risk.refuse_from);
            replies.push(if score >= refuse_from {
                Reply::rejected("too_risky", &TooRisky { score, refuse_from, reasons })?
            } else {
                Reply::done(Assessed { score, reasons })
            });
        }
        Ok(replies)
    }
}
