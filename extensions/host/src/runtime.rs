//! The engine that all extensions run in: how it is set up, how many calls run at a time, how components are compiled.
//! It knows neither points nor bindings.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use wasmtime::component::Component;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::cache::{CompileCache, deserialize};
use crate::compiler::Compiler;
use crate::counters::{Counted, Tallies};
use crate::limits::Ceilings;
use crate::ticker::{Ticker, Timed};
use crate::watch::Stopwatch;

/// What one component may be made of. A Rust guest has three core instances and one memory; CPython's libraries are 38
/// instances that share one.
const CORE_INSTANCES_PER_COMPONENT: u32 = 48;
const MEMORIES_PER_COMPONENT: u32 = 2;
const TABLES_PER_COMPONENT: u32 = 8;
/// Memory of a slot that stays with the process between two calls, rather than going back to the system each time.
const KEPT_RESIDENT_BYTES: usize = 2 << 20;

/// The engine, its ceilings, its clock and its pool.
#[derive(Debug)]
pub struct Runtime {
    engine: Engine,
    ceilings: Ceilings,
    ticker: Ticker,
    free_places: Mutex<Vec<usize>>,
    place_freed: Condvar,
    cache: Option<CompileCache>,
    compiler: Compiler,
    tallies: Tallies,
    up: Stopwatch,
}

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The engine refuses its configuration, or the machine its address space.
    #[error("the WebAssembly engine does not start: {0}")]
    Engine(String),
    /// No thread for the deadline's clock.
    #[error("the deadline's clock does not start")]
    Ticker(#[source] std::io::Error),
}

/// A call's place in the pool. What the call uses must be dropped before it.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    runtime: &'a Runtime,
    place: usize,
}

impl Runtime {
    /// Sets up an engine. With a cache, components are compiled once; without one, at every load. They are compiled in
    /// this process; [`Runtime::compiling_by`] says otherwise.
    ///
    /// # Errors
    /// The machine does not have what the ceilings ask of it.
    pub fn start(ceilings: Ceilings, cache: Option<CompileCache>) -> Result<Runtime, RuntimeError> {
        let engine =
            Engine::new(&config(&ceilings)).map_err(|error| RuntimeError::Engine(format!("{error:#}")))?;
        let places = usize::try_from(ceilings.concurrent_calls).unwrap_or(usize::MAX);
        let ticker =
            Ticker::start(engine.clone(), places, ceilings.deadline).map_err(RuntimeError::Ticker)?;
        let free_places = Mutex::new((0..places).collect());
        let (compiler, tallies) = (Compiler::within(), Tallies::default());
        let place_freed = Condvar::new();
        let up = Stopwatch::start();
        Ok(Runtime { engine, ceilings, ticker, free_places, place_freed, cache, compiler, tallies, up })
    }

    /// The same with components compiled elsewhere.
    #[must_use]
    pub fn compiling_by(mut self, compiler: Compiler) -> Runtime {
        self.compiler = compiler;
        self
    }

    /// What every extension has done since the start, whichever bindings it was called by.
    #[must_use]
    pub fn counted(&self) -> Vec<Counted> {
        self.tallies.read()
    }

    /// Which minute it is since the start: by it the log is kept from being filled.
    pub(crate) fn minute(&self) -> u64 {
        self.up.micros() / 60_000_000
    }

    pub(crate) fn tallies(&self) -> &Tallies {
        &self.tallies
    }

    /// The ceilings that it was started with.
    #[must_use]
    pub fn ceilings(&self) -> &Ceilings {
        &self.ceilings
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Waits for a place. The wait is bounded, since no call outlives its deadline.
    pub(crate) fn enter(&self) -> Permit<'_> {
        let mut free = self.free();
        loop {
            if let Some(place) = free.pop() {
                return Permit { runtime: self, place };
            }
            free = self.place_freed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Compiles a component, or takes it from the cache.
    pub(crate) fn compile(&self, bytes: &[u8]) -> wasmtime::Result<Component> {
        let compile = || self.compiler.compile(&self.engine, bytes);
        match &self.cache {
            Some(cache) => cache.load_or(&self.engine, bytes, compile),
            None => deserialize(&self.engine, &compile()?),
        }
    }

    /// A list is valid whatever happened to a thread that held it.
    fn free(&self) -> MutexGuard<'_, Vec<usize>> {
        self.free_places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit<'_> {
    /// Begins the call's time; see [`Ticker::time`].
    pub(crate) fn time(&self, set: impl FnMut(u64)) -> Timed<'_> {
        self.runtime.ticker.time(self.place, set)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.runtime.free().push(self.place);
        self.runtime.place_freed.notify_one();
    }
}

fn config(ceilings: &Ceilings) -> Config {
    let mut config = compiling();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(ceilings))).memory_init_cow(true);
    config
}

/// What the machine code depends on: the same for the engine that runs it and for one that only compiles.
pub(crate) fn compiling() -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .epoch_interruption(true)
        // One answer for one question, on every machine.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        // Traps are found without it; registering it is most of what a start costs.
        .native_unwind_info(cfg!(windows))
        // No call waits for anything, so nothing is prepared for waiting. Threads and garbage collection are not even
        // compiled into the engine.
        .concurrency_support(false)
        .wasm_stack_switching(false)
        .wasm_memory64(false)
        .wasm_custom_page_sizes(false);
    config
}

pub(crate) fn pool(ceilings: &Ceilings) -> PoolingAllocationConfig {
    let calls = ceilings.concurrent_calls;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls * CORE_INSTANCES_PER_COMPONENT)
        .total_memories(calls * MEMORIES_PER_COMPONENT)
        .total_tables(calls * TABLES_PER_COMPONENT)
        .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT)
        .max_memories_per_component(MEMORIES_PER_COMPONENT)
        .max_tables_per_component(TABLES_PER_COMPONENT)
        .max_memory_size(ceilings.memory_bytes)
        .table_elements(ceilings.table_elements)
        .linear_memory_keep_resident(KEPT_RESIDENT_BYTES)
        .table_keep_resident(ceilings.table_elements * size_of::<usize>())
        .max_unused_warm_slots(calls)
        .pagemap_scan(Enabled::Auto);
    pool
}
