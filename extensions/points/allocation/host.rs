//! The host's side of the point `allocation`, compiled as part of the host: its WIT world by bindgen, and the conversion
//! between the world's types and the point's plain ones.

use mortise_points::allocation::{Line, Proposal, Question, Stock, Take};
use mortise_points::{Allocation, Attribute};
use wasmtime::Store;
use wasmtime::component::InstancePre;

use crate::call::{Ask, Fit};
use crate::state::CallState;

mod world {
    wasmtime::component::bindgen!({
        path: "../points/allocation/wit/1.0",
        world: "allocation",
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}

use world::exports::mortise::allocation::allocating as wit;

impl Fit for Allocation {
    type World = world::AllocationPre<CallState>;
    type Instance = world::Allocation;

    fn prepare(linked: InstancePre<CallState>) -> wasmtime::Result<Self::World> {
        world::AllocationPre::new(linked)
    }

    fn instantiate(world: &Self::World, store: &mut Store<CallState>) -> wasmtime::Result<Self::Instance> {
        world.instantiate(store)
    }

    fn ask(
        instance: &Self::Instance,
        store: &mut Store<CallState>,
        ask: Ask<'_, Question>,
    ) -> wasmtime::Result<Result<Option<Proposal>, String>> {
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
        let stock: Vec<wit::Stock<'_>> = question.stock.iter().map(stock).collect();
        let ship_to = question.ship_to.as_ref().map(|to| wit::Destination {
            country: to.country.code(),
            region: to.region.as_deref(),
            postal_code: &to.postal_code,
        });
        let order = wit::Order {
            ship_to,
            trade_time_ms: question.trade_time.as_millis(),
            lines: &lines,
            stock: &stock,
        };
        let answer = instance.mortise_allocation_allocating().call_allocate(store, ask.config, order)?;
        Ok(answer.map(|proposal| proposal.map(from_wit)))
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
        location: line.location.as_ref().map(|location| location.as_str()),
        attributes,
    }
}

fn stock(stock: &Stock) -> wit::Stock<'_> {
    wit::Stock {
        sku: stock.sku.as_str(),
        location: stock.location.as_str(),
        saleable: stock.saleable.units(),
        abroad: stock.abroad,
        priority: stock.priority,
        named_only: stock.named_only,
    }
}

fn from_wit(proposal: wit::Proposal) -> Proposal {
    let take =
        |take: wit::Take| Take { line_id: take.line_id, location: take.location, quantity: take.quantity };
    Proposal { takes: proposal.takes.into_iter().map(take).collect(), reason: proposal.reason }
}
