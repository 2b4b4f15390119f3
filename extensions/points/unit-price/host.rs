//! The host's side of the point `unit-price`, compiled as part of the host: its WIT world by bindgen, and the conversion
//! between the world's types and the point's plain ones.

use mortise_points::UnitPrice;
use mortise_points::unit_price::{Line, Offer, Question};
use wasmtime::Store;
use wasmtime::component::InstancePre;

use crate::call::{Ask, Fit};
use crate::state::CallState;

mod world {
    wasmtime::component::bindgen!({
        path: "../points/unit-price/wit/1.0",
        world: "unit-price",
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}

use world::exports::mortise::unit_price::pricing as wit;

impl Fit for UnitPrice {
    type World = world::UnitPricePre<CallState>;
    type Instance = world::UnitPrice;

    fn prepare(linked: InstancePre<CallState>) -> wasmtime::Result<Self::World> {
        world::UnitPricePre::new(linked)
    }

    fn instantiate(world: &Self::World, store: &mut Store<CallState>) -> wasmtime::Result<Self::Instance> {
        world.instantiate(store)
    }

    fn ask(
        instance: &Self::Instance,
        store: &mut Store<CallState>,
        ask: Ask<'_, Question>,
    ) -> wasmtime::Result<Result<Vec<Offer>, String>> {
        let question = ask.question;
        // What a line's record points at; it outlives the call.
        let attributes: Vec<Vec<wit::Attribute<'_>>> =
            question.lines.iter().map(|line| attributes(line, &ask)).collect();
        let lines: Vec<wit::Line<'_>> = question
            .lines
            .iter()
            .zip(&attributes)
            .map(|(line, attributes)| to_wit(line, attributes))
            .collect();
        let order = wit::Order {
            currency: question.currency.code(),
            customer_group: question.customer_group.as_deref(),
            trade_time_ms: question.trade_time.as_millis(),
            lines: &lines,
        };
        let answer = instance.mortise_unit_price_pricing().call_offer_prices(store, ask.config, order)?;
        Ok(answer.map(|offers| offers.into_iter().map(from_wit).collect()))
    }
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
        list_amount: line.list.amount().minor(),
        list_per: line.list.per().units(),
        current_amount: line.current.amount().minor(),
        current_per: line.current.per().units(),
        attributes,
    }
}

fn from_wit(offer: wit::Offer) -> Offer {
    Offer { line_id: offer.line_id, amount: offer.amount, per: offer.per, reason: offer.reason }
}
