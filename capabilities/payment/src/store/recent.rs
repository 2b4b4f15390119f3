//! What customers have ordered lately. Read only where somebody judges by it.

use mortise_store::{Reader, Statement, StoreError};
use mortise_types::{Amount, Currency, CustomerId, OrderId, TenantId, Timestamp};

use super::Word;

const RECENT: Statement = Statement::pair(
    "payment.recent",
    "SELECT order_id, currency, amount, created_at FROM payment_payment \
     WHERE tenant = ?1 AND customer_id = ?2 AND created_at > ?3 ORDER BY created_at DESC, payment_id DESC LIMIT 200",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, customer_id, since, n)
     CROSS JOIN LATERAL (
       SELECT order_id, currency, amount, created_at FROM payment_payment
       WHERE tenant = item.tenant AND customer_id = item.customer_id AND created_at > item.since
       ORDER BY created_at DESC, payment_id DESC LIMIT 200) AS found",
);

/// A payment that names its customer, as a rule of velocity sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) order_id: OrderId,
    pub(crate) currency: Currency,
    pub(crate) amount: Amount,
    pub(crate) at: Timestamp,
}

/// The latest payments of each customer behind a moment, at most 200.
pub(crate) async fn recent<'k>(
    reader: &Reader<'_>,
    keys: impl IntoIterator<Item = (&'k TenantId, &'k CustomerId, Timestamp)>,
) -> Result<Vec<Vec<Placed>>, StoreError> {
    type Row = (OrderId, Word<Currency>, Amount, Timestamp);
    let groups: Vec<Vec<Row>> = reader.fetch_grouped(&RECENT, keys).await?;
    let placed =
        |(order_id, currency, amount, at): Row| Placed { order_id, currency: currency.0, amount, at };
    Ok(groups.into_iter().map(|rows| rows.into_iter().map(placed).collect()).collect())
}
