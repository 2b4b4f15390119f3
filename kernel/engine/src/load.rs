//! Brings a trade back from its journal. A trade whose definition is gone or whose journal cannot be read is named, not run.

use std::collections::BTreeMap;
use std::sync::Arc;

use mortise_flow::State;
use mortise_store::{Reader, StoreError};
use mortise_types::{CustomerId, Scope, Timestamp};

use crate::definitions::Catalogue;
use crate::record::{Record, Trade, TradeId, first_hash};
use crate::store as sql;

type Row = (String, String, String, String, Option<CustomerId>, i64, i64, Timestamp);

/// The trades, each folded from its journal, or why it cannot be.
///
/// # Errors
/// The database's.
pub(crate) async fn load(
    reader: &Reader<'_>,
    catalogue: &Catalogue,
    ids: &[TradeId],
) -> Result<Vec<Result<Trade, String>>, StoreError> {
    let keys = || ids.iter().map(|id| (id.tenant.as_str(), &*id.id));
    let rows = reader.fetch_optional::<Row, _>(&sql::LOAD_INSTANCE, keys()).await?;
    let journals = reader.fetch_grouped::<(String,), _>(&sql::LOAD_JOURNAL, keys()).await?;
    let loaded = ids.iter().zip(rows).zip(journals);
    Ok(loaded.map(|((id, row), journal)| fold(catalogue, id, row, journal)).collect())
}

fn fold(
    catalogue: &Catalogue,
    id: &TradeId,
    row: Option<Row>,
    journal: Vec<(String,)>,
) -> Result<Trade, String> {
    let (hash, flow, line, channel, caller, _, epoch, started_at) = row.ok_or("there is no such trade")?;
    let mut records: Vec<Record> = Vec::with_capacity(journal.len());
    for (text,) in journal {
        let record = serde_json::from_str(&text)
            .map_err(|error| format!("record {} of its journal cannot be read: {error}", records.len()))?;
        records.push(record);
    }
    let first = first_hash(&records, &hash);
    let program = catalogue.by_hash(first, &flow).ok_or_else(|| {
        format!("its definition {first} of `{flow}` is gone, or its contracts have changed")
    })?;
    let scope =
        Scope::new(id.tenant.as_str(), line.as_str(), channel.as_str()).map_err(|error| error.to_string())?;
    let mut trade = Trade {
        id: id.clone(),
        program,
        state: State::default(),
        epoch,
        next_seq: 0,
        scope,
        caller,
        started_at,
        intents: BTreeMap::new(),
    };
    for record in records {
        trade.fold(record, |hash| catalogue.by_hash(hash, &flow))?;
    }
    Ok(trade)
}

/// Trades that have not begun have nothing to load.
pub(crate) fn unborn(
    id: TradeId,
    program: Arc<mortise_flow::Program>,
    scope: Scope,
    caller: Option<CustomerId>,
    epoch: i64,
    now: Timestamp,
) -> Trade {
    Trade {
        id,
        program,
        state: State::default(),
        epoch,
        next_seq: 0,
        scope,
        caller,
        started_at: now,
        intents: BTreeMap::new(),
    }
}
