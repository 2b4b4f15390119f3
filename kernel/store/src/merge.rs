//! Bringing a SQLite database's log into the database (SQLite's word is checkpoint) beside the writer: a thread of its own copies
//! pages while transactions go on, and the writer, between two of them, only what has come meanwhile, so that the next one
//! begins the log anew. That a commit survives is not decided here: it is in the log, which SQLite begins anew only when the
//! database is on the disk.

use std::cell::Cell;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::hooks::Wal;

use crate::error::StoreError;
use crate::flush::flush_or_end;

/// Pages by which the log grows before the thread merges them, 16 MB. A page that many commits touch is copied once for all of
/// them; more pages at once hold the disk up for longer.
const STEP: i32 = 4_000;
/// Pages in the log from which on it is to begin anew, 64 MB: a start after a crash reads them all. Less on a disk that had no room
/// for them.
const FULL: i32 = 16_000;
/// What the writer may be left to merge, in pages: a round of the thread that had more is followed by another.
const REST: i64 = 1_000;
/// Rounds of the thread at most; who writes faster than it merges is left the rest.
const ROUNDS: usize = 4;
/// How often the writer looks for those who read what is older, [`LOOKS`] times at most: what they read must stay as it is. SQLite's own
/// way to wait looks again after 1, 3, 8 and 18 ms.
const LOOK: Duration = Duration::from_micros(100);
/// About 20 ms.
const LOOKS: i32 = 150;
/// How long it waits for anything else, as it was opened.
const USUAL_PATIENCE: Duration = Duration::from_secs(5);

/// The thread has nothing to do.
const FILLING: u8 = 0;
/// It has been told.
const MERGING: u8 = 1;
/// It has done what it could.
const MERGED: u8 = 2;

thread_local! {
    /// Pages in the log behind this thread's last commit; 0 once they were looked at.
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
pub(crate) struct Merger(JoinHandle<()>);

/// The writer's: tells the thread that there is enough to do, and does the rest.
#[derive(Debug)]
pub(crate) struct Bell {
    ring: SyncSender<Share>,
    state: Arc<AtomicU8>,
    /// Pages in the log when it was looked at last.
    pages: i32,
    /// With so many there is something to do.
    due: i32,
    /// With so many it is to begin anew.
    full: i32,
}

impl Merger {
    /// Starts one with a connection of its own, and gives its bell.
    ///
    /// # Errors
    /// A database that cannot be opened, a machine that gives no thread.
    pub(crate) fn start(
        connection: Connection,
        directory: &Path,
        database: &Path,
    ) -> Result<(Self, Bell), StoreError> {
        let failed = |source| StoreError::Directory { path: directory.to_owned(), source };
        // Kept open: closing it takes this process's locks on the database, whoever of it has them.
        let file = File::options().read(true).write(true).open(database).map_err(failed)?;
        let (ring, rings) = sync_channel(1);
        let bell = Bell::new(ring);
        let state = Arc::clone(&bell.state);
        let merge = move || {
            let mut merged = 0;
            while let Ok(share) = rings.recv() {
                merge(&connection, &file, share, &mut merged);
                state.store(MERGED, Ordering::Release);
            }
        };
        let thread = std::thread::Builder::new().name("mortise-merger".to_owned()).spawn(merge);
        Ok((Self(thread.map_err(StoreError::Thread)?), bell))
    }

    /// Ends the thread; its bell has to be gone.
    pub(crate) fn close(self) {
        let _ = self.0.join();
    }
}

impl Bell {
    fn new(ring: SyncSender<Share>) -> Self {
        Self { ring, state: Arc::new(AtomicU8::new(FILLING)), pages: 0, due: STEP, full: FULL }
    }

    /// Behind each of the writer's transactions, on its thread.
    pub(crate) fn after_commit(&mut self, writer: &Connection) {
        let pages = PAGES.replace(0);
        if pages == 0 {
            // Nothing was written.
            return;
        }
        if pages < self.pages {
            // The log has begun anew.
            self.due = STEP;
        }
        self.pages = pages;
        match self.state.load(Ordering::Acquire) {
            FILLING if pages >= self.due => {
                self.state.store(MERGING, Ordering::Release);
                let share = if pages < self.full { Share::There } else { Share::Nearly };
                if self.ring.try_send(share).is_err() {
                    tracing::error!("the log is merged no more, and grows: the thread that does it is gone");
                }
            }
            MERGED => {
                if pages >= self.full {
                    hurried(writer, how(pages, self.full));
                }
                // Unless it begins anew.
                self.due = pages.saturating_add(STEP);
                self.state.store(FILLING, Ordering::Release);
            }
            _ => {}
        }
    }

    /// Behind a transaction that the disk had no room for: the log gives up its own, and takes half as much from then on. Nobody else
    /// would, because the log is merged as it grows. Where somebody reads in it, or the database has no room to grow either, the next
    /// transaction that fails tries again.
    pub(crate) fn make_room(&mut self, writer: &Connection) {
        if hurried(writer, "PRAGMA wal_checkpoint(TRUNCATE)").is_none_or(|merged| merged.busy) {
            return;
        }
        if self.pages >= STEP {
            self.full = (self.pages.min(self.full) / 2).max(STEP);
            tracing::warn!(
                had = self.pages,
                may_have = self.full,
                "the disk had no room for a transaction; the log, in pages, has given its own"
            );
        }
        (self.pages, self.due) = (0, STEP);
    }
}

/// Merges what the thread has left, so that the next commit begins the log anew, unless somebody reads in it by then: to wait for all
/// who read is to wait for those who begin meanwhile, too. A log of twice its size waits.
const fn how(pages: i32, full: i32) -> &'static str {
    if pages < full.saturating_mul(2) {
        "PRAGMA wal_checkpoint(FULL)"
    } else {
        "PRAGMA wal_checkpoint(RESTART)"
    }
}

/// Merges on the writer, which waits for those who read for a short while.
fn hurried(writer: &Connection, text: &'static str) -> Option<Merged> {
    let hurried = writer.busy_handler(Some(soon));
    let merged = checkpoint(writer, text);
    // SQLite refuses neither on an open connection.
    if let Err(error) = hurried.and_then(|()| writer.busy_timeout(USUAL_PATIENCE)) {
        tracing::error!(%error, "the writer's patience could not be set");
    }
    merged
}

/// Whether to look again, after so many looks.
fn soon(looks: i32) -> bool {
    std::thread::sleep(LOOK);
    looks < LOOKS
}

/// How much of a log is to be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    /// What is there.
    There,
    /// What comes meanwhile too, until little is left.
    Nearly,
}

/// Merges, and flushes the database each time, which SQLite leaves to whoever merges the log's last page: under load the writer.
/// `before` is how many pages were merged when this was asked last, perhaps of an earlier log.
fn merge(connection: &Connection, file: &File, share: Share, before: &mut i64) {
    for _ in 0..ROUNDS {
        let merged = checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)");
        // Pages that are not there may count as merged: only a new process merges them again from the log.
        flush_or_end(file, "database");
        let Some(Merged { pages, .. }) = merged else { return };
        let before = std::mem::replace(before, pages);
        let new = if before <= pages { pages - before } else { pages };
        if share == Share::There || new < REST {
            return;
        }
    }
}

/// What became of a log.
#[derive(Debug)]
struct Merged {
    /// Somebody was in the way of a part of it.
    busy: bool,
    /// How many of its pages are in the database then.
    pages: i64,
}

/// None where it failed, which is said: a log that is not merged is merged later; until then it grows.
fn checkpoint(connection: &Connection, text: &'static str) -> Option<Merged> {
    let result = connection.prepare_cached(text).and_then(|mut statement| {
        statement
            .query_row((), |row| Ok((row.get::<_, bool>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))
    });
    match result {
        Ok((busy, all, pages)) => {
            tracing::debug!(busy, all, pages, "{text}");
            Some(Merged { busy, pages })
        }
        Err(error) => {
            tracing::warn!(%error, "the log could not be merged");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, TryRecvError};

    use super::*;

    /// A database whose thread is played by the test.
    struct Played {
        writer: Connection,
        merger: Connection,
        file: File,
        bell: Bell,
        rings: Receiver<Share>,
        merged: i64,
        _directory: tempfile::TempDir,
    }

    impl Played {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("mortise.db");
            let writer = Connection::open(&path).unwrap();
            writer
                .execute_batch(
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=5000;
                     CREATE TABLE sack (n INTEGER PRIMARY KEY, goods BLOB);",
                )
                .unwrap();
            watch(&writer);
            let (ring, rings) = sync_channel(1);
            let bell = Bell::new(ring);
            let merger = Connection::open(&path).unwrap();
            let file = File::options().read(true).write(true).open(&path).unwrap();
            Self { writer, merger, file, bell, rings, merged: 0, _directory: directory }
        }

        /// Commits so many pages; says what the log has then.
        fn commit(&mut self, pages: i32) -> i32 {
            self.writer.execute("INSERT INTO sack (goods) VALUES (zeroblob(? * 4092))", [pages]).unwrap();
            let has = PAGES.get();
            self.bell.after_commit(&self.writer);
            has
        }

        fn thread_merges(&mut self, share: Share) {
            assert_eq!(self.rings.try_recv(), Ok(share));
            merge(&self.merger, &self.file, share, &mut self.merged);
            self.bell.state.store(MERGED, Ordering::Release);
        }

        /// In bytes.
        fn log(&self) -> u64 {
            let database = self.writer.path().unwrap();
            std::fs::metadata(format!("{database}-wal")).unwrap().len()
        }

        fn nobody_is_told(&self) {
            assert_eq!(self.rings.try_recv(), Err(TryRecvError::Empty));
        }
    }

    #[test]
    fn a_log_that_is_full_is_finished_by_the_writer_and_begins_anew() {
        let mut played = Played::new();
        // A thread that gets nothing done.
        for share in [Share::There, Share::There, Share::There, Share::Nearly] {
            played.commit(STEP);
            assert_eq!(played.rings.try_recv(), Ok(share));
            played.bell.state.store(MERGED, Ordering::Release);
            played.commit(10);
        }
        assert!(played.bell.pages > FULL);
        assert!(played.commit(10) < STEP, "the log goes on");
        played.nobody_is_told();
        played.commit(STEP);
        assert_eq!(played.rings.try_recv(), Ok(Share::There));
        let patience: i64 = played.writer.query_row("PRAGMA busy_timeout", (), |row| row.get(0)).unwrap();
        assert_eq!(patience, 5_000);
    }

    /// At leisure the thread merges the last page, and the next commit begins the log anew.
    #[test]
    fn what_was_merged_of_an_earlier_log_is_no_reason_to_hold_the_writer_up() {
        let mut played = Played::new();
        for _ in 0..6 {
            assert!(played.commit(STEP) < STEP + 100, "the log goes on");
            played.thread_merges(Share::There);
            assert!(played.commit(10) < STEP);
            played.nobody_is_told();
            assert_eq!(played.bell.state.load(Ordering::Acquire), FILLING);
        }
    }

    #[test]
    fn a_full_log_that_the_thread_merges_begins_anew() {
        let mut played = Played::new();
        played.commit(FULL);
        played.thread_merges(Share::Nearly);
        let pages = played.commit(10);
        assert!(pages < 100, "the log goes on: {pages}");
        assert_eq!(played.bell.state.load(Ordering::Acquire), FILLING);
        played.nobody_is_told();
    }

    /// Who reads the log's end keeps it from beginning anew, and is waited for only where it is very long.
    #[test]
    fn who_reads_is_waited_for_only_by_a_log_of_twice_its_size() {
        for (pages, waits) in [(FULL - 1, false), (FULL, false), (2 * FULL - 1, false), (2 * FULL, true)] {
            assert_eq!(how(pages, FULL).ends_with("(RESTART)"), waits, "{pages}");
        }
        let mut played = Played::new();
        played.commit(10);
        let reader = Connection::open(played.writer.path().unwrap()).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM sack;").unwrap();
        hurried(&played.writer, how(2 * FULL - 1, FULL));
        assert!(played.commit(10) > 10, "the log has begun anew while somebody reads in it");
        let waited = std::thread::spawn(move || drop(reader));
        hurried(&played.writer, how(2 * FULL, FULL));
        waited.join().unwrap();
        hurried(&played.writer, how(2 * FULL, FULL));
        assert!(played.commit(10) < 20, "the log goes on");
        let patience: i64 = played.writer.query_row("PRAGMA busy_timeout", (), |row| row.get(0)).unwrap();
        assert_eq!(patience, 5_000);
    }

    #[test]
    fn a_disk_without_room_gets_that_of_the_log_which_takes_half_as_much_from_then_on() {
        let mut played = Played::new();
        let half = played.commit(2 * STEP + 100) / 2;
        played.bell.make_room(&played.writer);
        assert_eq!((played.log(), played.bell.full), (0, half));
        // It was told of the log that is gone.
        played.thread_merges(Share::There);
        assert!(played.commit(10) < 20);
        played.nobody_is_told();
        played.commit(STEP + 100);
        played.thread_merges(Share::Nearly);
        played.commit(10);
        assert!(played.commit(10) < 100, "the log goes on");
        for _ in 0..3 {
            played.commit(STEP);
            played.bell.make_room(&played.writer);
            assert_eq!(
                (played.log(), played.bell.full),
                (0, STEP),
                "a step is what the thread merges at once"
            );
        }
        played.bell.full = FULL;
        played.commit(10);
        played.bell.make_room(&played.writer);
        assert_eq!((played.log(), played.bell.full), (0, FULL), "it is not the log that takes the room");
    }

    #[test]
    fn a_log_that_is_read_keeps_its_room_until_it_is_not() {
        let mut played = Played::new();
        played.commit(STEP + 10);
        let reader = Connection::open(played.writer.path().unwrap()).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM sack;").unwrap();
        played.bell.make_room(&played.writer);
        assert!(played.log() > 0);
        assert_eq!(played.bell.full, FULL);
        drop(reader);
        played.bell.make_room(&played.writer);
        assert_eq!((played.log(), played.bell.full), (0, STEP));
    }

    #[test]
    fn a_transaction_that_wrote_nothing_tells_nobody() {
        let mut played = Played::new();
        played.commit(STEP);
        assert_eq!(played.rings.try_recv(), Ok(Share::There));
        played.bell.state.store(FILLING, Ordering::Release);
        played.bell.after_commit(&played.writer);
        played.nobody_is_told();
    }
}
