//! The book: one lock around what is known, in which a request is decided, written and applied as a whole. Answers wait
//! until their line is on the disk. It knows no rule of payments or parcels.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, watch};

use crate::journal::{Journal, Synced};
use crate::problem::SandboxError;
use crate::state::{Change, Event, State};

/// An event and the line that must be on the disk before it leaves.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) line: u64,
    pub(crate) event: Event,
}

/// The book cannot promise anything any more: a write or a sync failed, or it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BookClosed;

#[derive(Debug)]
pub(crate) struct Book {
    inner: Mutex<Inner>,
    synced: watch::Receiver<Synced>,
    outgoing: mpsc::UnboundedSender<Outgoing>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    writing: Writing,
    last_line: u64,
}

#[derive(Debug)]
enum Writing {
    Memory,
    File(Journal),
    Closed,
}

impl Book {
    /// Opens the book of `directory`, or an empty one in memory. Events that never arrived go out again.
    pub(crate) fn open(
        directory: Option<&Path>,
    ) -> Result<(Book, mpsc::UnboundedReceiver<Outgoing>), SandboxError> {
        let mut state = State::default();
        let (writing, synced) = match directory {
            None => (Writing::Memory, watch::channel(Synced::UpTo(u64::MAX)).1),
            Some(directory) => {
                let (journal, synced) = Journal::open(directory, |line| {
                    let changes: Vec<Change> =
                        serde_json::from_str(line).map_err(|error| error.to_string())?;
                    changes.into_iter().for_each(|change| state.apply(change));
                    Ok(())
                })?;
                (Writing::File(journal), synced)
            }
        };
        let (outgoing, queue) = mpsc::unbounded_channel();
        for event in state.waiting.values() {
            let _ = outgoing.send(Outgoing { line: 0, event: event.clone() });
        }
        Ok((Book { inner: Mutex::new(Inner { state, writing, last_line: 0 }), synced, outgoing }, queue))
    }

    /// Decides on the book as it is, writes and applies what was decided, and returns when it is durable. What `decide`
    /// read is durable then too. Events leave in the order of the book.
    pub(crate) async fn transact<T>(
        &self,
        decide: impl FnOnce(&State) -> (T, Vec<Change>),
    ) -> Result<T, BookClosed> {
        let (decided, line) = {
            let mut inner = self.lock();
            let (decided, changes) = decide(&inner.state);
            inner.commit(changes, &self.outgoing)?;
            (decided, inner.last_line)
        };
        self.durable(line).await?;
        Ok(decided)
    }

    /// Looks at the book as it is, durable or not.
    pub(crate) fn peek<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock().state)
    }

    /// Returns when the line is on the disk.
    pub(crate) async fn durable(&self, line: u64) -> Result<(), BookClosed> {
        let mut synced = self.synced.clone();
        // In memory the sender is gone from the start, and the first look is the answer.
        let reached = |state: &Synced| match state {
            Synced::UpTo(last) => *last >= line,
            Synced::Failed => true,
        };
        match synced.wait_for(reached).await.map(|state| *state) {
            Ok(Synced::UpTo(_)) => Ok(()),
            Ok(Synced::Failed) | Err(_) => Err(BookClosed),
        }
    }

    /// Writes nothing from here on, and lets go of the file.
    pub(crate) fn close(&self) {
        let writing = std::mem::replace(&mut self.lock().writing, Writing::Closed);
        drop(writing);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn commit(
        &mut self,
        changes: Vec<Change>,
        outgoing: &mpsc::UnboundedSender<Outgoing>,
    ) -> Result<(), BookClosed> {
        if matches!(self.writing, Writing::Closed) {
            return Err(BookClosed);
        }
        if changes.is_empty() {
            return Ok(());
        }
        if let Writing::File(journal) = &mut self.writing {
            let appended =
                serde_json::to_vec(&changes).map_err(Into::into).and_then(|line| journal.append(line));
            match appended {
                Ok(line) => self.last_line = line,
                Err(error) => {
                    tracing::error!(%error, "the book could not be written; it is closed");
                    self.writing = Writing::Closed;
                    return Err(BookClosed);
                }
            }
        }
        for change in changes {
            if let Change::Raised { event } = &change {
                // The receiver is gone only while the sandbox stops; the event then goes out at the next start.
                let _ = outgoing.send(Outgoing { line: self.last_line, event: event.clone() });
            }
            self.state.apply(change);
        }
        Ok(())
    }
}
