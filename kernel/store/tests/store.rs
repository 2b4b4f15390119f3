//! The store on a real directory: what is committed stays, what fails leaves nothing, and no job hurts the next one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use mortise_store::{Migration, Migrations, Options, Statement, Store, StoreError, StoreErrorKind};
use mortise_types::{Amount, Sku};

const SHELF: Migrations = Migrations {
    owner: "shelf",
    steps: &[Migration {
        version: 1,
        description: "shelf",
        sqlite:
            "CREATE TABLE shelf (tenant TEXT NOT NULL, sku TEXT NOT NULL, price INTEGER NOT NULL, note TEXT,
                 PRIMARY KEY (tenant, sku)) STRICT, WITHOUT ROWID;",
    }],
};

const PUT: Statement =
    Statement::sqlite("shelf.put", "INSERT INTO shelf (tenant, sku, price, note) VALUES (?1, ?2, ?3, ?4)");
const GET: Statement = Statement::sqlite(
    "shelf.get",
    "SELECT sku, price, note FROM shelf WHERE tenant = ?1 AND sku >= ?2 ORDER BY sku",
);
const SET: Statement =
    Statement::sqlite("shelf.set", "UPDATE shelf SET price = ?3 WHERE tenant = ?1 AND sku = ?2");

async fn open(directory: &std::path::Path) -> Store {
    Store::open(directory, &[SHELF], Options::default()).await.unwrap()
}

async fn skus(store: &Store, tenant: &'static str) -> Vec<String> {
    let rows = store.read(async move |reader| {
        reader.fetch_all::<(Sku, Amount, Option<String>), _>(&GET, (tenant, "")).await
    });
    rows.await.unwrap().into_iter().map(|(sku, price, _)| format!("{sku} {price}")).collect()
}

fn row(sku: &'static str, price: i64) -> (&'static str, &'static str, Amount, Option<&'static str>) {
    ("acme", sku, Amount(price), None)
}

#[tokio::test]
async fn rows_come_with_the_number_of_their_item() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let changed = store.write(async |tx| {
        tx.execute(&PUT, [row("a", 1), row("b", 2), row("c", 3)]).await?;
        tx.execute(&SET, [("acme", "a", 10_i64), ("acme", "zzz", 10), ("acme", "b", 20)]).await
    });
    assert_eq!(changed.await.unwrap(), [1, 0, 1]);
    let rows = store.read(async |reader| {
        let keys = [("acme", "b"), ("other", "a"), ("acme", "c")];
        let flat = reader.fetch::<(String, i64), _>(&GET, keys).await?;
        let grouped = reader.fetch_grouped::<(String,), _>(&GET, keys).await?;
        let first = reader.fetch_optional::<(String,), _>(&GET, keys).await?;
        Ok((flat, grouped, first))
    });
    let (flat, grouped, first) = rows.await.unwrap();
    assert_eq!(flat, [(0, ("b".into(), 20)), (0, ("c".into(), 3)), (2, ("c".into(), 3))]);
    assert_eq!(grouped, [vec![("b".into(),), ("c".into(),)], vec![], vec![("c".into(),)]]);
    assert_eq!(first, [Some(("b".to_owned(),)), None, Some(("c".to_owned(),))]);
    let cost = store.cost();
    assert_eq!((cost.statements, cost.executions, cost.commits), (5, 15, 1));
}

#[tokio::test]
async fn a_job_that_fails_leaves_nothing_and_hurts_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let twice = store.write(async |tx| tx.execute(&PUT, [row("a", 1), row("a", 2)]).await.map(drop));
    let error = twice.await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Statement);
    assert!(error.to_string().contains("shelf.put"), "{error}");
    let panics = store.write(async |tx| -> Result<(), StoreError> {
        tx.execute(&PUT, [row("a", 1)]).await?;
        panic!("at the disco")
    });
    let error = panics.await.unwrap_err();
    assert!(matches!(&error, StoreError::Panic(words) if words == "at the disco"), "{error}");
    let awaits = store.write(async |tx| {
        tx.execute(&PUT, [row("a", 1)]).await?;
        tokio::task::yield_now().await;
        Ok(())
    });
    assert!(matches!(awaits.await.unwrap_err(), StoreError::Awaited));
    assert_eq!(skus(&store, "acme").await, [""; 0]);
    store.write(async |tx| tx.execute(&PUT, [row("a", 1)]).await.map(drop)).await.unwrap();
    assert_eq!(skus(&store, "acme").await, ["a 1"]);
}

#[tokio::test]
async fn what_is_started_over_has_not_happened() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    store.write(async |tx| tx.execute(&PUT, [row("before", 1)]).await.map(drop)).await.unwrap();
    let started_over = store.write(async |tx| {
        tx.execute(&PUT, [row("first", 1)]).await?;
        tx.start_over().await?;
        tx.execute(&PUT, [row("second", 1)]).await?;
        tx.start_over().await?;
        tx.execute(&PUT, [row("kept", 1)]).await.map(drop)
    });
    started_over.await.unwrap();
    assert_eq!(skus(&store, "acme").await, ["before 1", "kept 1"]);
    let failed = store.write(async |tx| {
        tx.start_over().await?;
        tx.execute(&PUT, [row("gone", 1)]).await?;
        Err::<(), _>(StoreError::Closed)
    });
    assert!(failed.await.is_err());
    assert_eq!(skus(&store, "acme").await, ["before 1", "kept 1"]);
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let insert =
        Statement::sqlite("shelf.sneak", "INSERT INTO shelf VALUES ('acme', 'a', 1, NULL) RETURNING sku");
    let sneak = store.read(async move |reader| reader.fetch_all::<(String,), _>(&insert, ()).await);
    assert!(sneak.await.unwrap_err().to_string().contains("shelf.sneak"));
    assert_eq!(skus(&store, "acme").await, [""; 0]);
}

#[tokio::test]
async fn a_directory_has_one_process_and_keeps_what_was_committed() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).await;
    let second = Store::open(directory.path(), &[SHELF], Options::default()).await;
    assert!(matches!(second.unwrap_err(), StoreError::Locked(path) if path == directory.path()));
    store.write(async |tx| tx.execute(&PUT, [row("a", 1)]).await.map(drop)).await.unwrap();
    store.close();
    assert_eq!(skus(&open(directory.path()).await, "acme").await, ["a 1"]);
}

#[tokio::test]
async fn histories_stand_side_by_side_and_a_released_step_never_changes() {
    let directory = tempfile::tempdir().unwrap();
    let other = Migrations {
        owner: "other",
        steps: &[Migration {
            version: 1,
            description: "other",
            sqlite: "CREATE TABLE other (id INTEGER) STRICT;",
        }],
    };
    Store::open(directory.path(), &[SHELF, other], Options::default()).await.unwrap().close();
    Store::open(directory.path(), &[other, SHELF], Options::default()).await.unwrap().close();
    let changed = Migrations {
        owner: "shelf",
        steps: &[Migration {
            version: 1,
            description: "shelf",
            sqlite: "CREATE TABLE shelf (id INTEGER) STRICT;",
        }],
    };
    let error = Store::open(directory.path(), &[changed], Options::default()).await.unwrap_err();
    assert!(matches!(&error, StoreError::Migration { capability, .. } if capability == "shelf"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_in_words() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(
        directory.path().join("mortise.db"),
        "this is a shopping list, not a database, and it is long enough",
    )
    .unwrap();
    let error = Store::open(directory.path(), &[SHELF], Options::default()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
}
