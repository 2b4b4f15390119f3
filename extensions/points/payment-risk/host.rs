//! The host's side of the point `payment-risk`, compiled as part of the host: its WIT world by bindgen, and the conversion
//! between the world's types and the point's plain ones.

use mortise_points::PaymentRisk;
use mortise_points::payment_risk::{Assessment, Question, Recent};
use wasmtime::Store;
use wasmtime::component::InstancePre;

use crate::call::{Ask, Fit};
use crate::state::CallState;

mod world {
    wasmtime::component::bindgen!({
        path: "../points/payment-risk/wit/1.0",
        world: "payment-risk",
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}

use world::exports::mortise::payment_risk::scoring as wit;

impl Fit for PaymentRisk {
    type World = world::PaymentRiskPre<CallState>;
    type Instance = world::PaymentRisk;

    fn prepare(linked: InstancePre<CallState>) -> wasmtime::Result<Self::World> {
        world::PaymentRiskPre::new(linked)
    }

    fn instantiate(world: &Self::World, store: &mut Store<CallState>) -> wasmtime::Result<Self::Instance> {
        world.instantiate(store)
    }

    fn ask(
        instance: &Self::Instance,
        store: &mut Store<CallState>,
        ask: Ask<'_, Question>,
    ) -> wasmtime::Result<Result<Assessment, String>> {
        let question = ask.question;
        let order = wit::Order {
            currency: question.currency.code(),
            customer_id: question.customer_id.as_str(),
            amount: question.amount.minor(),
            country: question.country.code(),
            postal_code: &question.postal_code,
            city: &question.city,
            collected: question.collected,
            refused: question.refused,
            last_hour: to_wit(question.last_hour),
            last_day: to_wit(question.last_day),
            score: question.score,
            trade_time_ms: question.trade_time.as_millis(),
        };
        let answer = instance
            .mortise_payment_risk_scoring()
            .call_assess(store, ask.config, order)?;
        Ok(answer.map(|assessment| Assessment {
            score: assessment.score,
            reason: assessment.reason,
        }))
    }
}

fn to_wit(recent: Recent) -> wit::Recent {
    wit::Recent {
        orders: recent.orders,
        amount: recent.amount.minor(),
    }
}
