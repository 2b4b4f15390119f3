//! What only PostgreSQL has: writers beside each other, a network, a statement that has no text for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mortise_store::{Access, Options, Statement, Store, StoreError, StoreErrorKind};
use mortise_testkit::TestDatabase;
use sqlx::{Connection as _, PgConnection};

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

#[tokio::test]
async fn which_items_were_added_is_looked_up_and_not_compared_each_with_each() {
    const PLAN: Statement = Statement::both(
        "shelf.plan",
        "EXPLAIN WITH item AS (SELECT * FROM unnest(ARRAY['acme', 'acme'], ARRAY['a', 'b'], ARRAY[1, 2]) WITH ORDINALITY
            AS item (tenant, sku, price, n)),
         added AS (
           INSERT INTO shelf (tenant, sku, price) SELECT tenant, sku, price FROM item ORDER BY tenant, sku, n
           ON CONFLICT DO NOTHING RETURNING tenant, sku)
         SELECT min(n) FROM item WHERE ((tenant, sku) IN (TABLE added)) IS TRUE GROUP BY tenant, sku",
    );
    let database = TestDatabase::postgres().await;
    let store = open(&database).await;
    let plan = store.write(async |tx| tx.fetch_all::<(String,), _>(&PLAN, ()).await).await.unwrap();
    let plan = plan.into_iter().map(|(line,)| line).collect::<Vec<_>>().join("\n");
    assert!(plan.contains("hashed SubPlan") && !plan.contains("Nested Loop"), "{plan}");
}

#[tokio::test]
async fn writers_compress_by_the_fastest_method_unless_somebody_chose_another() {
    const METHOD: Statement = Statement::both(
        "shelf.method",
        "SELECT current_setting('default_toast_compression'),
                CASE WHEN 'lz4' = ANY (enumvals) THEN 'lz4' ELSE 'pglz' END
         FROM pg_settings WHERE name = 'default_toast_compression'",
    );
    let database = TestDatabase::postgres().await;
    let store = open(&database).await;
    let methods =
        store.write(async |tx| tx.fetch_all::<(String, String), _>(&METHOD, ()).await).await.unwrap();
    assert!(methods.iter().all(|(has, wanted)| has == wanted) && methods.len() == 1, "{methods:?}");
}

/// As when the server is started anew: every connection is closed but that of the administrator who says so.
async fn close_all(database: &TestDatabase) -> i64 {
    const CLOSE: &str = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let mut administrator = PgConnection::connect(&database.url()).await.unwrap();
    sqlx::query_scalar(CLOSE).fetch_one(&mut administrator).await.unwrap()
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_made_anew() {
    let database = TestDatabase::postgres().await;
    let store = open(&database).await;
    store.write(async |tx| put(tx, [row("a", 1)]).await).await.unwrap();
    assert_eq!(skus(&store, "acme").await, ["a 1"]);
    let closed = close_all(&database).await;
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
    let first = with(&database, Access::Alone).await.unwrap();
    first.write(async |tx| put(tx, [row("a", 1)]).await).await.unwrap();
    // Broken and not taken: it goes on.
    close_all(&database).await;
    for sku in ["b", "c", "d"] {
        first.write(async move |tx| put(tx, [row(sku, 1)]).await).await.unwrap();
    }
    close_all(&database).await;
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

#[tokio::test]
async fn who_shares_goes_beside_others_that_do_and_beside_nobody_who_is_alone() {
    let database = TestDatabase::postgres().await;
    let (first, second) =
        (with(&database, Access::Together).await.unwrap(), with(&database, Access::Together).await.unwrap());
    first.write(async |tx| put(tx, [row("a", 1)]).await).await.unwrap();
    second.write(async |tx| put(tx, [row("b", 1)]).await).await.unwrap();
    let told = with(&database, Access::Alone).await.unwrap_err();
    assert!(matches!(told, StoreError::Locked(_)), "{told}");
    first.close();
    let told = with(&database, Access::Alone).await.unwrap_err();
    assert!(matches!(told, StoreError::Locked(_)), "{told}");
    second.close();
    let alone = with(&database, Access::Alone).await.unwrap();
    let told = with(&database, Access::Together).await.unwrap_err();
    assert!(matches!(told, StoreError::Locked(_)), "{told}");
    assert_eq!(skus(&alone, "acme").await, ["a 1", "b 1"]);
}

#[tokio::test]
async fn one_of_those_who_share_goes_on_when_its_connections_broke_and_others_came_meanwhile() {
    let database = TestDatabase::postgres().await;
    let first = with(&database, Access::Together).await.unwrap();
    first.write(async |tx| put(tx, [row("a", 1)]).await).await.unwrap();
    close_all(&database).await;
    let second = with(&database, Access::Together).await.unwrap();
    for sku in ["b", "c", "d"] {
        first.write(async move |tx| put(tx, [row(sku, 1)]).await).await.unwrap();
    }
    assert_eq!(skus(&second, "acme").await, ["a 1", "b 1", "c 1", "d 1"]);
}

#[tokio::test]
async fn a_transaction_whose_process_stands_still_is_ended_by_the_server() {
    let database = TestDatabase::postgres().await;
    let store = with(&database, Access::Together).await.unwrap();
    let stood = store.write(async |tx| {
        put(tx, [row("a", 1)]).await?;
        // As a process does that gets no processor; nothing else may be waited for in a transaction.
        std::thread::sleep(Access::STANDSTILL + std::time::Duration::from_secs(1));
        put(tx, [row("b", 1)]).await
    });
    assert_eq!(stood.await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    store.write(async |tx| put(tx, [row("c", 1)]).await).await.unwrap();
    assert_eq!(skus(&store, "acme").await, ["c 1"]);
}

#[tokio::test]
async fn who_listens_hears_what_is_told_and_shows_a_mark_while_he_is_connected() {
    const TELL: Statement = Statement::both("shelf.tell", "SELECT count(pg_notify('shelf', 'full'))");
    const FREE: Statement =
        Statement::both("shelf.mark", "SELECT CASE WHEN pg_try_advisory_xact_lock(7, 9) THEN 1 ELSE 0 END");
    let database = TestDatabase::postgres().await;
    let (store, other) = (open(&database).await, open(&database).await);
    let free = async || {
        let read = other.read(async |reader| reader.fetch_all::<(i64,), _>(&FREE, ()).await);
        read.await.unwrap() == [(1,)]
    };
    assert!(free().await);
    let mut ear = store.listen("shelf", (7, 9)).await.unwrap().unwrap();
    assert!(!free().await);
    let tell =
        async || other.read(async |reader| reader.fetch_all::<(i64,), _>(&TELL, ()).await).await.unwrap();
    tell().await;
    assert_eq!(ear.hear().await, "full");
    // It connects again by itself, and shows the mark again.
    close_all(&database).await;
    while free().await {
        tokio::task::yield_now().await;
    }
    tell().await;
    assert_eq!(ear.hear().await, "full");
    drop(ear);
    while !free().await {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_written_aside_sees_what_others_committed_before_each_statement() {
    let database = TestDatabase::postgres().await;
    let (store, other) = (Arc::new(open(&database).await), Arc::new(open(&database).await));
    store.write(async |tx| put(tx, [row("a", 1)]).await).await.unwrap();
    let seen = store.write_aside(async move |tx| {
        let before = tx.fetch_all::<(i64,), _>(&COUNT, ()).await?;
        std::thread::scope(|threads| {
            let write = || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(other.write(async |tx| put(tx, [row("b", 1)]).await)).unwrap();
            };
            threads.spawn(write).join().unwrap();
        });
        Ok((before, tx.fetch_all::<(i64,), _>(&COUNT, ()).await?))
    });
    assert_eq!(seen.await.unwrap(), (vec![(1,)], vec![(2,)]));
}

const COUNT: Statement = Statement::both("shelf.count", "SELECT count(*) FROM shelf");
