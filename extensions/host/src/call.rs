//! One call of one extension at one point: a fresh instance, metered, and whatever comes of it as a result.
//! What a failure means is the binding's business, not decided here.

use std::sync::Arc;

use mortise_points::{Attribute, CallIdentity, Failure, FailureKind, Point};
use mortise_types::Timestamp;
use wasmtime::component::InstancePre;
use wasmtime::{Store, Trap};

use crate::limits::Granted;
use crate::runtime::Runtime;
use crate::state::CallState;

/// What the host adds to a point: its typed world, and the conversion of question and answer. It stands in the point's
/// own folder, in `host.rs`.
pub(crate) trait Fit: Point {
    /// The world, linked and ready to be instantiated.
    type World: Send + Sync + 'static;

    /// An instance of it.
    type Instance;

    /// Earlier versions of the world, the newest first: an extension that was built for one still runs. Their questions
    /// and answers are brought into the point's newest form by `ask`.
    const FORMER: &'static [Former<Self::World>] = &[];

    /// Finds the functions of the newest world in a component.
    fn prepare(linked: InstancePre<CallState>) -> wasmtime::Result<Self::World>;

    /// Instantiates, and checks the types of the functions.
    fn instantiate(world: &Self::World, store: &mut Store<CallState>) -> wasmtime::Result<Self::Instance>;

    /// Converts the question, calls, converts the answer. The inner error is the extension's own.
    fn ask(
        instance: &Self::Instance,
        store: &mut Store<CallState>,
        ask: Ask<'_, Self::Question>,
    ) -> wasmtime::Result<Result<Self::Answer, String>>;
}

/// Finds a world's functions in a component.
pub(crate) type Prepare<W> = fn(InstancePre<CallState>) -> wasmtime::Result<W>;

/// An earlier version of a point's world.
pub(crate) struct Former<W> {
    /// As manifests write it.
    pub(crate) version: &'static str,
    /// Finds its functions in a component.
    pub(crate) prepare: Prepare<W>,
}

/// What one extension is asked.
#[derive(Debug)]
pub(crate) struct Ask<'a, Q> {
    pub(crate) question: &'a Q,
    /// The binding's config, a JSON text.
    pub(crate) config: &'a str,
    /// The SKU attributes that it may see.
    pub(crate) reads: &'a [Arc<str>],
}

impl<Q> Ask<'_, Q> {
    /// Of the attributes that a question has, those that this extension may see.
    pub(crate) fn granted<'k>(&self, known: &'k [Attribute]) -> impl Iterator<Item = &'k Attribute> {
        known.iter().filter(|attribute| self.reads.contains(&attribute.name))
    }
}

/// What a call gave, and what it cost.
#[derive(Debug)]
pub(crate) struct Called<A> {
    pub(crate) result: Result<A, Failure>,
    pub(crate) fuel_used: u64,
    pub(crate) log: Option<String>,
}

/// Calls in a fresh instance.
pub(crate) fn call<P: Fit>(
    runtime: &Runtime,
    world: &P::World,
    granted: Granted,
    call: CallIdentity<'_>,
    ask: Ask<'_, P::Question>,
) -> Called<P::Answer> {
    let state = CallState::new(granted, P::trade_time(ask.question), call);
    metered(runtime, state, granted.fuel(P::lines(ask.question)), |store| {
        let instance = P::instantiate(world, store)?;
        P::ask(&instance, store, ask)
    })
}

/// Starts an instance and asks it nothing: what is wrong with its start or its types shows before anybody is bound.
pub(crate) fn trial<P: Fit>(runtime: &Runtime, world: &P::World, granted: Granted) -> Result<(), Failure> {
    let identity = CallIdentity { instance: "trial", step: P::NAME, attempt: 1, customer: None };
    let state = CallState::new(granted, Timestamp::EPOCH, identity);
    metered(runtime, state, granted.fuel(0), |store| P::instantiate(world, store).map(|_| Ok(()))).result
}

/// Runs in a store of its own, under all limits.
pub(crate) fn metered<A>(
    runtime: &Runtime,
    state: CallState,
    fuel: u64,
    run: impl FnOnce(&mut Store<CallState>) -> wasmtime::Result<Result<A, String>>,
) -> Called<A> {
    let permit = runtime.enter();
    let output_bytes = state.granted().output_bytes;
    let mut store = Store::new(runtime.engine(), state);
    store.limiter(|state| state);
    let _timed = permit.time(|epochs| store.set_epoch_deadline(epochs));
    store.set_hostcall_fuel(output_bytes);
    let outcome = store.set_fuel(fuel).and_then(|()| run(&mut store));
    let fuel_used = fuel - store.get_fuel().unwrap_or(0).min(fuel);
    let log = store.data().log();
    let result = match outcome {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(own)) => Err(Failure::new(FailureKind::Declined, shortened(&own))),
        Err(error) => Err(failure(&error, store.data(), fuel, log.as_deref())),
    };
    Called { result, fuel_used, log }
}

fn failure(error: &wasmtime::Error, state: &CallState, fuel: u64, log: Option<&str>) -> Failure {
    let trap = error.downcast_ref::<Trap>().copied();
    match trap {
        Some(Trap::OutOfFuel) => {
            let asks = "`fuel_per_call` and `fuel_per_line` of its manifest ask for more";
            return Failure::new(FailureKind::OutOfFuel, format!("used up its {fuel} units of fuel; {asks}"));
        }
        Some(Trap::Interrupt) => return Failure::new(FailureKind::Overran, "ran past its deadline"),
        _ => {}
    }
    if let Some(bytes) = state.refused_bytes() {
        return Failure::new(
            FailureKind::OutOfMemory,
            format!(
                "wanted {bytes} bytes of memory, more than it may have; `memory` of its manifest asks for more"
            ),
        );
    }
    if state.overdrawn() {
        return Failure::new(FailureKind::OutOfMemory, "wanted a larger table than it may have");
    }
    // The engine names this case in its text only; the hostile guests' test holds that it is found.
    if error.chain().any(|cause| cause.to_string().contains("fuel allocated for hostcalls")) {
        return Failure::new(FailureKind::OutputTooLarge, "its answer is larger than an answer may be");
    }
    let mut detail = match trap {
        Some(trap) => trap.to_string().trim_start_matches("wasm trap: ").to_owned(),
        None => error.root_cause().to_string(),
    };
    if let Some(log) = log {
        // A panic's place and message are two lines in Rust; other languages need no more.
        let said: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).take(2).collect();
        detail = format!("{detail}; it said: {}", said.join(" "));
    }
    Failure::new(FailureKind::Trapped, shortened(&detail))
}

/// An extension's own words, on one line and cut off.
pub(crate) fn shortened(text: &str) -> String {
    const LONGEST: usize = 300;
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push_str("...");
    }
    line
}
