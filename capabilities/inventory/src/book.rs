//! The inventory's book: units that are reserved and claimed, by holder, and what is on hand.

use mortise_capability::{Book, Entry, Stands, StoreError};
use mortise_store::{Reader, Statement};
use mortise_types::Quantity;

const STOCK: Statement = Statement::pair(
    "inventory.book",
    "SELECT r.tenant, r.holder, CAST(held.value ->> 0 AS TEXT), CAST(held.value ->> 1 AS TEXT), r.state,
            sum(held.value ->> 2)
     FROM inventory_reservation r, json_each(r.lines) held
     WHERE r.state IN ('held', 'claimed') GROUP BY 1, 2, 3, 4, 5
     UNION ALL
     SELECT tenant, '', sku, location, 'on hand', on_hand FROM inventory_stock
     ORDER BY 1, 2, 3, 4, 5",
    "SELECT r.tenant, r.holder, held.value ->> 0, held.value ->> 1, r.state, sum((held.value ->> 2)::bigint)::bigint
     FROM inventory_reservation r CROSS JOIN json_array_elements(r.lines::json) AS held (value)
     WHERE r.state IN ('held', 'claimed') GROUP BY 1, 2, 3, 4, 5
     UNION ALL
     SELECT tenant, '', sku, location, 'on hand', on_hand FROM inventory_stock
     ORDER BY 1, 2, 3, 4, 5",
);

pub(crate) const BOOK: Book = Book { name: "stock", run: |reader| Box::pin(stock(reader)) };

type Row = (String, String, String, String, String, Quantity);

async fn stock(reader: &Reader<'_>) -> Result<Vec<Entry>, StoreError> {
    let rows: Vec<Row> = reader.fetch_all(&STOCK, ()).await?;
    let entry = |(tenant, owner, sku, location, state, units): Row| {
        let (word, stands) = match state.as_str() {
            "held" => ("reserved", Stands::WhileOpen),
            word => (word, Stands::ForGood),
        };
        let account = format!("{sku} at {location}, {word}");
        Entry { tenant, owner, account, amount: units.units(), currency: None, stands }
    };
    Ok(rows.into_iter().map(entry).collect())
}
