//! `pricing.explain`: the same candidates and the same ranking as a quote, with every entry's fate.

use std::sync::Arc;

use mortise_capability::{Call, Policies, ReadOperation, Reply, StoreError};
use mortise_store::Reader;

use crate::contract::{ExplainInput, ExplainOutput, Explained, Role, Verdict};
use crate::policy::PricingPolicy;
use crate::rules::{self, Asked, Candidate};
use crate::store::{self, Wanted};

/// The most entries in an answer.
const MOST: usize = 1000;

/// The code of `pricing.explain`.
pub(crate) struct Explain {
    pub(crate) policies: Arc<Policies>,
}

impl ReadOperation for Explain {
    type Input = ExplainInput;
    type Output = ExplainOutput;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<ExplainInput>],
    ) -> Result<Vec<Reply<ExplainOutput>>, StoreError> {
        let wanted: Vec<Wanted> = calls.iter().map(want).collect();
        let found = store::candidates(reader, &wanted).await?;
        calls
            .iter()
            .zip(found)
            .map(|(call, candidates)| self.explain(call, &candidates).map(Reply::done))
            .collect()
    }
}

fn want(call: &Call<ExplainInput>) -> Wanted {
    let Call { context, input } = call;
    Wanted {
        scope: context.scope.clone(),
        location: input.location.as_ref().map_or_else(String::new, |location| location.as_str().to_owned()),
        sku: input.sku.clone(),
        currency: input.currency,
        customer_group: input.customer_group.clone().unwrap_or_default(),
        now: input.at.unwrap_or(context.now),
    }
}

impl Explain {
    fn explain(
        &self,
        call: &Call<ExplainInput>,
        candidates: &[Candidate],
    ) -> Result<ExplainOutput, StoreError> {
        let Call { context, input } = call;
        let chosen = self.policies.get::<PricingPolicy>(&context.scope);
        let asked = Asked {
            quantity: input.quantity,
            channel: context.scope.channel.as_str(),
            customer_group: input.customer_group.as_deref().unwrap_or_default(),
        };
        let decision = rules::decide(asked, candidates, &chosen.policy, &chosen.version)
            .map_err(|error| StoreError::Value(error.to_string()))?;
        let verdict = |candidate: &Candidate| match &decision {
            _ if !rules::holds(candidate, asked) => Verdict::DoesNotApply,
            _ if candidate.role != Role::Price => Verdict::Bound,
            Some(decision) if std::ptr::eq(decision.winner, candidate) => Verdict::Wins,
            Some(decision) if std::ptr::eq(decision.base, candidate) => Verdict::Base,
            _ => Verdict::Outranked,
        };
        let mut judged: Vec<(&Candidate, Verdict)> =
            candidates.iter().map(|candidate| (candidate, verdict(candidate))).collect();
        let last = |verdict: Verdict| match verdict {
            Verdict::Wins | Verdict::Base | Verdict::Outranked => 0,
            Verdict::Bound => 1,
            Verdict::DoesNotApply => 2,
        };
        judged.sort_by(|(a, of_a), (b, of_b)| {
            last(*of_a).cmp(&last(*of_b)).then_with(|| rules::rank(a, b, &chosen.policy))
        });
        let entries = judged.into_iter().take(MOST).map(|(candidate, verdict)| Explained {
            price_list: candidate.price_list.clone(),
            price: candidate.price,
            holds: rules::scope_words(candidate),
            priority: candidate.priority,
            verdict,
        });
        Ok(ExplainOutput { entries: entries.collect(), policy_version: chosen.version.to_string() })
    }
}
