//! Two real PostgreSQL servers, streaming replication, a primary that is stopped at once under load: the same store goes on with the
//! standby that was promoted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use mortise_store::{Access, Options, Store, StoreErrorKind};
use mortise_testkit::Replicated;
use tokio::time::Instant;

use crate::{PUT_ONCE, SHELF, row};

const WRITERS: usize = 4;
/// Commits that are acknowledged before the primary is stopped, and again behind it.
const COMMITS: usize = 200;

/// What came of one writer's commits.
#[derive(Debug, Default)]
struct Book {
    acknowledged: Vec<String>,
    /// Found there by a second try: the answer of the first was lost with the primary.
    unheard: usize,
    refused: usize,
}

async fn write(store: Arc<Store>, writer: usize, done: Arc<AtomicUsize>, enough: Arc<AtomicBool>) -> Book {
    let (mut book, mut number) = (Book::default(), 0);
    while !enough.load(Ordering::Relaxed) {
        let name = format!("{writer}-{number:06}");
        let sku: &'static str = name.clone().leak();
        let written = store.write(async move |tx| tx.execute(&PUT_ONCE, [row(sku, 1)]).await).await;
        match written {
            Ok(changed) => {
                book.unheard += usize::from(changed == [0]);
                book.acknowledged.push(name);
                number += 1;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
                book.refused += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
    book
}

async fn until(what: &str, done: impl Fn() -> bool) {
    let waiting = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting)
        .await
        .unwrap_or_else(|_| panic!("{what} did not come"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_is_stopped_at_once_costs_retries_and_no_commit() {
    let pair = Replicated::new().await;
    let options = Options { access: Access::Together, ..Options::default() };
    let store = Arc::new(Store::connect(&pair.url(), &[SHELF], options).await.unwrap());
    let (done, enough) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write(Arc::clone(&store), writer, Arc::clone(&done), Arc::clone(&enough))))
        .collect();
    let commits = || done.load(Ordering::Relaxed);
    until("enough commits", || commits() >= COMMITS).await;
    let stopped_at = Instant::now();
    pair.stop_primary();
    let before = commits();
    // While only the standby is there, nothing is written and the store says why.
    let told = store.write(async |tx| tx.execute(&PUT_ONCE, [row("z", 1)]).await).await.unwrap_err();
    assert_eq!(told.kind(), StoreErrorKind::Unavailable, "{told}");
    pair.promote_standby();
    until("a commit of the new primary", || commits() > before + WRITERS).await;
    let took = stopped_at.elapsed();
    until("enough commits behind it", || commits() >= before + COMMITS).await;
    enough.store(true, Ordering::Relaxed);
    let (mut acknowledged, mut unheard, mut refused) = (Vec::new(), 0, 0);
    for writer in writers {
        let book = writer.await.unwrap();
        acknowledged.extend(book.acknowledged);
        unheard += book.unheard;
        refused += book.refused;
    }
    eprintln!(
        "{} commits, {before} before the stop; the next were acknowledged {} ms behind it; {refused} refused, {unheard} unheard",
        acknowledged.len(),
        took.as_millis()
    );
    assert!(refused > 0, "nobody met the stop");
    acknowledged.sort();
    let there: Vec<String> =
        crate::skus(&store, "acme").await.iter().map(|line| line.trim_end_matches(" 1").to_owned()).collect();
    assert_eq!(there, acknowledged, "what is there is what was acknowledged, each once");
}
