//! Tenants are kept apart by PostgreSQL itself: every table of a served database is looked at by the catalogue, has rows of two
//! tenants, and is tried as the role that capabilities run under. The address names a user that owns the database and may create
//! roles, nothing more.

use std::path::Path;

use mortise_testkit::TestDatabase;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};

use crate::crash::{settled, stock, verify};
use crate::support::{Listening, Shop, order, seed};

/// Tables without a tenant, and why each has none.
const WITHOUT_TENANT: [(&str, &str); 10] = [
    ("deployment_component", "an extension's file serves whichever tenants bind it"),
    ("deployment_revision", "the whole set of bindings; a binding names its tenant"),
    ("engine_count", "numbers that all processes count on"),
    ("engine_lease", "a process drives trades of all tenants"),
    ("migration_", "the history of a schema"),
    ("store_owner", "which processes have the database"),
    ("store_timeline", "a mark for each history of the server's log"),
    ("subscriber", "how far a listener of all events has read"),
    ("subscriber_turn", "which process delivers to it"),
    ("sqlx_", "what the migrator itself keeps"),
];

/// Rights on a table, as the catalogue writes them in an ACL: SELECT, INSERT, UPDATE, DELETE.
const ALL: &str = "adrw";
const READ: &str = "r";

const TABLES: &str = "SELECT c.relname::text, pg_get_userbyid(c.relowner)::text, c.relrowsecurity AND c.relforcerowsecurity,
       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped),
       (SELECT COALESCE(string_agg(p.polname || ' ' || p.polcmd::text || ' ' || array_to_string(p.polroles::regrole[], ','), '; ' ORDER BY p.polname), '')
        FROM pg_policy p WHERE p.polrelid = c.oid),
       (SELECT COALESCE(string_agg(g.who || ' ' || g.rights, '; ' ORDER BY g.who), '') FROM (
          SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END AS who, string_agg(
             CASE a.privilege_type WHEN 'SELECT' THEN 'r' WHEN 'INSERT' THEN 'a' WHEN 'UPDATE' THEN 'w'
                  WHEN 'DELETE' THEN 'd' ELSE a.privilege_type END, '' ORDER BY CASE a.privilege_type
                  WHEN 'INSERT' THEN 1 WHEN 'DELETE' THEN 2 WHEN 'SELECT' THEN 3 WHEN 'UPDATE' THEN 4 END) AS rights
          FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner GROUP BY 1) AS g)
     FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1";

/// A row that a table takes, but for its tenant: the first word that a check allows, 2, a byte.
const A_ROW: &str = "SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
       string_agg(CASE WHEN a.attname = 'tenant' THEN '$tenant'
           WHEN a.atttypid = 'text'::regtype THEN quote_literal(COALESCE((SELECT substring(pg_get_constraintdef(k.oid)
                FROM '\\m' || a.attname || '\"? = ANY \\(\\(?ARRAY\\[''([^'']+)''') FROM pg_constraint k
                WHERE k.conrelid = a.attrelid AND k.contype = 'c'
                  AND pg_get_constraintdef(k.oid) ~ ('\\m' || a.attname || '\"? = ANY') LIMIT 1), 'x'))
           WHEN a.atttypid = 'bytea'::regtype THEN quote_literal('\\x00') ELSE '2' END, ', ' ORDER BY a.attnum)
     FROM pg_attribute a WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = ''";

#[derive(Debug)]
struct Table {
    name: String,
    owner: String,
    is_forced: bool,
    has_tenant: bool,
    policies: String,
    rights: String,
}

async fn tables(administrator: &mut PgConnection) -> Vec<Table> {
    let rows = administrator.fetch_all(TABLES).await.unwrap();
    let table = |row: &sqlx::postgres::PgRow| Table {
        name: row.get(0),
        owner: row.get(1),
        is_forced: row.get(2),
        has_tenant: row.get(3),
        policies: row.get(4),
        rights: row.get(5),
    };
    rows.iter().map(table).collect()
}

/// What a text comes to in a transaction of its own that is taken back: the rows, or the server's words.
async fn tried(connection: &mut PgConnection, text: &str) -> Result<u64, String> {
    let mut transaction = connection.begin().await.unwrap();
    let ran = transaction.execute(AssertSqlSafe(text.to_owned())).await;
    transaction.rollback().await.unwrap();
    ran.map(|done| done.rows_affected()).map_err(|error| error.to_string())
}

async fn count(connection: &mut PgConnection, text: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(text.to_owned())).fetch_one(connection).await.unwrap()
}

/// A connection of the database's user that says something first.
async fn saying(url: &str, first: &str) -> PgConnection {
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection.execute(sqlx::raw_sql(AssertSqlSafe(first.to_owned()))).await.unwrap();
    connection
}

#[tokio::test(flavor = "multi_thread")]
async fn no_table_shows_a_capability_another_tenant_or_the_engine() {
    let (database, book) = (TestDatabase::postgres().await, tempfile::tempdir().unwrap());
    let mut administrator = PgConnection::connect(&database.url()).await.unwrap();
    let name: String =
        sqlx::query_scalar("SELECT current_database()::text").fetch_one(&mut administrator).await.unwrap();
    let (user, engine, capability) =
        (format!("{name}_user"), format!("{name}_engine"), format!("{name}_capability"));
    for text in
        [format!("CREATE ROLE {user} LOGIN CREATEROLE"), format!("ALTER DATABASE {name} OWNER TO {user}")]
    {
        administrator.execute(AssertSqlSafe(text)).await.unwrap();
    }
    let url = database.url().replace("postgres@", &format!("{user}@"));
    // A shop is served by that user, sells, and adds up.
    let data = Path::new(&url);
    seed(data);
    stock(data, 1_000);
    let sandbox = Listening::sandbox(book.path());
    let server = Listening::server(data, "127.0.0.1:0", &sandbox.url);
    let shop = Shop::at(&server);
    let basket = json!([{"sku": "tea", "quantity": 1}]);
    let (status, body) = shop.order(&order("o-1", "invoice", &basket)).await.unwrap();
    assert_eq!(status, 200, "{body}");
    settled(&shop, &sandbox).await;
    assert_eq!(server.stop(), Some(0));
    verify(data, &sandbox);

    let tables = tables(&mut administrator).await;
    assert!(tables.len() > 60, "{}", tables.len());
    let of_engine = |table: &Table| !table.rights.contains(&capability);
    assert!(tables.iter().filter(|table| table.has_tenant && of_engine(table)).count() > 10);
    for table in &tables {
        let Table { name, policies, rights, .. } = table;
        assert_eq!(table.owner, user, "{name}");
        assert_eq!(table.is_forced, table.has_tenant, "{name}");
        if !table.has_tenant {
            let known = WITHOUT_TENANT.iter().any(|(known, _)| match known.ends_with('_') {
                true => name.starts_with(known),
                false => name == known,
            });
            assert!(known, "`{name}` has no tenant: give it one, or say here why it has none");
            let wanted = match name.as_str() {
                "store_owner" => format!("{engine} {READ}"),
                history if history.starts_with("migration_") => String::new(),
                _ => format!("{engine} {ALL}"),
            };
            assert_eq!(*rights, wanted, "{name}");
        } else if of_engine(table) {
            assert_eq!(
                (&**policies, &**rights),
                (&*format!("engine * {engine}"), &*format!("{engine} {ALL}")),
                "{name}"
            );
        } else {
            assert_eq!(*policies, format!("engine r {engine}; tenants * {capability}"), "{name}");
            assert_eq!(*rights, format!("{capability} {ALL}; {engine} {READ}"), "{name}");
        }
    }

    // Rows of two tenants in every table, put there by somebody whom no policy stops.
    let mut rows = Vec::new();
    for table in tables.iter().filter(|table| table.has_tenant) {
        let row = sqlx::query(A_ROW).bind(&table.name).fetch_one(&mut administrator).await.unwrap();
        let (columns, values): (String, String) = (row.get(0), row.get(1));
        let insert = |tenant: &str| {
            let values = values.replace("$tenant", &format!("'{tenant}'"));
            format!("INSERT INTO {} ({columns}) VALUES ({values})", table.name)
        };
        for tenant in ["here", "there"] {
            let put = administrator.execute(AssertSqlSafe(insert(tenant))).await;
            put.unwrap_or_else(|error| panic!("{}: {error}", table.name));
        }
        rows.push((table, insert("elsewhere")));
    }

    let told = format!("SET ROLE {capability}; SET mortise.tenants = 'here'");
    let mut as_capability = saying(&url, &told).await;
    let mut as_engine = saying(&url, &format!("SET ROLE {engine}")).await;
    for (table, insert) in &rows {
        let name = &table.name;
        let own = format!("SELECT count(*) FROM {name} WHERE tenant = 'here'");
        let tries = [
            format!("SELECT FROM {name} WHERE tenant <> 'here'"),
            format!("UPDATE {name} SET tenant = tenant WHERE tenant <> 'here'"),
            format!("DELETE FROM {name} WHERE tenant <> 'here'"),
        ];
        let moves = [insert.clone(), format!("UPDATE {name} SET tenant = 'elsewhere' WHERE tenant = 'here'")];
        if of_engine(table) {
            for text in tries.iter().chain(&moves) {
                let told = tried(&mut as_capability, text).await.unwrap_err();
                assert!(told.contains("permission denied for table"), "`{text}`: {told}");
            }
        } else {
            assert_eq!(count(&mut as_capability, &own).await, 1, "{name}: its own");
            for text in &tries {
                assert_eq!(tried(&mut as_capability, text).await, Ok(0), "`{text}`");
                let others = tried(&mut administrator, text).await;
                assert!(others.is_ok_and(|rows| rows > 0), "`{text}` finds nothing at all: it shows nothing");
            }
            for text in &moves {
                let told = tried(&mut as_capability, text).await.unwrap_err();
                assert!(told.contains("violates row-level security policy"), "`{text}`: {told}");
            }
            assert_eq!(count(&mut as_engine, &own).await, 1, "{name}: what the engine reads");
            for text in tries[1..].iter().chain(&moves) {
                let told = tried(&mut as_engine, text).await.unwrap_err();
                assert!(told.contains("permission denied for table"), "`{text}` of the engine: {told}");
            }
        }
    }
    let mut untold = saying(&url, &format!("SET ROLE {capability}")).await;
    assert_eq!(count(&mut untold, "SELECT count(*) FROM order_header").await, 0, "who was told no tenants");
}
