//! What `verify` asks of discount's tables.

use mortise_capability::{Finding, StoreError};
use mortise_store::{Reader, Statement};

use super::catalogue::read;

/// Counters taken away from what the ledger adds up to; what is left over is off.
const OFF_LEDGER: Statement = Statement::pair(
    "discount.off_ledger",
    "SELECT tenant, line, promotion, coupon, sum(ledger), sum(ledger_amount), sum(counted), sum(counted_amount) FROM (
       SELECT tenant, line, promotion, coupon, 0 AS ledger, 0 AS ledger_amount,
              count AS counted, amount AS counted_amount FROM discount_usage
       UNION ALL
       SELECT tenant, line, promotion, '', 1, amount, 0, 0 FROM discount_redemption WHERE restored_at IS NULL
       UNION ALL
       SELECT tenant, coupon_line, promotion, coupon, 1, amount, 0, 0 FROM discount_redemption
        WHERE restored_at IS NULL AND coupon <> '')
      GROUP BY tenant, line, promotion, coupon
     HAVING sum(ledger) <> sum(counted) OR sum(ledger_amount) <> sum(counted_amount) LIMIT 100",
    "SELECT tenant, line, promotion, coupon, sum(ledger)::bigint, sum(ledger_amount)::bigint, sum(counted)::bigint,
            sum(counted_amount)::bigint FROM (
       SELECT tenant, line, promotion, coupon, 0 AS ledger, 0 AS ledger_amount,
              count AS counted, amount AS counted_amount FROM discount_usage
       UNION ALL
       SELECT tenant, line, promotion, '', 1, amount, 0, 0 FROM discount_redemption WHERE restored_at IS NULL
       UNION ALL
       SELECT tenant, coupon_line, promotion, coupon, 1, amount, 0, 0 FROM discount_redemption
        WHERE restored_at IS NULL AND coupon <> '') AS told
      GROUP BY tenant, line, promotion, coupon
     HAVING sum(ledger) <> sum(counted) OR sum(ledger_amount) <> sum(counted_amount) LIMIT 100",
);
const ALL_PROMOTIONS: Statement = Statement::both(
    "discount.all_promotions",
    "SELECT tenant, line, promotion, version, document FROM discount_promotion",
);

/// Counters of redemptions that are not what the ledger adds up to.
pub(crate) async fn usage_is_the_ledger(reader: &Reader<'_>) -> Result<Vec<Finding>, StoreError> {
    type Row = (String, String, String, String, i64, i64, i64, i64);
    let rows = reader.fetch_all::<Row, _>(&OFF_LEDGER, ()).await?;
    let finding = |(tenant, line, promotion, coupon, ledger, ledger_amount, counted, counted_amount): Row| {
        Finding {
            subject: format!("{tenant}/{line} {promotion} {coupon}").trim_end().to_owned(),
            problem: format!(
                "the ledger has {ledger} redemptions of {ledger_amount}, the counter {counted} of {counted_amount}"
            ),
        }
    };
    Ok(rows.into_iter().map(finding).collect())
}

/// Stored promotions that cannot be evaluated.
pub(crate) async fn unreadable_promotions(reader: &Reader<'_>) -> Result<Vec<Finding>, StoreError> {
    let rows = reader.fetch_all::<(String, String, String, i64, String), _>(&ALL_PROMOTIONS, ()).await?;
    let finding = |(tenant, line, promotion, version, document): (String, String, String, i64, String)| {
        let subject = format!("{tenant}/{line} {promotion}");
        match read(&line, version, &document) {
            Ok(read) if read.id == promotion => None,
            Ok(read) => Some(Finding { subject, problem: format!("its document is that of {}", read.id) }),
            Err(problem) => Some(Finding { subject, problem }),
        }
    };
    Ok(rows.into_iter().filter_map(finding).take(100).collect())
}
