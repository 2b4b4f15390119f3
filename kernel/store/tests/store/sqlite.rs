//! What only SQLite has: a data directory that one process holds, and a file that may be no database.

use mortise_store::{Options, Store, StoreError, StoreErrorKind};

use mortise_types::Amount;

use crate::{PUT, SHELF, put, row, skus};

async fn open(directory: &std::path::Path) -> Result<Store, StoreError> {
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

/// A log that nobody merges holds every page that was ever written; one that is, little more than is merged at once.
#[tokio::test]
async fn the_log_is_merged_while_others_write_and_read() {
    const ROWS: i64 = 1_000;
    const COMMITS: i64 = 40;
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await.unwrap();
    let (mut highest, mut written) = (0, 0);
    for commit in 0..COMMITS {
        let note = "a page and a little more ".repeat(180);
        let rows: Vec<_> =
            (0..ROWS).map(|n| (format!("{commit:03}-{n:04}"), Amount(n), note.clone())).collect();
        written += rows.len() * note.len();
        let wrote = store.write(async move |tx| {
            tx.execute(&PUT, rows.iter().map(|(sku, price, note)| ("acme", &**sku, *price, Some(&**note))))
                .await
        });
        let (wrote, read) = tokio::join!(wrote, skus(&store, "nobody"));
        wrote.unwrap();
        assert!(read.is_empty());
        highest = highest.max(std::fs::metadata(directory.path().join("mortise.db-wal")).unwrap().len());
    }
    assert!(highest < written as u64 / 2, "the log came to {highest} bytes, of {written} that were written");
    drop(store);
    assert_eq!(skus(&open(directory.path()).await.unwrap(), "acme").await.len() as i64, ROWS * COMMITS);
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
