//! The ledger of redemptions and the counters that it adds up to.

use mortise_capability::StoreError;
use mortise_store::{Reader, Statement, Tx};
use mortise_types::{Amount, CustomerId, OrderId, TenantId, Timestamp};

use crate::rules::{CouponLimits, Limits, Use};

/// A promotion for the line comes before one for all lines.
const BUDGETS: Statement = Statement::pair(
    "discount.budgets",
    "SELECT line, budget_amount, budget_count, customer_budget_amount, customer_budget_count FROM discount_promotion
      WHERE tenant = ?1 AND line IN (?2, '') AND promotion = ?3 ORDER BY line DESC LIMIT 1",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, line, promotion, n)
     CROSS JOIN LATERAL (
       SELECT line, budget_amount, budget_count, customer_budget_amount, customer_budget_count
       FROM discount_promotion
       WHERE tenant = item.tenant AND line IN (item.line, '') AND promotion = item.promotion
       ORDER BY line DESC LIMIT 1) AS found",
);
const COUPON_LIMITS: Statement = Statement::pair(
    "discount.coupon_limits",
    "SELECT line, promotion, max_redemptions, max_per_customer FROM discount_coupon
      WHERE tenant = ?1 AND line IN (?2, '') AND coupon = ?3 ORDER BY line DESC LIMIT 1",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, line, coupon, n)
     CROSS JOIN LATERAL (
       SELECT line, promotion, max_redemptions, max_per_customer FROM discount_coupon
       WHERE tenant = item.tenant AND line IN (item.line, '') AND coupon = item.coupon
       ORDER BY line DESC LIMIT 1) AS found",
);
const USAGE: Statement = Statement::pair(
    "discount.usage",
    "SELECT count, amount FROM discount_usage WHERE tenant = ?1 AND line = ?2 AND promotion = ?3 AND coupon = ?4",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4)
       WITH ORDINALITY AS item (tenant, line, promotion, coupon, n)
     CROSS JOIN LATERAL (
       SELECT count, amount FROM discount_usage
       WHERE tenant = item.tenant AND line = item.line AND promotion = item.promotion
         AND coupon = item.coupon) AS found",
);
const ADD_USAGE: Statement = Statement::pair(
    "discount.add_usage",
    "INSERT INTO discount_usage (tenant, line, promotion, coupon, count, amount) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
     ON CONFLICT DO UPDATE SET count = count + excluded.count, amount = amount + excluded.amount",
    "INSERT INTO discount_usage (tenant, line, promotion, coupon, count, amount)
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6) ORDER BY 1, 2, 3, 4
     ON CONFLICT (tenant, line, promotion, coupon)
       DO UPDATE SET count = discount_usage.count + excluded.count,
         amount = discount_usage.amount + excluded.amount",
);
/// Of a promotion (the coupon empty), or of one of its codes. Left to itself SQLite reads the tenant's whole ledger.
macro_rules! usage_by_customer_sql {
    () => {
        "SELECT count(*), coalesce(sum(amount), 0)
           FROM discount_redemption INDEXED BY discount_redemption_customer
          WHERE tenant = ?1 AND customer_id = ?2 AND promotion = ?3 AND restored_at IS NULL
            AND ((?5 = '' AND line = ?4) OR (?5 <> '' AND coupon = ?5 AND coupon_line = ?4))"
    };
}
const USAGE_BY_CUSTOMER: Statement = Statement::pair(
    "discount.usage_by_customer",
    usage_by_customer_sql!(),
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY
       AS item (tenant, customer_id, promotion, line, coupon, n)
     CROSS JOIN LATERAL (
       SELECT count(*), coalesce(sum(amount), 0)::bigint FROM discount_redemption
       WHERE tenant = item.tenant AND customer_id = item.customer_id AND promotion = item.promotion
         AND restored_at IS NULL
         AND CASE item.coupon WHEN '' THEN line = item.line
             ELSE coupon = item.coupon AND coupon_line = item.line END) AS found",
);
const OPEN_REDEMPTIONS: Statement = Statement::pair(
    "discount.open_redemptions",
    "SELECT promotion, coupon, line, coupon_line, amount FROM discount_redemption
      WHERE tenant = ?1 AND order_id = ?2 AND restored_at IS NULL",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, order_id, n)
     CROSS JOIN LATERAL (
       SELECT promotion, coupon, line, coupon_line, amount FROM discount_redemption
       WHERE tenant = item.tenant AND order_id = item.order_id AND restored_at IS NULL) AS found",
);
const PUT_REDEMPTION: Statement = Statement::pair(
    "discount.put_redemption",
    "INSERT INTO discount_redemption (tenant, order_id, promotion, coupon, line, coupon_line, customer_id, version,
                                      amount, redeemed_at, restored_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, NULL)
     ON CONFLICT DO UPDATE SET line = excluded.line, coupon_line = excluded.coupon_line,
            customer_id = excluded.customer_id, version = excluded.version, amount = excluded.amount,
            redeemed_at = excluded.redeemed_at, restored_at = NULL",
    "INSERT INTO discount_redemption (tenant, order_id, promotion, coupon, line, coupon_line, customer_id,
         version, amount, redeemed_at, restored_at)
     SELECT tenant, order_id, promotion, coupon, line, coupon_line, customer_id, version, amount,
       redeemed_at, NULL
     FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
       AS item (tenant, order_id, promotion, coupon, line, coupon_line, customer_id, version, amount,
         redeemed_at)
     ORDER BY 1, 2, 3, 4
     ON CONFLICT (tenant, order_id, promotion, coupon)
       DO UPDATE SET line = excluded.line, coupon_line = excluded.coupon_line,
       customer_id = excluded.customer_id, version = excluded.version, amount = excluded.amount,
       redeemed_at = excluded.redeemed_at, restored_at = NULL",
);
const RESTORE: Statement = Statement::pair(
    "discount.restore",
    "UPDATE discount_redemption SET restored_at = ?3 WHERE tenant = ?1 AND order_id = ?2 AND restored_at IS NULL",
    "UPDATE discount_redemption t SET restored_at = item.restored_at
     FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, order_id, restored_at, n)
     WHERE t.tenant = item.tenant AND t.order_id = item.order_id AND t.restored_at IS NULL
     RETURNING item.n",
);

/// A promotion as a line sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PromotionKey {
    pub(crate) tenant: TenantId,
    pub(crate) line: String,
    pub(crate) promotion: String,
}

/// A code as a line sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CouponKey {
    pub(crate) tenant: TenantId,
    pub(crate) line: String,
    pub(crate) coupon: String,
}

/// A counter: of a promotion (the coupon empty, the line the promotion's), or of a code (the line the code's).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct UsageKey {
    pub(crate) tenant: TenantId,
    pub(crate) line: String,
    pub(crate) promotion: String,
    pub(crate) coupon: String,
}

/// A counter for one customer, worked out from the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CustomerKey {
    pub(crate) of: UsageKey,
    pub(crate) customer_id: CustomerId,
}

type BudgetRow = (String, Option<Amount>, Option<i64>, Option<Amount>, Option<i64>);

/// The line that each promotion was defined for, and its budgets.
pub(crate) async fn budgets(
    reader: &Reader<'_>,
    keys: &[PromotionKey],
) -> Result<Vec<Option<(String, Limits)>>, StoreError> {
    let items = keys.iter().map(|key| (&key.tenant, &key.line, &key.promotion));
    let found = reader.fetch_optional::<BudgetRow, _>(&BUDGETS, items).await?;
    let limits = |(line, amount, count, customer_amount, customer_count): BudgetRow| {
        (line, Limits { amount, count, customer_amount, customer_count })
    };
    Ok(found.into_iter().map(|row| row.map(limits)).collect())
}

type CouponRow = (String, String, Option<i64>, Option<i64>);

/// The line that each code was stored for, its promotion, its limits.
pub(crate) async fn coupon_limits(
    reader: &Reader<'_>,
    keys: &[CouponKey],
) -> Result<Vec<Option<(String, String, CouponLimits)>>, StoreError> {
    let items = keys.iter().map(|key| (&key.tenant, &key.line, &key.coupon));
    let found = reader.fetch_optional::<CouponRow, _>(&COUPON_LIMITS, items).await?;
    let limits = |(line, promotion, redemptions, per_customer): CouponRow| {
        (line, promotion, CouponLimits { redemptions, per_customer })
    };
    Ok(found.into_iter().map(|row| row.map(limits)).collect())
}

/// The counters; nothing where nothing was redeemed.
pub(crate) async fn usage(reader: &Reader<'_>, keys: &[UsageKey]) -> Result<Vec<Use>, StoreError> {
    let items = keys.iter().map(|key| (&key.tenant, &key.line, &key.promotion, &key.coupon));
    let found = reader.fetch_optional::<(i64, Amount), _>(&USAGE, items).await?;
    Ok(found
        .into_iter()
        .map(|row| row.map_or_else(Use::default, |(count, amount)| Use { count, amount }))
        .collect())
}

/// What each customer has of a promotion or a code.
pub(crate) async fn usage_by_customer(
    reader: &Reader<'_>,
    keys: &[CustomerKey],
) -> Result<Vec<Use>, StoreError> {
    let items = keys.iter().map(|CustomerKey { of, customer_id }| {
        (&of.tenant, customer_id, &of.promotion, &of.line, &of.coupon)
    });
    let found = reader.fetch_optional::<(i64, Amount), _>(&USAGE_BY_CUSTOMER, items).await?;
    Ok(found
        .into_iter()
        .map(|row| row.map_or_else(Use::default, |(count, amount)| Use { count, amount }))
        .collect())
}

/// Adds to the counters, one row each however many orders of the batch contend for it.
pub(crate) async fn add_usage(tx: &mut Tx<'_>, rows: &[(UsageKey, Use)]) -> Result<(), StoreError> {
    let items = rows
        .iter()
        .map(|(key, add)| (&key.tenant, &key.line, &key.promotion, &key.coupon, add.count, add.amount));
    tx.execute(&ADD_USAGE, items).await.map(drop)
}

/// A redemption as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LedgerRow {
    pub(crate) promotion: String,
    pub(crate) coupon: String,
    pub(crate) line: String,
    pub(crate) coupon_line: String,
    pub(crate) amount: Amount,
}

/// The redemptions of each order that were not given back.
pub(crate) async fn open_redemptions(
    reader: &Reader<'_>,
    orders: &[(TenantId, OrderId)],
) -> Result<Vec<Vec<LedgerRow>>, StoreError> {
    let items = orders.iter().map(|(tenant, order)| (tenant, order));
    let groups =
        reader.fetch_grouped::<(String, String, String, String, Amount), _>(&OPEN_REDEMPTIONS, items).await?;
    let row = |(promotion, coupon, line, coupon_line, amount)| LedgerRow {
        promotion,
        coupon,
        line,
        coupon_line,
        amount,
    };
    Ok(groups.into_iter().map(|rows| rows.into_iter().map(row).collect()).collect())
}

/// Books redemptions: tenant, order, customer, version, moment, and what.
pub(crate) async fn put_redemptions(
    tx: &mut Tx<'_>,
    rows: &[(TenantId, OrderId, CustomerId, i64, Timestamp, LedgerRow)],
) -> Result<(), StoreError> {
    let items = rows.iter().map(|(tenant, order, customer, version, now, row)| {
        let LedgerRow { promotion, coupon, line, coupon_line, amount } = row;
        (tenant, order, promotion, coupon, line, coupon_line, customer, *version, *amount, *now)
    });
    tx.execute(&PUT_REDEMPTION, items).await.map(drop)
}

/// Marks the open redemptions of orders as given back.
pub(crate) async fn restore(
    tx: &mut Tx<'_>,
    orders: &[(TenantId, OrderId, Timestamp)],
) -> Result<(), StoreError> {
    let items = orders.iter().map(|(tenant, order, now)| (tenant, order, *now));
    tx.execute(&RESTORE, items).await.map(drop)
}

#[cfg(test)]
pub(super) const USAGE_BY_CUSTOMER_PLAN: Statement = Statement::sqlite(
    "discount.usage_by_customer_plan",
    concat!("EXPLAIN QUERY PLAN ", usage_by_customer_sql!()),
);
