//! `purchase_limit.check`: whether a basket passes its customer's limits, on what a reader sees. It counts nothing.

use std::collections::HashMap;
use std::sync::Arc;

use mortise_capability::{Call, Policies, ReadOperation, Reply, StoreError};
use mortise_store::Reader;
use mortise_types::{Quantity, Sku};

use crate::contract::{CheckInput, CheckOutput, Period};
use crate::policy::PurchaseLimitPolicy;
use crate::rules::{Count, Rule, UtcOffset, check, counts};
use crate::store::{self, UseKey, arithmetic};

pub(crate) struct Check {
    pub(crate) policies: Arc<Policies>,
}

impl ReadOperation for Check {
    type Input = CheckInput;
    type Output = CheckOutput;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<CheckInput>],
    ) -> Result<Vec<Reply<CheckOutput>>, StoreError> {
        let items = calls
            .iter()
            .flat_map(|call| call.input.lines.iter().map(move |line| (&call.context.scope.tenant, &line.sku)))
            .collect();
        let rules = store::rules_of_items(reader, items).await?;
        let mut counted: Vec<(UtcOffset, Vec<Count<'_>>)> = Vec::with_capacity(calls.len());
        for call in calls {
            let scope = &call.context.scope;
            let policy = self.policies.get::<PurchaseLimitPolicy>(scope);
            let offset = UtcOffset::minutes(policy.policy.utc_offset_minutes);
            let mut about: HashMap<&Sku, &[Rule]> = HashMap::new();
            for line in &call.input.lines {
                if let Some(found) = rules.get(&(&scope.tenant, &line.sku)) {
                    about.insert(&line.sku, found);
                }
            }
            let lines = &call.input.lines;
            let found = counts(lines, &about, &scope.line, call.context.now, offset).map_err(arithmetic)?;
            counted.push((offset, found));
        }
        let keys = calls.iter().zip(&counted).flat_map(|(call, (_, counts))| {
            counts.iter().filter(|count| count.rule.period != Period::Order).map(|count| use_key(call, count))
        });
        let used = store::load_used(reader, keys).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for (call, (offset, counts)) in calls.iter().zip(&counted) {
            let bought = |count| used.get(&use_key(call, count)).copied().unwrap_or(Quantity::ZERO);
            let bought: Vec<Quantity> = counts.iter().map(bought).collect();
            replies.push(match check(counts, &bought, *offset).map_err(arithmetic)? {
                Ok(claims) => Reply::done(CheckOutput { claims }),
                Err(refusal) => Reply::rejected("limit_exceeded", &refusal)?,
            });
        }
        Ok(replies)
    }
}

fn use_key(call: &Call<CheckInput>, count: &Count<'_>) -> UseKey {
    UseKey {
        tenant: call.context.scope.tenant.clone(),
        customer_id: call.input.customer_id.clone(),
        rule: count.rule.rule.clone(),
        window_start: count.window_start,
    }
}
