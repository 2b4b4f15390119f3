//! The host's side of the point `bid-check`, compiled as part of the host: its WIT world by bindgen, and the conversion
//! between the world's types and the point's plain ones.

use mortise_points::BidCheck;
use mortise_points::bid_check::{Objection, Question};
use mortise_types::Amount;
use wasmtime::Store;
use wasmtime::component::InstancePre;

use crate::call::{Ask, Fit};
use crate::state::CallState;

mod world {
    wasmtime::component::bindgen!({
        path: "../points/bid-check/wit/1.0",
        world: "bid-check",
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}

use world::exports::mortise::bid_check::bidding as wit;

impl Fit for BidCheck {
    type World = world::BidCheckPre<CallState>;
    type Instance = world::BidCheck;

    fn prepare(linked: InstancePre<CallState>) -> wasmtime::Result<Self::World> {
        world::BidCheckPre::new(linked)
    }

    fn instantiate(world: &Self::World, store: &mut Store<CallState>) -> wasmtime::Result<Self::Instance> {
        world.instantiate(store)
    }

    fn ask(
        instance: &Self::Instance,
        store: &mut Store<CallState>,
        ask: Ask<'_, Question>,
    ) -> wasmtime::Result<Result<Option<Objection>, String>> {
        let question = ask.question;
        let bid = wit::Bid {
            auction_id: question.auction_id.as_str(),
            currency: question.currency.code(),
            customer_id: question.customer_id.as_str(),
            sku: question.sku.as_str(),
            quantity: question.quantity.units(),
            starting_price: question.starting_price.minor(),
            price: question.price.map(Amount::minor),
            asking_price: question.asking_price.minor(),
            own_maximum: question.own_maximum.map(Amount::minor),
            amount: question.amount.map(Amount::minor),
            maximum: question.maximum.minor(),
            bids: question.bids,
            opens_at_ms: question.opens_at.as_millis(),
            closes_at_ms: question.closes_at.as_millis(),
            trade_time_ms: question.trade_time.as_millis(),
        };
        let answer = instance
            .mortise_bid_check_bidding()
            .call_check(store, ask.config, bid)?;
        Ok(answer.map(|objection| {
            objection.map(|objection| Objection {
                at_least: objection.at_least,
                reason: objection.reason,
            })
        }))
    }
}
