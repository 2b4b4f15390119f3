//! The store on real databases: one contract that holds on SQLite and on PostgreSQL, and what each has of its own.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod contract;
mod failover;
mod isolation;
mod postgres;
mod replicas;
mod sqlite;

use mortise_store::{Migration, Migrations, Reader, Role, Statement, Store, StoreError, Tx};
use mortise_testkit::TestDatabase;
use mortise_types::{Amount, Sku};

const SHELF: Migrations = Migrations {
    owner: "shelf",
    role: Role::Engine,
    steps: &[Migration {
        version: 1,
        description: "shelf",
        sqlite:
            "CREATE TABLE shelf (tenant TEXT NOT NULL, sku TEXT NOT NULL, price INTEGER NOT NULL, note TEXT,
                   label BLOB, PRIMARY KEY (tenant, sku)) STRICT, WITHOUT ROWID;",
        postgres: r#"CREATE TABLE shelf (tenant TEXT COLLATE "C" NOT NULL, sku TEXT COLLATE "C" NOT NULL,
                       price BIGINT NOT NULL, note TEXT COLLATE "C", label BYTEA, PRIMARY KEY (tenant, sku));"#,
    }],
};

const PUT: Statement = Statement::pair(
    "shelf.put",
    "INSERT INTO shelf (tenant, sku, price, note) VALUES (?1, ?2, ?3, ?4)",
    "INSERT INTO shelf (tenant, sku, price, note) SELECT * FROM unnest($1, $2, $3, $4) ORDER BY 1, 2",
);
const PUT_ONCE: Statement = Statement::pair(
    "shelf.put_once",
    "INSERT INTO shelf (tenant, sku, price, note) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    "WITH item AS (
       SELECT * FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS item (tenant, sku, price, note, n)),
     added AS (
       INSERT INTO shelf (tenant, sku, price, note) SELECT tenant, sku, price, note FROM item ORDER BY tenant, sku, n
       ON CONFLICT DO NOTHING RETURNING tenant, sku)
     SELECT min(n) FROM item WHERE ((tenant, sku) IN (TABLE added)) IS TRUE GROUP BY tenant, sku",
);
const GET: Statement = Statement::pair(
    "shelf.get",
    "SELECT sku, price, note FROM shelf WHERE tenant = ?1 AND sku >= ?2 ORDER BY sku",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, sku, n)
     CROSS JOIN LATERAL (
       SELECT sku, price, note FROM shelf WHERE tenant = item.tenant AND sku >= item.sku ORDER BY sku) AS found",
);
const SET: Statement = Statement::pair(
    "shelf.set",
    "UPDATE shelf SET price = ?3 WHERE tenant = ?1 AND sku = ?2",
    "UPDATE shelf t SET price = item.price FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, sku, price, n)
     WHERE t.tenant = item.tenant AND t.sku = item.sku RETURNING item.n",
);

async fn open(database: &TestDatabase) -> Store {
    database.open(&[SHELF]).await.unwrap()
}

async fn skus(store: &Store, tenant: &'static str) -> Vec<String> {
    store.read(async move |reader| skus_of(reader, tenant).await).await.unwrap()
}

async fn skus_of(reader: &Reader<'_>, tenant: &'static str) -> Result<Vec<String>, StoreError> {
    let rows = reader.fetch_all::<(Sku, Amount, Option<String>), _>(&GET, (tenant, "")).await?;
    Ok(rows.into_iter().map(|(sku, price, _)| format!("{sku} {price}")).collect())
}

type Row = (&'static str, &'static str, Amount, Option<&'static str>);

fn row(sku: &'static str, price: i64) -> Row {
    ("acme", sku, Amount(price), None)
}

async fn put(tx: &mut Tx<'_>, rows: impl IntoIterator<Item = Row>) -> Result<(), StoreError> {
    tx.execute(&PUT, rows).await.map(drop)
}
