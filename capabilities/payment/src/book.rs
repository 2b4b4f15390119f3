//! The payment's book: every account of the ledger, by order; refunds that are on their way, and deposits of which it is not decided
//! whose they are.

use std::collections::BTreeMap;

use mortise_capability::{Book, Entry, Stands, StoreError};
use mortise_store::{Reader, Statement};

const LEDGER: Statement = Statement::pair(
    "payment.book",
    "SELECT p.tenant, p.order_id, t.account, p.currency, sum(t.amount),
            CASE t.account WHEN 'provider_balance' THEN p.provider_ref END, min(p.created_at)
     FROM (SELECT tenant, payment_id, debit AS account, amount FROM payment_transfer
           UNION ALL SELECT tenant, payment_id, credit, -amount FROM payment_transfer) t
     JOIN payment_payment p ON p.tenant = t.tenant AND p.payment_id = t.payment_id
     GROUP BY 1, 2, 3, 4, 6
     UNION ALL
     SELECT tenant, order_id, '', currency, sum(pending_refund), NULL, 0 FROM payment_payment GROUP BY 1, 2, 4
     UNION ALL
     SELECT tenant, order_id, 'deposit', currency, sum(captured - refunded), NULL, 0 FROM payment_payment
     WHERE deposit = 'held' GROUP BY 1, 2, 4
     ORDER BY 1, 2, 3, 4, 6",
    "SELECT p.tenant, p.order_id, t.account, p.currency, sum(t.amount)::bigint,
            CASE t.account WHEN 'provider_balance' THEN p.provider_ref END, min(p.created_at)
     FROM (SELECT tenant, payment_id, debit AS account, amount FROM payment_transfer
           UNION ALL SELECT tenant, payment_id, credit, -amount FROM payment_transfer) t
     JOIN payment_payment p ON p.tenant = t.tenant AND p.payment_id = t.payment_id
     GROUP BY 1, 2, 3, 4, 6
     UNION ALL
     SELECT tenant, order_id, '', currency, sum(pending_refund)::bigint, NULL, 0 FROM payment_payment GROUP BY 1, 2, 4
     UNION ALL
     SELECT tenant, order_id, 'deposit', currency, sum(captured - refunded)::bigint, NULL, 0 FROM payment_payment
     WHERE deposit = 'held' GROUP BY 1, 2, 4
     ORDER BY 1, 2, 3, 4, 6",
);

pub(crate) const BOOK: Book = Book { name: "money", run: |reader| Box::pin(ledger(reader)) };

async fn ledger(reader: &Reader<'_>) -> Result<Vec<Entry>, StoreError> {
    type Row = (String, String, String, String, i64, Option<String>, i64);
    let rows: Vec<Row> = reader.fetch_all(&LEDGER, ()).await?;
    let mut asked: BTreeMap<(String, String), (i64, String)> = BTreeMap::new();
    for (tenant, order, .., reference, since) in &rows {
        let Some(reference) = reference else { continue };
        let by = asked.entry((tenant.clone(), reference.clone())).or_insert((*since, order.clone()));
        if *since < by.0 {
            *by = (*since, order.clone());
        }
    }
    let entry = |(tenant, order, account, currency, amount, reference, _): Row| {
        let (account, stands) = match account.as_str() {
            "" => ("refund on its way".to_owned(), Stands::WhileOpen),
            "deposit" => ("deposits held".to_owned(), Stands::WhileOpen),
            _ => (account, Stands::ForGood),
        };
        // What is transferred to another order is with the provider as what it was paid for.
        let by = reference.and_then(|reference| asked.get(&(tenant.clone(), reference)));
        let owner = by.map_or(order, |(_, order)| order.clone());
        Entry { tenant, owner, account, amount, currency: Some(currency), stands }
    };
    Ok(rows.into_iter().map(entry).collect())
}
