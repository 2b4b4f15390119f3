//! What came back, each paper once: loaded and saved for a whole batch. It decides nothing.

use std::collections::BTreeSet;

use mortise_capability::{Call, StoreError};
use mortise_store::{Reader, Statement, Tx};
use mortise_types::TenantId;

use super::written;
use crate::contract::RestockInput;

const RESTOCKED: Statement = Statement::pair(
    "inventory.restocked",
    "SELECT reference FROM inventory_restock WHERE tenant = ?1 AND reference = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, reference, n)
     CROSS JOIN LATERAL (
       SELECT reference FROM inventory_restock
       WHERE tenant = item.tenant AND reference = item.reference) AS found",
);
const NEW_RESTOCK: Statement = Statement::pair(
    "inventory.new_restock",
    "INSERT INTO inventory_restock (tenant, reference, units, restocked_at) VALUES (?1, ?2, ?3, ?4)",
    "INSERT INTO inventory_restock (tenant, reference, units, restocked_at)
     SELECT * FROM unnest($1, $2, $3, $4) ORDER BY 1, 2",
);

/// Those of the papers whose goods were taken in.
pub(crate) async fn restocked<'a>(
    reader: &Reader<'_>,
    references: &BTreeSet<(&'a TenantId, &'a str)>,
) -> Result<BTreeSet<(&'a TenantId, &'a str)>, StoreError> {
    let found: Vec<Option<(String,)>> = reader.fetch_optional(&RESTOCKED, references.iter().copied()).await?;
    let known = references.iter().zip(found).filter(|(_, found)| found.is_some());
    Ok(known.map(|(reference, _)| *reference).collect())
}

/// Goods that are taken in now.
pub(crate) struct NewRestock<'a> {
    pub(crate) call: &'a Call<RestockInput>,
}

pub(crate) async fn insert_restocks(tx: &mut Tx<'_>, new: &[NewRestock<'_>]) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(new.len());
    for NewRestock { call } in new {
        let (tenant, units) = (&call.context.scope.tenant, written(&call.input.units)?);
        rows.push((tenant, &call.input.reference, units, call.context.now));
    }
    if rows.is_empty() {
        return Ok(());
    }
    tx.execute(&NEW_RESTOCK, rows).await.map(drop)
}
