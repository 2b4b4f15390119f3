//! The adapter for extensions that were built for version 1.0 of the point `discount`: they are asked without what 1.1
//! added, and their answer is what it still is.

use mortise_points::discount::{Candidate, Line, Question};
use wasmtime::Store;
use wasmtime::component::InstancePre;

use crate::call::Ask;
use crate::state::CallState;

mod world {
    wasmtime::component::bindgen!({
        path: "../points/discount/wit/1.0",
        world: "discount",
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}

use world::exports::mortise::discount::discounting as wit;

pub(super) type Pre = world::DiscountPre<CallState>;
pub(super) type Instance = world::Discount;

pub(super) fn prepare(linked: InstancePre<CallState>) -> wasmtime::Result<Pre> {
    Pre::new(linked)
}

pub(super) fn propose(
    instance: &Instance,
    store: &mut Store<CallState>,
    ask: Ask<'_, Question>,
) -> wasmtime::Result<Result<Vec<Candidate>, String>> {
    let question = ask.question;
    // What a line's record points at; it outlives the call.
    let attributes: Vec<Vec<wit::Attribute<'_>>> =
        question.lines.iter().map(|line| attributes(line, &ask)).collect();
    let lines: Vec<wit::Line<'_>> =
        question.lines.iter().zip(&attributes).map(|(line, attributes)| to_wit(line, attributes)).collect();
    let coupons: Vec<&str> = question.coupons.iter().map(|coupon| coupon.as_str()).collect();
    let order = wit::Order {
        currency: question.currency.code(),
        customer_id: question.customer_id.as_ref().map(|customer| customer.as_str()),
        customer_group: question.customer_group.as_deref(),
        coupons: &coupons,
        trade_time_ms: question.trade_time.as_millis(),
        lines: &lines,
    };
    let answer = instance.mortise_discount_discounting().call_propose(store, ask.config, order)?;
    Ok(answer.map(|candidates| candidates.into_iter().map(from_wit).collect()))
}

fn attributes<'a>(line: &'a Line, ask: &Ask<'_, Question>) -> Vec<wit::Attribute<'a>> {
    ask.granted(&line.attributes)
        .map(|attribute| wit::Attribute { name: &attribute.name, value: &attribute.value })
        .collect()
}

fn to_wit<'a>(line: &'a Line, attributes: &'a [wit::Attribute<'a>]) -> wit::Line<'a> {
    wit::Line {
        line_id: line.line_id.as_str(),
        sku: line.sku.as_str(),
        quantity: line.quantity.units(),
        unit_amount: line.unit.amount().minor(),
        unit_per: line.unit.per().units(),
        line_amount: line.line_amount.minor(),
        attributes,
    }
}

fn from_wit(candidate: wit::Candidate) -> Candidate {
    Candidate {
        lane: candidate.lane,
        stacking_group: candidate.stacking_group,
        lines: candidate.lines,
        amount_off: candidate.amount_off,
        reason: candidate.reason,
    }
}
