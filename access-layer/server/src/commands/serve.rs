//! `mortise serve`: binds the address, opens the platform, serves until it is told to stop, and then finishes what it has begun.
//! A PostgreSQL database it shares with others of its kind.

use std::net::SocketAddr;
use std::sync::Arc;

use mortise_deployments::LiveHost;
use mortise_engine::{Engine, StepMode};
use mortise_http::{Server, SettableClock, Settings};
use mortise_store::Access;
use mortise_types::{Clock, IdSource, SystemClock, SystemIds};
use tokio::net::{TcpListener, TcpSocket};

use crate::cli::{ClockChoice, Serve};
use crate::clock::ShiftedClock;
use crate::commands::ending::{Ending, told_to_stop};
use crate::compose::{self, Answering, LinePolicy, Opening, Peers};
use crate::desk::{Desk, note_address};
use crate::failure::{Exit, Failure};
use crate::place::Place;
use crate::print;

/// Connections that wait to be taken. A caller whose connection finds no place tries again a second later, by himself.
const BACKLOG: u32 = 4_096;

pub(super) async fn run(command: Serve) -> Result<Exit, Failure> {
    open_more_files();
    let replicas = replicas(&command)?;
    let unbound = |error: std::io::Error| {
        Failure::unusable(format!("{}: {error}", command.listen))
            .mend("name another address with --listen; port 0 takes a free one")
    };
    let listener = listen(command.listen).map_err(unbound)?;
    let address = listener.local_addr().map_err(unbound)?;
    let public_url = command.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let public_url = public_url.trim_end_matches('/').to_owned();
    let peers = Peers::new(&command.peers, &public_url);
    let settable = settable(command.clock);
    let clock: Arc<dyn Clock> = match &settable {
        Some(clock) => Arc::clone(clock) as Arc<dyn Clock>,
        None => Arc::new(SystemClock),
    };
    let answering = Answering::deployed(&command.extensions, &command.data.data)?;
    let more_figures = answering.figures();
    let opening = Opening {
        data: &command.data.data,
        replicas,
        answering: answering.clone(),
        peers: peers.clone(),
        clock,
        steps: if command.single_steps { StepMode::SingleSteps } else { StepMode::Stretches },
        access: Access::Together,
    };
    let (engine, policies) = compose::platform(opening).await?;
    let ids: Arc<dyn IdSource> = Arc::new(SystemIds);
    let currency_of =
        Arc::new(move |scope: &mortise_types::Scope| policies.get::<LinePolicy>(scope).policy.currency);
    let points = answering.points();
    let settings = Settings { points, more_figures, public_url, ..Settings::new(ids, currency_of) };
    let server = Server::new(engine.clone(), settings, compose::hooks(&peers), settable);
    let server = match answering.live() {
        Some(live) => server.with_desk(desk(&engine, live, &command.data.data)),
        None => server,
    };
    note_address(&command.data.data, &format!("http://{address}"));
    print::line(format_args!("listening on http://{address}"));
    server.serve(listener, told_to_stop(Ending::of(command.stop_with_stdin))).await.map_err(unbound)?;
    finish(&engine).await;
    if let Some(live) = answering.live() {
        live.step().await?;
    }
    Ok(Exit::Clean)
}

/// The standbys' addresses, which only a PostgreSQL database has.
fn replicas(command: &Serve) -> Result<Vec<String>, Failure> {
    match (&command.data.data, &*command.replica) {
        (Place::Directory(directory), [first, ..]) => {
            let sentence =
                format!("--replica {first}: {} is a SQLite database, which has none", directory.display());
            Err(Failure::unusable(sentence)
                .mend("leave --replica out, or name the primary of that replica with --data"))
        }
        (_, replicas) => Ok(replicas.iter().map(|replica| replica.url().to_owned()).collect()),
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A server that is started again finds connections of the one before on their way out. On Windows this would let two have
    // the address.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// As many files as the system's owner allows: each connection and each mapped extension is one, and the usual soft limit
/// stands for programs that use `select`.
fn open_more_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let maximum = getrlimit(Resource::Nofile).maximum;
        // What was there before stays where it may not be raised.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

/// Where staff on this machine change what is deployed.
fn desk(engine: &Engine, live: &Arc<LiveHost>, data: &Place) -> Arc<Desk> {
    let (store, catalogue) = (Arc::clone(engine.store()), Arc::clone(engine.catalogue()));
    Arc::new(Desk::new(store, catalogue, Arc::clone(live), data))
}

fn settable(choice: ClockChoice) -> Option<Arc<dyn SettableClock>> {
    let clock = ShiftedClock::new(SystemClock);
    match choice {
        ClockChoice::System => return None,
        ClockChoice::Now => {}
        ClockChoice::From(moment) => clock.set(moment),
    }
    Some(Arc::new(clock))
}

/// What was taken is committed; what waits for the world goes on at the next start.
async fn finish(engine: &Engine) {
    engine.drain().await;
    tracing::info!("everything that was taken is committed");
}
