//! Bringing a SQLite database's log into the database (SQLite's word is checkpoint) beside the writer: a thread of its own copies
//! pages while transactions go on, and the writer, between two of them, only what has come meanwhile, so that the next one
//! begins the log anew. That a commit survives is not decided here: it is in the log.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::hooks::Wal;

use crate::error::StoreError;

/// Pages in the log before it is merged, 16 MB. A page that many commits touch is copied once for all of them, and a start
/// after a crash reads them all.
const FULL: i32 = 4_000;
/// How long the writer waits for those who read in the log before it goes on in it: what they read must stay there.
const PATIENCE: Duration = Duration::from_millis(20);
/// How long it waits for anything else, as it was opened.
const USUAL_PATIENCE: Duration = Duration::from_secs(5);

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
    /// The thread has merged most of the log.
    merged: Arc<AtomicBool>,
}

impl Merger {
    /// Starts one with a connection of its own.
    ///
    /// # Errors
    /// A machine that gives no thread.
    pub(crate) fn start(connection: Connection) -> Result<Self, StoreError> {
        let (ring, rings) = sync_channel(1);
        let merged = Arc::new(AtomicBool::new(false));
        let bell = Bell { ring, merged: Arc::clone(&merged) };
        let merge = move || {
            while rings.recv() == Ok(()) {
                checkpoint(&connection, "PRAGMA wal_checkpoint(PASSIVE)");
                merged.store(true, Ordering::Release);
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
        if PAGES.get() < FULL {
            return;
        }
        if self.merged.swap(false, Ordering::Acquire) {
            let hurried = writer.busy_timeout(PATIENCE);
            checkpoint(writer, "PRAGMA wal_checkpoint(RESTART)");
            // SQLite refuses neither on an open connection.
            if let Err(error) = hurried.and_then(|()| writer.busy_timeout(USUAL_PATIENCE)) {
                tracing::error!(%error, "the writer's patience could not be set");
            }
        } else {
            // One that is at work has been told.
            let _ = self.ring.try_send(());
        }
    }
}

/// A log that is not merged is merged later; until then it grows.
fn checkpoint(connection: &Connection, text: &'static str) {
    let result = connection.prepare_cached(text).and_then(|mut statement| {
        statement
            .query_row((), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))
    });
    match result {
        Ok((busy, pages, merged)) => tracing::debug!(busy, pages, merged, "{text}"),
        Err(error) => tracing::warn!(%error, "the log could not be merged"),
    }
}
