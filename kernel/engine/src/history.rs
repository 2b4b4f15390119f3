//! The history of a flow's name: its versions, who runs on each, and when the name meant which. It moves nothing.

use mortise_store::{Statement, Store, StoreError};
use mortise_types::{TenantId, Timestamp};
use serde::Serialize;

use crate::definitions::PLATFORM;

const VERSIONS: Statement = Statement::pair(
    "engine.flow_versions",
    "SELECT d.tenant, d.hash, d.version, d.published_at,
        (SELECT count(*) FROM flow_instance i WHERE i.tenant = ?2 AND i.hash = d.hash AND i.status <> 2)
     FROM flow_definition d WHERE d.name = ?1 AND d.tenant IN (?2, ?3) ORDER BY d.published_at, d.hash",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (name, tenant, platform, n)
     CROSS JOIN LATERAL (
       SELECT d.tenant, d.hash, d.version, d.published_at,
       (SELECT count(*) FROM flow_instance i WHERE i.tenant = item.tenant AND i.hash = d.hash AND i.status <> 2)
       FROM flow_definition d
       WHERE d.name = item.name AND d.tenant IN (item.tenant, item.platform)
         ORDER BY d.published_at, d.hash) AS found",
);

const MOVES: Statement = Statement::pair(
    "engine.flow_moves",
    "SELECT tenant, line, moved_at, hash FROM flow_alias_move
     WHERE name = ?1 AND tenant IN (?2, ?3) ORDER BY moved_at, tenant, line",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (name, tenant, platform, n)
     CROSS JOIN LATERAL (
       SELECT tenant, line, moved_at, hash FROM flow_alias_move
       WHERE name = item.name AND tenant IN (item.tenant, item.platform)
         ORDER BY moved_at, tenant, line) AS found",
);

/// What a name has meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct History {
    /// The flow's name.
    pub flow: String,
    /// Oldest first.
    pub versions: Vec<Version>,
    /// Oldest first.
    pub moves: Vec<Move>,
}

/// A definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Version {
    /// Who published it; the platform's own tenant is `_`.
    pub tenant: String,
    /// Its identity.
    pub hash: String,
    /// `version:`
    pub version: u32,
    /// When.
    pub published_at: Timestamp,
    /// The tenant's open trades that run on it.
    pub open_trades: i64,
}

/// The name was given a meaning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Move {
    /// For whom; the platform's own tenant is `_`.
    pub tenant: String,
    /// For which line; empty is every line.
    pub line: String,
    /// When.
    pub moved_at: Timestamp,
    /// Which definition it means from then on.
    pub hash: String,
}

/// What `flow` has meant for a tenant, the platform's versions included.
///
/// # Errors
/// The database's.
pub async fn history(store: &Store, tenant: &TenantId, flow: &str) -> Result<History, StoreError> {
    let (of, name) = (tenant.clone(), flow.to_owned());
    let (versions, moves) = store
        .read(async move |reader| {
            let key = (name.as_str(), of.as_str(), PLATFORM);
            type VersionRow = (String, String, u32, Timestamp, i64);
            let versions = reader.fetch_all::<VersionRow, _>(&VERSIONS, key).await?;
            let moves = reader.fetch_all::<(String, String, Timestamp, String), _>(&MOVES, key).await?;
            Ok((versions, moves))
        })
        .await?;
    let version = |(tenant, hash, version, published_at, open_trades)| Version {
        tenant,
        hash,
        version,
        published_at,
        open_trades,
    };
    let moved = |(tenant, line, moved_at, hash)| Move { tenant, line, moved_at, hash };
    Ok(History {
        flow: flow.to_owned(),
        versions: versions.into_iter().map(version).collect(),
        moves: moves.into_iter().map(moved).collect(),
    })
}
