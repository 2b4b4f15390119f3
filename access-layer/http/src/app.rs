//! What all handlers share: the engine, the settings, the webhooks, and what is counted while requests are worked on.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use mortise_contract::{Contracts, Effect, OperationContract};
use mortise_engine::Engine;
use mortise_fault::codes;
use mortise_types::Scope;
use tokio::sync::watch;

use crate::clock::SettableClock;
use crate::desk::Desk;
use crate::edge::{Edge, Edges};
use crate::idempotency::UnderWay;
use crate::own_writes::OwnWrites;
use crate::problem::Problem;
use crate::put_off::PutOff;
use crate::settings::Settings;
use crate::webhook::Webhook;

/// The shared state.
pub(crate) struct App {
    pub(crate) engine: Engine,
    pub(crate) settings: Settings,
    pub(crate) hooks: HashMap<String, Arc<dyn Webhook>>,
    pub(crate) dev_clock: Option<Arc<dyn SettableClock>>,
    pub(crate) desk: OnceLock<Arc<dyn Desk>>,
    pub(crate) edges: Edges,
    pub(crate) under_way: Arc<UnderWay>,
    pub(crate) own_writes: OwnWrites,
    pub(crate) put_off: PutOff,
    /// True from when the server is told to stop.
    pub(crate) draining: watch::Sender<bool>,
    requests: Arc<AtomicUsize>,
    followers: Arc<AtomicUsize>,
}

/// One of a bounded number of places; dropping it makes way.
#[derive(Debug)]
pub(crate) struct Seat(Arc<AtomicUsize>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn sit(seats: &Arc<AtomicUsize>, max: usize) -> Result<Seat, Problem> {
    let seat = Seat(Arc::clone(seats));
    if seats.fetch_add(1, Ordering::Relaxed) < max {
        Ok(seat)
    } else {
        Err(Problem::of(
            &codes::OVERLOADED,
            "More is asked for at once than can be worked on. Nothing was begun.",
        ))
    }
}

impl App {
    pub(crate) fn new(
        engine: Engine,
        settings: Settings,
        hooks: Vec<Arc<dyn Webhook>>,
        dev_clock: Option<Arc<dyn SettableClock>>,
    ) -> Self {
        let edges = Edges::new(engine.registry().contracts());
        Self {
            engine,
            settings,
            hooks: hooks.into_iter().map(|hook| (hook.peer().to_owned(), hook)).collect(),
            dev_clock,
            desk: OnceLock::new(),
            edges,
            under_way: Arc::default(),
            own_writes: OwnWrites::default(),
            put_off: PutOff::default(),
            draining: watch::Sender::new(false),
            requests: Arc::default(),
            followers: Arc::default(),
        }
    }

    /// The contracts of all capabilities.
    pub(crate) fn contracts(&self) -> &Contracts {
        self.engine.registry().contracts()
    }

    /// An operation that reads, writes or leaves the database, with its edge, if its effect is one that is asked for.
    ///
    /// # Errors
    /// There is none; the one that may have been meant is named.
    pub(crate) fn operation(
        &self,
        name: &str,
        fits: impl Fn(Effect) -> bool,
    ) -> Result<(&OperationContract, &Arc<Edge>), Problem> {
        let operations = &self.contracts().operations;
        let known = operations.get(name).filter(|contract| fits(contract.effect));
        known.zip(self.edges.operation(name)).ok_or_else(|| {
            let others = operations.iter().filter(|(_, contract)| fits(contract.effect));
            Problem::unknown_operation(name, others.map(|(name, _)| &**name))
        })
    }

    /// The currency of amounts that nothing nearer says the currency of.
    pub(crate) fn line_currency(&self, scope: &Scope) -> mortise_types::Currency {
        (self.settings.currency_of)(scope)
    }

    /// A place among the requests that are worked on.
    pub(crate) fn request_seat(&self) -> Result<Seat, Problem> {
        sit(&self.requests, self.settings.requests_max)
    }

    /// A place among the streams that are open.
    pub(crate) fn follower_seat(&self) -> Result<Seat, Problem> {
        sit(&self.followers, self.settings.followers_max)
    }

    /// Whether the server or the engine is about to stop.
    pub(crate) fn is_draining(&self) -> bool {
        *self.draining.borrow() || self.engine.is_draining()
    }
}
