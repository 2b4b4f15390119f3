//! Pick lists that are stopped and resumed, for a whole batch. It decides nothing.

use std::collections::BTreeSet;

use mortise_capability::StoreError;
use mortise_store::{Reader, Statement, Tx};
use mortise_types::{OrderId, Parcel, PickListId, TenantId, Timestamp};

use super::{PickListKey, off};
use crate::contract::STOPPED_MAX;

const OF_ORDER: Statement = Statement::pair(
    "fulfilment.requested_of_order",
    "SELECT pick_list_id, parcel FROM fulfilment_pick_list
     WHERE tenant = ?1 AND order_id = ?2 AND state = 'requested' ORDER BY pick_list_id LIMIT ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, order_id, most, n)
     CROSS JOIN LATERAL (
       SELECT pick_list_id, parcel FROM fulfilment_pick_list
       WHERE tenant = item.tenant AND order_id = item.order_id AND state = 'requested'
       ORDER BY pick_list_id LIMIT item.most) AS found",
);
const STOP: Statement = Statement::pair(
    "fulfilment.stop",
    "UPDATE fulfilment_pick_list SET state = 'cancelled', cancelled_at = ?3
     WHERE tenant = ?1 AND pick_list_id = ?2 AND state = 'requested'",
    "UPDATE fulfilment_pick_list t SET state = 'cancelled', cancelled_at = item.cancelled_at
     FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, pick_list_id, cancelled_at, n)
     WHERE t.tenant = item.tenant AND t.pick_list_id = item.pick_list_id AND t.state = 'requested'
     RETURNING item.n",
);
const RESUME: Statement = Statement::pair(
    "fulfilment.resume",
    "UPDATE fulfilment_pick_list SET state = 'requested', cancelled_at = NULL
     WHERE tenant = ?1 AND pick_list_id = ?2 AND state = 'cancelled' AND packed_at IS NULL",
    "UPDATE fulfilment_pick_list t SET state = 'requested', cancelled_at = NULL
     FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, pick_list_id, n)
     WHERE t.tenant = item.tenant AND t.pick_list_id = item.pick_list_id AND t.state = 'cancelled'
       AND t.packed_at IS NULL
     RETURNING item.n",
);

/// The lists of each order that nobody has packed yet.
pub(crate) async fn requested(
    reader: &Reader<'_>,
    orders: &BTreeSet<(TenantId, OrderId)>,
) -> Result<Vec<Vec<(PickListId, Parcel)>>, StoreError> {
    let params = orders.iter().map(|(tenant, order)| (tenant, order, STOPPED_MAX));
    let groups: Vec<Vec<(PickListId, String)>> = reader.fetch_grouped(&OF_ORDER, params).await?;
    let read = |(list, parcel): (PickListId, String)| Ok((list, serde_json::from_str(&parcel).map_err(off)?));
    groups.into_iter().map(|rows| rows.into_iter().map(read).collect()).collect()
}

pub(crate) async fn stop(tx: &mut Tx<'_>, lists: &[(PickListKey, Timestamp)]) -> Result<(), StoreError> {
    if lists.is_empty() {
        return Ok(());
    }
    tx.execute(&STOP, lists.iter().map(|(key, now)| (&key.0, &key.1, *now))).await.map(drop)
}

/// Takes lists up again; says of each whether it was stopped.
pub(crate) async fn resume(tx: &mut Tx<'_>, lists: &[PickListKey]) -> Result<Vec<bool>, StoreError> {
    if lists.is_empty() {
        return Ok(Vec::new());
    }
    let changed = tx.execute(&RESUME, lists.iter().map(|key| (&key.0, &key.1))).await?;
    Ok(changed.into_iter().map(|rows| rows > 0).collect())
}
