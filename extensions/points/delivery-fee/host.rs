//! The host's side of the point `delivery-fee`, compiled as part of the host: its WIT world by bindgen, and the conversion
//! between the world's types and the point's plain ones.

use mortise_points::delivery_fee::{Consignment, Fee, Item, Question};
use mortise_points::{Attribute, DeliveryFee};
use wasmtime::Store;
use wasmtime::component::InstancePre;

use crate::call::{Ask, Fit};
use crate::state::CallState;

mod world {
    wasmtime::component::bindgen!({
        path: "../points/delivery-fee/wit/1.0",
        world: "delivery-fee",
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}

use world::exports::mortise::delivery_fee::charging as wit;

impl Fit for DeliveryFee {
    type World = world::DeliveryFeePre<CallState>;
    type Instance = world::DeliveryFee;

    fn prepare(linked: InstancePre<CallState>) -> wasmtime::Result<Self::World> {
        world::DeliveryFeePre::new(linked)
    }

    fn instantiate(world: &Self::World, store: &mut Store<CallState>) -> wasmtime::Result<Self::Instance> {
        world.instantiate(store)
    }

    fn ask(
        instance: &Self::Instance,
        store: &mut Store<CallState>,
        ask: Ask<'_, Question>,
    ) -> wasmtime::Result<Result<Vec<Fee>, String>> {
        let question = ask.question;
        // What the records point at; it outlives the call.
        let attributes: Vec<Vec<Vec<wit::Attribute<'_>>>> = question
            .consignments
            .iter()
            .map(|consignment| {
                consignment.items.iter().map(|item| attributes(&item.attributes, &ask)).collect()
            })
            .collect();
        let items: Vec<Vec<wit::Item<'_>>> = question
            .consignments
            .iter()
            .zip(&attributes)
            .map(|(consignment, attributes)| {
                let items = consignment.items.iter().zip(attributes);
                items.map(|(item, attributes)| item_to_wit(item, attributes)).collect()
            })
            .collect();
        let consignments: Vec<wit::Consignment<'_>> =
            question.consignments.iter().zip(&items).map(|(one, items)| to_wit(one, items)).collect();
        let delivery = wit::Delivery {
            currency: question.currency.code(),
            country: question.country.code(),
            region: question.region.as_deref(),
            postal_code: &question.postal_code,
            trade_time_ms: question.trade_time.as_millis(),
            consignments: &consignments,
        };
        let answer = instance.mortise_delivery_fee_charging().call_charge(store, ask.config, delivery)?;
        Ok(answer.map(|fees| fees.into_iter().map(from_wit).collect()))
    }
}

fn attributes<'a>(known: &'a [Attribute], ask: &Ask<'_, Question>) -> Vec<wit::Attribute<'a>> {
    ask.granted(known)
        .map(|attribute| wit::Attribute { name: &attribute.name, value: &attribute.value })
        .collect()
}

fn item_to_wit<'a>(item: &'a Item, attributes: &'a [wit::Attribute<'a>]) -> wit::Item<'a> {
    wit::Item {
        line_id: item.line_id.as_str(),
        sku: item.sku.as_str(),
        quantity: item.quantity.units(),
        attributes,
    }
}

fn to_wit<'a>(consignment: &'a Consignment, items: &'a [wit::Item<'a>]) -> wit::Consignment<'a> {
    wit::Consignment {
        fee_id: consignment.fee_id.as_str(),
        parcel_id: consignment.parcel_id.as_ref().map(|parcel| parcel.as_str()),
        location: consignment.location.as_ref().map(|location| location.as_str()),
        grams: consignment.grams,
        table_amount: consignment.table_amount.map(|amount| amount.minor()),
        items,
    }
}

fn from_wit(fee: wit::Fee) -> Fee {
    Fee { fee_id: fee.fee_id, amount: fee.amount, reason: fee.reason }
}
