//! Compiled components, kept on disk so that a start does not compile. Compiled code is machine code: a file is used
//! only if its seal was made with this directory's own key, and any other file is as good as none. A file that is used is
//! mapped, as programs are: a thousand extensions take the memory of those that are called. No file is ever changed.

use std::fs::{self, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::Engine;
use wasmtime::component::Component;

const KEY_BYTES: usize = 32;
const SEAL_BYTES: usize = blake3::OUT_LEN;
const KEY_FILE: &str = "seal.key";

/// A directory of compiled components.
pub struct CompileCache {
    directory: PathBuf,
    key: [u8; KEY_BYTES],
}

/// A directory that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// It cannot be made, read or written.
    #[error("compiled extensions cannot be kept in {directory}")]
    Directory {
        /// Which.
        directory: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The system gives no randomness for a key.
    #[error("no randomness for the key that seals compiled extensions: {0}")]
    Randomness(getrandom::Error),
}

impl CompileCache {
    /// Opens a directory; makes it, and its key, where they do not exist. Nobody but this user reads either.
    ///
    /// # Errors
    /// The directory cannot be used.
    pub fn open(directory: impl Into<PathBuf>) -> Result<CompileCache, CacheError> {
        let directory = directory.into();
        let failed = |source| CacheError::Directory { directory: directory.clone(), source };
        fs::create_dir_all(&directory).map_err(failed)?;
        let file = directory.join(KEY_FILE);
        if !file.exists() {
            let mut fresh = [0; KEY_BYTES];
            getrandom::fill(&mut fresh).map_err(CacheError::Randomness)?;
            write_once(&file, &fresh).map_err(failed)?;
        }
        // Read back also after writing: of two processes that start at once one has written.
        let key = fs::read(&file).map_err(failed)?;
        let wrong = |_| failed(io::Error::new(io::ErrorKind::InvalidData, "seal.key is not 32 bytes long"));
        let key = <[u8; KEY_BYTES]>::try_from(key).map_err(|key| wrong(key.len()))?;
        Ok(CompileCache { directory, key })
    }

    /// The component as it was compiled before, or as `compile` makes it now. A cache that cannot be written to makes
    /// starts slower and breaks nothing.
    pub(crate) fn load_or(
        &self,
        engine: &Engine,
        bytes: &[u8],
        compile: impl FnOnce() -> wasmtime::Result<Vec<u8>>,
    ) -> wasmtime::Result<Component> {
        let name = name_of(engine, bytes);
        let file = self.directory.join(format!("{}.cwasm", name.to_hex()));
        if let Some(component) = self.read(engine, &file, &name) {
            return Ok(component);
        }
        let compiled = compile()?;
        let mut sealed = compiled.clone();
        sealed.extend_from_slice(self.seal(&name, &compiled).as_bytes());
        if let Err(error) = write_once(&file, &sealed) {
            tracing::warn!(file = %file.display(), %error, "a compiled extension could not be kept");
        }
        // Another process may have been quicker: its file is looked at like any other.
        self.read(engine, &file, &name).map_or_else(|| deserialize(engine, &compiled), Ok)
    }

    fn read(&self, engine: &Engine, file: &Path, name: &blake3::Hash) -> Option<Component> {
        let content = fs::read(file).ok()?;
        let sealed = content.split_last_chunk::<SEAL_BYTES>();
        let holds = |compiled: &[u8], seal: [u8; SEAL_BYTES]| {
            blake3::Hash::from_bytes(seal) == self.seal(name, compiled)
        };
        if !sealed.is_some_and(|(compiled, seal)| holds(compiled, *seal)) {
            tracing::warn!(file = %file.display(), "a compiled extension with a foreign seal is not used");
            drop(fs::remove_file(file));
            return None;
        }
        let refused = |error: &wasmtime::Error| {
            tracing::warn!(file = %file.display(), %error, "a compiled extension is not used");
        };
        map(engine, file).inspect_err(refused).ok()
    }

    /// Over the name too, so that a file cannot take another's place.
    fn seal(&self, name: &blake3::Hash, compiled: &[u8]) -> blake3::Hash {
        blake3::Hasher::new_keyed(&self.key).update(name.as_bytes()).update(compiled).finalize()
    }
}

impl std::fmt::Debug for CompileCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CompileCache").field("directory", &self.directory).finish_non_exhaustive()
    }
}

#[allow(
    unsafe_code,
    reason = "compiled code cannot be checked; its seal is the proof that this program wrote it"
)]
pub(crate) fn deserialize(engine: &Engine, compiled: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the caller has it from the compiler just now, in this process or through the pipe of its own child; or has
    // verified the seal, which only a holder of the directory's key can make, and this program seals nothing but what
    // the compiler gave.
    unsafe { Component::deserialize(engine, compiled) }
}

/// The same of a file, whose pages come into memory when they are needed. The seal behind the code is in nobody's way.
#[allow(
    unsafe_code,
    reason = "compiled code cannot be checked; its seal is the proof that this program wrote it"
)]
fn map(engine: &Engine, file: &Path) -> wasmtime::Result<Component> {
    // SAFETY: as above: the seal was verified just now. The file is this user's alone, and this program replaces
    // files and changes none; whoever else changed it could as well change this process.
    unsafe { Component::deserialize_file(engine, file) }
}

/// Leaves a component's pages to its file until somebody calls it: what was read to look at it is not needed again.
#[allow(unsafe_code, reason = "advice about memory that the component keeps")]
pub(crate) fn rest(component: &Component) {
    #[cfg(target_os = "linux")]
    {
        let image = component.image_range();
        let length = image.end.addr() - image.start.addr();
        // SAFETY: this advice changes no content, and the component, which has the memory, is there. Where the system does
        // not take it, the pages stay.
        let _ = unsafe {
            rustix::mm::madvise(image.start.cast_mut().cast(), length, rustix::mm::Advice::LinuxPageOut)
        };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = component;
}

/// Of the component, and of all that its compiled form depends on: wasmtime's version, the settings, the target.
fn name_of(engine: &Engine, bytes: &[u8]) -> blake3::Hash {
    struct Feed(blake3::Hasher);
    impl Hasher for Feed {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        fn finish(&self) -> u64 {
            0
        }
    }
    let mut feed = Feed(blake3::Hasher::new());
    engine.precompile_compatibility_hash().hash(&mut feed);
    feed.0.update(bytes);
    feed.0.finalize()
}

/// Either the whole content gets this name, or nothing does. A file that is there already stays.
fn write_once(file: &Path, content: &[u8]) -> io::Result<()> {
    static WRITES: AtomicU64 = AtomicU64::new(0);
    let number = WRITES.fetch_add(1, Ordering::Relaxed);
    let unfinished = file.with_extension(format!("{}-{number}.tmp", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&unfinished).and_then(|mut open| {
        open.write_all(content)?;
        open.sync_all()?;
        match fs::hard_link(&unfinished, file) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        }
    });
    drop(fs::remove_file(&unfinished));
    written
}
