//! Delivery's book: parcels that the carrier was asked to take, and those that it has or has brought, by order.

use mortise_capability::{Book, Entry, Stands};
use mortise_store::{Reader, Statement, StoreError};

const SHIPMENTS: Statement = Statement::both(
    "delivery.book",
    "SELECT tenant, order_id, CASE status WHEN 'requested' THEN 'asked' ELSE 'taken' END, count(*) FROM delivery_shipment
     WHERE status NOT IN ('refused', 'cancelled', 'returning', 'returned') GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
);

pub(crate) const BOOK: Book = Book { name: "parcels", run: |reader| Box::pin(shipments(reader)) };

async fn shipments(reader: &Reader<'_>) -> Result<Vec<Entry>, StoreError> {
    let rows: Vec<(String, String, String, i64)> = reader.fetch_all(&SHIPMENTS, ()).await?;
    let entry = |(tenant, owner, asked, amount): (String, String, String, i64)| {
        let (account, stands) = match asked.as_str() {
            "asked" => ("parcels the carrier was asked for", Stands::WhileOpen),
            _ => ("parcels with the carrier", Stands::ForGood),
        };
        Entry { tenant, owner, account: account.to_owned(), amount, currency: None, stands }
    };
    Ok(rows.into_iter().map(entry).collect())
}
