//! Forgets what nobody can ask for any more, in small steps: idempotency keys, events, journals of trades that are over.
//! Instances, their answers, and the keys of acquiring events stay.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mortise_store::{Statement, Store, StoreError, Tx};
use mortise_types::{Clock, Span, Timestamp};
use tokio::sync::watch;

use crate::keeper::Standing;
use crate::post;

/// Rows that one step takes from a table at most.
const STEP: i64 = 500;
/// Between two looks when there was nothing to forget.
const PAUSE: Duration = Duration::from_secs(10);

/// How long things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Idempotency keys; 24 hours at least is what callers are promised.
    pub idempotency: Span,
    /// Events that every subscriber has had.
    pub events: Span,
    /// Journals of trades that are over.
    pub journals: Span,
}

impl Default for Retention {
    fn default() -> Self {
        Self { idempotency: Span::hours(48), events: Span::days(14), journals: Span::days(30) }
    }
}

const IDEMPOTENCY: Statement = Statement::pair(
    "engine.prune_idempotency",
    "DELETE FROM idempotency WHERE (tenant, key) IN
        (SELECT tenant, key FROM idempotency WHERE at < ?1 ORDER BY at LIMIT ?2)",
    "DELETE FROM idempotency t USING unnest($1, $2) WITH ORDINALITY AS item (at, most, n)
     CROSS JOIN LATERAL (
       SELECT tenant, key FROM idempotency WHERE at < item.at ORDER BY at LIMIT item.most) AS old
     WHERE t.tenant = old.tenant AND t.key = old.key RETURNING item.n",
);

const OUTBOX: Statement = Statement::pair(
    "engine.prune_outbox",
    "DELETE FROM outbox WHERE position <=
        (SELECT coalesce(max(position), 0) FROM (SELECT position, at FROM outbox ORDER BY position LIMIT ?2) WHERE at < ?1)
        AND position <= (SELECT coalesce(min(position), 9223372036854775807) FROM subscriber)",
    "DELETE FROM outbox t USING unnest($1, $2) WITH ORDINALITY AS item (at, most, n)
     WHERE t.position <= (
         SELECT coalesce(max(oldest.position), 0)
         FROM (SELECT position, at FROM outbox ORDER BY position LIMIT item.most) AS oldest WHERE oldest.at < item.at)
       AND t.position <= (SELECT coalesce(min(position), 9223372036854775807) FROM subscriber)
     RETURNING item.n",
);

/// An event that came before every open trade began is wanted by none: an event counts from a trade's start.
const INBOX: Statement = Statement::pair(
    "engine.prune_inbox",
    "DELETE FROM inbox WHERE (tenant, event, key, position) IN
        (SELECT tenant, event, key, position FROM inbox WHERE received_at <
            min(?1, (SELECT coalesce(min(started_at), 9223372036854775807) FROM flow_instance WHERE status <> 2))
         ORDER BY received_at LIMIT ?2)",
    "DELETE FROM inbox t USING unnest($1, $2) WITH ORDINALITY AS item (received_at, most, n)
     CROSS JOIN LATERAL (
       SELECT tenant, event, key, position FROM inbox WHERE received_at < least(item.received_at,
         (SELECT coalesce(min(started_at), 9223372036854775807) FROM flow_instance WHERE status <> 2))
       ORDER BY received_at LIMIT item.most) AS old
     WHERE t.tenant = old.tenant AND t.event = old.event AND t.key = old.key AND t.position = old.position
     RETURNING item.n",
);

/// A part of a trade that is not over may still be asked to take itself back, for which it needs its journal.
const OVER: Statement = Statement::pair(
    "engine.prune_over",
    "SELECT i.tenant, i.id, i.status = 2 AND coalesce(i.ended_at, i.started_at) < ?3
        AND NOT EXISTS (SELECT 1 FROM flow_instance p WHERE p.tenant = i.tenant
            AND p.id = substr(i.id, 1, instr(i.id, '-') - 1) AND p.status <> 2)
     FROM flow_instance i WHERE (i.tenant, i.id) > (?1, ?2) ORDER BY i.tenant, i.id LIMIT ?4",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS item (tenant, id, ended_at, most, n)
     CROSS JOIN LATERAL (
       SELECT i.tenant, i.id, i.status = 2 AND coalesce(i.ended_at, i.started_at) < item.ended_at
           AND NOT EXISTS (SELECT 1 FROM flow_instance p WHERE p.tenant = i.tenant
               AND p.id = split_part(i.id, '-', 1) AND p.id <> i.id AND p.status <> 2)
       FROM flow_instance i WHERE (i.tenant, i.id) > (item.tenant, item.id)
       ORDER BY i.tenant, i.id LIMIT item.most) AS found",
);

const JOURNAL: Statement = Statement::pair(
    "engine.prune_journal",
    "DELETE FROM flow_journal WHERE tenant = ?1 AND instance = ?2",
    "DELETE FROM flow_journal t USING unnest($1, $2) WITH ORDINALITY AS item (tenant, instance, n)
     WHERE t.tenant = item.tenant AND t.instance = item.instance RETURNING item.n",
);

const TAKEN: Statement = Statement::pair(
    "engine.prune_taken",
    "DELETE FROM inbox_taken WHERE tenant = ?1 AND instance = ?2",
    "DELETE FROM inbox_taken t USING unnest($1, $2) WITH ORDINALITY AS item (tenant, instance, n)
     WHERE t.tenant = item.tenant AND t.instance = item.instance RETURNING item.n",
);

/// Where the walk over the instances stands.
type Place = Arc<Mutex<(String, String)>>;

/// Forgets for as long as `alive` is open. Of several engines on a database the eldest does.
pub(crate) async fn run(
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    retention: Retention,
    mut alive: watch::Receiver<u64>,
    standing: Option<Arc<Standing>>,
) {
    let place = Place::default();
    loop {
        match step(&store, clock.now(), retention, &place).await {
            Ok(forgotten) if forgotten >= STEP.unsigned_abs() => tokio::task::yield_now().await,
            Ok(_) => tokio::time::sleep(PAUSE).await,
            Err(error) => {
                tracing::warn!(%error, "nothing was forgotten this time");
                tokio::time::sleep(PAUSE).await;
            }
        }
        while standing.as_ref().is_some_and(|standing| !standing.is_eldest()) && alive.has_changed().is_ok() {
            tokio::time::sleep(PAUSE).await;
        }
        if alive.has_changed().is_err() {
            return;
        }
        alive.mark_unchanged();
    }
}

/// One step over every table; says how many rows it forgot.
pub(crate) async fn step(
    store: &Store,
    now: Timestamp,
    retention: Retention,
    place: &Place,
) -> Result<u64, StoreError> {
    let place = Arc::clone(place);
    store.write(async move |tx| forget(tx, now, retention, &place).await).await
}

async fn forget(tx: &mut Tx<'_>, now: Timestamp, keep: Retention, place: &Place) -> Result<u64, StoreError> {
    let before = |span: Span| now.saturating_sub(span);
    let mut forgotten = 0;
    for (statement, moment) in
        [(IDEMPOTENCY, before(keep.idempotency)), (OUTBOX, before(keep.events)), (INBOX, before(keep.events))]
    {
        forgotten += tx.execute(&statement, [(moment, STEP)]).await?.iter().sum::<u64>();
    }
    let (tenant, id) = place.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let rows =
        tx.fetch_all::<(String, String, bool), _>(&OVER, (tenant, id, before(keep.journals), STEP)).await?;
    let over =
        || rows.iter().filter(|(_, _, over)| *over).map(|(tenant, id, _)| (tenant.as_str(), id.as_str()));
    forgotten += tx.execute(&JOURNAL, over()).await?.iter().sum::<u64>();
    forgotten += tx.execute(&TAKEN, over()).await?.iter().sum::<u64>();
    post::strike_vain(tx).await?;
    let last = rows.last().map(|(tenant, id, _)| (tenant.clone(), id.clone()));
    *place.lock().unwrap_or_else(PoisonError::into_inner) = last.unwrap_or_default();
    Ok(forgotten)
}
