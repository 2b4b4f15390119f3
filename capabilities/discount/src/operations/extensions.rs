//! The question that `discount.evaluate` puts to extensions, and what the journal keeps of their answers.

use std::sync::Arc;

use mortise_capability::{Call, ExtensionCall, Reply, StoreError};
use mortise_points::discount::{Line, Proposed, Question};
use mortise_points::{
    Answered, Attribute, CallIdentity, Discount, Opened, Outcome, Point as _, PointError, Verdict,
};
use mortise_types::{Price, ProofLine};

use super::gather::shown_amount;
use crate::contract::{EXTENSION_REFUSED, EvaluateInput, ExtensionRefused};
use crate::rules::Fact;

/// What extensions propose, and the calls for the journal.
pub(super) fn ask(
    opened: &Opened<Discount>,
    call: &Call<EvaluateInput>,
    facts: &[&[Fact]],
) -> Result<(Vec<Proposed>, Vec<ExtensionCall>), PointError> {
    let Call { context, input } = call;
    let question = Question {
        currency: input.currency,
        customer_id: input.customer_id.clone(),
        customer_group: input.customer_group.clone().filter(|group| !group.is_empty()),
        coupons: input.coupons.clone(),
        trade_time: context.now,
        lines: input.lines.iter().zip(facts).map(|(line, facts)| asked_line(opened, line, facts)).collect(),
    };
    let (step, attempt) = context.step_and_attempt();
    let Outcome { reduced, answers } =
        opened.ask(CallIdentity { instance: &context.trade, step, attempt }, &question)?;
    Ok((reduced, answers.into_iter().map(journalled).collect()))
}

fn asked_line(opened: &Opened<Discount>, line: &ProofLine, facts: &[Fact]) -> Line {
    let attributes = opened.sku_attributes().iter().flat_map(|name| {
        let known = facts.iter().filter(move |fact| fact.name == **name);
        known.map(move |fact| Attribute { name: Arc::clone(name), value: fact.value.as_str().into() })
    });
    let amount = shown_amount(line);
    Line {
        line_id: line.line_id.clone(),
        sku: line.sku.clone(),
        quantity: line.quantity,
        unit: unit_price(line),
        line_amount: amount,
        attributes: attributes.collect(),
    }
}

/// The quoted price: the list price where nothing changed it, else what the line costs for all of its units.
fn unit_price(line: &ProofLine) -> Price {
    if line.payable == line.list {
        return line.list_price;
    }
    Price::new(shown_amount(line), line.quantity).unwrap_or(line.list_price)
}

pub(super) fn journalled(answered: Answered) -> ExtensionCall {
    let outcome = match answered.verdict {
        Verdict::Answered => "answered".to_owned(),
        Verdict::Skipped { why } => format!("skipped: {why}"),
        Verdict::Failed { why } => format!("failed: {why}"),
    };
    ExtensionCall {
        point: Discount::NAME.to_owned(),
        extension: answered.extension.as_str().to_owned(),
        outcome,
        fuel: answered.fuel_used,
    }
}

pub(super) fn refused<O>(error: PointError) -> Result<Reply<O>, StoreError> {
    match error {
        PointError::Refused { point, extension, why, answers } => {
            let detail = ExtensionRefused {
                point: point.to_owned(),
                extension: extension.as_str().to_owned(),
                kind: why.kind.code().to_owned(),
                detail: why.detail,
            };
            let reply = Reply::rejected(EXTENSION_REFUSED, &detail)?;
            Ok(reply.asked(answers.into_iter().map(journalled).collect()))
        }
        other => Err(StoreError::Value(other.to_string())),
    }
}
