//! How merged pages reach the disk: a few at a time, while the rest are copied. Left to one flush at the end, thousands of pages that lie all over
//! the database fill the disk's queue, and the log's flushes, which callers wait for, stand behind them. It is a virtual file
//! system of SQLite (VFS) over the machine's own, for the connection that merges: its database's file has a look at each page
//! that was written, and is the machine's otherwise. That the pages are on the disk is not decided here: a flush follows.

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::fs::File;
use std::ptr;
use std::sync::OnceLock;

use rusqlite::ffi;

use crate::file_system::Layer;

/// The file system for the connection that merges.
pub(crate) static LAYER: Layer = Layer::new(c"mortise-paced", 0, open);
/// So many pages are on their way at once: fewer keep the log's flushes shorter and take longer.
const GROUP: u32 = 64;
/// The span of no pages.
const NOTHING: (i64, i64) = (i64::MAX, 0);

thread_local! {
    /// Of the thread that merges.
    static PACE: RefCell<Option<Pace>> = const { RefCell::new(None) };
}

/// Pages that were written and are not on their way yet.
#[derive(Debug)]
struct Pace {
    file: File,
    pages: u32,
    /// Where the first of them begins, and the last ends.
    span: (i64, i64),
}

/// Has the pages that this thread merges into `file`'s database brought to the disk as they come.
pub(crate) fn keep(file: File) {
    PACE.set(Some(Pace { file, pages: 0, span: NOTHING }));
}

impl Pace {
    fn written(&mut self, at: i64, length: c_int) {
        self.pages += 1;
        self.span = (self.span.0.min(at), self.span.1.max(at.saturating_add(i64::from(length))));
        if self.pages == GROUP {
            bring(&self.file, self.span);
            (self.pages, self.span) = (0, NOTHING);
        }
    }
}

/// Writes what is changed in this part of a file, and waits until it is written. A failure is the next flush's to tell, which has a
/// description of the file of its own: each hears of every failure once.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "a call of the system that no library has a safe name for")]
fn bring(file: &File, (begin, end): (i64, i64)) {
    use std::os::fd::AsRawFd as _;
    let all =
        libc::SYNC_FILE_RANGE_WAIT_BEFORE | libc::SYNC_FILE_RANGE_WRITE | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    // SAFETY: the file is open, and nothing else is handed over.
    unsafe { libc::sync_file_range(file.as_raw_fd(), begin, end.saturating_sub(begin), all) };
}

/// No other system has such a call, and a whole flush for each group is more than what it mends.
#[cfg(not(target_os = "linux"))]
fn bring(_: &File, _: (i64, i64)) {}

/// How files of databases are written, from when there was one.
static METHODS: OnceLock<Methods> = OnceLock::new();

/// Tables of methods.
struct Methods {
    /// The machine's.
    below: &'static ffi::sqlite3_io_methods,
    /// A copy of it, with the look.
    paced: ffi::sqlite3_io_methods,
}

#[allow(unsafe_code, reason = "SQLite's interface for file systems")]
unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: the file is the machine's, in memory of the size that it asked for, and has its methods when it is open; they are a
    // constant of SQLite's.
    unsafe {
        let code = LAYER.open_below(name, file, flags, out);
        if code == ffi::SQLITE_OK && flags & ffi::SQLITE_OPEN_MAIN_DB != 0 {
            let below: &'static ffi::sqlite3_io_methods = &*(*file).pMethods;
            let methods = METHODS.get_or_init(|| Methods {
                below,
                paced: ffi::sqlite3_io_methods { xWrite: Some(write), ..*below },
            });
            // A database that is written in another way than the first one is left as it is.
            if ptr::eq(methods.below, below) {
                (*file).pMethods = &raw const methods.paced;
            }
        }
        code
    }
}

#[allow(unsafe_code, reason = "SQLite's interface for file systems")]
unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    data: *const c_void,
    length: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    let Some(below) = METHODS.get().and_then(|methods| methods.below.xWrite) else {
        return ffi::SQLITE_IOERR_WRITE;
    };
    // SAFETY: a file that has this method has the machine's otherwise; what SQLite gives is passed on as it is.
    let code = unsafe { below(file, data, length, at) };
    if code == ffi::SQLITE_OK {
        PACE.with_borrow_mut(|pace| {
            if let Some(pace) = pace {
                pace.written(at, length);
            }
        });
    }
    code
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// Pages that were written since the last group went.
    fn waiting() -> Option<u32> {
        PACE.with_borrow(|pace| pace.as_ref().map(|pace| pace.pages))
    }

    #[test]
    fn pages_are_brought_to_the_disk_in_groups_as_they_are_merged() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mortise.db");
        let writer = Connection::open(&path).unwrap();
        writer
            .execute_batch(
                "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE goods (name TEXT NOT NULL);
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
                 INSERT INTO goods SELECT printf('%03d', i) || hex(zeroblob(1800)) FROM n;",
            )
            .unwrap();
        let merger = LAYER.connect(&path).unwrap();
        keep(File::options().read(true).write(true).open(&path).unwrap());
        merger.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(())).unwrap();
        let pages: u32 = merger.query_row("PRAGMA page_count", (), |row| row.get(0)).unwrap();
        assert!(pages > 4 * GROUP, "{pages} pages");
        assert_eq!(waiting(), Some(pages % GROUP));
        let there = |connection: &Connection| {
            let count: i64 =
                connection.query_row("SELECT count(DISTINCT name) FROM goods", (), |row| row.get(0)).unwrap();
            let sound: String = connection.query_row("PRAGMA integrity_check", (), |row| row.get(0)).unwrap();
            (count, sound)
        };
        assert_eq!(there(&merger), (300, "ok".to_owned()));
        // What the log has is in the database: a copy of that file alone holds all.
        let copy = directory.path().join("copy.db");
        std::fs::copy(&path, &copy).unwrap();
        assert_eq!(there(&Connection::open(&copy).unwrap()), (300, "ok".to_owned()));
        // Another connection's pages are its own business.
        writer.execute_batch("DELETE FROM goods; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        assert_eq!(waiting(), Some(pages % GROUP));
    }
}
