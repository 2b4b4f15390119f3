//! The engine's own invariants: every trade is over, or has a future, or an owner; the outbox and the journal are whole.
//! What capabilities hold is theirs to check.

use std::sync::Arc;

use mortise_capability::{Finding, Registry};
use mortise_flow::Command;
use mortise_store::{Reader, Statement, Store, StoreError};
use mortise_types::{TenantId, Timestamp};

use crate::commit::{DRIVEN, HELD, WAITING};
use crate::definitions::Catalogue;
use crate::load::load;
use crate::record::{Trade, TradeId};
use crate::store as sql;

/// Findings of one check at most.
const MOST: usize = 100;
/// Trades that are folded at a time.
const CHUNK: usize = 500;

type OpenRow = (TenantId, Arc<str>, i64, Option<Timestamp>);

const ORPHAN_JOURNAL: Statement = Statement::both(
    "engine.orphan_journal",
    "SELECT j.tenant, j.instance FROM flow_journal j LEFT JOIN flow_instance i ON i.tenant = j.tenant AND i.id = j.instance
     WHERE i.id IS NULL GROUP BY j.tenant, j.instance LIMIT 100",
);

const JOURNAL_GAPS: Statement = Statement::both(
    "engine.journal_gaps",
    "SELECT i.tenant, i.id, i.next_seq, count(j.seq), coalesce(max(j.seq), -1)
     FROM flow_instance i LEFT JOIN flow_journal j ON j.tenant = i.tenant AND j.instance = i.id
     WHERE i.status <> 2 GROUP BY i.tenant, i.id
     HAVING count(j.seq) <> i.next_seq OR coalesce(max(j.seq), -1) <> i.next_seq - 1 LIMIT 100",
);

const OUTBOX_ORPHANS: Statement = Statement::both(
    "engine.outbox_orphans",
    "SELECT o.position, o.event FROM outbox o LEFT JOIN flow_instance i ON i.tenant = o.tenant AND i.id = o.instance
     WHERE i.id IS NULL LIMIT 100",
);

const CURSORS: Statement = Statement::both(
    "engine.cursors",
    "SELECT name, position FROM subscriber WHERE position > (SELECT coalesce(max(position), 0) FROM outbox)",
);

const OPEN_ROW: Statement = Statement::pair(
    "engine.open_row",
    "SELECT status, wake_at FROM flow_instance WHERE tenant = ?1 AND id = ?2 AND status <> 2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, id, n)
     CROSS JOIN LATERAL (
       SELECT status, wake_at FROM flow_instance
       WHERE tenant = item.tenant AND id = item.id AND status <> 2) AS found",
);

const TENANTS: Statement =
    Statement::both("engine.tenants", "SELECT DISTINCT tenant FROM flow_instance ORDER BY tenant");

const ENDED_LISTENERS: Statement = Statement::both(
    "engine.ended_listeners",
    "SELECT w.tenant, w.instance, w.event FROM flow_wait w JOIN flow_instance i ON i.tenant = w.tenant AND i.id = w.instance
     WHERE i.status = 2 AND w.kind <> 2 LIMIT 100",
);

/// A trade that is a part of another one which is gone, or over while it is not.
const LOST_PARTS: Statement = Statement::both(
    "engine.lost_parts",
    "SELECT c.tenant, c.id, p.id IS NULL FROM flow_instance c
     LEFT JOIN flow_instance p ON p.tenant = c.tenant AND p.id = rtrim(rtrim(c.id, '0123456789'), '-')
     WHERE c.id LIKE '%-%' AND c.status <> 2 AND (p.id IS NULL OR p.status = 2) LIMIT 100",
);

/// Whose trades the database has, for checks that ask the outside tenant by tenant.
///
/// # Errors
/// The database's.
pub async fn tenants(store: &Store) -> Result<Vec<TenantId>, StoreError> {
    let rows = store.scan(async |reader| reader.fetch_all::<(TenantId,), _>(&TENANTS, ()).await).await?;
    Ok(rows.into_iter().map(|(tenant,)| tenant).collect())
}

/// All findings of the engine and of the capabilities, each with the check that found it.
///
/// # Errors
/// The database's.
pub async fn verify(
    store: &Store,
    registry: &Registry,
    catalogue: &Arc<Catalogue>,
) -> Result<Vec<(String, Finding)>, StoreError> {
    let mut found = Vec::new();
    for (name, findings) in [
        ("journal", store.scan(async |reader| journal(reader).await).await?),
        ("outbox", store.scan(async |reader| outbox(reader).await).await?),
        ("listeners", store.scan(async |reader| listeners(reader).await).await?),
        ("parts", store.scan(async |reader| parts(reader).await).await?),
    ] {
        found.extend(findings.into_iter().map(|finding| (format!("engine: {name}"), finding)));
    }
    found.extend(
        flows(store, catalogue).await?.into_iter().map(|finding| ("engine: flows".to_owned(), finding)),
    );
    for (capability, check) in registry.checks().collect::<Vec<_>>() {
        let findings = store.scan(async move |reader| (check.run)(reader).await).await?;
        found.extend(findings.into_iter().map(|finding| (format!("{capability}: {}", check.name), finding)));
    }
    Ok(found)
}

fn finding(subject: impl Into<String>, problem: impl Into<String>) -> Finding {
    Finding { subject: subject.into(), problem: problem.into() }
}

async fn journal(reader: &Reader<'_>) -> Result<Vec<Finding>, StoreError> {
    let mut found = Vec::new();
    for (tenant, id) in reader.fetch_all::<(String, String), _>(&ORPHAN_JOURNAL, ()).await? {
        found.push(finding(format!("trade {tenant}/{id}"), "has a journal but no instance"));
    }
    type Gap = (String, String, i64, i64, i64);
    for (tenant, id, next, count, last) in reader.fetch_all::<Gap, _>(&JOURNAL_GAPS, ()).await? {
        let problem = format!("expects {next} records, has {count}, the last of which is {last}");
        found.push(finding(format!("trade {tenant}/{id}"), problem));
    }
    Ok(found)
}

async fn outbox(reader: &Reader<'_>) -> Result<Vec<Finding>, StoreError> {
    let mut found = Vec::new();
    for (position, event) in reader.fetch_all::<(i64, String), _>(&OUTBOX_ORPHANS, ()).await? {
        found.push(finding(format!("event {position} `{event}`"), "no trade wrote it"));
    }
    for (name, position) in reader.fetch_all::<(String, i64), _>(&CURSORS, ()).await? {
        found.push(finding(
            format!("subscriber {name}"),
            format!("stands at {position}, behind the outbox's end"),
        ));
    }
    Ok(found)
}

async fn listeners(reader: &Reader<'_>) -> Result<Vec<Finding>, StoreError> {
    let rows = reader.fetch_all::<(String, String, String), _>(&ENDED_LISTENERS, ()).await?;
    let found = rows.into_iter().map(|(tenant, id, event)| {
        finding(format!("trade {tenant}/{id}"), format!("is over and still waits for `{event}`"))
    });
    Ok(found.collect())
}

async fn parts(reader: &Reader<'_>) -> Result<Vec<Finding>, StoreError> {
    let rows = reader.fetch_all::<(String, String, bool), _>(&LOST_PARTS, ()).await?;
    let found = rows.into_iter().map(|(tenant, id, gone)| {
        let problem = if gone { "gone" } else { "over" };
        finding(format!("trade {tenant}/{id}"), format!("runs as a part of a trade that is {problem}"))
    });
    Ok(found.collect())
}

/// The trades that this one waits for are there.
async fn started(reader: &Reader<'_>, trades: &[TradeId]) -> Result<Vec<Finding>, StoreError> {
    let rows = reader
        .fetch_optional::<(Option<String>, Option<String>), _>(
            &sql::CHILD,
            trades.iter().map(|id| (id.tenant.as_str(), &*id.id)),
        )
        .await?;
    let missing = trades.iter().zip(rows).filter(|(_, row)| row.is_none());
    Ok(missing.map(|(id, _)| finding(format!("trade {id}"), "is waited for and was never started")).collect())
}

/// Every open trade folds, and has a clock, outstanding calls, or a person. Of each chunk, rows and journals are read in one
/// snapshot: beside a server, trades go on meanwhile.
async fn flows(store: &Store, catalogue: &Arc<Catalogue>) -> Result<Vec<Finding>, StoreError> {
    let open =
        store.scan(async |reader| reader.fetch_all::<OpenRow, _>(&sql::OPEN_INSTANCES, ()).await).await?;
    let mut found = Vec::new();
    for chunk in open.chunks(CHUNK) {
        let ids: Vec<TradeId> =
            chunk.iter().map(|(tenant, id, ..)| TradeId { tenant: tenant.clone(), id: id.clone() }).collect();
        let catalogue = Arc::clone(catalogue);
        let chunk = store.scan(async move |reader| {
            let rows = ids.iter().map(|id| (id.tenant.as_str(), &*id.id));
            let rows = reader.fetch_optional::<(i64, Option<Timestamp>), _>(&OPEN_ROW, rows).await?;
            let open: Vec<(TradeId, (i64, Option<Timestamp>))> =
                ids.into_iter().zip(rows).filter_map(|(id, row)| Some((id, row?))).collect();
            let ids: Vec<TradeId> = open.iter().map(|(id, _)| id.clone()).collect();
            let loaded = load(reader, &catalogue, &ids).await?;
            let parts: Vec<TradeId> = loaded.iter().flatten().flat_map(waited_for).collect();
            let mut found = started(reader, &parts).await?;
            for ((id, (status, wake_at)), loaded) in open.into_iter().zip(loaded) {
                let problem = off(status, wake_at, loaded);
                found.extend(problem.map(|problem| finding(format!("trade {id}"), problem)));
            }
            Ok(found)
        });
        found.extend(chunk.await?);
        if found.len() >= MOST {
            break;
        }
    }
    Ok(found)
}

/// The trades that a trade has started and that have not ended for it. A start whose turn has not come yet is none.
fn waited_for(trade: &Trade) -> Vec<TradeId> {
    let open = trade.state.outstanding().into_iter().filter_map(|command| match command {
        Command::TakeBack { of, .. } => Some(trade.id.child(of)),
        _ => None,
    });
    open.collect()
}

fn off(status: i64, wake_at: Option<Timestamp>, loaded: Result<Trade, String>) -> Option<String> {
    let trade = match loaded {
        Ok(trade) => trade,
        Err(reason) => return Some(reason),
    };
    let due = trade.state.next_due();
    match status {
        _ if trade.state.is_ended() => Some("its journal has ended but it is open".to_owned()),
        HELD => None,
        DRIVEN if trade.state.pending_calls().is_empty() => {
            Some("is driven but has nothing outstanding".to_owned())
        }
        DRIVEN => None,
        WAITING if due.is_none() => Some("waits for nothing: it has neither a clock nor an owner".to_owned()),
        WAITING if due != wake_at => {
            Some(format!("is due at {due:?} by its journal, at {wake_at:?} by its row"))
        }
        WAITING => None,
        other => Some(format!("has the unknown status {other}")),
    }
}
