//! Returns page by page, and what the checks read.

use mortise_capability::StoreError;
use mortise_store::{FromRow, ReadColumn, Reader, Statement};
use mortise_types::{Amount, CustomerId, OrderId, TenantId, Timestamp};

use super::{RmaColumns, rma};
use crate::rules::Rma;

const ALL: Statement = Statement::pair(
    "after_sale.rmas",
    "SELECT rma_id, order_id, placed_at, customer_id, currency, kind, state, document, given, opened_at, changed_at,
            entry
     FROM after_sale_rma WHERE tenant = ?1 AND entry < ?2 ORDER BY entry DESC LIMIT ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY
       AS item (tenant, behind, most, n)
     CROSS JOIN LATERAL (
       SELECT rma_id, order_id, placed_at, customer_id, currency, kind, state, document, given, opened_at, changed_at,
         entry
       FROM after_sale_rma
       WHERE tenant = item.tenant AND entry < item.behind
       ORDER BY entry DESC LIMIT item.most) AS found",
);
const OF_CUSTOMER: Statement = Statement::pair(
    "after_sale.rmas_of_customer",
    "SELECT rma_id, order_id, placed_at, customer_id, currency, kind, state, document, given, opened_at, changed_at,
            entry
     FROM after_sale_rma WHERE tenant = ?1 AND entry < ?2 AND customer_id = ?4 ORDER BY entry DESC LIMIT ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4) WITH ORDINALITY
       AS item (tenant, behind, most, customer_id, n)
     CROSS JOIN LATERAL (
       SELECT rma_id, order_id, placed_at, customer_id, currency, kind, state, document, given, opened_at, changed_at,
         entry
       FROM after_sale_rma
       WHERE tenant = item.tenant AND entry < item.behind AND customer_id = item.customer_id
       ORDER BY entry DESC LIMIT item.most) AS found",
);
const OF_ORDER: Statement = Statement::pair(
    "after_sale.rmas_of_order",
    "SELECT rma_id, order_id, placed_at, customer_id, currency, kind, state, document, given, opened_at, changed_at,
            entry
     FROM after_sale_rma WHERE tenant = ?1 AND entry < ?2 AND order_id = ?4 AND (?5 = '' OR customer_id = ?5)
     ORDER BY entry DESC LIMIT ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY
       AS item (tenant, behind, most, order_id, customer_id, n)
     CROSS JOIN LATERAL (
       SELECT rma_id, order_id, placed_at, customer_id, currency, kind, state, document, given, opened_at, changed_at,
         entry
       FROM after_sale_rma
       WHERE tenant = item.tenant AND entry < item.behind AND order_id = item.order_id
         AND (item.customer_id = '' OR customer_id = item.customer_id)
       ORDER BY entry DESC LIMIT item.most) AS found",
);
const SALES: Statement = Statement::pair(
    "after_sale.sales",
    "SELECT tenant, order_id, placed_at, granted, sale, account FROM after_sale_sale
     WHERE (tenant, order_id, placed_at) > (?1, ?2, ?3) ORDER BY tenant, order_id, placed_at LIMIT ?4",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS item (tenant, order_id, placed_at, most, n)
     CROSS JOIN LATERAL (
       SELECT tenant, order_id, placed_at, granted, sale, account FROM after_sale_sale t
       WHERE (t.tenant, t.order_id, t.placed_at) > (item.tenant, item.order_id, item.placed_at)
       ORDER BY t.tenant, t.order_id, t.placed_at LIMIT item.most) AS found",
);

/// Greater than every entry: those are hexadecimal digits and dashes.
pub(crate) const FROM_THE_LATEST: &str = "~";

/// A page of returns, latest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) customer: Option<&'a CustomerId>,
    pub(crate) order: Option<&'a OrderId>,
    pub(crate) behind: &'a str,
    pub(crate) rows: i64,
}

/// A return behind its columns, its entry behind it.
struct Row(RmaColumns, String);

impl FromRow for Row {
    fn from_row(read: &mut ReadColumn<'_>) -> Result<Self, (usize, String)> {
        let columns = RmaColumns::from_row(read)?;
        let entry = <(String,)>::from_row(&mut |column, take| read(column + 11, take));
        entry.map(|(entry,)| Row(columns, entry)).map_err(|(column, problem)| (column + 11, problem))
    }
}

/// Each page's returns, with their entries.
pub(crate) async fn pages(
    reader: &Reader<'_>,
    pages: &[Page<'_>],
) -> Result<Vec<Vec<(String, Rma)>>, StoreError> {
    let mut found = Vec::with_capacity(pages.len());
    for page in pages {
        let Page { tenant, customer, order, behind, rows } = *page;
        let name = customer.map_or("", CustomerId::as_str);
        let read: Vec<Row> = match (order, customer) {
            (Some(order), _) => reader.fetch_all(&OF_ORDER, (tenant, behind, rows, order, name)).await?,
            (None, Some(_)) => reader.fetch_all(&OF_CUSTOMER, (tenant, behind, rows, name)).await?,
            (None, None) => reader.fetch_all(&ALL, (tenant, behind, rows)).await?,
        };
        let rmas = read.into_iter().map(|Row(columns, entry)| Ok((entry, rma(columns)?)));
        found.push(rmas.collect::<Result<_, StoreError>>()?);
    }
    Ok(found)
}

/// The returns of an order, as many as it may have.
pub(crate) async fn rmas_of(
    reader: &Reader<'_>,
    tenant: &TenantId,
    order: &OrderId,
) -> Result<Vec<Rma>, StoreError> {
    let rows: Vec<Row> = reader.fetch_all(&OF_ORDER, (tenant, FROM_THE_LATEST, i64::MAX, order, "")).await?;
    rows.into_iter().map(|Row(columns, _)| rma(columns)).collect()
}

/// A sale as it is stored.
pub(crate) type SaleRow = (TenantId, OrderId, Timestamp, Amount, String, String);

/// Sales behind a place, in the order of their keys.
pub(crate) async fn sales_behind(
    reader: &Reader<'_>,
    after: (&str, &str, Timestamp),
    rows: i64,
) -> Result<Vec<SaleRow>, StoreError> {
    reader.fetch_all(&SALES, (after.0, after.1, after.2, rows)).await
}
