//! Bringing what was committed to the disk, beside the writer: the log of a SQLite database is flushed for all commits that have
//! come meanwhile, while the next transaction runs. Whoever commits learns when his commit survives the loss of power; the log
//! is in order, so that no later commit survives without an earlier one.

use std::fs::File;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::error::StoreError;

/// Flushes a file, or ends the process: what was written may be gone, and asking again would not say so. Only a new process can
/// read what is there; PostgreSQL does the same.
pub(crate) fn flush_or_end(file: &File, what: &str) {
    if let Err(error) = file.sync_data() {
        tracing::error!(%error, "the {what} could not be flushed; the process ends");
        std::process::abort();
    }
}

/// When a commit is on the disk.
#[derive(Debug)]
pub struct Flush(Option<oneshot::Receiver<()>>);

impl Flush {
    /// Of a commit that is there already, or that need not be.
    pub(crate) const fn done() -> Self {
        Self(None)
    }

    /// Waits until the commit survives the loss of power.
    ///
    /// # Errors
    /// [`StoreError::Closed`] when the store was closed meanwhile.
    pub async fn wait(self) -> Result<(), StoreError> {
        match self.0 {
            Some(flushed) => flushed.await.map_err(|_| StoreError::Closed),
            None => Ok(()),
        }
    }
}

/// A thread that flushes a log.
#[derive(Debug)]
pub(crate) struct Flusher {
    queue: mpsc::Sender<oneshot::Sender<()>>,
    thread: JoinHandle<()>,
}

impl Flusher {
    /// Starts one for the log of an open database.
    ///
    /// # Errors
    /// A log that cannot be opened, a machine that gives no thread.
    pub(crate) fn start(directory: &Path, log: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Directory { path: directory.to_owned(), source };
        let log = File::options().read(true).write(true).open(log).map_err(failed)?;
        // The log may be new: its name has to survive too.
        #[cfg(unix)]
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)?;
        let (queue, commits) = mpsc::channel::<oneshot::Sender<()>>();
        let flush = move || {
            while let Ok(first) = commits.recv() {
                let waiting: Vec<_> = std::iter::once(first).chain(commits.try_iter()).collect();
                flush_or_end(&log, "log");
                for one in waiting {
                    // Nobody may be waiting any more.
                    let _ = one.send(());
                }
            }
        };
        let thread = std::thread::Builder::new().name("mortise-flusher".to_owned()).spawn(flush);
        Ok(Self { queue, thread: thread.map_err(StoreError::Thread)? })
    }

    /// Has what is committed by now flushed.
    pub(crate) fn flush(queue: &mpsc::Sender<oneshot::Sender<()>>) -> Flush {
        let (done, flushed) = oneshot::channel();
        // A thread that is gone drops the sender, which the receiver sees.
        let _ = queue.send(done);
        Flush(Some(flushed))
    }

    pub(crate) fn queue(&self) -> mpsc::Sender<oneshot::Sender<()>> {
        self.queue.clone()
    }

    /// Flushes what is queued and ends the thread; every clone of the queue has to be gone.
    pub(crate) fn close(self) {
        let Self { queue, thread } = self;
        drop(queue);
        let _ = thread.join();
    }
}
