//! How the writer's log reaches its file: what SQLite writes in two pieces a page goes there in large ones, at the latest when the
//! commit's last page is there. It is a virtual file system of SQLite (VFS) over the machine's own, for the log of one connection;
//! every other file is the machine's. What is written is not looked at but for one mark, and that it is on the disk is the
//! flusher's business.
//!
//! The log's format, <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>: a frame is a header of 24 bytes and a page; bytes 4
//! to 8 of a header say how large the database is after the commit that the frame ends, and are 0 in every other frame. Nobody
//! reads a frame before its commit is in the index, which SQLite writes behind the commit's last frame; this connection
//! itself may read earlier ones, and finds them in the file, because whatever it does but go on writes what is gathered.
//!
//! Two things are asked of the connection. `cache_spill` is off: frames come with their commit only, so that one that cannot be
//! written fails it, and none of a transaction that was taken back is left here when another process has the database.
//! `synchronous` is not `FULL`, where SQLite fills the sector behind a commit with further frames, in pieces of any length.

use std::ffi::{c_int, c_void};
use std::ptr;

use rusqlite::ffi;

use crate::file_system::Layer;

/// The file system for the connection that writes.
pub(crate) static LAYER: Layer = Layer::new(c"mortise-log", size_of::<LogFile>(), open);
/// A frame's header, in bytes.
const HEADER: usize = 24;
/// With so many bytes it is enough.
const MOST: usize = 1 << 20;
/// Bytes in one piece at most: SQLite's own file systems write less than 128 KiB at a time, and take more for a full disk.
const PIECE: usize = 1 << 16;

/// Frames that follow each other in the file.
#[derive(Debug, Default)]
struct Gathered {
    bytes: Vec<u8>,
    /// Where they begin in the file.
    begin: i64,
    /// The last is a header whose frame ends a commit; its page follows.
    ending: bool,
}

/// What becomes of a piece.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// It is gathered.
    Kept,
    /// It is gathered, and all of it is to be written.
    Full,
    /// What is gathered is to be written, and then this is looked at again.
    WriteFirst,
    /// It is to be written as it is.
    Passed,
}

impl Gathered {
    fn take(&mut self, piece: &[u8], at: i64) -> Fate {
        let ends = is_header(piece).then(|| piece[4..8] != [0; 4]);
        if self.bytes.is_empty() {
            // Headers are also written anew, alone, where frames before them have changed: that of a commit waits for nothing.
            if ends != Some(false) {
                return Fate::Passed;
            }
            self.begin = at;
        } else if at != self.begin.saturating_add_unsigned(self.bytes.len() as u64) {
            return Fate::WriteFirst;
        }
        let full = self.ending || self.bytes.len() + piece.len() > MOST;
        self.bytes.extend_from_slice(piece);
        self.ending = ends == Some(true);
        if full { Fate::Full } else { Fate::Kept }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ending = false;
    }
}

fn is_header(piece: &[u8]) -> bool {
    piece.len() == HEADER
}

/// A log's file, as SQLite has it; the machine's file lies behind it, in the same piece of memory.
#[repr(C)]
struct LogFile {
    base: ffi::sqlite3_file,
    /// From a box.
    gathered: *mut Gathered,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    // Without shared memory, which a log's file does not have.
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

#[allow(unsafe_code, reason = "SQLite's interface for file systems")]
unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives memory of `szOsFile` bytes, which is a `LogFile` and the machine's file. It is the machine's file alone
    // where the file is no log. On a failure SQLite looks at `pMethods` only.
    unsafe {
        if flags & ffi::SQLITE_OPEN_WAL == 0 {
            return LAYER.open_below(name, file, flags, out);
        }
        (*file).pMethods = ptr::null();
        let code = LAYER.open_below(name, behind(file), flags, out);
        if code == ffi::SQLITE_OK {
            let gathered = Box::into_raw(Box::<Gathered>::default());
            file.cast::<LogFile>()
                .write(LogFile { base: ffi::sqlite3_file { pMethods: &raw const METHODS }, gathered });
        }
        code
    }
}

/// The machine's file of a log's file.
///
/// # Safety
/// `file` has to be in memory that this file system asked for.
#[allow(unsafe_code, reason = "SQLite's interface for file systems")]
unsafe fn behind(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: the memory goes on behind the `LogFile`, whose size keeps the alignment.
    unsafe { file.cast::<LogFile>().add(1).cast() }
}

/// Calls a method of the machine's file.
macro_rules! real {
    ($file:ident . $method:ident ( $($argument:expr),* )) => {{
        let real = behind($file);
        match (*(*real).pMethods).$method {
            Some(method) => method(real, $($argument),*),
            None => ffi::SQLITE_IOERR,
        }
    }};
}

/// Writes what is gathered.
///
/// # Safety
/// `file` has to be a log's file that is open.
#[allow(unsafe_code, reason = "SQLite's interface for file systems")]
unsafe fn write_gathered(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: an open file has its box and its methods, and SQLite uses a file from one thread at a time.
    unsafe {
        let gathered = &mut *(*file.cast::<LogFile>()).gathered;
        if gathered.bytes.is_empty() {
            return ffi::SQLITE_OK;
        }
        let (mut at, mut code) = (gathered.begin, ffi::SQLITE_OK);
        for piece in gathered.bytes.chunks(PIECE) {
            let length = piece.len() as c_int;
            code = real!(file.xWrite(piece.as_ptr().cast(), length, at));
            if code != ffi::SQLITE_OK {
                break;
            }
            at += i64::from(length);
        }
        // What could not be written is of a commit that failed.
        gathered.clear();
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
    let Ok(count) = usize::try_from(length) else { return ffi::SQLITE_IOERR_WRITE };
    // SAFETY: SQLite gives so many bytes, and the file is open.
    unsafe {
        let piece = std::slice::from_raw_parts(data.cast::<u8>(), count);
        let gathered = (*file.cast::<LogFile>()).gathered;
        let mut fate = (*gathered).take(piece, at);
        if fate == Fate::WriteFirst {
            match write_gathered(file) {
                ffi::SQLITE_OK => fate = (*gathered).take(piece, at),
                code => return code,
            }
        }
        match fate {
            Fate::Kept => ffi::SQLITE_OK,
            Fate::Full => write_gathered(file),
            Fate::Passed | Fate::WriteFirst => real!(file.xWrite(data, length, at)),
        }
    }
}

#[allow(unsafe_code, reason = "SQLite's interface for file systems")]
unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: the file is open, and SQLite uses it no more; the box is the one that `open` made.
    unsafe {
        let written = write_gathered(file);
        drop(Box::from_raw((*file.cast::<LogFile>()).gathered));
        let closed = real!(file.xClose());
        (*file).pMethods = ptr::null();
        if written == ffi::SQLITE_OK { closed } else { written }
    }
}

/// A method that has what is gathered written first.
macro_rules! written_first {
    ($($name:ident = $method:ident($($argument:ident: $of:ty),*);)*) => {$(
        #[allow(unsafe_code, reason = "SQLite's interface for file systems")]
        unsafe extern "C" fn $name(file: *mut ffi::sqlite3_file, $($argument: $of),*) -> c_int {
            // SAFETY: the file is open, and what SQLite gives is passed on as it is.
            unsafe {
                match write_gathered(file) {
                    ffi::SQLITE_OK => real!(file.$method($($argument),*)),
                    code => code,
                }
            }
        }
    )*};
}

written_first! {
    read = xRead(into: *mut c_void, length: c_int, at: ffi::sqlite3_int64);
    truncate = xTruncate(size: ffi::sqlite3_int64);
    sync = xSync(flags: c_int);
    file_size = xFileSize(size: *mut ffi::sqlite3_int64);
    lock = xLock(level: c_int);
    unlock = xUnlock(level: c_int);
    check_reserved_lock = xCheckReservedLock(is: *mut c_int);
    file_control = xFileControl(operation: c_int, argument: *mut c_void);
}

/// A method that only asks.
macro_rules! asked {
    ($($name:ident = $method:ident;)*) => {$(
        #[allow(unsafe_code, reason = "SQLite's interface for file systems")]
        unsafe extern "C" fn $name(file: *mut ffi::sqlite3_file) -> c_int {
            // SAFETY: the file is open.
            unsafe { real!(file.$method()) }
        }
    )*};
}

asked! {
    sector_size = xSectorSize;
    device_characteristics = xDeviceCharacteristics;
}

#[cfg(test)]
mod tests;
