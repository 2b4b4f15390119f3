//! The one place where everything is wired: capabilities with what they need, the database, the extensions, the engine.
//! It decides nothing; adding a capability is a line in `registry` and a line in `policies`.

mod extensions;
mod figures;
mod hooks;
mod own;
mod policies;
mod shipped;
mod simulated;

use std::sync::{Arc, OnceLock};

use mortise_capability::{Policies, Registry, RegistryError};
use mortise_contract::{Contracts, DeclarationError};
use mortise_engine::{Aliasing, Catalogue, Engine, PLATFORM, PublishError, StepMode};
use mortise_points::Points;
use mortise_store::{Access, Migrations, Store};
use mortise_types::{Clock, IdSource, SystemClock, SystemIds};

pub(crate) use extensions::{Answering, runtime};
pub(crate) use hooks::hooks;
pub(crate) use own::Own;
pub(crate) use policies::LinePolicy;
pub(crate) use simulated::Simulation;

use crate::cli;
use crate::failure::Failure;
use crate::place::Place;
use crate::print;

/// How long one request to a peer may take; the engine asks again with the same key.
const PEER_DEADLINE: std::time::Duration = std::time::Duration::from_secs(5);

/// Parts that do not fit together; each is a mistake of this program and shows in its tests.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ComposeError {
    /// A capability's contract.
    #[error(transparent)]
    Declaration(#[from] DeclarationError),
    /// Two capabilities.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// What the contracts say about each other.
    #[error("the contracts do not fit together: {0}")]
    Contracts(String),
    /// An adapter's settings.
    #[error("{0}")]
    Adapter(String),
}

impl From<ComposeError> for Failure {
    fn from(error: ComposeError) -> Self {
        Failure::unusable(error.to_string())
    }
}

/// Where the peers of remote operations are, and where they reach us.
#[derive(Debug, Clone)]
pub(crate) struct Peers {
    /// The payment provider and the carrier.
    pub(crate) sandbox_url: String,
    /// By which their webhooks are verified.
    pub(crate) webhook_secret: String,
    /// Our own address, without a slash at the end.
    pub(crate) public_url: String,
}

impl Peers {
    /// Those of the command line, which reach us at `public_url`.
    pub(crate) fn new(peers: &cli::Peers, public_url: impl Into<String>) -> Self {
        Self {
            sandbox_url: peers.sandbox_url.trim_end_matches('/').to_owned(),
            webhook_secret: peers.webhook_secret.clone(),
            public_url: public_url.into(),
        }
    }

    /// Where a peer's messages about a tenant's line go; the adapters fill the place holders in.
    fn hook(&self, peer: &str) -> String {
        format!("{}/v1/{{tenant}}/{{line}}/hooks/{peer}", self.public_url)
    }

    /// For what never asks a peer: contracts, checks, reads.
    pub(crate) fn unasked() -> Self {
        let nowhere = "http://127.0.0.1:9".to_owned();
        Self { sandbox_url: nowhere.clone(), webhook_secret: String::new(), public_url: nowhere }
    }
}

/// The capabilities, with the choices that they look up.
#[derive(Debug)]
pub(crate) struct Wired {
    pub(crate) registry: Arc<Registry>,
    pub(crate) policies: Arc<Policies>,
}

/// Every capability, wired.
///
/// # Errors
/// Parts that do not fit together.
pub(crate) fn registry(points: Arc<dyn Points>, own: &Own, peers: &Peers) -> Result<Wired, ComposeError> {
    let outside = Outside { provider: provider(peers)?, carrier: carrier(peers)? };
    wire(points, own, Arc::new(SystemIds), outside)
}

/// Whom the remote operations ask.
#[derive(Debug, Clone)]
struct Outside {
    provider: Arc<dyn mortise_payment::PaymentProvider>,
    carrier: Arc<dyn mortise_delivery::Carrier>,
}

fn wire(
    points: Arc<dyn Points>,
    own: &Own,
    ids: Arc<dyn IdSource>,
    outside: Outside,
) -> Result<Wired, ComposeError> {
    let policies = Arc::new(Policies::default());
    let (chosen, points, ids) = (|| Arc::clone(&policies), || Arc::clone(&points), || Arc::clone(&ids));
    let registry = Registry::new([
        mortise_purchase_limit::capability(chosen(), points())?,
        mortise_inventory::capability(chosen(), ids(), points())?,
        mortise_order_splitting::capability(points())?,
        mortise_pricing::capability(chosen(), points())?,
        mortise_discount::capability(chosen(), points())?,
        mortise_tax::capability(chosen())?,
        mortise_auction::capability(chosen(), ids(), points())?,
        mortise_campaign::capability(ids())?,
        mortise_order::capability(ids())?,
        mortise_after_sale::capability(chosen(), ids(), points())?,
        mortise_payment::capability(ids(), chosen(), outside.provider, points())?,
        mortise_fulfilment::capability(ids())?,
        mortise_delivery::capability(ids(), chosen(), outside.carrier, points())?,
    ])?
    .offer::<LinePolicy>();
    fit_together(registry.contracts())?;
    Ok(Wired { registry: Arc::new(own.join(registry)?), policies })
}

/// Whether the contracts fit together. They are the same whatever they are wired to, so it is asked once a process: a simulation
/// wires them thousands of times.
fn fit_together(contracts: &Contracts) -> Result<(), ComposeError> {
    static OFF: OnceLock<Vec<String>> = OnceLock::new();
    let off = OFF.get_or_init(|| mortise_flow::check_contracts(contracts));
    if off.is_empty() { Ok(()) } else { Err(ComposeError::Contracts(off.join("; "))) }
}

/// What the contracts say, without anything behind them that could be asked.
///
/// # Errors
/// Parts that do not fit together.
pub(crate) fn contracts_only(own: &Own) -> Result<Wired, ComposeError> {
    registry(Arc::new(mortise_points::NoExtensions), own, &Peers::unasked())
}

/// What a flow is checked against: the registered operations and events, and the shipped flows, which it may start.
///
/// # Errors
/// Parts that do not fit together.
pub(crate) fn contracts(own: &Own) -> Result<Contracts, ComposeError> {
    let registered = contracts_only(own)?.registry.contracts().clone();
    Ok(mortise_flow::with_flows(registered, shipped::FLOWS.iter().map(|(_, text)| *text)))
}

/// A platform's data and what is published in it; nothing runs.
#[derive(Debug)]
pub(crate) struct AtRest {
    pub(crate) store: Arc<Store>,
    pub(crate) wired: Wired,
    pub(crate) catalogue: Arc<Catalogue>,
}

/// Opens data without driving its trades: [`Access::Reading`] goes beside a server that has a PostgreSQL database. Whoever writes to a
/// directory that holds none is told that it does now: it may be mistyped.
///
/// # Errors
/// A directory that holds none, for who only reads; the database's; parts that do not fit together.
pub(crate) async fn at_rest(data: &Place, access: Access) -> Result<AtRest, Failure> {
    let is_new = matches!(data, Place::Directory(directory) if !directory.join("mortise.db").is_file());
    if is_new && access == Access::Reading {
        let sentence = format!("{data} holds no data of mortise");
        return Err(
            Failure::unusable(sentence).mend("name the directory that `mortise serve --data` was given")
        );
    }
    let wired = contracts_only(&Own::of_environment(data)?)?;
    let store = Arc::new(open_store(data, &wired.registry, access).await?);
    if is_new {
        print::note(format_args!("{data} held no data of mortise: it holds a new database now"));
    }
    let catalogue = Arc::new(Catalogue::new(Arc::clone(&wired.registry)));
    catalogue.load(&store).await?;
    Ok(AtRest { store, wired, catalogue })
}

async fn open_store(data: &Place, registry: &Registry, access: Access) -> Result<Store, Failure> {
    let migrations: Vec<Migrations> = [mortise_engine::migrations(), mortise_deployments::migrations()]
        .into_iter()
        .chain(registry.migrations().iter().copied())
        .collect();
    let options = mortise_store::Options { access, ..mortise_store::Options::default() };
    Ok(match data {
        Place::Directory(directory) => Store::open(directory, &migrations, options).await?,
        Place::Postgres(url) => Store::connect(url, &migrations, options).await?,
    })
}

/// How a platform is opened.
#[derive(Debug)]
pub(crate) struct Opening<'a> {
    /// The data.
    pub(crate) data: &'a Place,
    /// Standbys of a PostgreSQL database, by their addresses.
    pub(crate) replicas: Vec<String>,
    /// Who answers the extension points.
    pub(crate) answering: Answering,
    /// Where the peers are.
    pub(crate) peers: Peers,
    /// The one clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// How far a stretch goes.
    pub(crate) steps: StepMode,
    /// Who else may have a PostgreSQL database.
    pub(crate) access: Access,
}

impl<'a> Opening<'a> {
    /// A platform on the machine's clock without extensions.
    pub(crate) fn of(data: &'a Place, peers: Peers) -> Self {
        let (clock, steps) = (Arc::new(SystemClock), StepMode::default());
        Self {
            data,
            replicas: Vec::new(),
            answering: Answering::none(),
            peers,
            clock,
            steps,
            access: Access::Alone,
        }
    }
}

/// Opens data and drives its trades from now on; the policies are those that the engine keeps current.
///
/// # Errors
/// The database's; parts that do not fit together; a shipped flow that is refused.
pub(crate) async fn platform(opening: Opening<'_>) -> Result<(Engine, Arc<Policies>), Failure> {
    let (store, Wired { registry, policies }, options) = opened(opening).await?;
    let engine = ready(Engine::start(store, registry, Arc::clone(&policies), options).await?).await?;
    Ok((engine, policies))
}

/// Opens data for calls of our own; its open trades stay where they are.
///
/// # Errors
/// As [`platform`].
pub(crate) async fn idle(opening: Opening<'_>) -> Result<Engine, Failure> {
    let (store, wired, options) = opened(opening).await?;
    ready(Engine::start_idle(store, wired.registry, wired.policies, options).await?).await
}

async fn opened(opening: Opening<'_>) -> Result<(Arc<Store>, Wired, mortise_engine::Options), Failure> {
    let wired = registry(opening.answering.points(), opening.answering.own(), &opening.peers)?;
    let store = open_store(opening.data, &wired.registry, opening.access).await?;
    let readers = mortise_store::Options::default().readers;
    let store = Arc::new(store.with_replicas(&opening.replicas, readers).await?);
    opening.answering.attach(&store, opening.data).await?;
    let options = mortise_engine::Options {
        clock: opening.clock,
        ids: Arc::new(SystemIds),
        bound: opening.answering.bound(),
        steps: opening.steps,
        retention: mortise_engine::Retention::default(),
        crash_point: crash_point()?,
    };
    Ok((store, wired, options))
}

/// Shipped flows are published where their names are new.
async fn ready(engine: Engine) -> Result<Engine, Failure> {
    for (trade, text) in shipped::FLOWS {
        engine
            .publish((PLATFORM, ""), text, Aliasing::Keep)
            .await
            .map_err(|error| refused_flow(trade, &error))?;
    }
    Ok(engine)
}

/// A definition that was not published, as its author reads it.
pub(crate) fn refused_flow(file: &str, error: &PublishError) -> Failure {
    match error {
        PublishError::Refused(diagnostics) => {
            let first = diagnostics.iter().find(|d| d.severity == mortise_flow::diagnostic::Severity::Error);
            let first =
                first.map_or_else(String::new, |d| format!("; line {}: {} ({})", d.line, d.message, d.code));
            Failure::refused(format!("{file} is refused{first}"))
                .mend(format!("`mortise flow check {file}` says all"))
        }
        PublishError::NumberTaken { name, version, next } => {
            Failure::refused(format!("{file}: version {version} of `{name}` is published, with another text"))
                .mend(format!("count `version` up, to {next}"))
        }
        PublishError::Store(error) => Failure::unusable(format!("{file}: {error}")),
    }
}

/// `MORTISE_CRASH_AT=sent:3` ends the process hard when it passes that point for the third time: what a crash test sets.
fn crash_point() -> Result<Option<mortise_engine::CrashPoint>, Failure> {
    let Ok(wish) = std::env::var("MORTISE_CRASH_AT") else { return Ok(None) };
    let (point, nth) = wish.split_once(':').unwrap_or((&wish, "1"));
    let nth: u64 = nth.parse().map_err(|_| {
        Failure::unusable(format!("MORTISE_CRASH_AT={wish}: write a point and a number, as in `sent:3`"))
    })?;
    if !mortise_engine::CRASH_POINTS.contains(&point) {
        let points = mortise_engine::CRASH_POINTS.join(", ");
        return Err(Failure::unusable(format!("MORTISE_CRASH_AT={wish}: the points are {points}")));
    }
    let (point, passed) = (point.to_owned(), std::sync::atomic::AtomicU64::new(0));
    Ok(Some(Arc::new(move |name| {
        if name == point && passed.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1 == nth {
            std::process::abort();
        }
    })))
}

fn provider(peers: &Peers) -> Result<Arc<dyn mortise_payment::PaymentProvider>, ComposeError> {
    let provider =
        mortise_payment_sandbox::SandboxProvider::new(mortise_payment_sandbox::SandboxProviderConfig {
            url: peers.sandbox_url.clone(),
            webhook_url: peers.hook(hooks::PROVIDER),
            return_url: None,
            deadline: PEER_DEADLINE,
        });
    Ok(Arc::new(provider.map_err(|error| ComposeError::Adapter(error.to_string()))?))
}

fn carrier(peers: &Peers) -> Result<Arc<dyn mortise_delivery::Carrier>, ComposeError> {
    let carrier =
        mortise_delivery_sandbox::SandboxCarrier::new(mortise_delivery_sandbox::SandboxCarrierConfig {
            url: peers.sandbox_url.clone(),
            webhook_url: peers.hook(hooks::CARRIER),
            deadline: PEER_DEADLINE,
        });
    Ok(Arc::new(carrier.map_err(|error| ComposeError::Adapter(error.to_string()))?))
}
