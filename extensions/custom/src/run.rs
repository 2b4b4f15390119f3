//! Calls of a registered operation: input to JSON, the component, and its answer held to the contract.

use std::sync::Arc;

use mortise_capability::{Call, ExtensionCall, Handler, Rejection, Reply, StoreError};
use mortise_contract::{Contracts, OperationContract, Schema, Value, Violation};
use mortise_host::{Extension, OwnAnswer, OwnCall, Runtime};
use mortise_points::{CallIdentity, Failure, Invalid};
use serde::Serialize;

use crate::contract::CUSTOM_FAILED;

struct Own {
    name: String,
    runtime: Arc<Runtime>,
    extension: Arc<Extension>,
    config: String,
    contract: OperationContract,
    platform: Arc<Contracts>,
}

/// The detail of a failure.
#[derive(Serialize)]
struct Failed<'a> {
    extension: &'a str,
    kind: &'static str,
    why: &'a str,
}

/// An answer that is true to the contract.
enum Judged {
    Done(Value),
    Rejected(Rejection),
}

/// The code of an operation.
pub(crate) fn handler(
    runtime: Arc<Runtime>,
    extension: Arc<Extension>,
    name: String,
    contract: OperationContract,
    platform: Arc<Contracts>,
) -> Handler {
    let own = extension.manifest().operation.as_ref();
    let config = own.map_or_else(|| "{}".to_owned(), |own| own.config.to_string());
    let own = Own { name, runtime, extension, config, contract, platform };
    Handler::Pure(Arc::new(move |calls| calls.iter().map(|call| own.reply(call)).collect()))
}

impl Own {
    fn reply(&self, call: &Call<Value>) -> Result<Reply<Value>, StoreError> {
        let (step, attempt) = call.context.step_and_attempt();
        let customer = call.context.caller.as_ref().map(|caller| caller.as_str());
        let input = call.input.to_json();
        let own = OwnCall {
            identity: CallIdentity { instance: &call.context.trade, step, attempt, customer },
            trade_time: call.context.now,
            config: &self.config,
            input: &input,
        };
        let run = self.extension.run_operation(&self.runtime, own, |answer| self.judge(answer));
        let outcome = run.result.as_ref().map_or_else(|why| why.kind.code(), |_| "answered");
        let asked = ExtensionCall {
            point: self.name.clone(),
            extension: self.extension.id().to_string(),
            outcome: outcome.to_owned(),
            fuel: run.fuel_used,
        };
        let reply = match run.result {
            Ok(Judged::Done(output)) => Reply::done(output),
            Ok(Judged::Rejected(Rejection { code, detail })) => Reply::rejected(&code, &detail)?,
            Err(why) => self.failed(&why)?,
        };
        Ok(reply.asked(vec![asked]))
    }

    fn failed(&self, why: &Failure) -> Result<Reply<Value>, StoreError> {
        let extension = self.extension.id().as_str();
        Reply::rejected(CUSTOM_FAILED, &Failed { extension, kind: why.kind.code(), why: &why.detail })
    }

    fn judge(&self, answer: OwnAnswer) -> Result<Judged, Invalid> {
        match answer {
            OwnAnswer::Done(text) => self.value("output", &self.contract.output, &text).map(Judged::Done),
            OwnAnswer::Rejected { code, detail } => {
                let schema = self.contract.rejections.get(&code).filter(|_| code != CUSTOM_FAILED);
                let schema = schema.ok_or_else(|| Invalid {
                    place: "rejected".to_owned(),
                    problem: format!("its contract declares no code {:?}", shortened(&code)),
                })?;
                let detail = self.value("detail", schema, &detail)?;
                Ok(Judged::Rejected(Rejection { code, detail }))
            }
        }
    }

    /// A text of the component's as a value of this schema, defaults filled in.
    fn value(&self, place: &str, schema: &Schema, text: &str) -> Result<Value, Invalid> {
        let value = mortise_contract::json(text)
            .map_err(|error| Invalid { place: place.to_owned(), problem: shortened(&error.to_string()) })?;
        self.platform.validate(schema, &value).map_err(|violations| first(place, &violations))
    }
}

fn first(place: &str, violations: &[Violation]) -> Invalid {
    let (pointer, message) = violations
        .first()
        .map_or(("", "does not fit"), |violation| (violation.pointer.as_str(), violation.message.as_str()));
    Invalid { place: shortened(&format!("{place}{pointer}")), problem: shortened(message) }
}

/// A component's words are as long as it likes.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 200;
    text.chars().take(LONGEST).collect()
}
