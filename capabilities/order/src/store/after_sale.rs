//! The returns of orders, and what sales have left behind: loaded and saved for a whole batch. It decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use mortise_capability::StoreError;
use mortise_store::{Reader, Statement, Tx};
use mortise_types::{Amount, CustomerId, PaymentId, ReservationId, RmaId, Timestamp};

use super::{OrderKey, off};
use crate::contract::AfterSaleStage;
use crate::rules::AfterSales;

const RETURNS: Statement = Statement::pair(
    "order.returns",
    "SELECT a.rma_id, a.stage, a.refunded
     FROM order_header h JOIN order_after_sale a ON a.tenant = h.tenant AND a.placement = h.placement
     WHERE h.tenant = ?1 AND h.order_id = ?2 ORDER BY a.rma_id",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, order_id, n)
     CROSS JOIN LATERAL (
       SELECT a.rma_id, a.stage, a.refunded
       FROM order_header h JOIN order_after_sale a ON a.tenant = h.tenant AND a.placement = h.placement
       WHERE h.tenant = item.tenant AND h.order_id = item.order_id ORDER BY a.rma_id) AS found",
);
const PUT_RETURN: Statement = Statement::pair(
    "order.put_return",
    "INSERT INTO order_after_sale (tenant, placement, rma_id, stage, refunded)
     SELECT h.tenant, h.placement, ?3, ?4, ?5 FROM order_header h WHERE h.tenant = ?1 AND h.order_id = ?2
     ON CONFLICT (tenant, placement, rma_id) DO UPDATE SET stage = excluded.stage, refunded = excluded.refunded",
    "INSERT INTO order_after_sale (tenant, placement, rma_id, stage, refunded)
     SELECT h.tenant, h.placement, item.rma_id, item.stage, item.refunded
     FROM unnest($1, $2, $3, $4, $5) AS item (tenant, order_id, rma_id, stage, refunded)
     JOIN order_header h ON h.tenant = item.tenant AND h.order_id = item.order_id
     ORDER BY 1, 2, 3
     ON CONFLICT (tenant, placement, rma_id) DO UPDATE SET stage = excluded.stage, refunded = excluded.refunded",
);
const PAYABLE: Statement = Statement::pair(
    "order.payable",
    "SELECT payable FROM order_header WHERE tenant = ?1 AND order_id = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, order_id, n)
     CROSS JOIN LATERAL (
       SELECT payable FROM order_header WHERE tenant = item.tenant AND order_id = item.order_id) AS found",
);
const LEFT_BEHIND: Statement = Statement::pair(
    "order.left_behind",
    "SELECT h.customer_id, d.reservation,
            (SELECT max(t.at) FROM order_timeline t WHERE t.tenant = h.tenant AND t.order_id = h.order_id
                AND t.axis = 'fulfilment' AND t.to_status = 'delivered' AND t.at >= h.placed_at),
            h.placed_at
     FROM order_header h JOIN order_document d ON d.tenant = h.tenant AND d.placement = h.placement
     WHERE h.tenant = ?1 AND h.order_id = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, order_id, n)
     CROSS JOIN LATERAL (
       SELECT h.customer_id, d.reservation,
              (SELECT max(t.at) FROM order_timeline t WHERE t.tenant = h.tenant AND t.order_id = h.order_id
                  AND t.axis = 'fulfilment' AND t.to_status = 'delivered' AND t.at >= h.placed_at),
              h.placed_at
       FROM order_header h JOIN order_document d ON d.tenant = h.tenant AND d.placement = h.placement
       WHERE h.tenant = item.tenant AND h.order_id = item.order_id) AS found",
);
/// Since the order was last placed.
const PAYMENTS: Statement = Statement::pair(
    "order.payments",
    "SELECT subject FROM order_timeline
     WHERE tenant = ?1 AND order_id = ?2 AND axis = 'payment' AND subject IS NOT NULL
       AND position > (SELECT max(p.position) FROM order_timeline p WHERE p.tenant = ?1 AND p.order_id = ?2
                          AND p.axis = 'order' AND p.to_status = 'open')
     GROUP BY subject ORDER BY max(position) DESC LIMIT 50",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, order_id, n)
     CROSS JOIN LATERAL (
       SELECT subject FROM order_timeline
       WHERE tenant = item.tenant AND order_id = item.order_id AND axis = 'payment' AND subject IS NOT NULL
         AND position > (SELECT max(p.position) FROM order_timeline p WHERE p.tenant = item.tenant
                            AND p.order_id = item.order_id AND p.axis = 'order' AND p.to_status = 'open')
       GROUP BY subject ORDER BY max(position) DESC LIMIT 50) AS found",
);

const fn word(stage: AfterSaleStage) -> &'static str {
    match stage {
        AfterSaleStage::Requested => "requested",
        AfterSaleStage::Settled => "settled",
        AfterSaleStage::Closed => "closed",
    }
}

fn stage(word: &str) -> Result<AfterSaleStage, StoreError> {
    use AfterSaleStage::{Closed, Requested, Settled};
    let found = [Requested, Settled, Closed].into_iter().find(|stage| self::word(*stage) == word);
    found.ok_or_else(|| off(format!("`{word}` is no stage of a return")))
}

/// The returns of each order.
pub(crate) async fn load_returns(
    reader: &Reader<'_>,
    keys: &BTreeSet<OrderKey>,
) -> Result<BTreeMap<OrderKey, AfterSales>, StoreError> {
    let params = keys.iter().map(|key| (&key.0, &key.1));
    let groups: Vec<Vec<(RmaId, String, Amount)>> = reader.fetch_grouped(&RETURNS, params).await?;
    let mut found = BTreeMap::new();
    for (key, rows) in keys.iter().zip(groups) {
        let mut returns = AfterSales::default();
        for (rma_id, word, refunded) in rows {
            returns.put(rma_id, stage(&word)?, refunded);
        }
        found.insert(key.clone(), returns);
    }
    Ok(found)
}

/// Writes returns of orders.
pub(crate) async fn put_returns(
    tx: &mut Tx<'_>,
    rows: &[(OrderKey, RmaId, AfterSaleStage, Amount)],
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows =
        rows.iter().map(|(key, rma_id, stage, refunded)| (&key.0, &key.1, rma_id, word(*stage), *refunded));
    tx.execute(&PUT_RETURN, rows).await.map(drop)
}

/// What the customer pays for each order; nothing where there is none.
pub(crate) async fn payables(
    reader: &Reader<'_>,
    keys: &BTreeSet<OrderKey>,
) -> Result<BTreeMap<OrderKey, Amount>, StoreError> {
    let params = keys.iter().map(|key| (&key.0, &key.1));
    let found: Vec<Option<(Amount,)>> = reader.fetch_optional(&PAYABLE, params).await?;
    Ok(keys.iter().cloned().zip(found).filter_map(|(key, row)| Some((key, row?.0))).collect())
}

/// Whose an order is, the hold of its goods, when the last of it was delivered, when it was placed.
pub(crate) type LeftBehind = (CustomerId, Option<ReservationId>, Option<Timestamp>, Timestamp);

pub(crate) async fn left_behind(
    reader: &Reader<'_>,
    keys: &[OrderKey],
) -> Result<Vec<Option<LeftBehind>>, StoreError> {
    reader.fetch_optional(&LEFT_BEHIND, keys.iter().map(|key| (&key.0, &key.1))).await
}

/// The payments of each order, the latest first.
pub(crate) async fn payments(
    reader: &Reader<'_>,
    keys: &[OrderKey],
) -> Result<Vec<Vec<PaymentId>>, StoreError> {
    let params = keys.iter().map(|key| (&key.0, &key.1));
    let groups: Vec<Vec<(PaymentId,)>> = reader.fetch_grouped(&PAYMENTS, params).await?;
    Ok(groups.into_iter().map(|rows| rows.into_iter().map(|(id,)| id).collect()).collect())
}
