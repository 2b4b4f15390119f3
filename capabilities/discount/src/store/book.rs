//! The discount's book: redemptions that stand, by order.

use mortise_capability::{Entry, Stands, StoreError};
use mortise_store::{Reader, Statement};

const REDEEMED: Statement = Statement::both(
    "discount.book",
    "SELECT tenant, order_id, promotion, coupon, count(*) FROM discount_redemption
     WHERE restored_at IS NULL GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
);

/// Who has redeemed what.
pub(crate) async fn redemptions(reader: &Reader<'_>) -> Result<Vec<Entry>, StoreError> {
    type Row = (String, String, String, String, i64);
    let rows: Vec<Row> = reader.fetch_all(&REDEEMED, ()).await?;
    let entry = |(tenant, owner, promotion, coupon, amount): Row| {
        let account = match coupon.as_str() {
            "" => format!("promotion {promotion}"),
            coupon => format!("coupon {coupon}"),
        };
        Entry { tenant, owner, account, amount, currency: None, stands: Stands::ForGood }
    };
    Ok(rows.into_iter().map(entry).collect())
}
