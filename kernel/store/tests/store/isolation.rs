//! What PostgreSQL refuses a capability: other tenants' rows, the engine's tables, being anybody else. And what it asks of the user
//! that the address names.

use mortise_store::{Access, Migration, Migrations, Options, Role, Statement, Store, StoreError, Tenants};
use mortise_testkit::TestDatabase;
use mortise_types::{Amount, TenantId};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::{GET, PUT, SHELF, row};

pub(crate) const GOODS: Migrations = Migrations {
    owner: "goods",
    role: Role::Capability,
    steps: &[Migration {
        version: 1,
        description: "goods",
        sqlite: "",
        postgres: r#"CREATE TABLE goods (tenant TEXT COLLATE "C" NOT NULL, sku TEXT COLLATE "C" NOT NULL,
                       price BIGINT NOT NULL, PRIMARY KEY (tenant, sku));"#,
    }],
};

async fn open(database: &TestDatabase) -> Store {
    let options = Options { access: Access::Together, ..Options::default() };
    Store::connect(&database.url(), &[SHELF, GOODS], options).await.unwrap()
}

pub(crate) fn tenants(names: &[&str]) -> Tenants {
    let ids: Vec<TenantId> = names.iter().map(|name| TenantId::new(*name).unwrap()).collect();
    Tenants::of(&ids)
}

/// What a statement comes to as a capability's, for calls of `acme`: the rows that it changed, or the server's words.
async fn as_acme(store: &Store, text: &'static str) -> Result<u64, String> {
    let statement = Statement::both("goods.hostile", text);
    let ran = store.write(async move |tx| {
        tx.confine(&tenants(&["acme"])).await?;
        tx.execute(&statement, [()]).await
    });
    ran.await.map(|changed| changed[0]).map_err(|error| error.to_string())
}

pub(crate) const PUT_GOODS: Statement = Statement::pair(
    "goods.put",
    "",
    "INSERT INTO goods (tenant, sku, price) SELECT * FROM unnest($1, $2, $3) ORDER BY 1, 2",
);
const ALL_GOODS: Statement =
    Statement::both("goods.all", "SELECT tenant || ' ' || sku FROM goods ORDER BY 1");

async fn goods(store: &Store) -> Vec<String> {
    let rows = store.read(async |reader| reader.fetch_all::<(String,), _>(&ALL_GOODS, ()).await);
    rows.await.unwrap().into_iter().map(|(text,)| text).collect()
}

#[tokio::test]
async fn a_hostile_statement_reaches_no_other_tenant_and_no_table_of_the_engine() {
    let database = TestDatabase::postgres().await;
    let store = open(&database).await;
    let both = store.write(async |tx| {
        tx.execute(&PUT, [row("a", 1)]).await?;
        tx.confine(&tenants(&["acme", "zoo"])).await?;
        tx.execute(&PUT_GOODS, [("acme", "a", 1_i64), ("zoo", "a", 1)]).await.map(drop)
    });
    both.await.unwrap();
    // Its own it may have.
    assert_eq!(as_acme(&store, "UPDATE goods SET price = 2").await, Ok(1));
    assert_eq!(as_acme(&store, "UPDATE goods SET price = 3 WHERE tenant = 'zoo'").await, Ok(0));
    assert_eq!(as_acme(&store, "DELETE FROM goods WHERE tenant = 'zoo'").await, Ok(0));
    for (text, part) in [
        ("INSERT INTO goods VALUES ('zoo', 'b', 1)", "violates row-level security policy"),
        ("UPDATE goods SET tenant = 'zoo', sku = 'b'", "violates row-level security policy"),
        (
            "INSERT INTO goods VALUES ('zoo', 'a', 9) ON CONFLICT (tenant, sku) DO UPDATE SET price = 9",
            "row-level security",
        ),
        ("SELECT sku FROM shelf", "permission denied for table shelf"),
        ("DELETE FROM shelf", "permission denied for table shelf"),
        ("SELECT epoch FROM store_owner", "permission denied for table store_owner"),
        ("SELECT version FROM migration_goods", "permission denied for table migration_goods"),
        (
            "WITH gone AS (DELETE FROM shelf RETURNING sku) SELECT sku FROM gone",
            "permission denied for table shelf",
        ),
        ("SET LOCAL ROLE NONE", "more than read and write rows"),
        ("TRUNCATE goods", "more than read and write rows"),
        ("SELECT set_config('mortise.tenants', 'zoo', true)", "more than read and write rows"),
    ] {
        let told = as_acme(&store, text).await.unwrap_err();
        assert!(told.contains(part), "`{text}`: {told}");
    }
    assert_eq!(goods(&store).await, ["acme a", "zoo a"]);
}

#[tokio::test]
async fn who_was_told_no_tenant_sees_none_and_the_engine_writes_no_row_of_a_capability() {
    let database = TestDatabase::postgres().await;
    let store = open(&database).await;
    let put = store.write(async |tx| {
        tx.confine(&tenants(&["acme"])).await?;
        tx.execute(&PUT_GOODS, [("acme", "a", 1_i64)]).await.map(drop)
    });
    put.await.unwrap();
    for (names, seen) in [(&[][..], 0), (&["acme"][..], 1), (&["zoo"][..], 0), (&["acme", "zoo"][..], 1)] {
        let tenants = tenants(names);
        let rows =
            store.read_for(tenants, async |reader| reader.fetch_all::<(String,), _>(&ALL_GOODS, ()).await);
        assert_eq!(rows.await.unwrap().len(), seen, "{names:?}");
    }
    let engine = store.write(async |tx| tx.execute(&PUT_GOODS, [("acme", "b", 1_i64)]).await.map(drop));
    let told = engine.await.unwrap_err().to_string();
    assert!(told.contains("permission denied for table goods"), "{told}");
    // Back and forth in one transaction, and started over in between.
    let both = store.write(async |tx| {
        tx.confine(&tenants(&["acme"])).await?;
        tx.execute(&PUT_GOODS, [("acme", "c", 1_i64)]).await?;
        tx.start_over().await?;
        tx.execute(&PUT, [row("a", 1)]).await?;
        tx.confine(&tenants(&["acme"])).await?;
        tx.execute(&PUT_GOODS, [("acme", "d", 1_i64)]).await?;
        tx.unconfine().await?;
        tx.fetch_all::<(String, i64), _>(&GET, ("acme", "")).await
    });
    assert_eq!(both.await.unwrap(), [("a".to_owned(), 1)]);
    assert_eq!(goods(&store).await, ["acme a", "acme d"]);
}

/// A user of the server that owns the database and nothing else, and its address.
async fn user(database: &TestDatabase, rights: &str) -> (String, String) {
    let mut administrator = PgConnection::connect(&database.url()).await.unwrap();
    let name: String =
        sqlx::query_scalar("SELECT current_database()::text").fetch_one(&mut administrator).await.unwrap();
    let user = format!("{name}_user");
    for text in [
        format!("CREATE ROLE {user} LOGIN NOSUPERUSER {rights}"),
        format!("ALTER DATABASE {name} OWNER TO {user}"),
    ] {
        administrator.execute(AssertSqlSafe(text)).await.unwrap();
    }
    (database.url().replace("postgres@", &format!("{user}@")), user)
}

#[tokio::test]
async fn who_owns_the_database_and_may_create_roles_needs_nothing_more() {
    let database = TestDatabase::postgres().await;
    let (url, _) = user(&database, "CREATEROLE").await;
    let options = Options { access: Access::Together, ..Options::default() };
    for sku in ["a", "b"] {
        // The second time nothing is left to be made.
        let store = Store::connect(&url, &[SHELF, GOODS], options).await.unwrap();
        let put = store.write(async move |tx| {
            tx.execute(&PUT, [row(sku, 1)]).await?;
            tx.confine(&tenants(&["acme"])).await?;
            tx.execute(&PUT_GOODS, [("acme", sku, 1_i64)]).await.map(drop)
        });
        put.await.unwrap();
        assert!(as_acme(&store, "DELETE FROM shelf").await.is_err());
        store.close();
    }
}

#[tokio::test]
async fn who_may_create_no_roles_is_told_what_an_administrator_has_to_say() {
    let database = TestDatabase::postgres().await;
    let (url, user) = user(&database, "").await;
    let connect = async || {
        let options = Options { access: Access::Together, ..Options::default() };
        Store::connect(&url, &[SHELF, GOODS], options).await
    };
    let told = connect().await.unwrap_err();
    assert!(matches!(told, StoreError::Roles(_)), "{told}");
    let told = told.to_string();
    assert!(told.contains(&format!("the user `{user}` lacks CREATEROLE")), "{told}");
    // The administrator says just that.
    let mut administrator = PgConnection::connect(&database.url()).await.unwrap();
    let (_, said) = told.split_once("say in this database: ").unwrap();
    administrator.execute(sqlx::raw_sql(AssertSqlSafe(said.to_owned()))).await.unwrap();
    let store = connect().await.unwrap();
    store.write(async |tx| tx.execute(&PUT, [row("a", 1)]).await.map(drop)).await.unwrap();
    store.close();
    // A role that is exempt from the policies keeps nobody apart.
    let name = user.trim_end_matches("_user").to_owned();
    administrator.execute(AssertSqlSafe(format!("ALTER ROLE {name}_capability BYPASSRLS"))).await.unwrap();
    let told = connect().await.unwrap_err().to_string();
    assert!(told.contains("is exempt from policies"), "{told}");
}

/// What a copy or a restored dump comes to as well: the policies are for roles that were named after another database.
#[tokio::test]
async fn a_database_that_got_another_name_goes_on_and_its_former_roles_see_nothing() {
    let database = TestDatabase::postgres().await;
    let store = open(&database).await;
    store
        .write(async |tx| {
            tx.confine(&tenants(&["acme"])).await?;
            tx.execute(&PUT_GOODS, [("acme", "pen", Amount(1))]).await
        })
        .await
        .unwrap();
    store.close();
    let url = database.url();
    let name = url.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    let renamed = format!("{name}_renamed");
    let mut server = PgConnection::connect(&url.replace(&name, "postgres")).await.unwrap();
    let rename = |from: &str, to: &str| AssertSqlSafe(format!("ALTER DATABASE {from} RENAME TO {to}"));
    while server.execute(rename(&name, &renamed)).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let options = Options { access: Access::Together, ..Options::default() };
    let store = Store::connect(&url.replace(&name, &renamed), &[SHELF, GOODS], options).await.unwrap();
    assert_eq!(goods(&store).await, ["acme pen"]);
    assert_eq!(as_acme(&store, "UPDATE goods SET price = 2 WHERE sku = 'pen' RETURNING 1").await, Ok(1));
    store.close();
    while server.execute(rename(&renamed, &name)).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
