//! Reads that may lag, on two real servers: a standby that follows by streaming replication answers them as long as it is near
//! enough, and the primary whenever it is not. Who answered says the server itself.

use std::sync::Arc;
use std::time::Duration;

use mortise_store::{Access, Lag, Options, Position, Statement, Store, StoreError};
use mortise_testkit::{Replicated, TestDatabase};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::time::Instant;

use crate::SHELF;
use crate::isolation::{GOODS, PUT_GOODS, tenants};

/// As long as a read may lag at most.
const LONG: Duration = Duration::from_secs(60);
/// Looks, 5 ms apart, until what does not come has failed.
const LOOKS: u32 = 10_000;

const LOOK: Statement = Statement::both(
    "goods.look",
    "SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END,
       COALESCE(string_agg(tenant || ' ' || sku, ', ' ORDER BY tenant, sku), '') FROM goods",
);
/// A read that a standby is not done with for long.
const LINGER: Statement = Statement::both(
    "goods.linger",
    "SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END,
       CASE WHEN pg_is_in_recovery() THEN pg_sleep(60)::text ELSE '' END || COALESCE(max(sku), '') FROM goods",
);

async fn alone(url: &str) -> Store {
    let options = Options { access: Access::Together, ..Options::default() };
    Store::connect(url, &[SHELF, GOODS], options).await.unwrap()
}

async fn with_replica(pair: &Replicated) -> Store {
    alone(&pair.primary()).await.with_replicas(&[pair.standby()], 2).await.unwrap()
}

async fn put(store: &Store, tenant: &'static str, sku: &'static str) -> Result<(), StoreError> {
    let put = store.write(async move |tx| {
        tx.confine(&tenants(&[tenant])).await?;
        tx.execute(&PUT_GOODS, [(tenant, sku, 1_i64)]).await.map(drop)
    });
    put.await
}

fn lag(staleness: Duration) -> Lag {
    Lag { staleness, at_least: None }
}

/// Who answered, and what acme has by that.
async fn asked(store: &Store, statement: &'static Statement, lag: Lag) -> Result<String, StoreError> {
    let read = store.read_behind(tenants(&["acme"]), lag, async move |reader| {
        reader.fetch_all::<(String, String), _>(statement, ()).await
    });
    read.await.map(|rows| format!("{}: {}", rows[0].0, rows[0].1))
}

async fn look(store: &Store, lag: Lag) -> String {
    asked(store, &LOOK, lag).await.unwrap()
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    // Counted, not timed: a machine that stands still for a while has made no look.
    for _ in 0..LOOKS {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{what} did not come");
}

async fn until_standby_says(store: &Store, lag: Lag, goods: &str) {
    let wanted = format!("standby: {goods}");
    until(&wanted, async || look(store, lag).await == wanted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_answers_within_the_bound_and_the_primary_beyond_it() {
    let pair = Replicated::that_waits_for_nobody();
    let (store, elsewhere) = (with_replica(&pair).await, alone(&pair.primary()).await);
    put(&elsewhere, "acme", "a").await.unwrap();
    put(&elsewhere, "zoo", "z").await.unwrap();
    until_standby_says(&store, lag(LONG), "acme a").await;
    // Until it was connected to, it counted as down.
    let before = store.replica_figures().unwrap();
    // Another tenant's rows are as far there as here, and so are the engine's tables.
    let zoos = store.read_behind(tenants(&["zoo"]), lag(LONG), async |reader| {
        reader.fetch_all::<(String, String), _>(&LOOK, ()).await
    });
    assert_eq!(zoos.await.unwrap(), [("standby".to_owned(), "zoo z".to_owned())]);
    let shelf = Statement::both("shelf.sneak", "SELECT sku FROM shelf");
    let sneak = store.read_behind(tenants(&["acme"]), lag(LONG), async move |reader| {
        reader.fetch_all::<(String,), _>(&shelf, ()).await
    });
    assert!(sneak.await.unwrap_err().to_string().contains("permission denied for table shelf"));

    pair.hold_standby().await;
    put(&elsewhere, "acme", "b").await.unwrap();
    let committed = Instant::now();
    assert_eq!(look(&store, lag(LONG)).await, "standby: acme a", "what it has is recent enough");
    let bound = Duration::from_millis(500);
    until("the primary's answer", async || {
        let asked_at = Instant::now();
        match &*look(&store, lag(bound)).await {
            "primary: acme a, acme b" => true,
            "standby: acme a" => {
                assert!(asked_at < committed + bound, "older than its bound");
                false
            }
            other => panic!("{other}"),
        }
    })
    .await;
    let exact = store.read_for(tenants(&["acme"]), async |reader| {
        reader.fetch_all::<(String, String), _>(&LOOK, ()).await
    });
    assert_eq!(exact.await.unwrap(), [("primary".to_owned(), "acme a, acme b".to_owned())]);

    let figures = store.replica_figures().unwrap();
    assert!(figures.reads >= 3 && figures.late >= 1 && figures.failed == 1, "{figures:?}");
    let down = figures.down - before.down;
    assert_eq!((figures.named, figures.up, figures.own_write, down), (1, 1, 0, 0), "{figures:?}");
    pair.let_standby_go_on().await;
    until_standby_says(&store, lag(bound), "acme a, acme b").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_written_reads_it_wherever_he_asks() {
    let pair = Replicated::that_waits_for_nobody();
    let (store, other) = (with_replica(&pair).await, with_replica(&pair).await);
    put(&store, "acme", "a").await.unwrap();
    until_standby_says(&store, lag(LONG), "acme a").await;
    until_standby_says(&other, lag(LONG), "acme a").await;
    pair.hold_standby().await;
    let before = store.position().unwrap();
    put(&store, "acme", "b").await.unwrap();
    let written = store.position().unwrap();
    assert!(written > before);
    let own = |position: Position| Lag { staleness: LONG, at_least: Some(position) };
    assert_eq!(look(&store, own(written)).await, "primary: acme a, acme b");
    assert_eq!(look(&other, own(written)).await, "primary: acme a, acme b", "told by another process");
    assert_eq!(look(&other, own(before)).await, "standby: acme a");
    // Who has only read what another process wrote can say from where on it is there.
    other.note_position().await.unwrap();
    assert!(other.position().unwrap() >= written);
    for store in [&store, &other] {
        let figures = store.replica_figures().unwrap();
        assert_eq!((figures.own_write, figures.down, figures.failed), (1, 0, 0), "{figures:?}");
    }
    // A position that nobody ever reached is no error.
    assert_eq!(look(&store, own(Position::at(u64::MAX))).await, "primary: acme a, acme b");
    pair.let_standby_go_on().await;
    until_standby_says(&store, own(written), "acme a, acme b").await;
    until_standby_says(&other, own(written), "acme a, acme b").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_owns_the_database_and_no_more_may_read_from_a_standby() {
    let pair = Replicated::that_waits_for_nobody();
    let mut administrator = PgConnection::connect(&pair.primary()).await.unwrap();
    for text in ["CREATE ROLE keeper LOGIN CREATEROLE", "CREATE DATABASE shop OWNER keeper"] {
        administrator.execute(text).await.unwrap();
    }
    let keepers = |url: String| url.replace("postgres@", "keeper@").replace("/postgres?", "/shop?");
    // A standby that does not know the user yet is as one that is down.
    let store =
        alone(&keepers(pair.primary())).await.with_replicas(&[keepers(pair.standby())], 1).await.unwrap();
    put(&store, "acme", "a").await.unwrap();
    let own = Lag { staleness: LONG, at_least: store.position() };
    until_standby_says(&store, own, "acme a").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_is_gone_costs_the_way_to_the_primary_and_is_used_again() {
    let pair = Replicated::that_waits_for_nobody();
    let store = Arc::new(with_replica(&pair).await);
    put(&store, "acme", "a").await.unwrap();
    until_standby_says(&store, lag(LONG), "acme a").await;
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let down = || store.replica_figures().unwrap().down;
                let mut reads = 0;
                while down() < 50 {
                    assert!(look(&store, lag(LONG)).await.ends_with(": acme a"));
                    reads += 1;
                }
                reads
            })
        })
        .collect();
    pair.stop_standby();
    let mut reads = 0;
    for reader in readers {
        reads += reader.await.unwrap();
    }
    put(&store, "acme", "b").await.unwrap();
    assert_eq!(look(&store, lag(LONG)).await, "primary: acme a, acme b");
    let figures = store.replica_figures().unwrap();
    assert_eq!((figures.named, figures.up), (1, 0), "{figures:?}");
    eprintln!("{reads} reads while the standby was stopped, none failed; {figures:?}");
    // A process that starts meanwhile starts.
    let late = with_replica(&pair).await;
    assert_eq!(look(&late, lag(LONG)).await, "primary: acme a, acme b");
    pair.start_standby();
    until_standby_says(&store, lag(LONG), "acme a, acme b").await;
    until_standby_says(&late, lag(LONG), "acme a, acme b").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_is_ended_on_the_standby_runs_on_the_primary() {
    let pair = Replicated::that_waits_for_nobody();
    let store = Arc::new(with_replica(&pair).await);
    put(&store, "acme", "a").await.unwrap();
    until_standby_says(&store, lag(LONG), "acme a").await;
    let mut primary = PgConnection::connect(&pair.primary()).await.unwrap();
    let mut standby = PgConnection::connect(&pair.standby()).await.unwrap();
    for text in ["ALTER SYSTEM SET max_standby_streaming_delay = 0", "SELECT pg_reload_conf()"] {
        standby.execute(text).await.unwrap();
    }
    let lingering = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid())";
    let conflict = "BEGIN; LOCK TABLE goods IN ACCESS EXCLUSIVE MODE; COMMIT";
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()";
    for (on_primary, text, failed_and_down) in [(true, conflict, (1, 0)), (false, end, (1, 1))] {
        let reading = {
            let store = Arc::clone(&store);
            tokio::spawn(async move { asked(&store, &LINGER, lag(LONG)).await })
        };
        until("a read that lingers", async || {
            sqlx::query_scalar(lingering).fetch_one(&mut standby).await.unwrap()
        })
        .await;
        let where_to = if on_primary { &mut primary } else { &mut standby };
        where_to.execute(sqlx::raw_sql(AssertSqlSafe(text))).await.unwrap();
        assert_eq!(reading.await.unwrap().unwrap(), "primary: a", "`{text}`");
        let figures = store.replica_figures().unwrap();
        assert_eq!((figures.failed, figures.down), failed_and_down, "`{text}`: {figures:?}");
        until_standby_says(&store, lag(LONG), "acme a").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_standby_of_the_primary_is_read_from() {
    let pair = Replicated::that_waits_for_nobody();
    let mut primary = PgConnection::connect(&pair.primary()).await.unwrap();
    primary.execute("CREATE DATABASE other").await.unwrap();
    let refused = async |replica: String| {
        let store = alone(&pair.primary()).await;
        store.with_replicas(&[replica], 1).await.unwrap_err().to_string()
    };
    let stranger = TestDatabase::postgres().await;
    let told = refused(stranger.url()).await;
    assert!(told.contains("is on a server of its own") && told.contains("name a standby of"), "{told}");
    let told = refused(pair.primary().replace("/postgres?", "/other?")).await;
    assert!(told.contains("is another database than the primary's `postgres`"), "{told}");
    let told = refused(pair.url()).await;
    assert!(told.starts_with("the address of a replica: "), "{told}");
    let directory = tempfile::tempdir().unwrap();
    let sqlite = Store::open(directory.path(), &[SHELF], Options::default()).await.unwrap();
    let told = sqlite.with_replicas(&[pair.standby()], 1).await.unwrap_err().to_string();
    assert_eq!(told, "a SQLite database has no replicas");

    // The primary itself is no mistake that stops anything: behind a switch it may be the standby. Nobody reads from it as if it were.
    let store = alone(&pair.primary()).await.with_replicas(&[pair.primary()], 1).await.unwrap();
    put(&store, "acme", "a").await.unwrap();
    until("a look at it", async || {
        assert_eq!(look(&store, lag(LONG)).await, "primary: acme a");
        store.replica_figures().unwrap().up == 0
    })
    .await;
    assert_eq!(store.replica_figures().unwrap().reads, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_parted_from_the_primarys_history_is_not_read_from() {
    let pair = Replicated::that_waits_for_nobody();
    let former = alone(&pair.primary()).await;
    put(&former, "acme", "a").await.unwrap();
    let at = |store: &Store| store.replica_figures().unwrap();
    // The standby does not hear of the last commit and of much log, and becomes the primary; the former one comes back as a standby.
    until_standby_says(&with_replica(&pair).await, lag(LONG), "acme a").await;
    pair.stop_standby();
    put(&former, "acme", "lost").await.unwrap();
    let mut primary = PgConnection::connect(&pair.primary()).await.unwrap();
    let much = "SELECT pg_logical_emit_message(true, 'filler', repeat('x', 8000000))";
    primary.execute(sqlx::raw_sql(much)).await.unwrap();
    former.close();
    pair.stop_primary();
    pair.start_standby();
    pair.promote_standby();
    pair.start_primary_as_standby();
    let store = alone(&pair.standby()).await.with_replicas(&[pair.primary()], 2).await.unwrap();
    put(&store, "acme", "b").await.unwrap();
    let mut parted = PgConnection::connect(&pair.primary()).await.unwrap();
    let replayed = "SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() > $1::text::pg_lsn";
    let is_ahead: bool = sqlx::query_scalar(replayed)
        .bind(store.position().unwrap().to_string())
        .fetch_one(&mut parted)
        .await
        .unwrap();
    assert!(is_ahead, "by its numbers it has all that the new primary has");
    until("enough reads", async || {
        assert_eq!(look(&store, lag(LONG)).await, "primary: acme a, acme b");
        at(&store).late > 200
    })
    .await;
    let figures = at(&store);
    assert_eq!((figures.reads, figures.up), (0, 1), "{figures:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_switch_a_standby_is_used_when_it_follows_the_new_primary() {
    let pair = Replicated::that_waits_for_nobody();
    let url = pair.url();
    let store = alone(&url).await.with_replicas(&[pair.standby()], 2).await.unwrap();
    put(&store, "acme", "a").await.unwrap();
    let own = Lag { staleness: LONG, at_least: store.position() };
    until_standby_says(&store, own, "acme a").await;
    pair.stop_primary();
    // It has all that was committed, and says so as long as somebody knows where the primary was.
    assert_eq!(look(&store, own).await, "standby: acme a");
    pair.promote_standby();
    until("a commit of the new primary", async || put(&store, "acme", "b").await.is_ok()).await;
    // What was a standby is none, and says nothing of the primary that it is not.
    assert_eq!(look(&store, lag(LONG)).await, "primary: acme a, acme b");
    until("the end of the standby", async || {
        assert_eq!(look(&store, lag(LONG)).await, "primary: acme a, acme b");
        store.replica_figures().unwrap().up == 0
    })
    .await;
}
