//! The question that `discount.evaluate` puts to extensions, and what the journal keeps of their answers.

use std::sync::Arc;

use mortise_asking::{Asked, Refusal};
use mortise_capability::Call;
use mortise_points::discount::{Line, Question};
use mortise_points::{Attribute, Discount, Opened};
use mortise_types::{Amount, FeeKind, Price, ProofFee, ProofLine};

use super::gather::shown_amount;
use crate::contract::EvaluateInput;
use crate::rules::Fact;

/// What extensions propose, and the calls for the journal.
pub(super) fn ask(
    opened: &Opened<Discount>,
    call: &Call<EvaluateInput>,
    facts: &[&[Fact]],
) -> Result<Asked<Discount>, Refusal> {
    let Call { context, input } = call;
    let question = Question {
        currency: input.currency,
        customer_id: input.customer_id.clone(),
        customer_group: input.customer_group.clone().filter(|group| !group.is_empty()),
        coupons: input.coupons.clone(),
        trade_time: context.now,
        delivery_amount: delivery(&input.fees),
        lines: input.lines.iter().zip(facts).map(|(line, facts)| asked_line(opened, line, facts)).collect(),
    };
    mortise_asking::ask(opened, context, &question)
}

/// What delivery costs before discounts; a sum beyond 64 bits is the highest amount.
fn delivery(fees: &[ProofFee]) -> Amount {
    let of_delivery = fees.iter().filter(|fee| fee.kind == FeeKind::Delivery);
    of_delivery.fold(Amount::ZERO, |sum, fee| Amount(sum.minor().saturating_add(fee.payable.minor().max(0))))
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
        list_amount: Some(line.list.max(Amount::ZERO)),
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
