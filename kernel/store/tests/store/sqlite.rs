//! What only SQLite has: a data directory that one process holds, a log that is merged and begins anew, and a file that may be no
//! database.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mortise_store::{Options, Statement, Store, StoreError, StoreErrorKind};
use mortise_types::Amount;

use crate::{PUT, SHELF, put, row, skus, skus_of};

/// Rows of a commit that fills the log.
const ROWS: i64 = 1_000;
/// Commits that are enough for any disk.
const MANY: i64 = 400;
/// Commits that fill the log several times.
const SEVERAL: i64 = 80;

async fn open(directory: &Path) -> Result<Store, StoreError> {
    Store::open(directory, &[SHELF], Options::default()).await
}

#[tokio::test]
async fn a_directory_has_one_process_and_keeps_what_was_committed() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await.unwrap();
    let second = open(directory.path()).await;
    let told = second.unwrap_err();
    let words = format!("the data directory `{}` is in use by another process", directory.path().display());
    assert!(matches!(told, StoreError::Locked(_)) && told.to_string() == words, "{told}");
    store.write(async |tx| put(tx, [row("a", 1)]).await).await.unwrap();
    store.close();
    assert_eq!(skus(&open(directory.path()).await.unwrap(), "acme").await, ["a 1"]);
}

/// Commits a thousand rows of a page and a little more, while others read.
async fn fill(store: &Store, commit: i64) {
    let note = "a page and a little more ".repeat(180);
    let rows: Vec<_> = (0..ROWS).map(|n| (format!("{commit:03}-{n:04}"), Amount(n), note.clone())).collect();
    let wrote = store.write(async move |tx| {
        tx.execute(&PUT, rows.iter().map(|(sku, price, note)| ("acme", &**sku, *price, Some(&**note)))).await
    });
    let (wrote, read) = tokio::join!(wrote, skus(store, "nobody"));
    wrote.unwrap();
    assert!(read.is_empty());
}

/// How often the log has begun anew, as its header counts: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.
fn begun_anew(directory: &Path) -> u32 {
    let mut header = Vec::new();
    File::open(directory.join("mortise.db-wal")).unwrap().take(16).read_to_end(&mut header).unwrap();
    // Before the first commit there is none.
    header.get(12..16).map_or(0, |count| u32::from_be_bytes(count.try_into().unwrap()))
}

/// A log that nobody merges goes on for ever.
#[tokio::test]
async fn the_log_is_merged_while_others_write_and_read() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await.unwrap();
    let mut commits = 0;
    while commits < SEVERAL || begun_anew(directory.path()) < 2 {
        assert!(commits < MANY, "the log goes on");
        fill(&store, commits).await;
        commits += 1;
    }
    let bytes = |file: &str| std::fs::metadata(directory.path().join(file)).unwrap().len();
    let (log, database) = (bytes("mortise.db-wal"), bytes("mortise.db"));
    assert!(log < database / 2, "the log's file has {log} bytes, the database {database}");
    store.close();
    assert_eq!(skus(&open(directory.path()).await.unwrap(), "acme").await.len() as i64, ROWS * commits);
}

/// What somebody reads stays in the log; when he is done, it begins anew.
#[tokio::test]
async fn who_reads_for_long_keeps_the_log_from_beginning_anew_and_nobody_from_writing() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(open(directory.path()).await.unwrap());
    fill(&store, 0).await;
    let (began, begins) = std::sync::mpsc::channel();
    let (end, ends) = std::sync::mpsc::channel::<()>();
    let reading = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            let read = store.read(async move |reader| {
                let before = skus_of(reader, "acme").await?;
                began.send(()).unwrap();
                ends.recv().unwrap();
                Ok((before, skus_of(reader, "acme").await?))
            });
            read.await.unwrap()
        }
    });
    tokio::task::spawn_blocking(move || begins.recv().unwrap()).await.unwrap();
    let (before, mut commits) = (begun_anew(directory.path()), 1);
    while commits < 30 {
        fill(&store, commits).await;
        commits += 1;
    }
    assert_eq!(begun_anew(directory.path()), before, "what is read is gone from the log");
    end.send(()).unwrap();
    let (first, second) = reading.await.unwrap();
    assert_eq!((first.len() as i64, first), (ROWS, second));
    while begun_anew(directory.path()) == before {
        assert!(commits < MANY, "the log goes on");
        fill(&store, commits).await;
        commits += 1;
    }
    assert_eq!(skus(&store, "acme").await.len() as i64, ROWS * commits);
}

/// Nothing is committed while the disk is full, so nothing asks whether the log is to be merged.
#[tokio::test]
async fn a_transaction_without_room_on_the_disk_is_refused_and_the_logs_room_is_given_to_the_next() {
    // As large as it is: SQLite says the same of a disk that is full.
    const AS_IT_IS: Statement = Statement::sqlite("limit", "PRAGMA max_page_count = 1");
    const ANY_SIZE: Statement = Statement::sqlite("no limit", "PRAGMA max_page_count = 4294967294");
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await.unwrap();
    let commits = 4;
    for commit in 0..commits {
        fill(&store, commit).await;
    }
    let log = || std::fs::metadata(directory.path().join("mortise.db-wal")).unwrap().len();
    assert!(log() > 16 << 20, "{}", log());
    let may_grow = async |limit: &'static Statement| {
        store.write(async move |tx| tx.fetch_all::<(i64,), _>(limit, ()).await.map(drop)).await.unwrap();
    };
    may_grow(&AS_IT_IS).await;
    let (sku, note) = ("z", "much ".repeat(100_000));
    let put = async |note: String| {
        store
            .write(async move |tx| tx.execute(&PUT, [("acme", sku, Amount(1), Some(&*note))]).await.map(drop))
            .await
    };
    let mut asked = 0;
    // The writer does it before its next transaction, and waits for nobody longer than 20 ms: not for the thread that merges.
    while log() > 0 {
        let refused = put(note.clone()).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Unavailable, "{refused}");
        tokio::time::sleep(Duration::from_millis(10)).await;
        asked += 1;
        assert!(asked < 1_000, "the log keeps its room");
    }
    may_grow(&ANY_SIZE).await;
    put(note).await.unwrap();
    assert_eq!(skus(&store, "acme").await.len() as i64, ROWS * commits + 1);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_in_words() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(
        directory.path().join("mortise.db"),
        "this is a shopping list, not a database, and it is long enough",
    )
    .unwrap();
    let error = open(directory.path()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
}
