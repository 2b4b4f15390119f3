//! The host's side of the point `request-mapping`, compiled as part of the host: its WIT world by bindgen, and the
//! conversion between the world's types and the point's plain ones.

use mortise_points::RequestMapping;
use mortise_points::request_mapping::{Mapped, Question};
use wasmtime::Store;
use wasmtime::component::InstancePre;

use crate::call::{Ask, Fit};
use crate::state::CallState;

mod world {
    wasmtime::component::bindgen!({
        path: "../points/request-mapping/wit/1.0",
        world: "request-mapping",
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}

use world::exports::mortise::request_mapping::mapping as wit;

impl Fit for RequestMapping {
    type World = world::RequestMappingPre<CallState>;
    type Instance = world::RequestMapping;

    fn prepare(linked: InstancePre<CallState>) -> wasmtime::Result<Self::World> {
        world::RequestMappingPre::new(linked)
    }

    fn instantiate(world: &Self::World, store: &mut Store<CallState>) -> wasmtime::Result<Self::Instance> {
        world.instantiate(store)
    }

    fn ask(
        instance: &Self::Instance,
        store: &mut Store<CallState>,
        ask: Ask<'_, Question>,
    ) -> wasmtime::Result<Result<Option<Mapped>, String>> {
        let question = ask.question;
        let request = wit::Request {
            flow: &question.flow,
            line: question.line.as_str(),
            channel: question.channel.as_str(),
            currency: question.currency.code(),
            customer_id: question.customer_id.as_ref().map(|customer| customer.as_str()),
            request_time_ms: question.request_time.as_millis(),
            body: &question.body,
        };
        let answer = instance
            .mortise_request_mapping_mapping()
            .call_map_request(store, ask.config, request)?;
        Ok(answer.map(|mapped| {
            mapped.map(|mapped| Mapped {
                input: mapped.input,
                reason: mapped.reason,
            })
        }))
    }
}
