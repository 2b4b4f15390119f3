//! Moves running trades to another version of their flow, on data that nobody drives. All of a tenant's trades of that version
//! are moved, or none; whether they may be is the flow crate's proof, and each single trade is tried before the first is moved.

use std::sync::Arc;

use mortise_flow::Obstacle;
use mortise_store::{Statement, Store, StoreError};
use mortise_types::{TenantId, Timestamp};

use crate::commit::text_of;
use crate::definitions::{Catalogue, Published};
use crate::load::load;
use crate::record::{Moved, Record, Trade, TradeId};
use crate::store as sql;

/// Trades that are moved in one transaction.
const CHUNK: usize = 256;

const OPEN_OF: Statement = Statement::pair(
    "engine.open_of_definition",
    "SELECT id FROM flow_instance WHERE tenant = ?1 AND hash = ?2 AND status <> 2 ORDER BY id",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, hash, n)
     CROSS JOIN LATERAL (
       SELECT id FROM flow_instance WHERE tenant = item.tenant AND hash = item.hash AND status <> 2 ORDER BY id) AS found",
);

const MOVE: Statement = Statement::pair(
    "engine.move_trade",
    "UPDATE flow_instance SET hash = ?4, next_seq = next_seq + 1 WHERE tenant = ?1 AND id = ?2 AND next_seq = ?3",
    "UPDATE flow_instance t SET hash = item.hash, next_seq = t.next_seq + 1
     FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS item (tenant, id, next_seq, hash, n)
     WHERE t.tenant = item.tenant AND t.id = item.id AND t.next_seq = item.next_seq RETURNING item.n",
);

const KNOWN: Statement = Statement::both(
    "engine.known_definitions",
    "SELECT DISTINCT hash, name, version FROM flow_definition ORDER BY name, version, hash",
);

/// Why trades were not moved.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// No definition, or several, are called so.
    #[error("{0}")]
    Definition(String),
    /// There are places from which the new version cannot go on.
    #[error("{} places stand in the way", .0.len())]
    Obstacles(Vec<Obstacle>),
    /// A single trade has something that the new version does not.
    #[error("trade {trade} cannot be moved: {problem}")]
    Trade {
        /// Which.
        trade: TradeId,
        /// Why.
        problem: String,
    },
    /// The database's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The hash that somebody means: the hash itself, its first six or more letters, or `name@version`.
///
/// # Errors
/// [`MigrateError::Definition`]; the database's.
pub async fn definition_hash(store: &Store, name: &str) -> Result<Arc<str>, MigrateError> {
    let all =
        store.read(async |reader| reader.fetch_all::<(Arc<str>, String, u32), _>(&KNOWN, ()).await).await?;
    let by_version =
        name.rsplit_once('@').and_then(|(flow, version)| Some((flow, version.parse::<u32>().ok()?)));
    let is_meant = |(hash, flow, version): &&(Arc<str>, String, u32)| match by_version {
        Some((of, number)) => *flow == of && *version == number,
        None => name.len() >= 6 && hash.starts_with(name),
    };
    let meant: Vec<&(Arc<str>, String, u32)> = all.iter().filter(is_meant).collect();
    match meant.as_slice() {
        [(hash, ..)] => Ok(Arc::clone(hash)),
        [] => Err(MigrateError::Definition(format!("no published definition is `{name}`"))),
        several => {
            let hashes: Vec<&str> = several.iter().map(|(hash, ..)| &hash[..hash.len().min(12)]).collect();
            Err(MigrateError::Definition(format!(
                "`{name}` may be any of {}: write the one that is meant",
                hashes.join(", ")
            )))
        }
    }
}

/// Whether anything is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// The trades are moved.
    Move,
    /// It is only said whether they could be.
    Prove,
}

/// Moves all open trades of `tenant` that run on `old` to `new`; says how many.
///
/// # Errors
/// What stands in the way; nothing is moved then.
pub async fn migrate(
    store: &Store,
    catalogue: &Arc<Catalogue>,
    tenant: &TenantId,
    (old, new): (&str, &str),
    now: Timestamp,
    attempt: Attempt,
) -> Result<usize, MigrateError> {
    let (from, to) = (published(catalogue, old)?, published(catalogue, new)?);
    let obstacles = catalogue.obstacles(&from, &to);
    if !obstacles.is_empty() {
        return Err(MigrateError::Obstacles(obstacles));
    }
    let (of, hash) = (tenant.clone(), old.to_owned());
    let ids = store
        .read(async move |reader| reader.fetch_all::<(Arc<str>,), _>(&OPEN_OF, (&of, hash.as_str())).await);
    let ids: Vec<TradeId> =
        ids.await?.into_iter().map(|(id,)| TradeId { tenant: tenant.clone(), id }).collect();
    let mut trades = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        trades.extend(movable(store, catalogue, chunk, &to).await?);
    }
    if attempt == Attempt::Move {
        for chunk in trades.chunks(CHUNK) {
            write(store, chunk, (old, new), now).await?;
        }
    }
    Ok(trades.len())
}

fn published(catalogue: &Catalogue, hash: &str) -> Result<Arc<Published>, MigrateError> {
    catalogue.definition(hash).ok_or_else(|| {
        MigrateError::Definition(format!("the definition {hash} is gone, or refused by today's contracts"))
    })
}

/// The next record's place of each trade, if each can be moved.
async fn movable(
    store: &Store,
    catalogue: &Arc<Catalogue>,
    ids: &[TradeId],
    to: &Published,
) -> Result<Vec<(TradeId, i64)>, MigrateError> {
    let (catalogue, asked) = (Arc::clone(catalogue), ids.to_vec());
    let loaded = store.read(async move |reader| load(reader, &catalogue, &asked).await).await?;
    let mut trades = Vec::with_capacity(ids.len());
    for (id, loaded) in ids.iter().zip(loaded) {
        let try_it = |trade: Trade| {
            trade.state.moved(&trade.program, &to.program).map(|_| (id.clone(), trade.next_seq))
        };
        let tried = loaded.and_then(try_it);
        trades.push(tried.map_err(|problem| MigrateError::Trade { trade: id.clone(), problem })?);
    }
    Ok(trades)
}

async fn write(
    store: &Store,
    trades: &[(TradeId, i64)],
    (old, new): (&str, &str),
    now: Timestamp,
) -> Result<(), StoreError> {
    let moved = Some(Moved { from: old.to_owned(), to: new.to_owned() });
    let record = Record { moved, ..Record::new(now) };
    let record = text_of(&record)?;
    let (trades, new) = (trades.to_vec(), new.to_owned());
    store
        .write(async move |tx| {
            let rows = trades.iter().map(|(id, seq)| (id.tenant.as_str(), &*id.id, *seq, new.as_str()));
            if tx.execute(&MOVE, rows).await?.contains(&0) {
                return Err(StoreError::Value("a trade went on while it was to be moved".to_owned()));
            }
            let rows = trades.iter().map(|(id, seq)| (id.tenant.as_str(), &*id.id, *seq, record.as_str()));
            tx.execute(&sql::INSERT_JOURNAL, rows).await.map(drop)
        })
        .await
}
