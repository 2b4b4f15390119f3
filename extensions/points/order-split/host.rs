//! The host's side of the point `order-split`, compiled as part of the host: its WIT world by bindgen, and the conversion
//! between the world's types and the point's plain ones.

use mortise_points::order_split::{Item, Parcel, Part, Plan, Question};
use mortise_points::{Attribute, OrderSplit};
use wasmtime::Store;
use wasmtime::component::InstancePre;

use crate::call::{Ask, Fit};
use crate::state::CallState;

mod world {
    wasmtime::component::bindgen!({
        path: "../points/order-split/wit/1.0",
        world: "order-split",
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}

use world::exports::mortise::order_split::splitting as wit;

impl Fit for OrderSplit {
    type World = world::OrderSplitPre<CallState>;
    type Instance = world::OrderSplit;

    fn prepare(linked: InstancePre<CallState>) -> wasmtime::Result<Self::World> {
        world::OrderSplitPre::new(linked)
    }

    fn instantiate(world: &Self::World, store: &mut Store<CallState>) -> wasmtime::Result<Self::Instance> {
        world.instantiate(store)
    }

    fn ask(
        instance: &Self::Instance,
        store: &mut Store<CallState>,
        ask: Ask<'_, Question>,
    ) -> wasmtime::Result<Result<Option<Plan>, String>> {
        let question = ask.question;
        // What an item's record points at; it outlives the call.
        let attributes: Vec<Vec<wit::Attribute<'_>>> =
            question.items.iter().map(|item| attributes(&item.attributes, &ask)).collect();
        let items: Vec<wit::Item<'_>> = question
            .items
            .iter()
            .zip(&attributes)
            .map(|(item, attributes)| to_wit(item, attributes))
            .collect();
        let order = wit::Order { trade_time_ms: question.trade_time.as_millis(), items: &items };
        let answer = instance.mortise_order_split_splitting().call_split(store, ask.config, order)?;
        Ok(answer.map(|plan| plan.map(from_wit)))
    }
}

fn attributes<'a>(known: &'a [Attribute], ask: &Ask<'_, Question>) -> Vec<wit::Attribute<'a>> {
    ask.granted(known)
        .map(|attribute| wit::Attribute { name: &attribute.name, value: &attribute.value })
        .collect()
}

fn to_wit<'a>(item: &'a Item, attributes: &'a [wit::Attribute<'a>]) -> wit::Item<'a> {
    wit::Item {
        line_id: item.line_id.as_str(),
        sku: item.sku.as_str(),
        location: item.location.as_str(),
        quantity: item.quantity.units(),
        attributes,
    }
}

fn from_wit(plan: wit::Plan) -> Plan {
    let part = |part: wit::Part| Part { line_id: part.line_id, quantity: part.quantity };
    let parcel = |parcel: wit::Parcel| Parcel {
        location: parcel.location,
        parts: parcel.parts.into_iter().map(part).collect(),
    };
    Plan { parcels: plan.parcels.into_iter().map(parcel).collect(), reason: plan.reason }
}
