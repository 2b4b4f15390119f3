//! `purchase_limit.check`: whether a basket passes its customer's limits, on what a reader sees, and whether an
//! extension objects. It counts nothing.

use std::collections::HashMap;
use std::sync::Arc;

use mortise_asking::{Asked, ask, attributes};
use mortise_capability::{Call, Policies, ReadOperation, Reply, StoreError};
use mortise_points::purchase_limit::{Line, Objected, Question, Tally};
use mortise_points::{Opened, Points, PurchaseLimit};
use mortise_store::Reader;
use mortise_types::{LineId, Quantity, RequestedLine, Sku};

use crate::contract::{CheckInput, CheckOutput, Claim, Period, PurchaseRefused};
use crate::policy::PurchaseLimitPolicy;
use crate::rules::{Count, Rule, UtcOffset, check, counts};
use crate::store::{self, UseKey, arithmetic};

pub(crate) struct Check {
    pub(crate) policies: Arc<Policies>,
    pub(crate) points: Arc<dyn Points>,
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
                Ok(claims) => self.passed(call, counts, &bought, claims)?,
                Err(refusal) => Reply::rejected("limit_exceeded", &refusal)?,
            });
        }
        Ok(replies)
    }
}

impl Check {
    /// The answer to a basket that passes the shop's own limits: extensions may object.
    fn passed(
        &self,
        call: &Call<CheckInput>,
        counts: &[Count<'_>],
        bought: &[Quantity],
        claims: Vec<Claim>,
    ) -> Result<Reply<CheckOutput>, StoreError> {
        let Some(opened) = self.points.open::<PurchaseLimit>(&call.context.scope) else {
            return Ok(Reply::done(CheckOutput { claims }));
        };
        let Asked { reduced, calls } =
            match ask(&opened, &call.context, &question(&opened, call, counts, bought)) {
                Ok(asked) => asked,
                Err(refusal) => return refusal.reply(),
            };
        let reply = match reduced.into_iter().next() {
            None => Reply::done(CheckOutput { claims }),
            Some(first) => Reply::rejected("purchase_refused", &refused(&call.input, first))?,
        };
        Ok(reply.asked(calls))
    }
}

fn question(
    opened: &Opened<PurchaseLimit>,
    call: &Call<CheckInput>,
    counts: &[Count<'_>],
    bought: &[Quantity],
) -> Question {
    let line = |(index, line): (usize, &RequestedLine)| Line {
        line_id: LineId::nth(index),
        sku: line.sku.clone(),
        quantity: line.quantity,
        attributes: attributes(opened, |name| line.attributes.get(name).map(String::as_str)),
    };
    let tally = |(count, used): (&Count<'_>, &Quantity)| Tally {
        rule: count.rule.rule.clone(),
        most: count.rule.most,
        used: *used,
        wanted: count.wanted,
    };
    Question {
        customer_id: call.input.customer_id.clone(),
        trade_time: call.context.now,
        lines: call.input.lines.iter().enumerate().map(line).collect(),
        tallies: counts.iter().zip(bought).map(tally).collect(),
    }
}

fn refused(input: &CheckInput, first: Objected) -> PurchaseRefused {
    let line = first.objection.line_index.and_then(|index| input.lines.get(index));
    PurchaseRefused {
        reason: first.objection.reason,
        sku: line.map(|line| line.sku.clone()),
        extension: first.extension.as_str().to_owned(),
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
