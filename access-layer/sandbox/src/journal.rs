//! The durable form of the book: one file of JSON lines, a line a transaction, appended and synced before anyone is told.
//! It knows lines, not what they mean. A torn last line was acknowledged to nobody and is cut off when the file is opened.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use tokio::sync::watch;

use crate::problem::SandboxError;

const FILE_NAME: &str = "book.jsonl";

/// How far the file is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Synced {
    /// All lines up to this one.
    UpTo(u64),
    /// A sync failed: nothing later can be promised.
    Failed,
}

/// The writing end of the file. Its syncs run on a thread of their own and take what has been queued: one sync
/// answers for many transactions.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    written: u64,
    requests: Option<mpsc::Sender<u64>>,
    syncer: Option<thread::JoinHandle<()>>,
}

impl Journal {
    /// Opens the book in `directory`, hands each line to `read`, and locks it.
    pub(crate) fn open(
        directory: &Path,
        read: impl FnMut(&str) -> Result<(), String>,
    ) -> Result<(Journal, watch::Receiver<Synced>), SandboxError> {
        let path = directory.join(FILE_NAME);
        let refused = |path: &Path| {
            let path = path.to_owned();
            move |source| SandboxError::Book { path, source }
        };
        std::fs::create_dir_all(directory).map_err(refused(directory))?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(refused(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SandboxError::Locked { path }),
            Err(TryLockError::Error(source)) => return Err(SandboxError::Book { path, source }),
        }
        let whole = replay(&file, &path, read)?;
        file.set_len(whole).map_err(refused(&path))?;
        file.seek(SeekFrom::Start(whole)).map_err(refused(&path))?;
        file.sync_all().map_err(refused(&path))?;
        File::open(directory).and_then(|entry| entry.sync_all()).map_err(refused(directory))?;
        let (requests, queue) = mpsc::channel();
        let (progress, synced) = watch::channel(Synced::UpTo(0));
        let syncing = file.try_clone().map_err(refused(&path))?;
        let syncer = thread::Builder::new()
            .name("sandbox-book".to_owned())
            .spawn(move || sync_on_request(&syncing, &queue, &progress))
            .map_err(refused(&path))?;
        Ok((Journal { file, written: 0, requests: Some(requests), syncer: Some(syncer) }, synced))
    }

    /// Writes one line and asks for a sync. Returns the line's number, for which the caller waits.
    pub(crate) fn append(&mut self, mut line: Vec<u8>) -> io::Result<u64> {
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.written += 1;
        if let Some(requests) = &self.requests {
            // The thread ends early only after a failed sync, which those who wait see.
            let _ = requests.send(self.written);
        }
        Ok(self.written)
    }
}

/// Waits until the last sync is over, so that the lock is gone when this returns.
impl Drop for Journal {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(syncer) = self.syncer.take() {
            let _ = syncer.join();
        }
    }
}

/// Reads the whole lines and returns where they end.
fn replay(
    file: &File,
    path: &Path,
    mut read: impl FnMut(&str) -> Result<(), String>,
) -> Result<u64, SandboxError> {
    let mut reader = BufReader::new(file);
    let (mut line, mut number, mut whole) = (Vec::new(), 0_usize, 0_u64);
    loop {
        line.clear();
        let count = reader
            .read_until(b'\n', &mut line)
            .map_err(|source| SandboxError::Book { path: path.to_owned(), source })?;
        if line.last() != Some(&b'\n') {
            return Ok(whole);
        }
        number += 1;
        let damaged = |reason: String| damaged(path, number, reason);
        let text = std::str::from_utf8(&line).map_err(|error| damaged(error.to_string()))?;
        read(text).map_err(damaged)?;
        whole += count as u64;
    }
}

fn damaged(path: &Path, line: usize, reason: String) -> SandboxError {
    SandboxError::Damaged { path: PathBuf::from(path), line, reason }
}

fn sync_on_request(file: &File, queue: &mpsc::Receiver<u64>, progress: &watch::Sender<Synced>) {
    while let Ok(first) = queue.recv() {
        let last = queue.try_iter().last().unwrap_or(first);
        if let Err(error) = file.sync_data() {
            tracing::error!(%error, "the book could not be synced; nothing more is acknowledged");
            progress.send_replace(Synced::Failed);
            return;
        }
        progress.send_replace(Synced::UpTo(last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(directory: &Path) -> Result<Vec<String>, SandboxError> {
        let mut lines = Vec::new();
        Journal::open(directory, |line| {
            if line.starts_with('?') {
                Err("unreadable".to_owned())
            } else {
                lines.push(line.trim().to_owned());
                Ok(())
            }
        })?;
        Ok(lines)
    }

    #[test]
    fn a_torn_last_line_is_cut_off_and_the_next_one_is_whole() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(FILE_NAME), "one\ntwo\n{\"torn").unwrap();
        let (mut journal, _synced) = Journal::open(directory.path(), |_| Ok(())).unwrap();
        journal.append(b"three".to_vec()).unwrap();
        drop(journal);
        assert_eq!(lines(directory.path()).unwrap(), ["one", "two", "three"]);
    }

    #[test]
    fn a_damaged_line_inside_is_named() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(FILE_NAME), "one\n?\nthree\n").unwrap();
        assert!(matches!(lines(directory.path()), Err(SandboxError::Damaged { line: 2, .. })));
    }

    #[test]
    fn one_process_writes_a_book() {
        let directory = tempfile::tempdir().unwrap();
        let (journal, _synced) = Journal::open(directory.path(), |_| Ok(())).unwrap();
        assert!(matches!(lines(directory.path()), Err(SandboxError::Locked { .. })));
        drop(journal);
        assert!(lines(directory.path()).is_ok());
    }
}
