//! The host's side of the point `discount`, compiled as part of the host: its WIT world by bindgen, and the conversion
//! between the world's types and the point's plain ones. A component that was built for version 1.0 is asked by the
//! adapter beside this file.

use mortise_points::Discount;
use mortise_points::discount::{Candidate, Line, Question};
use wasmtime::Store;
use wasmtime::component::InstancePre;

use crate::call::{Ask, Fit, Former};
use crate::state::CallState;

#[path = "host_1_0.rs"]
mod v1_0;

mod world {
    wasmtime::component::bindgen!({
        path: "../points/discount/wit/1.1",
        world: "discount",
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}

use world::exports::mortise::discount::discounting as wit;

/// The version that a component was built for, as `N` for the newest and `O` for 1.0.
pub(crate) enum Either<N, O> {
    Newest(N),
    V1_0(O),
}

impl Fit for Discount {
    type World = Either<world::DiscountPre<CallState>, v1_0::Pre>;
    type Instance = Either<world::Discount, v1_0::Instance>;

    const FORMER: &'static [Former<Self::World>] =
        &[Former { version: "1.0", prepare: |linked| v1_0::prepare(linked).map(Either::V1_0) }];

    fn prepare(linked: InstancePre<CallState>) -> wasmtime::Result<Self::World> {
        world::DiscountPre::new(linked).map(Either::Newest)
    }

    fn instantiate(world: &Self::World, store: &mut Store<CallState>) -> wasmtime::Result<Self::Instance> {
        match world {
            Either::Newest(world) => world.instantiate(store).map(Either::Newest),
            Either::V1_0(world) => world.instantiate(store).map(Either::V1_0),
        }
    }

    fn ask(
        instance: &Self::Instance,
        store: &mut Store<CallState>,
        ask: Ask<'_, Question>,
    ) -> wasmtime::Result<Result<Vec<Candidate>, String>> {
        match instance {
            Either::Newest(instance) => propose(instance, store, ask),
            Either::V1_0(instance) => v1_0::propose(instance, store, ask),
        }
    }
}

fn propose(
    instance: &world::Discount,
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
        delivery_amount: question.delivery_amount.minor(),
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
        list_amount: line.list_amount.unwrap_or(line.line_amount).minor(),
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
