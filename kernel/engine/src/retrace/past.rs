//! The calls that a trade made, each with what it was given and what came of it, from its journal: for whoever asks them
//! again, or explains them. It runs none of them.

use std::collections::HashMap;
use std::sync::Arc;

use mortise_capability::{CallContext, ExtensionCall, Staleness};
use mortise_contract::Value;
use mortise_flow::{CallNo, CallOutcome, Command, Input};
use mortise_store::{Statement, Store, StoreError};
use mortise_types::TenantId;

use super::{RetraceError, asked, stored, told};
use crate::definitions::Catalogue;
use crate::record::TradeId;

const NEWEST: Statement = Statement::pair(
    "engine.newest_trades",
    "SELECT id FROM flow_instance WHERE tenant = ?1 AND id < ?2 AND next_seq > 0 ORDER BY id DESC LIMIT ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, id, most, n)
     CROSS JOIN LATERAL (
       SELECT id FROM flow_instance i WHERE i.tenant = item.tenant AND i.id < item.id AND i.next_seq > 0
       ORDER BY id DESC LIMIT item.most) AS found",
);

/// A call that was answered.
#[derive(Debug, Clone)]
pub struct PastCall {
    /// `capability.operation`
    pub operation: String,
    /// Where in the definition, with rounds.
    pub step: String,
    /// Who called, when, in which trade: as the operation saw it.
    pub context: CallContext,
    /// What it was given.
    pub input: Value,
    /// What came of it.
    pub outcome: CallOutcome,
    /// Extensions that were asked on the way.
    pub extensions: Vec<ExtensionCall>,
}

/// The answered calls of a trade, in the order in which they were answered; none where its journal is no longer kept.
///
/// # Errors
/// A trade that is not there or cannot be read; the database's.
pub async fn past_calls(
    store: &Store,
    catalogue: &Catalogue,
    id: &TradeId,
) -> Result<Vec<PastCall>, RetraceError> {
    let trade = stored(store, catalogue, id).await?;
    let (all, _) = told(&trade)?;
    let mut extensions = asked(&trade.records);
    let mut open: HashMap<CallNo, (String, String, Value)> = HashMap::new();
    let mut calls = Vec::new();
    for told in all {
        if let Input::Replied { call, outcome } = told.input
            && let Some((operation, step, input)) = open.remove(&call)
        {
            let context = CallContext {
                scope: trade.row.scope.clone(),
                now: told.now,
                trade: Arc::clone(&trade.id.id),
                call: format!("{}/{step}/{}", trade.id.id, call.0).into(),
                caller: trade.row.caller.clone(),
                staleness: Staleness::Decide,
            };
            let extensions = extensions.remove(&call).unwrap_or_default();
            calls.push(PastCall { operation, step, context, input, outcome, extensions });
        }
        for command in told.commands {
            if let Command::Call { call, operation, path, input, .. } = command {
                open.insert(call, (operation.to_string(), path.to_string(), input));
            }
        }
    }
    Ok(calls)
}

/// The newest trades of a tenant that have a journal and an id below `before`, the newest first.
///
/// # Errors
/// The database's.
pub async fn newest_trades(
    store: &Store,
    tenant: &TenantId,
    before: Option<&TradeId>,
    most: i64,
) -> Result<Vec<TradeId>, StoreError> {
    let of = tenant.clone();
    // Behind every id, which is made of digits and letters.
    let before = before.map_or_else(|| "~".to_owned(), |before| before.id.to_string());
    let rows = store.read(async move |reader| {
        reader.fetch_all::<(Arc<str>,), _>(&NEWEST, (&of, before.as_str(), most)).await
    });
    Ok(rows.await?.into_iter().map(|(id,)| TradeId { tenant: tenant.clone(), id }).collect())
}
