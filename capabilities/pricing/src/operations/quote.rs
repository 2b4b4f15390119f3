//! `pricing.quote`: one look-up of groups and one of entries a batch, then a pure decision a line, then the extensions.

use std::sync::Arc;

use mortise_asking as asking;
use mortise_capability::{
    Call, CallContext, Chosen, Distinct, ExtensionCall, Policies, ReadOperation, Reply, StoreError,
};
use mortise_points::unit_price::{Line, Question};
use mortise_points::{Opened, Points, UnitPrice};
use mortise_store::Reader;
use mortise_types::{ArithmeticError, LineId, ProofLine, RequestedLine};

use crate::contract::{PRICE_MISSING, PriceMissing, QuoteInput, QuoteOutput};
use crate::policy::PricingPolicy;
use crate::rules::{self, Asked, Candidate, Decision};
use crate::store::{self, Wanted};

/// The code of `pricing.quote`.
pub(crate) struct Quote {
    pub(crate) policies: Arc<Policies>,
    pub(crate) points: Arc<dyn Points>,
}

impl ReadOperation for Quote {
    type Input = QuoteInput;
    type Output = QuoteOutput;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<QuoteInput>],
    ) -> Result<Vec<Reply<QuoteOutput>>, StoreError> {
        let groups = groups(reader, calls).await?;
        let mut wanted = Distinct::default();
        let mut places = Vec::new();
        for (call, group) in calls.iter().zip(&groups) {
            places.extend(call.input.lines.iter().map(|line| wanted.add(want(call, line, group))));
        }
        let found = store::candidates(reader, wanted.keys()).await?;
        let mut places = places.into_iter();
        let mut replies = Vec::with_capacity(calls.len());
        for (call, group) in calls.iter().zip(groups) {
            let candidates: Vec<&[Candidate]> =
                places.by_ref().take(call.input.lines.len()).map(|place| found[place].as_slice()).collect();
            replies.push(self.quote(call, group, &candidates)?);
        }
        Ok(replies)
    }
}

fn want(call: &Call<QuoteInput>, line: &RequestedLine, group: &str) -> Wanted {
    Wanted {
        scope: call.context.scope.clone(),
        location: line.location.as_ref().map_or_else(String::new, |location| location.as_str().to_owned()),
        sku: line.sku.clone(),
        currency: call.input.currency,
        customer_group: group.to_owned(),
        now: call.context.now,
    }
}

/// The group of each call: the one that is named, else the customer's, else none.
async fn groups(reader: &Reader<'_>, calls: &[Call<QuoteInput>]) -> Result<Vec<String>, StoreError> {
    let mut groups: Vec<String> =
        calls.iter().map(|call| call.input.customer_group.clone().unwrap_or_default()).collect();
    let open: Vec<usize> =
        (0..calls.len()).filter(|&i| groups[i].is_empty() && calls[i].input.customer_id.is_some()).collect();
    if open.is_empty() {
        return Ok(groups);
    }
    let mut customers = Distinct::default();
    let mut places = Vec::with_capacity(open.len());
    for &call in &open {
        let Call { context, input } = &calls[call];
        places.extend(
            input.customer_id.iter().map(|customer| customers.add((context.scope.clone(), customer.clone()))),
        );
    }
    let found = store::groups(reader, customers.keys()).await?;
    for (call, place) in open.into_iter().zip(places) {
        groups[call] = found[place].clone().unwrap_or_default();
    }
    Ok(groups)
}

impl Quote {
    fn quote(
        &self,
        call: &Call<QuoteInput>,
        group: String,
        candidates: &[&[Candidate]],
    ) -> Result<Reply<QuoteOutput>, StoreError> {
        let Call { context, input } = call;
        let chosen = self.policies.get::<PricingPolicy>(&context.scope);
        let mut decisions = Vec::with_capacity(input.lines.len());
        for (line, candidates) in input.lines.iter().zip(candidates) {
            let asked = Asked {
                quantity: line.quantity,
                channel: context.scope.channel.as_str(),
                customer_group: &group,
            };
            let decided = rules::decide(asked, candidates, &chosen.policy, &chosen.version);
            let Some(decision) = decided.map_err(too_large)? else {
                return missing(input, line);
            };
            decisions.push(decision);
        }
        let extensions = match self.points.open::<UnitPrice>(&context.scope) {
            None => Vec::new(),
            Some(opened) => match ask(&opened, context, input, &group, &mut decisions, &chosen) {
                Ok(asked) => asked,
                Err(Refusal::Extension(refused)) => return refused.reply(),
                Err(Refusal::Arithmetic(error)) => return Err(too_large(error)),
            },
        };
        let lines = input.lines.iter().zip(decisions).enumerate();
        let lines = lines.map(|(index, (line, decision))| proof_line(index, line, decision)).collect();
        Ok(Reply::done(QuoteOutput { lines, customer_group: group }).asked(extensions))
    }
}

fn proof_line(index: usize, line: &RequestedLine, decision: Decision<'_>) -> ProofLine {
    ProofLine {
        line_id: LineId::nth(index),
        sku: line.sku.clone(),
        quantity: line.quantity,
        location: line.location.clone(),
        list_price: decision.base.price,
        list: decision.list,
        adjustments: decision.adjustments,
        taxes: Vec::new(),
        payable: decision.amount,
    }
}

fn missing(input: &QuoteInput, line: &RequestedLine) -> Result<Reply<QuoteOutput>, StoreError> {
    let (sku, location) = (line.sku.clone(), line.location.clone());
    Reply::rejected(PRICE_MISSING, &PriceMissing { sku, location, currency: input.currency })
}

enum Refusal {
    Extension(asking::Refusal),
    Arithmetic(ArithmeticError),
}

/// Puts the whole order to the extensions and takes what they offer into the decisions.
fn ask(
    opened: &Opened<UnitPrice>,
    context: &CallContext,
    input: &QuoteInput,
    group: &str,
    decisions: &mut [Decision<'_>],
    chosen: &Chosen<PricingPolicy>,
) -> Result<Vec<ExtensionCall>, Refusal> {
    let lines = input.lines.iter().zip(decisions.iter()).enumerate();
    let question = Question {
        currency: input.currency,
        customer_id: input.customer_id.clone().or_else(|| context.caller.clone()),
        customer_group: Some(group).filter(|group| !group.is_empty()).map(str::to_owned),
        trade_time: context.now,
        lines: lines.map(|(index, (line, decision))| asked_line(opened, index, line, decision)).collect(),
    };
    let asked = asking::ask(opened, context, &question).map_err(Refusal::Extension)?;
    let mut offers = asked.reduced.iter().peekable();
    for (index, decision) in decisions.iter_mut().enumerate() {
        let line_id = &question.lines[index].line_id;
        if let Some(won) = offers.next_if(|won| won.line_id == *line_id) {
            rules::take_offer(decision, won, input.lines[index].quantity, &chosen.policy)
                .map_err(Refusal::Arithmetic)?;
        }
    }
    Ok(asked.calls)
}

fn asked_line(
    opened: &Opened<UnitPrice>,
    index: usize,
    line: &RequestedLine,
    decision: &Decision<'_>,
) -> Line {
    Line {
        line_id: LineId::nth(index),
        sku: line.sku.clone(),
        quantity: line.quantity,
        list: decision.base.price,
        current: decision.price,
        floor: decision.floor.map(|floor| floor.price),
        ceiling: decision.ceiling.map(|ceiling| ceiling.price),
        attributes: asking::attributes(opened, |name| line.attributes.get(name).map(String::as_str)),
    }
}

fn too_large(error: ArithmeticError) -> StoreError {
    StoreError::Value(format!("a line's amount: {error}"))
}
