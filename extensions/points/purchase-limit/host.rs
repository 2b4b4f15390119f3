//! The host's side of the point `purchase-limit`, compiled as part of the host: its WIT world by bindgen, and the conversion
//! between the world's types and the point's plain ones.

use mortise_points::purchase_limit::{Line, Objection, Question, Tally};
use mortise_points::{Attribute, PurchaseLimit};
use wasmtime::Store;
use wasmtime::component::InstancePre;

use crate::call::{Ask, Fit};
use crate::state::CallState;

mod world {
    wasmtime::component::bindgen!({
        path: "../points/purchase-limit/wit/1.0",
        world: "purchase-limit",
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}

use world::exports::mortise::purchase_limit::limiting as wit;

impl Fit for PurchaseLimit {
    type World = world::PurchaseLimitPre<CallState>;
    type Instance = world::PurchaseLimit;

    fn prepare(linked: InstancePre<CallState>) -> wasmtime::Result<Self::World> {
        world::PurchaseLimitPre::new(linked)
    }

    fn instantiate(world: &Self::World, store: &mut Store<CallState>) -> wasmtime::Result<Self::Instance> {
        world.instantiate(store)
    }

    fn ask(
        instance: &Self::Instance,
        store: &mut Store<CallState>,
        ask: Ask<'_, Question>,
    ) -> wasmtime::Result<Result<Vec<Objection>, String>> {
        let question = ask.question;
        // What a line's record points at; it outlives the call.
        let attributes: Vec<Vec<wit::Attribute<'_>>> =
            question.lines.iter().map(|line| attributes(&line.attributes, &ask)).collect();
        let lines: Vec<wit::Line<'_>> = question
            .lines
            .iter()
            .zip(&attributes)
            .map(|(line, attributes)| to_wit(line, attributes))
            .collect();
        let tallies: Vec<wit::Tally<'_>> = question.tallies.iter().map(tally).collect();
        let basket = wit::Basket {
            customer_id: question.customer_id.as_str(),
            trade_time_ms: question.trade_time.as_millis(),
            lines: &lines,
            tallies: &tallies,
        };
        let answer = instance.mortise_purchase_limit_limiting().call_object(store, ask.config, basket)?;
        Ok(answer.map(|objections| objections.into_iter().map(from_wit).collect()))
    }
}

fn attributes<'a>(known: &'a [Attribute], ask: &Ask<'_, Question>) -> Vec<wit::Attribute<'a>> {
    ask.granted(known)
        .map(|attribute| wit::Attribute { name: &attribute.name, value: &attribute.value })
        .collect()
}

fn to_wit<'a>(line: &'a Line, attributes: &'a [wit::Attribute<'a>]) -> wit::Line<'a> {
    wit::Line {
        line_id: line.line_id.as_str(),
        sku: line.sku.as_str(),
        quantity: line.quantity.units(),
        attributes,
    }
}

fn tally(tally: &Tally) -> wit::Tally<'_> {
    wit::Tally {
        rule: &tally.rule,
        most: tally.most.units(),
        used: tally.used.units(),
        wanted: tally.wanted.units(),
    }
}

fn from_wit(objection: wit::Objection) -> Objection {
    Objection { line_id: objection.line_id, reason: objection.reason }
}
