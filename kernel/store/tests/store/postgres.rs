//! What only PostgreSQL has: writers beside each other, a network, a statement that has no text for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mortise_store::{Access, Options, Statement, Store, StoreError, StoreErrorKind};
use mortise_testkit::TestDatabase;

use crate::{GET, SET, SHELF, open, put, row, skus};

#[tokio::test]
async fn writers_in_each_others_way_run_again_and_lose_nothing() {
    let database = TestDatabase::postgres().await;
    let store = Arc::new(open(&database).await);
    store.write(async |tx| put(tx, [row("a", 0), row("b", 0)]).await).await.unwrap();
    let runs = Arc::new(AtomicU32::new(0));
    let dearer = (0..40).map(|number| {
        let (store, runs) = (Arc::clone(&store), Arc::clone(&runs));
        tokio::spawn(async move {
            let sku = if number % 2 == 0 { "a" } else { "b" };
            let written = store.write(async move |tx| {
                runs.fetch_add(1, Ordering::Relaxed);
                let prices = tx.fetch_all::<(String, i64), _>(&GET, ("acme", "")).await?;
                let price = prices.iter().find(|(found, _)| found == sku).map_or(-100, |(_, price)| *price);
                tx.execute(&SET, [("acme", sku, price + 1)]).await.map(drop)
            });
            written.await
        })
    });
    for written in dearer.collect::<Vec<_>>() {
        written.await.unwrap().unwrap();
    }
    assert_eq!(skus(&store, "acme").await, ["a 20", "b 20"]);
    assert_eq!(store.cost().commits, 41);
    assert!(runs.load(Ordering::Relaxed) >= 40);
}

#[tokio::test]
async fn what_was_read_before_starting_over_still_holds() {
    let database = TestDatabase::postgres().await;
    let (store, other) = (open(&database).await, open(&database).await);
    let (read, written) = (Arc::new(AtomicU32::new(0)), Arc::new(std::sync::Mutex::new(Vec::new())));
    let (rounds, seen, other) = (Arc::clone(&read), Arc::clone(&written), Arc::new(other));
    store.write(async |tx| put(tx, [row("a", 0)]).await).await.unwrap();
    // The other writer commits between the look and the write, in the first round only.
    let stale = store.write(async move |tx| {
        let before = tx.fetch_all::<(String, i64), _>(&GET, ("acme", "")).await?;
        if rounds.fetch_add(1, Ordering::SeqCst) == 0 {
            let other = Arc::clone(&other);
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let set = other.write(async |tx| tx.execute(&SET, [("acme", "a", 5_i64)]).await.map(drop));
                runtime.block_on(set).unwrap();
            })
            .join()
            .unwrap();
        }
        tx.start_over().await?;
        let after = tx.fetch_all::<(String, i64), _>(&GET, ("acme", "")).await?;
        seen.lock().unwrap().push((before, after));
        tx.execute(&SET, [("acme", "a", 6_i64)]).await.map(drop)
    });
    stale.await.unwrap();
    assert_eq!(read.load(Ordering::SeqCst), 2);
    for (before, after) in written.lock().unwrap().iter() {
        assert_eq!(before, after);
    }
    assert_eq!(skus(&store, "acme").await, ["a 6"]);
}

/// As when the server is started anew: every connection but the one that says so is closed.
async fn close_others(killer: &Store) -> i64 {
    const CLOSE: Statement = Statement::both(
        "shelf.close_others",
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    killer.read(async |reader| reader.fetch_all::<(i64,), _>(&CLOSE, ()).await).await.unwrap()[0].0
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_made_anew() {
    let database = TestDatabase::postgres().await;
    let (store, killer) = (open(&database).await, open(&database).await);
    store.write(async |tx| put(tx, [row("a", 1)]).await).await.unwrap();
    assert_eq!(skus(&store, "acme").await, ["a 1"]);
    let closed = close_others(&killer).await;
    assert!(closed >= 2, "{closed}");
    for sku in ["b", "c", "d"] {
        store.write(async move |tx| put(tx, [row(sku, 1)]).await).await.unwrap();
    }
    assert_eq!(skus(&store, "acme").await, ["a 1", "b 1", "c 1", "d 1"]);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_unavailable() {
    let nowhere = tempfile::tempdir().unwrap();
    let url = format!("postgres://nobody@localhost/none?host={}", nowhere.path().display());
    let error = Store::connect(&url, &[SHELF], Options::default()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    let error = Store::connect("mysql://here", &[SHELF], Options::default()).await.unwrap_err();
    assert!(error.to_string().contains("connect"), "{error}");
}

#[tokio::test]
async fn what_only_sqlite_can_be_asked_is_refused_by_its_name() {
    const PLAN: Statement = Statement::sqlite("shelf.plan", "EXPLAIN QUERY PLAN SELECT * FROM shelf");
    let database = TestDatabase::postgres().await;
    let store = open(&database).await;
    let read = store.read(async |reader| reader.fetch_all::<(String,), _>(&PLAN, ()).await);
    assert!(read.await.unwrap_err().to_string().contains("shelf.plan"));
}

async fn with(database: &TestDatabase, access: Access) -> Result<Store, StoreError> {
    Store::connect(&database.url(), &[SHELF], Options { access, ..Options::default() }).await
}

#[tokio::test]
async fn who_is_alone_keeps_others_out_until_it_is_gone() {
    let database = TestDatabase::postgres().await;
    let first = with(&database, Access::Alone).await.unwrap();
    let told = with(&database, Access::Alone).await.unwrap_err();
    assert!(matches!(told, StoreError::Locked(_)), "{told}");
    assert!(told.to_string().ends_with("is in use by another process"), "{told}");
    first.write(async |tx| put(tx, [row("a", 1)]).await).await.unwrap();
    first.close();
    let second = with(&database, Access::Alone).await.unwrap();
    second.write(async |tx| put(tx, [row("b", 1)]).await).await.unwrap();
    assert_eq!(skus(&second, "acme").await, ["a 1", "b 1"]);
}

#[tokio::test]
async fn whose_connections_broke_and_whose_place_is_taken_writes_nothing_more() {
    let database = TestDatabase::postgres().await;
    let killer = with(&database, Access::Shared).await.unwrap();
    let first = with(&database, Access::Alone).await.unwrap();
    first.write(async |tx| put(tx, [row("a", 1)]).await).await.unwrap();
    // Broken and not taken: it goes on.
    close_others(&killer).await;
    for sku in ["b", "c", "d"] {
        first.write(async move |tx| put(tx, [row(sku, 1)]).await).await.unwrap();
    }
    close_others(&killer).await;
    let second = with(&database, Access::Alone).await.unwrap();
    for _ in 0..4 {
        let refused = first.write(async |tx| put(tx, [row("e", 1)]).await).await.unwrap_err();
        assert!(matches!(refused, StoreError::TakenOver), "{refused}");
    }
    second.write(async |tx| put(tx, [row("f", 1)]).await).await.unwrap();
    assert_eq!(skus(&second, "acme").await, ["a 1", "b 1", "c 1", "d 1", "f 1"]);
}

#[tokio::test]
async fn who_only_reads_is_beside_the_owner_and_changes_nothing() {
    let database = TestDatabase::postgres().await;
    let told = with(&database, Access::Reading).await.unwrap_err();
    assert!(matches!(&told, StoreError::OtherTables(owner) if owner == "shelf"), "{told}");
    let owner = with(&database, Access::Alone).await.unwrap();
    owner.write(async |tx| put(tx, [row("a", 1)]).await).await.unwrap();
    let reading = with(&database, Access::Reading).await.unwrap();
    assert_eq!(skus(&reading, "acme").await, ["a 1"]);
    let refused = reading.write(async |tx| put(tx, [row("b", 1)]).await).await.unwrap_err();
    assert!(matches!(refused, StoreError::ReadingOnly), "{refused}");
}
