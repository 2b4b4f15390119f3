//! One standby: threads with a connection each that read from it, and what is known of how far it has come. A read there says first
//! how far the standby has replayed and takes its snapshot behind that, so that what it was promised is in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _, Row as _};
use tokio::runtime::Runtime;

use super::super::session::{Planning, REPLAYED, Session};
use super::super::{Hosts, late, refused, runtime};
use super::choice::FellBack;
use super::primary::Primary;
use super::samples::{Bound, Line};
use crate::error::StoreError;
use crate::pool::Pool;
use crate::position::Position;
use crate::session::Reader;
use crate::store::Counters;
use crate::tenants::Tenants;

/// How long a standby may take for a read, from the connection to the last row, before the primary is asked instead.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a standby gave no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It has only come that far, or does not show the line.
    Behind(Option<Position>),
    /// It is not there, or no standby of ours.
    Lost(StoreError),
    /// The read failed.
    Failed(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Replica(_) => Self::Lost(error),
            _ if error.is_disconnect() => Self::Lost(error),
            _ => Self::Failed(error),
        }
    }
}

/// A standby as it is known.
#[derive(Debug)]
pub(super) struct Replica {
    pub(super) name: String,
    threads: Pool<Follower>,
    is_up: AtomicBool,
    /// It follows the history that the primary goes on with, as far as anybody knows.
    is_shown: AtomicBool,
    replayed: AtomicU64,
}

impl Replica {
    /// Nobody has looked at it yet.
    pub(super) fn start(server: Hosts, primary: &Arc<Primary>, readers: usize) -> Result<Self, StoreError> {
        let name = server.name();
        let followers =
            (0..readers.max(1)).map(|_| Follower::new(server.clone(), name.clone(), Arc::clone(primary)));
        let threads = Pool::start("mortise-replica", followers)?;
        Ok(Self {
            name,
            threads,
            is_up: AtomicBool::new(false),
            is_shown: AtomicBool::new(true),
            replayed: AtomicU64::new(0),
        })
    }

    /// How far it has come at least; none while it is down.
    pub(super) fn replayed(&self) -> Option<Position> {
        let is_up = self.is_up.load(Ordering::Relaxed);
        is_up.then(|| Position::at(self.replayed.load(Ordering::Relaxed)))
    }

    /// It answered, and has come that far; none where it does not show the primary's history.
    pub(super) fn found(&self, replayed: Option<Position>) {
        let bytes = replayed.map_or(0, Position::bytes);
        self.replayed.store(bytes, Ordering::Relaxed);
        if self.is_shown.swap(replayed.is_some(), Ordering::Relaxed) && replayed.is_none() {
            tracing::warn!(
                replica = %self.name,
                "a standby does not show the primary's timeline: until it does, its reads go to the primary. If it stays so, it has \
                 parted from the primary and has to be made anew"
            );
        }
        if !self.is_up.swap(true, Ordering::Relaxed) {
            tracing::info!(replica = %self.name, "reads that may lag go to this standby");
        }
    }

    /// It did not answer, or is no standby.
    pub(super) fn lost(&self, error: &StoreError) {
        match self.is_up.swap(false, Ordering::Relaxed) {
            true => {
                tracing::warn!(replica = %self.name, %error, "a standby is gone: its reads go to the primary")
            }
            false => tracing::debug!(replica = %self.name, %error, "still gone"),
        }
    }

    /// A read came to nothing there: why the primary is asked.
    pub(super) fn missed(&self, trouble: Trouble) -> FellBack {
        match trouble {
            // Another server has the address now, or it parted from the primary's history.
            Trouble::Behind(replayed) => {
                self.found(replayed);
                FellBack::Late
            }
            Trouble::Lost(error) => {
                self.lost(&error);
                FellBack::Down
            }
            Trouble::Failed(error) => {
                tracing::debug!(replica = %self.name, %error, "a read failed on a standby: the primary is asked");
                FellBack::Failed
            }
        }
    }

    /// How far it has come, by asking it.
    pub(super) async fn look(&self, line: Arc<Line>) -> Result<Position, Trouble> {
        let looked = self.threads.run(move |follower| Ok(follower.look(&line))).await;
        looked.unwrap_or_else(|error| Err(Trouble::Lost(error)))
    }

    /// Runs `job` there, if it has what `bound` says.
    pub(super) async fn read<T, F>(
        &self,
        counters: &Arc<Counters>,
        (tenants, bound): (Tenants, Bound),
        job: F,
    ) -> Result<(T, Position), Trouble>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&Reader<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let counters = Arc::clone(counters);
        let run = move |follower: &mut Follower| {
            let job = async |session: &Session<'_>| job(&Reader::postgres(session, &counters)).await;
            Ok(follower.read(&tenants, &bound, job))
        };
        self.threads.run(run).await.unwrap_or_else(|error| Err(Trouble::Lost(error)))
    }
}

/// A connection, and the line that its server has shown.
#[derive(Debug)]
struct Link {
    connection: PgConnection,
    shown: Option<Arc<Line>>,
}

/// A thread's connection to a standby, and the runtime that waits for it.
#[derive(Debug)]
struct Follower {
    runtime: Runtime,
    server: Hosts,
    name: String,
    primary: Arc<Primary>,
    link: Option<Link>,
    /// Reads so far.
    number: u64,
}

/// The same, while it is waited for.
struct Standby<'f> {
    server: &'f Hosts,
    name: &'f str,
    primary: &'f Primary,
    link: &'f mut Option<Link>,
}

impl Follower {
    fn new(server: Hosts, name: String, primary: Arc<Primary>) -> Result<Self, StoreError> {
        let runtime = runtime()?;
        Ok(Self { runtime, server, name, primary, link: None, number: 0 })
    }

    fn look(&mut self, line: &Arc<Line>) -> Result<Position, Trouble> {
        self.patiently(async |standby| {
            let connection = &mut standby.link_to(line).await?.connection;
            let row = connection.fetch_one(REPLAYED).await;
            let replayed =
                row.and_then(|row| row.try_get(0)).map_err(|source| refused("replayed", source))?;
            standby.is_at(replayed)
        })
    }

    fn read<T>(
        &mut self,
        tenants: &Tenants,
        bound: &Bound,
        job: impl AsyncFnOnce(&Session<'_>) -> Result<T, StoreError>,
    ) -> Result<(T, Position), Trouble> {
        self.number += 1;
        let planning = Planning::of(self.number);
        self.patiently(async |standby| {
            standby.link_to(&bound.line).await?;
            let Some(Link { connection, shown }) = standby.link.take() else {
                return Err(Trouble::Behind(None));
            };
            let roles = &standby.primary.roles;
            let (session, replayed) = Session::begin_behind(connection, (tenants, planning), roles).await?;
            let ran = match standby.is_at(replayed) {
                Ok(at) if at >= bound.position => {
                    session.alone(job).await.map_err(Trouble::from).map(|v| (v, at))
                }
                Ok(at) => Err(Trouble::Behind(Some(at))),
                Err(trouble) => Err(trouble),
            };
            let ran = match ran {
                Ok(value) => session.commit().await.map_err(Trouble::from).map(|()| value),
                Err(trouble) => {
                    // One that does not end so is not used again.
                    let _ = session.roll_back().await;
                    Err(trouble)
                }
            };
            *standby.link = session.into_connection().map(|connection| Link { connection, shown });
            ran
        })
    }

    /// What `work` comes to, if that takes no longer than a standby may take.
    fn patiently<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Standby<'_>) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let Self { runtime, server, name, primary, link, .. } = self;
        let mut standby = Standby { server, name, primary, link };
        let worked = runtime.block_on(async { tokio::time::timeout(PATIENCE, work(&mut standby)).await });
        let worked = worked.unwrap_or_else(|_| Err(Trouble::Lost(late("replica"))));
        if let Err(Trouble::Lost(_)) = &worked {
            *standby.link = None;
        }
        worked
    }
}

impl Standby<'_> {
    /// A connection whose server shows the line.
    async fn link_to(&mut self, line: &Arc<Line>) -> Result<&mut Link, Trouble> {
        let link = match &mut *self.link {
            Some(link) => link,
            none => {
                let mut connection = self.server.connect().await.map_err(Trouble::Lost)?;
                self.primary.holds(&mut connection, self.name).await?;
                none.insert(Link { connection, shown: None })
            }
        };
        if link.shown.as_ref() != Some(line) {
            if !self.primary.is_shown(&mut link.connection, line).await? {
                return Err(Trouble::Behind(None));
            }
            link.shown = Some(Arc::clone(line));
        }
        Ok(link)
    }

    fn is_at(&self, replayed: Option<i64>) -> Result<Position, Trouble> {
        let none = || StoreError::Replica(format!("{} is no standby; name one of the primary's", self.name));
        let replayed = replayed.ok_or_else(none).map_err(Trouble::Lost)?;
        Ok(Position::at(replayed.cast_unsigned()))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        if let Some(Link { connection, .. }) = self.link.take() {
            // The server would notice by itself.
            let _ = self.runtime.block_on(connection.close());
        }
    }
}
