//! What holds whichever database it is: what is committed stays, what fails leaves nothing, no job hurts the next one, and
//! rows and counts are each item's own.

use mortise_store::{Migration, Migrations, Role, Statement, StoreError, StoreErrorKind};
use mortise_testkit::TestDatabase;

use crate::{GET, PUT, PUT_ONCE, SET, SHELF, open, put, row, skus};

/// Each function is a test on SQLite and one on PostgreSQL.
macro_rules! on_both {
    ($($name:ident)+) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(mortise_testkit::TestDatabase::sqlite()).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(mortise_testkit::TestDatabase::postgres().await).await;
            })+
        }
    };
}

on_both! {
    rows_come_with_the_number_of_their_item
    a_statement_counts_what_each_item_changed
    an_item_that_did_nothing_counts_nothing
    the_last_of_two_items_holds_where_the_statement_says_so
    no_items_ask_for_nothing
    a_statement_without_parameters_runs_once
    values_come_back_as_they_went_in
    texts_are_ordered_by_their_bytes
    a_batch_may_be_large
    a_column_of_another_kind_is_named
    a_job_that_fails_leaves_nothing_and_hurts_nobody
    nothing_is_committed_behind_a_statement_that_failed
    what_is_started_over_has_not_happened
    a_reader_cannot_write
    histories_stand_side_by_side_and_a_released_step_never_changes
}

async fn rows_come_with_the_number_of_their_item(database: TestDatabase) {
    let store = open(&database).await;
    let changed = store.write(async |tx| {
        put(tx, [row("a", 1), row("b", 2), row("c", 3)]).await?;
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

const REMOVE_FROM: Statement = Statement::pair(
    "shelf.remove_from",
    "DELETE FROM shelf WHERE tenant = ?1 AND sku >= ?2 AND sku < ?3",
    "DELETE FROM shelf t USING unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, first, behind, n)
     WHERE t.tenant = item.tenant AND t.sku >= item.first AND t.sku < item.behind RETURNING item.n",
);

async fn a_statement_counts_what_each_item_changed(database: TestDatabase) {
    let store = open(&database).await;
    let changed = store.write(async |tx| {
        let put = tx.execute(&PUT, [row("a", 1), row("b", 1), row("c", 1), row("d", 1)]).await?;
        let removed =
            tx.execute(&REMOVE_FROM, [("acme", "d", "e"), ("acme", "x", "z"), ("acme", "a", "d")]).await?;
        Ok((put, removed))
    });
    assert_eq!(changed.await.unwrap(), (vec![1, 1, 1, 1], vec![1, 0, 3]));
}

async fn an_item_that_did_nothing_counts_nothing(database: TestDatabase) {
    let store = open(&database).await;
    let changed = store.write(async |tx| {
        put(tx, [row("b", 7)]).await?;
        tx.execute(&PUT_ONCE, [row("c", 1), row("b", 2), row("a", 3), row("a", 4)]).await
    });
    assert_eq!(changed.await.unwrap(), [1, 0, 1, 0]);
    assert_eq!(skus(&store, "acme").await, ["a 3", "b 7", "c 1"]);
}

const PUT_LAST: Statement = Statement::pair(
    "shelf.put_last",
    "INSERT INTO shelf (tenant, sku, price) VALUES (?1, ?2, ?3)
     ON CONFLICT (tenant, sku) DO UPDATE SET price = excluded.price",
    "INSERT INTO shelf (tenant, sku, price)
     SELECT DISTINCT ON (tenant, sku) tenant, sku, price
     FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, sku, price, n) ORDER BY tenant, sku, n DESC
     ON CONFLICT (tenant, sku) DO UPDATE SET price = excluded.price",
);

async fn the_last_of_two_items_holds_where_the_statement_says_so(database: TestDatabase) {
    let store = open(&database).await;
    let changed = store.write(async |tx| {
        put(tx, [row("b", 7)]).await?;
        tx.execute(&PUT_LAST, [("acme", "b", 1_i64), ("acme", "a", 2), ("acme", "b", 3)]).await
    });
    assert_eq!(changed.await.unwrap(), [1, 1, 1]);
    assert_eq!(skus(&store, "acme").await, ["a 2", "b 3"]);
}

async fn no_items_ask_for_nothing(database: TestDatabase) {
    let store = open(&database).await;
    let asked = store.write(async |tx| {
        let none: [(&str, &str); 0] = [];
        let rows = tx.fetch_grouped::<(String,), _>(&GET, none).await?;
        Ok((rows, tx.execute(&PUT, Vec::<crate::Row>::new()).await?))
    });
    assert_eq!(asked.await.unwrap(), (vec![], vec![]));
}

async fn a_statement_without_parameters_runs_once(database: TestDatabase) {
    const DEARER: Statement = Statement::both("shelf.dearer", "UPDATE shelf SET price = price + 1");
    const PRICES: Statement = Statement::both("shelf.prices", "SELECT price FROM shelf ORDER BY price");
    let store = open(&database).await;
    let changed = store.write(async |tx| {
        put(tx, [row("a", 1), row("b", 2)]).await?;
        let changed = tx.execute(&DEARER, [()]).await?;
        Ok((changed, tx.fetch_all::<(i64,), _>(&PRICES, ()).await?))
    });
    assert_eq!(changed.await.unwrap(), (vec![2], vec![(2,), (3,)]));
}

async fn values_come_back_as_they_went_in(database: TestDatabase) {
    const LABEL: Statement = Statement::pair(
        "shelf.label",
        "INSERT INTO shelf (tenant, sku, price, note, label) VALUES ('acme', ?1, ?2, ?3, ?4)",
        "INSERT INTO shelf (tenant, sku, price, note, label) SELECT 'acme', * FROM unnest($1, $2, $3, $4)",
    );
    const LABELS: Statement = Statement::both(
        "shelf.labels",
        "SELECT sku, price, note, label, price < 0, count(*) FROM shelf GROUP BY tenant, sku ORDER BY sku",
    );
    type Stored = (String, i64, Option<String>, Option<Vec<u8>>, bool, i64);
    let rows = [
        ("", i64::MIN, Some(String::new()), Some(vec![])),
        ("a", i64::MAX, Some("{\"\\u0000\": '%_\\\\ 🛒 żółć}".to_owned()), Some(vec![0, 255, 10, 0])),
        ("z", 0, None, None),
    ];
    let store = open(&database).await;
    let back = store.write(async move |tx| {
        tx.execute(&LABEL, rows.clone()).await?;
        Ok((rows, tx.fetch_all::<Stored, _>(&LABELS, ()).await?))
    });
    let (rows, back) = back.await.unwrap();
    let expected = rows.map(|(sku, price, note, label)| (sku.to_owned(), price, note, label, price < 0, 1));
    assert_eq!(back, expected);
}

async fn texts_are_ordered_by_their_bytes(database: TestDatabase) {
    let store = open(&database).await;
    let rows = ["a-1", "a1", "B", "a_1", "ä", "Z", "a", "1"].map(|sku| row(sku, 0));
    store.write(async move |tx| put(tx, rows).await).await.unwrap();
    let ordered = ["1 0", "B 0", "Z 0", "a 0", "a-1 0", "a1 0", "a_1 0", "ä 0"];
    assert_eq!(skus(&store, "acme").await, ordered);
}

async fn a_batch_may_be_large(database: TestDatabase) {
    let store = open(&database).await;
    let summed = store.write(async |tx| {
        let skus: Vec<String> = (0..5_000).map(|number| format!("{number:05}")).collect();
        let rows = skus.iter().zip(0_i64..).map(|(sku, price)| ("acme", sku, price, None::<&str>));
        let put = tx.execute(&PUT, rows).await?;
        let keys = skus.iter().rev().map(|sku| ("acme", sku.as_str()));
        let found = tx.fetch_optional::<(String, i64), _>(&GET, keys.take(500)).await?;
        Ok((put.len(), found.into_iter().flatten().map(|(_, price)| price).collect::<Vec<_>>()))
    });
    let (put, prices) = summed.await.unwrap();
    assert_eq!(put, 5_000);
    assert_eq!(prices, (4_500..5_000).rev().collect::<Vec<i64>>());
}

async fn a_column_of_another_kind_is_named(database: TestDatabase) {
    let store = open(&database).await;
    store.write(async |tx| put(tx, [row("a", 1)]).await).await.unwrap();
    let read = store.read(async |reader| reader.fetch_all::<(String, String), _>(&GET, ("acme", "")).await);
    let error = read.await.unwrap_err();
    assert_eq!(error.to_string(), "statement `shelf.get`, column 1: Int(1) where text is expected");
    assert_eq!(error.kind(), StoreErrorKind::Statement);
}

async fn a_job_that_fails_leaves_nothing_and_hurts_nobody(database: TestDatabase) {
    let store = open(&database).await;
    let twice = store.write(async |tx| put(tx, [row("a", 1), row("a", 2)]).await);
    let error = twice.await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Statement);
    assert!(error.to_string().contains("shelf.put"), "{error}");
    let panics = store.write(async |tx| -> Result<(), StoreError> {
        put(tx, [row("a", 1)]).await?;
        panic!("at the disco")
    });
    let error = panics.await.unwrap_err();
    assert!(matches!(&error, StoreError::Panic(words) if words == "at the disco"), "{error}");
    let awaits = store.write(async |tx| {
        put(tx, [row("a", 1)]).await?;
        tokio::task::yield_now().await;
        Ok(())
    });
    assert!(matches!(awaits.await.unwrap_err(), StoreError::Awaited));
    assert_eq!(skus(&store, "acme").await, [""; 0]);
    store.write(async |tx| put(tx, [row("a", 1)]).await).await.unwrap();
    assert_eq!(skus(&store, "acme").await, ["a 1"]);
}

async fn nothing_is_committed_behind_a_statement_that_failed(database: TestDatabase) {
    let store = open(&database).await;
    let went_on = store.write(async |tx| {
        put(tx, [row("a", 1)]).await?;
        let _ = put(tx, [row("a", 2)]).await;
        Ok(())
    });
    assert!(matches!(went_on.await.unwrap_err(), StoreError::WentOn));
    assert_eq!(skus(&store, "acme").await, [""; 0]);
    let started_over = store.write(async |tx| {
        let _ = put(tx, [row("a", 1), row("a", 2)]).await;
        tx.start_over().await?;
        put(tx, [row("b", 1)]).await
    });
    started_over.await.unwrap();
    assert_eq!(skus(&store, "acme").await, ["b 1"]);
}

async fn what_is_started_over_has_not_happened(database: TestDatabase) {
    let store = open(&database).await;
    store.write(async |tx| put(tx, [row("before", 1)]).await).await.unwrap();
    let started_over = store.write(async |tx| {
        put(tx, [row("first", 1)]).await?;
        tx.start_over().await?;
        put(tx, [row("second", 1)]).await?;
        tx.start_over().await?;
        put(tx, [row("kept", 1)]).await
    });
    started_over.await.unwrap();
    assert_eq!(skus(&store, "acme").await, ["before 1", "kept 1"]);
    let failed = store.write(async |tx| {
        tx.start_over().await?;
        put(tx, [row("gone", 1)]).await?;
        Err::<(), _>(StoreError::Closed)
    });
    assert!(failed.await.is_err());
    assert_eq!(skus(&store, "acme").await, ["before 1", "kept 1"]);
}

async fn a_reader_cannot_write(database: TestDatabase) {
    let store = open(&database).await;
    let insert =
        Statement::both("shelf.sneak", "INSERT INTO shelf VALUES ('acme', 'a', 1, NULL, NULL) RETURNING sku");
    let sneak = store.read(async move |reader| reader.fetch_all::<(String,), _>(&insert, ()).await);
    assert!(sneak.await.unwrap_err().to_string().contains("shelf.sneak"));
    assert_eq!(skus(&store, "acme").await, [""; 0]);
}

async fn histories_stand_side_by_side_and_a_released_step_never_changes(database: TestDatabase) {
    let other = Migrations {
        owner: "other",
        role: Role::Engine,
        steps: &[Migration {
            version: 1,
            description: "other",
            sqlite: "CREATE TABLE other (id INTEGER) STRICT;",
            postgres: "CREATE TABLE other (id BIGINT);",
        }],
    };
    let store = database.open(&[SHELF, other]).await.unwrap();
    store.write(async |tx| put(tx, [row("a", 1)]).await).await.unwrap();
    store.close();
    let store = database.open(&[other, SHELF]).await.unwrap();
    assert_eq!(skus(&store, "acme").await, ["a 1"]);
    store.close();
    let changed = Migrations {
        owner: "shelf",
        role: Role::Engine,
        steps: &[Migration {
            version: 1,
            description: "shelf",
            sqlite: "CREATE TABLE shelf (id INTEGER) STRICT;",
            postgres: "CREATE TABLE shelf (id BIGINT);",
        }],
    };
    let error = database.open(&[changed]).await.unwrap_err();
    assert!(matches!(&error, StoreError::Migration { capability, .. } if capability == "shelf"), "{error}");
}
