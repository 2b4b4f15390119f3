//! Reads that may lag, on standbys of the primary: each is given to one that is known to have what was committed up to the bound, and
//! what its caller has written. Whatever stands in the way of that, the primary answers. Nothing is written there.

mod choice;
mod primary;
mod replica;
mod samples;
mod watch;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::watch as told;
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub use self::choice::FellBack;
use self::primary::Primary;
pub(crate) use self::primary::{MARKS, MARKS_MADE};
use self::replica::Replica;
use self::samples::{Bound, Samples};
use self::watch::Sampler;
use super::{Hosts, Roles};
use crate::error::StoreError;
use crate::position::Position;
use crate::session::Reader;
use crate::store::Counters;
use crate::tenants::Tenants;

/// How long a standby may take to answer while the platform starts; it is asked again later.
const START_PATIENCE: Duration = Duration::from_secs(3);
/// That somebody reads is told at most so often.
const TELL: Duration = Duration::from_secs(1);

/// How far a read may lag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// What was committed longer ago than this, when the read was asked for, is there.
    pub staleness: Duration,
    /// What lies before this position is there too: what the caller has written.
    pub at_least: Option<Position>,
}

/// What became of reads that could lag, since the store was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplicaFigures {
    /// Standbys that were named.
    pub named: u64,
    /// Standbys that answer now.
    pub up: u64,
    /// Reads that a standby answered.
    pub reads: u64,
    /// Reads that the primary answered, by [`FellBack`]: late, own write, down, failed.
    pub late: u64,
    /// See `late`.
    pub own_write: u64,
    /// See `late`.
    pub down: u64,
    /// See `late`.
    pub failed: u64,
}

/// The standbys, and what is known of them.
#[derive(Debug)]
pub(super) struct Shared {
    primary: Arc<Primary>,
    replicas: Vec<Replica>,
    samples: Mutex<Samples>,
    /// When somebody read last.
    read_at: told::Sender<Instant>,
    /// Whose turn it is.
    turn: AtomicUsize,
    reads: AtomicU64,
    fell_back: [AtomicU64; 4],
}

impl Shared {
    fn samples(&self) -> MutexGuard<'_, Samples> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns at once if somebody has read within `idle`, and else when somebody does.
    async fn somebody_reads(&self, idle: Duration) {
        let mut read_at = self.read_at.subscribe();
        // The sender is this one's own.
        let _ = read_at.wait_for(|at| at.elapsed() < idle).await;
    }

    /// The standby whose turn it is to answer a read that may lag so far, and what it must have for that.
    fn chosen(&self, lag: Lag) -> Result<(&Replica, Bound), FellBack> {
        let known: Vec<Option<Position>> = self.replicas.iter().map(Replica::replayed).collect();
        let bound = self.samples().bound(Instant::now(), lag.staleness);
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        let index = choice::choose(&known, first, bound.as_ref(), lag.at_least)?;
        let Bound { line, position } = bound.ok_or(FellBack::Late)?;
        let position = lag.at_least.map_or(position, |own| own.max(position));
        Ok((&self.replicas[index], Bound { line, position }))
    }

    fn somebody_read(&self) {
        if self.read_at.borrow().elapsed() >= TELL {
            self.read_at.send_replace(Instant::now());
        }
    }
}

/// Standbys that are read from.
#[derive(Debug)]
pub(super) struct Replicas {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

impl Replicas {
    /// Reads from the standbys at these addresses from now on. One that does not answer is tried again later. Must be called inside
    /// a tokio runtime, which has to live as long.
    ///
    /// # Errors
    /// [`StoreError::Replica`] for an address that is none of one standby, or where a server answers that is no copy of the primary;
    /// what the primary says otherwise.
    pub(super) async fn start(
        urls: &[String],
        (server, roles): (Hosts, Arc<Roles>),
        readers: usize,
    ) -> Result<Self, StoreError> {
        let primary = Arc::new(Primary::of(server, roles).await?);
        let plain = urls.iter().map(|url| Hosts::of_standby(url)).collect::<Result<Vec<_>, _>>()?;
        let capability = &primary.roles.capability;
        let replicas = plain.iter().map(|plain| {
            let server = super::configured(plain.clone()).map(|host| host.options([("role", capability)]));
            Replica::start(server, &primary, readers)
        });
        let replicas = replicas.collect::<Result<Vec<_>, _>>()?;
        // By its name alone a server of somebody else's would look as one that is down: it lacks the role.
        for (asked, replica) in
            join_all(plain.iter().map(|plain| asked(plain, &primary))).await.into_iter().zip(&replicas)
        {
            match asked {
                Ok(()) => replica.found(Some(Position::at(0))),
                Err(error @ StoreError::Replica(_)) => return Err(error),
                Err(error) => {
                    tracing::warn!(replica = %replica.name, %error, "a standby does not answer: its reads go to the primary");
                }
            }
        }
        let (mut sampler, begun) = (Sampler::default(), Instant::now());
        let (line, position) = sampler.take(&primary).await?;
        let mut samples = Samples::default();
        samples.add(&line, begun, position);
        let shared = Arc::new(Shared {
            primary,
            replicas,
            samples: Mutex::new(samples),
            read_at: told::Sender::new(begun),
            turn: AtomicUsize::new(0),
            reads: AtomicU64::new(0),
            fell_back: Default::default(),
        });
        let mut tasks = vec![tokio::spawn(watch::primary(Arc::clone(&shared), sampler))];
        tasks.extend((0..urls.len()).map(|index| tokio::spawn(watch::standby(Arc::clone(&shared), index))));
        Ok(Self { shared, tasks })
    }

    /// Runs `job` on one of the standbys, or says why on none.
    pub(super) async fn read<T, F>(
        &self,
        counters: &Arc<Counters>,
        (tenants, lag): (Tenants, Lag),
        job: F,
    ) -> Result<T, FellBack>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&Reader<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.shared.somebody_read();
        let read = match self.shared.chosen(lag) {
            Ok((replica, bound)) => match replica.read(counters, (tenants, bound), job).await {
                Ok((value, replayed)) => {
                    replica.found(Some(replayed));
                    Ok(value)
                }
                Err(trouble) => Err(replica.missed(trouble)),
            },
            Err(why) => Err(why),
        };
        let count = match &read {
            Ok(_) => &self.shared.reads,
            Err(why) => &self.shared.fell_back[*why as usize],
        };
        count.fetch_add(1, Ordering::Relaxed);
        read
    }

    pub(super) fn figures(&self) -> ReplicaFigures {
        let Shared { replicas, reads, fell_back, .. } = &*self.shared;
        let fell_back = |why: FellBack| fell_back[why as usize].load(Ordering::Relaxed);
        ReplicaFigures {
            named: replicas.len() as u64,
            up: replicas.iter().filter(|replica| replica.replayed().is_some()).count() as u64,
            reads: reads.load(Ordering::Relaxed),
            late: fell_back(FellBack::Late),
            own_write: fell_back(FellBack::OwnWrite),
            down: fell_back(FellBack::Down),
            failed: fell_back(FellBack::Failed),
        }
    }
}

impl Drop for Replicas {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Whether a server at this address is a copy of the primary, as far as it answers.
async fn asked(plain: &Hosts, primary: &Primary) -> Result<(), StoreError> {
    let asked = tokio::time::timeout(START_PATIENCE, async {
        let mut connection = plain.connect().await?;
        primary.holds(&mut connection, &plain.name()).await
    });
    asked.await.map_err(|_| super::late("connect"))?
}
