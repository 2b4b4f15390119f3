//! An operation of one's own, as the host runs it: the world `mortise:custom`, one call in a fresh metered instance. Its
//! contract, and whether an answer is true to it, are the caller's.

use std::sync::Arc;

use mortise_points::{CallIdentity, Failure, FailureKind, Invalid, OnFailure};
use mortise_types::Timestamp;
use wasmtime::component::InstancePre;

use crate::call::{Called, metered};
use crate::doors::{World, invalid};
use crate::extension::Extension;
use crate::limits::Granted;
use crate::report::Report;
use crate::runtime::Runtime;
use crate::state::CallState;
use crate::watch::Stopwatch;

mod world {
    wasmtime::component::bindgen!({
        path: "../custom/wit/1.0",
        world: "custom",
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}

use world::exports::mortise::custom::operation as wit;

/// What an operation's extension is, instead of a point's name.
pub(crate) const OWN: &str = "custom";
/// The version of the world that this host has.
pub(crate) const OWN_VERSION: &str = "1.0";
/// So much input counts as a line: what an operation may compute grows with what it is given.
const BYTES_PER_LINE: usize = 256;

/// One call of an operation. Texts are JSON.
#[derive(Clone, Copy, Debug)]
pub struct OwnCall<'a> {
    /// Which call of which trade.
    pub identity: CallIdentity<'a>,
    /// The only time that it sees.
    pub trade_time: Timestamp,
    /// What the manifest sets.
    pub config: &'a str,
    /// The input.
    pub input: &'a str,
}

/// What an operation answered, unchecked. Texts should be JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnAnswer {
    /// The output.
    Done(String),
    /// A business "no".
    Rejected {
        /// Its code.
        code: String,
        /// Its detail.
        detail: String,
    },
}

/// What a call came to.
#[derive(Clone, Debug)]
pub struct OwnRun<T> {
    /// The checked answer, or why there is none.
    pub result: Result<T, Failure>,
    /// Fuel used.
    pub fuel_used: u64,
}

/// The linked component as an operation, tried out.
pub(crate) fn prepare(
    runtime: &Runtime,
    granted: Granted,
    linked: InstancePre<CallState>,
) -> Result<World, String> {
    let world = world::CustomPre::new(linked).map_err(|error| format!("{error:#}"))?;
    let identity = CallIdentity { instance: "trial", step: OWN, attempt: 1, customer: None };
    let state = CallState::new(granted, Timestamp::EPOCH, identity);
    let started = metered(runtime, state, granted.fuel(0), |store| world.instantiate(store).map(|_| Ok(())));
    started.result.map_err(|why| why.to_string())?;
    Ok(Arc::new(world))
}

impl Extension {
    /// Runs its operation once. `judge` checks the answer; what it refuses is a failure of the extension.
    pub fn run_operation<T>(
        &self,
        runtime: &Runtime,
        call: OwnCall<'_>,
        judge: impl FnOnce(OwnAnswer) -> Result<T, Invalid>,
    ) -> OwnRun<T> {
        let watch = Stopwatch::start();
        let Called { result, fuel_used, log } = match self.own_world() {
            Ok(world) => run(runtime, &world, self.granted(), call),
            Err(why) => Called { result: Err(why), fuel_used: 0, log: None },
        };
        let result = result.and_then(|answer| judge(answer).map_err(invalid));
        let report = Report {
            point: OWN,
            extension: self.id(),
            call: call.identity,
            fuel_used,
            took_us: watch.micros(),
            failure: result.as_ref().err(),
            on_failure: OnFailure::Refuse,
            log: log.as_deref(),
        };
        report.tell(runtime, &runtime.tallies().of(OWN, self.id()));
        OwnRun { result, fuel_used }
    }

    fn own_world(&self) -> Result<Arc<world::CustomPre<CallState>>, Failure> {
        let missing =
            || Failure::new(FailureKind::Missing, format!("{} is no operation of one's own", self.id()));
        self.any_world(OWN).ok_or_else(missing)?.downcast().map_err(|_| missing())
    }
}

fn run(
    runtime: &Runtime,
    world: &world::CustomPre<CallState>,
    granted: Granted,
    call: OwnCall<'_>,
) -> Called<OwnAnswer> {
    let OwnCall { identity, trade_time, config, input } = call;
    let lines = 1 + (config.len() + input.len()) / BYTES_PER_LINE;
    let state = CallState::new(granted, trade_time, identity);
    metered(runtime, state, granted.fuel(lines), |store| {
        let instance = world.instantiate(&mut *store)?;
        let call = wit::Call { config, input, trade_time_ms: trade_time.as_millis() };
        Ok(match instance.mortise_custom_operation().call_run(store, call)? {
            Ok(output) => Ok(OwnAnswer::Done(output)),
            Err(wit::Refusal::Rejected(wit::Rejection { code, detail })) => {
                Ok(OwnAnswer::Rejected { code, detail })
            }
            Err(wit::Refusal::Failed(why)) => Err(why),
        })
    })
}
