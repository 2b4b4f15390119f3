//! What trades have left in the database, for those who show it: their rows, the records of their journals, the events that
//! were written, what was put before a person. It changes nothing.

use std::sync::Arc;

use mortise_store::{Statement, StoreError};
use mortise_types::{TenantId, Timestamp};

use crate::commit::HELD;
use crate::engine::Engine;
use crate::record::{Record, TradeId};
use crate::subscribe::{self, Delivered};

const TRADES: Statement = Statement::both(
    "engine.trades",
    "SELECT tenant, id, flow, hash, key, status, next_seq, started_at, outcome FROM flow_instance ORDER BY tenant, id",
);

const RECORDS: Statement = Statement::pair(
    "engine.records",
    "SELECT record FROM flow_journal WHERE tenant = ?1 AND instance = ?2 AND seq >= ?3 ORDER BY seq",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, instance, first, n)
     CROSS JOIN LATERAL (
       SELECT record FROM flow_journal
       WHERE tenant = item.tenant AND instance = item.instance AND seq >= item.first ORDER BY seq) AS found",
);

const NOTICED: Statement = Statement::both(
    "engine.noticed",
    "SELECT tenant, instance, number, path, text, at FROM flow_attention ORDER BY tenant, instance, number",
);

/// A trade's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradeRow {
    /// Its name.
    pub trade: TradeId,
    /// The flow.
    pub flow: String,
    /// The hash of its definition.
    pub definition: String,
    /// By the flow's `key`.
    pub key: Option<String>,
    /// Whether it waits for a person.
    pub held: bool,
    /// Records of its journal.
    pub records: i64,
    /// When it began.
    pub started_at: Timestamp,
    /// `completed`, `failed:code`, `ended:outcome`; none while it is open.
    pub outcome: Option<String>,
}

/// Something that was put before a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noticed {
    /// Of which trade.
    pub trade: TradeId,
    /// Within the trade, from 1.
    pub number: i64,
    /// The step.
    pub path: String,
    /// What about.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

impl Engine {
    /// Every trade, in the order in which they began within a tenant.
    ///
    /// # Errors
    /// The database's.
    pub async fn trades(&self) -> Result<Vec<TradeRow>, StoreError> {
        type Row = (TenantId, Arc<str>, String, String, Option<String>, i64, i64, Timestamp, Option<String>);
        let rows = self.store().read(async |reader| reader.fetch_all::<Row, _>(&TRADES, ()).await).await?;
        let trade =
            |(tenant, id, flow, definition, key, status, records, started_at, outcome): Row| TradeRow {
                trade: TradeId { tenant, id },
                flow,
                definition,
                key,
                held: status == HELD,
                records,
                started_at,
                outcome,
            };
        Ok(rows.into_iter().map(trade).collect())
    }

    /// A trade's journal from its record `from` on. A trade of one call that ended where it began has none.
    ///
    /// # Errors
    /// The database's; a record that cannot be read.
    pub async fn records(&self, trade: &TradeId, from: i64) -> Result<Vec<Record>, StoreError> {
        let id = trade.clone();
        let rows = self.store().read(async move |reader| {
            let key = (id.tenant.as_str(), &*id.id, from);
            reader.fetch_all::<(String,), _>(&RECORDS, key).await
        });
        let read = |(text,): (String,)| {
            serde_json::from_str(&text)
                .map_err(|error| StoreError::Value(format!("a record of trade {trade}: {error}")))
        };
        rows.await?.into_iter().map(read).collect()
    }

    /// The events behind a position of the outbox, in its order.
    ///
    /// # Errors
    /// The database's.
    pub async fn events_since(&self, position: i64) -> Result<Vec<Delivered>, StoreError> {
        subscribe::since(self.store(), position).await
    }

    /// What was put before a person, trade by trade.
    ///
    /// # Errors
    /// The database's.
    pub async fn noticed(&self) -> Result<Vec<Noticed>, StoreError> {
        type Row = (TenantId, Arc<str>, i64, String, String, Timestamp);
        let rows = self.store().read(async |reader| reader.fetch_all::<Row, _>(&NOTICED, ()).await).await?;
        let noticed = |(tenant, id, number, path, text, at): Row| Noticed {
            trade: TradeId { tenant, id },
            number,
            path,
            text,
            at,
        };
        Ok(rows.into_iter().map(noticed).collect())
    }
}
