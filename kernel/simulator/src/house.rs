//! A platform that is thrown away: a data directory, an engine on a runtime of its own, a clock that only we move. Dropping
//! the runtime is a crash; the directory, the clock, the ids and the peers survive it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mortise_capability::Policies;
use mortise_engine::{
    Aliasing, CallRequest, Catalogue, Engine, EngineError, Options, PLATFORM, Retention, StepMode,
};
use mortise_store::{Durability, Migrations, Store};
use mortise_types::{Clock, Scope, SeededIds, Span, Timestamp, VirtualClock};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::Failure;
use crate::platform::{Composition, Peers, Wired};
use crate::simulate::Flows;
use crate::stage::Stage;
use crate::wrap::wrapped;

/// The real time that an engine may take to come to rest.
const LIMIT: Duration = Duration::from_secs(60);

/// One platform.
pub(crate) struct House {
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) peers: Arc<dyn Peers>,
    pub(crate) stage: Arc<Stage>,
    ids: Arc<SeededIds>,
    /// What is published, where it is known.
    catalogue: Option<Arc<Catalogue>>,
    directory: TempDir,
    life: Option<Life>,
}

struct Life {
    runtime: Runtime,
    engine: Engine,
    policies: Arc<Policies>,
}

impl House {
    /// A platform on what `image` holds, or on nothing.
    pub(crate) fn open(
        composition: &dyn Composition,
        image: Option<&Image>,
        opens_at: Timestamp,
        (stage, seed): (Stage, u32),
    ) -> Result<Self, Failure> {
        let directory = TempDir::with_prefix("mortise-simulation-").map_err(Failure::machine)?;
        if let Some(image) = image {
            std::fs::copy(&image.file, directory.path().join(DATABASE)).map_err(Failure::machine)?;
        }
        let clock = Arc::new(VirtualClock::at(opens_at));
        let peers = composition.peers(Arc::clone(&clock) as Arc<dyn Clock>);
        let (stage, ids) = (Arc::new(stage), Arc::new(SeededIds::new(seed)));
        let catalogue = image.map(|image| Arc::clone(&image.catalogue));
        let mut house = Self { clock, peers, stage, ids, catalogue, directory, life: None };
        house.restart()?;
        Ok(house)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.life().engine
    }

    pub(crate) fn policies(&self) -> &Arc<Policies> {
        &self.life().policies
    }

    fn life(&self) -> &Life {
        self.life.as_ref().expect("there is a life between two restarts")
    }

    /// Runs something on the engine's runtime.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.life().runtime.block_on(future)
    }

    /// Stops everything where it is, as a crash does, and starts again on the same data.
    pub(crate) fn restart(&mut self) -> Result<(), Failure> {
        self.stop();
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(Failure::machine)?;
        let Wired { registry, policies, bound } =
            self.peers.wire(Arc::clone(&self.ids) as _).map_err(Failure::Platform)?;
        let registry = Arc::new(wrapped(registry, &self.stage));
        let stage = Arc::clone(&self.stage);
        let options = Options {
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            ids: Arc::clone(&self.ids) as _,
            bound,
            steps: StepMode::Stretches,
            // What a transcript is made of must not be forgotten on the way.
            retention: Retention { idempotency: Span::MAX, events: Span::MAX, journals: Span::MAX },
            // A crash before a commit comes to what one behind the commit before it does, and those who pass these points
            // are two at a time, in no certain order.
            crash_point: Some(Arc::new(move |point| match point {
                "prepared" | "written" => {}
                _ => stage.pass(),
            })),
        };
        let policies_kept = Arc::clone(&policies);
        // An image has its tables.
        let migrations: Vec<Migrations> = match &self.catalogue {
            Some(_) => Vec::new(),
            None => std::iter::once(mortise_engine::migrations())
                .chain(registry.migrations().iter().copied())
                .collect(),
        };
        let directory = self.directory.path();
        let engine = runtime.block_on(async {
            let store_options =
                mortise_store::Options { readers: 1, durability: Durability::Process, ..Default::default() };
            let store = Arc::new(Store::open(directory, &migrations, store_options).await?);
            match &self.catalogue {
                Some(known) => {
                    Engine::start_knowing(Arc::clone(known), store, registry, policies, options).await
                }
                None => Engine::start(store, registry, policies, options).await,
            }
        })?;
        self.stage.set_engine(Some(engine.clone()));
        self.life = Some(Life { runtime, engine, policies: policies_kept });
        Ok(())
    }

    /// Ends the life, and waits until the database is closed.
    fn stop(&mut self) {
        let Some(Life { runtime, engine, policies }) = self.life.take() else { return };
        let store = Arc::clone(engine.store());
        self.stage.set_engine(None);
        drop((engine, policies));
        drop(runtime);
        if let Some(store) = Arc::into_inner(store) {
            store.close();
        }
    }

    /// Lets the engine go on until nothing moves by itself; says when the next clock is due, and whether it crashed on the way.
    pub(crate) fn rest(&mut self) -> Result<(Option<Timestamp>, Ran), Failure> {
        let mut ran = Ran::Through;
        loop {
            let Life { runtime, engine, .. } = self.life();
            let next = runtime.block_on(async {
                tokio::select! {
                    biased;
                    () = self.stage.crash() => Ok(None),
                    next = tokio::time::timeout(LIMIT, engine.rest()) => next,
                }
            });
            if self.stage.take_crash() {
                self.restart()?;
                ran = Ran::Crashed;
                continue;
            }
            let next = next.map_err(|_| Failure::Platform("the engine does not come to rest".to_owned()))?;
            return Ok((next, ran));
        }
    }

    /// Lets `flows` mean what their texts say, for everybody, whatever order they come in: one that is refused may start
    /// another that comes later.
    pub(crate) fn publish(&self, flows: &Flows) -> Result<(), Failure> {
        let own = flows.own.iter().map(|flow| (flow, true));
        let mut left: Vec<_> = own.chain(flows.others.iter().map(|flow| (flow, false))).collect();
        loop {
            let before = left.len();
            let mut refused = Vec::new();
            let mut first = None;
            for (flow, must) in left {
                let (file, text) = flow;
                let published = self.block_on(self.engine().publish((PLATFORM, ""), text, Aliasing::Move));
                if let Err(error) = published {
                    if must {
                        first.get_or_insert(Failure::published(file, error));
                    }
                    refused.push((flow, must));
                }
            }
            match first {
                Some(failure) if refused.len() == before => return Err(failure),
                None if refused.len() == before || refused.is_empty() => return Ok(()),
                _ => left = refused,
            }
        }
    }

    /// One call that has to go through.
    pub(crate) fn must(
        &mut self,
        scope: &Scope,
        operation: &str,
        input: mortise_contract::Value,
    ) -> Result<(), Failure> {
        let request = CallRequest {
            scope: scope.clone(),
            operation: operation.to_owned(),
            input,
            caller: None,
            idempotency: None,
        };
        let refused = |problem: String| Failure::Seed { operation: operation.to_owned(), problem };
        let begun = self.engine().begin_call(request).map_err(|error| refused(words(&error)))?;
        self.rest()?;
        let mut answer = begun.answer;
        match answer.try_recv() {
            Ok(mortise_engine::Started::Answered { answer: mortise_flow::Answer::Ok(_), .. }) => Ok(()),
            Ok(other) => Err(refused(format!("{other:?}"))),
            Err(_) => Err(refused("it was not answered".to_owned())),
        }
    }

    /// Ends it and keeps its database.
    pub(crate) fn into_image(mut self) -> Result<Image, Failure> {
        let catalogue = Arc::clone(self.engine().catalogue());
        self.stop();
        let directory = TempDir::with_prefix("mortise-shop-").map_err(Failure::machine)?;
        let file = directory.path().join(DATABASE);
        std::fs::copy(self.directory.path().join(DATABASE), &file).map_err(Failure::machine)?;
        Ok(Image { _directory: directory, file, catalogue })
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The database of a shop in which nothing has happened yet, and what is published in it.
pub(crate) struct Image {
    _directory: TempDir,
    file: PathBuf,
    catalogue: Arc<Catalogue>,
}

/// The name of the database in a data directory.
const DATABASE: &str = "mortise.db";

/// Whether the engine ran through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ran {
    Through,
    Crashed,
}

/// Why something was not begun, with every place that is off.
pub(crate) fn words(error: &EngineError) -> String {
    match error {
        EngineError::Invalid(violations) => {
            let places = violations.iter().map(|v| format!("{} {}", v.pointer, v.message));
            places.collect::<Vec<_>>().join("; ")
        }
        error => error.to_string(),
    }
}
