//! What a call costs, and how much of that is the host: calls of one case through the host, in turns with calls of the
//! same component in an engine that meters, limits and checks nothing. Judges no figure.

use std::time::Duration;

use mortise_points::{CallIdentity, Failure};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, Store};

use crate::call::{Ask, Fit, call};
use crate::cases::{Case, CaseError};
use crate::doors::prepared;
use crate::extension::Extension;
use crate::limits::{Ceilings, Granted};
use crate::runtime::{Runtime, pool};
use crate::state::CallState;
use crate::wasi;
use crate::watch::Stopwatch;

/// How long calls took, in the order in which they were made.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Through the host: fuel, deadline, limits, the answer checked.
    pub by_host: Vec<Duration>,
    /// In the bare engine: a fresh instance of the same pool, the same conversion of question and answer.
    pub bare: Vec<Duration>,
    /// Fuel that each call through the host used.
    pub fuel_used: u64,
}

/// A component in an engine of its own, with the host's pool and nothing else of it.
pub(crate) struct Bare {
    engine: Engine,
    component: Component,
}

impl Bare {
    pub(crate) fn compile(ceilings: &Ceilings, component: &[u8]) -> Result<Bare, String> {
        let mut config = Config::new();
        config
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(ceilings)))
            .concurrency_support(false)
            .memory_init_cow(true);
        let engine = Engine::new(&config).map_err(|error| format!("{error:#}"))?;
        let component = Component::from_binary(&engine, component).map_err(|error| format!("{error:#}"))?;
        Ok(Bare { engine, component })
    }

    fn world<P: Fit>(&self, version: &str) -> Result<P::World, String> {
        let mut linker = Linker::new(&self.engine);
        wasi::satisfy(&mut linker, &self.component)?;
        let linked = linker.instantiate_pre(&self.component).map_err(|error| format!("{error:#}"))?;
        prepared::<P>(version, linked).map_err(|error| format!("{error:#}"))
    }
}

pub(crate) fn measure<P: Fit>(
    runtime: &Runtime,
    extension: &Extension,
    bare: &Bare,
    case: &Case,
    rounds: usize,
) -> Result<Measured, CaseError> {
    let question: P::Question =
        serde::Deserialize::deserialize(&case.question).map_err(CaseError::Question)?;
    let failed = |why: Failure| CaseError::Measure(why.to_string());
    let world = extension.world::<P>().map_err(failed)?;
    let version = extension.manifest().points.get(P::NAME).map_or(P::VERSION, String::as_str);
    let bare_world = bare.world::<P>(version).map_err(CaseError::Measure)?;
    let config = case.config.to_string();
    let identity = CallIdentity { instance: "case", step: P::NAME, attempt: 1, customer: None };
    let (granted, reads) = (extension.granted(), extension.sku_attributes());
    let mut measured = Measured::default();
    for round in 0..rounds {
        let ask = || Ask { question: &question, config: &config, reads };
        let watch = Stopwatch::start();
        let called = call::<P>(runtime, &world, granted, identity, ask());
        let answer = called.result.map_err(failed)?;
        P::revalidate(&question, answer).map_err(|invalid| CaseError::Measure(invalid.to_string()))?;
        let by_host = watch.elapsed();
        let bare = bare_call::<P>(bare, &bare_world, granted, identity, ask())
            .map_err(|error| CaseError::Measure(format!("in the bare engine: {error:#}")))?;
        if round >= rounds / 10 {
            measured.by_host.push(by_host);
            measured.bare.push(bare);
        }
        measured.fuel_used = called.fuel_used;
    }
    Ok(measured)
}

fn bare_call<P: Fit>(
    bare: &Bare,
    world: &P::World,
    granted: Granted,
    identity: CallIdentity<'_>,
    ask: Ask<'_, P::Question>,
) -> wasmtime::Result<Duration> {
    let watch = Stopwatch::start();
    let state = CallState::new(granted, P::trade_time(ask.question), identity);
    let mut store = Store::new(&bare.engine, state);
    let instance = P::instantiate(world, &mut store)?;
    // What the extension makes of the question was checked through the host.
    drop(P::ask(&instance, &mut store, ask)?);
    drop(store);
    Ok(watch.elapsed())
}
