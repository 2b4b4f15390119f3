//! The book of fulfilment: parcels that are to be packed, and parcels that were, by order.

use mortise_capability::{Book, Entry, Stands, StoreError};
use mortise_store::{Reader, Statement};

const LISTS: Statement = Statement::both(
    "fulfilment.book",
    "SELECT tenant, order_id, state, count(*) FROM fulfilment_pick_list
     WHERE state <> 'cancelled' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
);

pub(crate) const BOOK: Book = Book { name: "parcels", run: |reader| Box::pin(lists(reader)) };

async fn lists(reader: &Reader<'_>) -> Result<Vec<Entry>, StoreError> {
    type Row = (String, String, String, i64);
    let rows: Vec<Row> = reader.fetch_all(&LISTS, ()).await?;
    let entry = |(tenant, owner, state, amount): Row| {
        let (word, stands) = match state.as_str() {
            "requested" => ("to be packed", Stands::WhileOpen),
            "handed_over" => ("handed over", Stands::ForGood),
            word => (word, Stands::ForGood),
        };
        Entry { tenant, owner, account: format!("parcels {word}"), amount, currency: None, stands }
    };
    Ok(rows.into_iter().map(entry).collect())
}
