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

use crate::error::{StoreError, is_no_room};
use crate::flush::flush_or_end;
use crate::pace;

/// Pages in the log from which on it is to begin anew, 64 MB: a start after a crash reads them all.
const FULL: i32 = 16_000;
/// It may have so many on any disk.
const LEAST: i32 = 1_000;
/// A full log is that of so many steps. With each the thread merges, 16 MB at most: a page that many commits touch is copied once for
/// all of them; more pages at once hold the disk up for longer.
const STEPS: i32 = 4;
/// Bytes of a page in the log: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.
const FRAME: u64 = 24 + 4_096;
/// What the writer may be left to merge, in pages: a round of the thread that had more is followed by another.
const REST: i64 = 1_000;
/// Rounds of the thread at most; who writes faster than it merges is left the rest.
const ROUNDS: usize = 4;
/// Waits for those who read, and gives the file's room back.
const TRUNCATE: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
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
/// The disk has no room for what the database would grow by.
const NO_ROOM: u8 = 3;

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
    /// The log's file.
    log: File,
    /// Bytes that are free on a file's disk.
    free: fn(&File) -> u64,
    limits: Limits,
    /// Pages in the log when it was looked at last.
    pages: i32,
    /// With so many there is something to do.
    due: i32,
    /// The disk had no room for a transaction, or for what the log holds, and the log has not given its own yet.
    tight: bool,
}

/// What the log may have, in pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limits {
    /// With so many it is to begin anew.
    full: i32,
    /// After so many the thread merges.
    step: i32,
}

impl Limits {
    /// Of a disk where the log and what is free have so many bytes: half of it is for the log, because what is in the log has to have
    /// room in the database too before the log gives up its own.
    fn of(bytes: u64) -> Self {
        let full = i32::try_from(bytes / FRAME / 2).unwrap_or(FULL).clamp(LEAST, FULL);
        Self { full, step: full / STEPS }
    }
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
        log: &Path,
    ) -> Result<(Self, Bell), StoreError> {
        let failed = |source| StoreError::Directory { path: directory.to_owned(), source };
        // Kept open: closing it takes this process's locks on the database, whoever of it has them.
        let file = File::options().read(true).write(true).open(database).map_err(failed)?;
        let paced = File::options().read(true).write(true).open(database).map_err(failed)?;
        let log = File::open(log).map_err(failed)?;
        let (ring, rings) = sync_channel(1);
        let bell = Bell::new(ring, log, free);
        let state = Arc::clone(&bell.state);
        let merge = move || {
            let mut merged = 0;
            pace::keep(paced);
            while let Ok(share) = rings.recv() {
                let outcome = merge(&connection, &file, share, &mut merged);
                state.store(outcome, Ordering::Release);
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
    fn new(ring: SyncSender<Share>, log: File, free: fn(&File) -> u64) -> Self {
        let limits = Limits::of(u64::MAX);
        let state = Arc::new(AtomicU8::new(FILLING));
        let mut bell = Self { ring, state, log, free, limits, pages: 0, due: 0, tight: false };
        bell.look();
        bell.due = bell.limits.step;
        bell
    }

    /// Bytes of the log's file, which a log that has begun anew fills again.
    fn length(&self) -> u64 {
        self.log.metadata().map_or(0, |file| file.len())
    }

    /// What the log may have now: others take room on the disk too.
    fn look(&mut self) {
        self.limits = Limits::of((self.free)(&self.log).saturating_add(self.length()));
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
            self.due = self.limits.step;
        }
        self.pages = pages;
        match self.state.load(Ordering::Acquire) {
            FILLING if pages >= self.due => {
                self.look();
                self.state.store(MERGING, Ordering::Release);
                let share = if pages < self.limits.full { Share::There } else { Share::Nearly };
                if self.ring.try_send(share).is_err() {
                    tracing::error!("the log is merged no more, and grows: the thread that does it is gone");
                }
            }
            MERGED => {
                let rest = rest(pages, self.length(), self.limits.full);
                self.tight |= rest.is_some_and(|text| hurried(writer, text).is_err_and(|e| is_no_room(&e)));
                // Unless it begins anew.
                self.due = pages.saturating_add(self.limits.step);
                self.state.store(FILLING, Ordering::Release);
            }
            NO_ROOM => {
                self.tight = true;
                self.state.store(FILLING, Ordering::Release);
            }
            _ => {}
        }
    }

    /// Behind a transaction that the disk had no room for.
    pub(crate) const fn had_no_room(&mut self) {
        self.tight = true;
    }

    /// Before each of the writer's transactions: where the disk had no room, the log gives up its own. Nobody else would see to that,
    /// because the log is merged as it grows. While somebody reads in it, transactions go on; while the database has no room
    /// to grow either, they do not, although the log may have some in its file: each would take more room to merge.
    ///
    /// # Errors
    /// SQLite's, that there is no room.
    pub(crate) fn make_room(&mut self, writer: &Connection) -> Result<(), StoreError> {
        if !self.tight {
            return Ok(());
        }
        match hurried(writer, TRUNCATE) {
            Ok(merged) if !merged.busy => {
                self.tight = false;
                self.look();
                (self.pages, self.due) = (0, self.limits.step);
                tracing::warn!(limits = ?self.limits, "the disk had no room; the log has given its own");
                Ok(())
            }
            Err(source) if is_no_room(&source) => Err(StoreError::Sqlite { statement: "merge", source }),
            _ => Ok(()),
        }
    }
}

/// Bytes that are free on a file's disk for who is not its owner; any number where the system does not say.
fn free(file: &File) -> u64 {
    #[cfg(unix)]
    let free =
        rustix::fs::fstatvfs(file).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    #[cfg(not(unix))]
    let free = (file, u64::MAX).1;
    free
}

/// How the writer is to merge what the thread has left of a log that is full, so that the next commit begins it anew, unless somebody
/// reads in it by then: to wait for all who read is to wait for those who begin meanwhile, too. A file of twice its size is worth it.
fn rest(pages: i32, length: u64, full: i32) -> Option<&'static str> {
    let is_large = length >= 2 * u64::from(full.unsigned_abs()) * FRAME;
    if is_large { Some(TRUNCATE) } else { (pages >= full).then_some("PRAGMA wal_checkpoint(FULL)") }
}

/// Merges on the writer, which waits for those who read for a short while.
fn hurried(writer: &Connection, text: &'static str) -> rusqlite::Result<Merged> {
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
/// `before` is how many pages were merged when this was asked last, perhaps of an earlier log. Says what became of it.
fn merge(connection: &Connection, file: &File, share: Share, before: &mut i64) -> u8 {
    for _ in 0..ROUNDS {
        let merged = checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)");
        // Pages that are not there may count as merged: only a new process merges them again from the log.
        flush_or_end(file, "database");
        let pages = match merged {
            Ok(Merged { pages, .. }) => pages,
            Err(error) if is_no_room(&error) => return NO_ROOM,
            Err(_) => return MERGED,
        };
        let before = std::mem::replace(before, pages);
        let new = if before <= pages { pages - before } else { pages };
        if share == Share::There || new < REST {
            break;
        }
    }
    MERGED
}

/// What became of a log.
#[derive(Debug)]
struct Merged {
    /// Somebody was in the way of a part of it.
    busy: bool,
    /// How many of its pages are in the database then.
    pages: i64,
}

/// A failure is said here: a log that is not merged is merged later; until then it grows.
fn checkpoint(connection: &Connection, text: &'static str) -> rusqlite::Result<Merged> {
    let result = connection.prepare_cached(text).and_then(|mut statement| {
        statement
            .query_row((), |row| Ok((row.get::<_, bool>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))
    });
    let (busy, all, pages) =
        result.inspect_err(|error| tracing::warn!(%error, "the log could not be merged"))?;
    tracing::debug!(busy, all, pages, "{text}");
    Ok(Merged { busy, pages })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, TryRecvError};

    use super::*;

    const STEP: i32 = FULL / STEPS;

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
            let log = File::open(path.with_extension("db-wal")).unwrap();
            let bell = Bell::new(ring, log, |_| u64::MAX);
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
            let outcome = merge(&self.merger, &self.file, share, &mut self.merged);
            self.bell.state.store(outcome, Ordering::Release);
        }

        fn has_no_room(&mut self) {
            self.bell.had_no_room();
            self.bell.make_room(&self.writer).unwrap();
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
        let how = |pages: i32, length: i32| rest(pages, u64::try_from(length).unwrap() * FRAME, FULL);
        assert_eq!(how(FULL - 1, 2 * FULL - 1), None);
        assert_eq!(how(10, 2 * FULL), Some(TRUNCATE), "it is its file that is large");
        let full = how(FULL, 2 * FULL - 1).unwrap();
        assert_ne!(full, TRUNCATE);
        let mut played = Played::new();
        played.commit(10);
        let reader = Connection::open(played.writer.path().unwrap()).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM sack;").unwrap();
        hurried(&played.writer, full).unwrap();
        assert!(played.commit(10) > 10, "the log has begun anew while somebody reads in it");
        let waited = std::thread::spawn(move || drop(reader));
        hurried(&played.writer, TRUNCATE).unwrap();
        waited.join().unwrap();
        hurried(&played.writer, TRUNCATE).unwrap();
        assert!(played.commit(10) < 20, "the log goes on");
        let patience: i64 = played.writer.query_row("PRAGMA busy_timeout", (), |row| row.get(0)).unwrap();
        assert_eq!(patience, 5_000);
    }

    #[test]
    fn the_log_takes_half_of_the_room_that_the_disk_has_for_it() {
        let mib = |mib: u64| Limits::of(mib << 20).full;
        assert_eq!((mib(1_000_000), Limits::of(u64::MAX)), (FULL, Limits { full: FULL, step: STEP }));
        assert_eq!(mib(64), 8_144);
        assert_eq!(Limits::of(0), Limits { full: LEAST, step: LEAST / STEPS });
    }

    #[test]
    fn a_log_that_others_have_left_no_room_begins_anew_early_and_gives_back_what_it_has() {
        let mut played = Played::new();
        played.commit(FULL);
        played.thread_merges(Share::Nearly);
        played.commit(10);
        assert!(played.commit(10) < 100, "the log goes on");
        let had = played.log();
        assert!(had > u64::try_from(FULL).unwrap() * FRAME, "it fills its file again");
        played.bell.free = |_| 0;
        played.commit(STEP);
        let full = i32::try_from(had / FRAME / 2).unwrap();
        assert_eq!(played.bell.limits, Limits { full, step: full / STEPS });
        played.thread_merges(Share::There);
        assert!(played.commit(10) < 100, "the log goes on");
        played.commit(full);
        played.thread_merges(Share::Nearly);
        played.commit(10);
        assert_eq!(played.log(), 0);
        assert!(played.commit(10) < 100, "the log goes on");
    }

    #[test]
    fn a_disk_without_room_gets_that_of_the_log() {
        let mut played = Played::new();
        played.commit(2 * STEP);
        played.bell.make_room(&played.writer).unwrap();
        assert!(played.log() > 0, "nobody needs its room");
        played.has_no_room();
        assert_eq!(played.log(), 0);
        // It was told of the log that is gone.
        played.thread_merges(Share::There);
        assert!(played.commit(10) < 20);
        played.nobody_is_told();
        played.commit(STEP);
        played.thread_merges(Share::There);
    }

    #[test]
    fn a_log_that_is_read_keeps_its_room_until_a_transaction_behind_that() {
        let mut played = Played::new();
        played.commit(STEP + 10);
        let reader = Connection::open(played.writer.path().unwrap()).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM sack;").unwrap();
        played.has_no_room();
        assert!(played.log() > 0);
        drop(reader);
        played.bell.make_room(&played.writer).unwrap();
        assert_eq!(played.log(), 0);
        played.commit(10);
        played.bell.make_room(&played.writer).unwrap();
        assert!(played.log() > 0, "once is enough");
    }

    #[test]
    fn what_the_thread_has_no_room_for_is_seen_to_before_the_next_transaction() {
        let mut played = Played::new();
        played.commit(STEP);
        assert_eq!(played.rings.try_recv(), Ok(Share::There));
        played.bell.state.store(NO_ROOM, Ordering::Release);
        played.commit(10);
        played.bell.make_room(&played.writer).unwrap();
        assert_eq!(played.log(), 0);
        played.commit(STEP);
        played.thread_merges(Share::There);
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
