//! The host's side of the point `refund-check`, compiled as part of the host: its WIT world by bindgen, and the conversion
//! between the world's types and the point's plain ones.

use mortise_points::RefundCheck;
use mortise_points::refund_check::{Cap, Line, Question, Refusal, Ruling};
use wasmtime::Store;
use wasmtime::component::InstancePre;

use crate::call::{Ask, Fit};
use crate::state::CallState;

mod world {
    wasmtime::component::bindgen!({
        path: "../points/refund-check/wit/1.0",
        world: "refund-check",
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}

use world::exports::mortise::refund_check::returning as wit;

impl Fit for RefundCheck {
    type World = world::RefundCheckPre<CallState>;
    type Instance = world::RefundCheck;

    fn prepare(linked: InstancePre<CallState>) -> wasmtime::Result<Self::World> {
        world::RefundCheckPre::new(linked)
    }

    fn instantiate(world: &Self::World, store: &mut Store<CallState>) -> wasmtime::Result<Self::Instance> {
        world.instantiate(store)
    }

    fn ask(
        instance: &Self::Instance,
        store: &mut Store<CallState>,
        ask: Ask<'_, Question>,
    ) -> wasmtime::Result<Result<Ruling, String>> {
        let question = ask.question;
        // What a line's record points at; it outlives the call.
        let reasons: Vec<Vec<&str>> = question
            .lines
            .iter()
            .map(|line| line.reasons.iter().map(String::as_str).collect())
            .collect();
        let lines: Vec<wit::Line<'_>> = question
            .lines
            .iter()
            .zip(&reasons)
            .map(|(line, reasons)| to_wit(line, reasons))
            .collect();
        let asked = wit::Asked {
            order_id: question.order_id.as_str(),
            customer_id: question.customer_id.as_str(),
            currency: question.currency.code(),
            kind: question.kind.code(),
            placed_at_ms: question.placed_at.as_millis(),
            returnable_from_ms: question.returnable_from.as_millis(),
            trade_time_ms: question.trade_time.as_millis(),
            refund: question.refund.minor(),
            lines: &lines,
        };
        let answer = instance
            .mortise_refund_check_returning()
            .call_rule(store, ask.config, asked)?;
        Ok(answer.map(from_wit))
    }
}

fn to_wit<'a>(line: &'a Line, reasons: &'a [&'a str]) -> wit::Line<'a> {
    wit::Line {
        line_id: line.line_id.as_str(),
        sku: line.sku.as_str(),
        bought: line.bought.units(),
        returned: line.returned.units(),
        reasons,
        paid: line.paid.minor(),
    }
}

fn from_wit(ruling: wit::Ruling) -> Ruling {
    let refusal = |refusal: wit::Refusal| Refusal {
        line_id: refusal.line_id,
        reason: refusal.reason,
    };
    let cap = |cap: wit::Cap| Cap {
        line_id: cap.line_id,
        at_most: cap.at_most,
        reason: cap.reason,
    };
    Ruling {
        refusals: ruling.refusals.into_iter().map(refusal).collect(),
        caps: ruling.caps.into_iter().map(cap).collect(),
    }
}
