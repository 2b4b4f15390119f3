//! Bringing a SQLite database's log into the database (SQLite's word is checkpoint) beside the writer: a thread of its own copies
//! pages while transactions go on, and the writer, between two of them, only what has come meanwhile, so that the next one
//! begins the log anew. That a commit survives is not decided here: it is in the log.

use std::cell::Cell;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::hooks::Wal;

use crate::error::StoreError;

/// Pages in the log before it is merged, 64 MB. A page that many commits touch is copied once for all of them, and a start
/// after a crash reads them all.
const FULL: i32 = 16_000;
/// So many pages more before it is tried again, where somebody read in the log for too long.
const AGAIN: i32 = 4_000;
/// What the writer may be left to merge, in pages: a round of the thread that had more is followed by another.
const REST: i64 = 1_000;
/// Rounds of the thread at most; who writes faster than it merges is left the rest.
const ROUNDS: usize = 4;
/// How long the writer waits for those who read in the log before it goes on in it: what they read must stay there.
const PATIENCE: Duration = Duration::from_millis(20);
/// How often it looks meanwhile. SQLite's own way to wait looks again after 1, 3, 8 and 18 ms.
const LOOK: Duration = Duration::from_micros(100);
/// How long it waits for anything else, as it was opened.
const USUAL_PATIENCE: Duration = Duration::from_secs(5);

/// The log is in use, and nobody merges it.
const FILLING: u8 = 0;
/// The thread merges it.
const MERGING: u8 = 1;
/// The thread has merged most of it.
const MERGED: u8 = 2;

thread_local! {
    /// Pages in the log behind this thread's last commit.
    static PAGES: Cell<i32> = const { Cell::new(0) };
}

/// Has a writer's log counted, and not merged by its commits.
pub(crate) fn watch(writer: &Connection) {
    writer.wal_hook(Some(count));
}

fn count(_: &Wal, pages: i32) -> rusqlite::Result<()> {
    PAGES.set(pages);
    Ok(())
}

/// A thread that merges a log.
#[derive(Debug)]
pub(crate) struct Merger {
    bell: Bell,
    thread: JoinHandle<()>,
}

/// Tells the thread that there is enough to do.
#[derive(Debug, Clone)]
pub(crate) struct Bell {
    ring: SyncSender<()>,
    log: Arc<Log>,
}

/// What the thread and the writer know of the log.
#[derive(Debug)]
struct Log {
    state: AtomicU8,
    /// With so many pages it is merged. The writer's alone.
    full: AtomicI32,
}

impl Merger {
    /// Starts one with a connection of its own.
    ///
    /// # Errors
    /// A database that cannot be opened, a machine that gives no thread.
    pub(crate) fn start(connection: Connection, database: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Directory { path: database.to_owned(), source };
        // Kept open: closing it takes this process's locks on the database, whoever of it has them.
        let file = File::options().read(true).write(true).open(database).map_err(failed)?;
        let (ring, rings) = sync_channel(1);
        let log = Arc::new(Log { state: AtomicU8::new(FILLING), full: AtomicI32::new(FULL) });
        let bell = Bell { ring, log: Arc::clone(&log) };
        let merge = move || {
            while rings.recv() == Ok(()) {
                merge(&connection);
                // SQLite leaves this to whoever merges the last page, which is the writer.
                if let Err(error) = file.sync_data() {
                    // Pages that are not there may count as merged: only a new process merges them again from the log.
                    tracing::error!(%error, "the database could not be flushed; the process ends");
                    std::process::abort();
                }
                log.state.store(MERGED, Ordering::Release);
            }
        };
        let thread = std::thread::Builder::new().name("mortise-merger".to_owned()).spawn(merge);
        Ok(Self { bell, thread: thread.map_err(StoreError::Thread)? })
    }

    pub(crate) fn bell(&self) -> Bell {
        self.bell.clone()
    }

    /// Ends the thread; every clone of the bell has to be gone.
    pub(crate) fn close(self) {
        let Self { bell, thread } = self;
        drop(bell);
        let _ = thread.join();
    }
}

impl Bell {
    /// On the writer's thread, behind each of its commits.
    pub(crate) fn after_commit(&self, writer: &Connection) {
        if PAGES.get() < self.log.full.load(Ordering::Relaxed) {
            return;
        }
        match self.log.state.load(Ordering::Acquire) {
            FILLING => {
                self.log.state.store(MERGING, Ordering::Release);
                // A thread that is gone merges nothing.
                let _ = self.ring.try_send(());
            }
            MERGED => {
                let full = if restart(writer) { FULL } else { PAGES.get().saturating_add(AGAIN) };
                self.log.full.store(full, Ordering::Relaxed);
                self.log.state.store(FILLING, Ordering::Release);
            }
            _ => {}
        }
    }
}

/// Merges what the thread has left, and has the log begin anew; says whether it will.
fn restart(writer: &Connection) -> bool {
    let hurried = writer.busy_handler(Some(soon));
    let merged = checkpoint(writer, "PRAGMA wal_checkpoint(RESTART)");
    // SQLite refuses neither on an open connection.
    if let Err(error) = hurried.and_then(|()| writer.busy_timeout(USUAL_PATIENCE)) {
        tracing::error!(%error, "the writer's patience could not be set");
    }
    merged.is_some_and(|merged| !merged.busy)
}

/// Whether to look again, after so many looks.
fn soon(looks: i32) -> bool {
    std::thread::sleep(LOOK);
    LOOK * looks.unsigned_abs() < PATIENCE
}

/// Merges what there is, and what has come meanwhile, until little is left.
fn merge(connection: &Connection) {
    let mut before = 0;
    for _ in 0..ROUNDS {
        match checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)") {
            Some(Merged { pages, .. }) if pages - before > REST => before = pages,
            _ => return,
        }
    }
}

/// What became of a log.
struct Merged {
    /// Somebody was in the way.
    busy: bool,
    /// How many of its pages are in the database.
    pages: i64,
}

/// None where it failed, which is said: a log that is not merged is merged later; until then it grows.
fn checkpoint(connection: &Connection, text: &'static str) -> Option<Merged> {
    let result = connection.prepare_cached(text).and_then(|mut statement| {
        statement
            .query_row((), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))
    });
    match result {
        Ok((busy, all, pages)) => {
            tracing::debug!(busy, all, pages, "{text}");
            Some(Merged { busy: busy != 0, pages })
        }
        Err(error) => {
            tracing::warn!(%error, "the log could not be merged");
            None
        }
    }
}
