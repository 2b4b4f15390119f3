//! A virtual file system of SQLite (VFS) over the machine's own, which is like that one but for how it opens files. What an opened
//! file does otherwise is its layer's business.

use std::ffi::{CStr, c_int};
use std::path::Path;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

use rusqlite::{Connection, OpenFlags, ffi};

/// Opens a file: the file system, the name, memory for the file, what is wanted of it and what it became.
pub(crate) type Open = unsafe extern "C" fn(
    *mut ffi::sqlite3_vfs,
    ffi::sqlite3_filename,
    *mut ffi::sqlite3_file,
    c_int,
    *mut c_int,
) -> c_int;

/// One such file system.
pub(crate) struct Layer {
    name: &'static CStr,
    /// Bytes that a file has beside the machine's.
    more: usize,
    open: Open,
    /// The machine's, from when this one is registered.
    below: AtomicPtr<ffi::sqlite3_vfs>,
    registered: OnceLock<c_int>,
}

impl Layer {
    pub(crate) const fn new(name: &'static CStr, more: usize, open: Open) -> Self {
        Self { name, more, open, below: AtomicPtr::new(ptr::null_mut()), registered: OnceLock::new() }
    }

    /// A connection whose files are opened by this file system.
    ///
    /// # Errors
    /// SQLite's own, also where it knows no file system at all.
    pub(crate) fn connect(&self, database: &Path) -> rusqlite::Result<Connection> {
        match *self.registered.get_or_init(|| self.register()) {
            ffi::SQLITE_OK => Connection::open_with_flags_and_vfs(database, OpenFlags::default(), self.name),
            code => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)),
        }
    }

    #[allow(unsafe_code, reason = "SQLite's interface for file systems")]
    fn register(&self) -> c_int {
        // SAFETY: SQLite initialises itself in `find`, and its default file system is there as long as the process. The copy is
        // never freed; all in it is the default's but the name, the size and `open`, and the default's functions ask
        // for its own data at most, except its `open`, which is called with itself.
        unsafe {
            let below = ffi::sqlite3_vfs_find(ptr::null());
            let Some(default) = below.as_ref() else { return ffi::SQLITE_ERROR };
            self.below.store(below, Ordering::Release);
            let Ok(more) = c_int::try_from(self.more) else { return ffi::SQLITE_ERROR };
            let over = ffi::sqlite3_vfs {
                szOsFile: default.szOsFile + more,
                pNext: ptr::null_mut(),
                zName: self.name.as_ptr(),
                xOpen: Some(self.open),
                ..*default
            };
            ffi::sqlite3_vfs_register(Box::into_raw(Box::new(over)), 0)
        }
    }

    /// Opens a file as the machine's own file system does.
    ///
    /// # Safety
    /// What is given is what SQLite gave this layer's `open`; `file` may be a part of that memory which is large enough.
    #[allow(unsafe_code, reason = "SQLite's interface for file systems")]
    pub(crate) unsafe fn open_below(
        &self,
        name: ffi::sqlite3_filename,
        file: *mut ffi::sqlite3_file,
        flags: c_int,
        out: *mut c_int,
    ) -> c_int {
        let below = self.below.load(Ordering::Acquire);
        // SAFETY: `below` was stored before SQLite knew this one.
        unsafe { (*below).xOpen.map_or(ffi::SQLITE_CANTOPEN, |open| open(below, name, file, flags, out)) }
    }
}
