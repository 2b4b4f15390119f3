//! The book of the purchase limits: what open orders claim of them.

use mortise_capability::{Book, Entry, Stands, StoreError};
use mortise_store::{Reader, Statement};

const CLAIMED: Statement = Statement::pair(
    "purchase_limit.book",
    "SELECT c.tenant, c.order_id, CAST(claim.value ->> 0 AS TEXT), sum(claim.value ->> 2)
     FROM purchase_limit_claim c, json_each(c.claims) claim
     WHERE c.state = 'open' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    "SELECT c.tenant, c.order_id, claim.value ->> 0, sum((claim.value ->> 2)::bigint)::bigint
     FROM purchase_limit_claim c CROSS JOIN json_array_elements(c.claims::json) AS claim (value)
     WHERE c.state = 'open' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
);

pub(crate) const BOOK: Book = Book { name: "limits", run: |reader| Box::pin(claimed(reader)) };

async fn claimed(reader: &Reader<'_>) -> Result<Vec<Entry>, StoreError> {
    let rows: Vec<(String, String, String, i64)> = reader.fetch_all(&CLAIMED, ()).await?;
    let entry = |(tenant, owner, rule, amount): (String, String, String, i64)| Entry {
        tenant,
        owner,
        account: format!("limit {rule}"),
        amount,
        currency: None,
        stands: Stands::ForGood,
    };
    Ok(rows.into_iter().map(entry).collect())
}
