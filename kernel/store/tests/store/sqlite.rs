//! What only SQLite has: a data directory that one process holds, and a file that may be no database.

use mortise_store::{Options, Store, StoreError, StoreErrorKind};

use crate::{SHELF, put, row, skus};

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
