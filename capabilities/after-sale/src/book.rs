//! The book of returns: what is asked back, what is owed for it, what was given.

use mortise_capability::{Book, Entry, Stands, StoreError};
use mortise_store::{Reader, Statement};
use mortise_types::Amount;

const RETURNS: Statement = Statement::both(
    "after_sale.book",
    "SELECT tenant, rma_id, state, currency, refund, given FROM after_sale_rma
     WHERE state NOT IN ('refused', 'withdrawn') ORDER BY tenant, rma_id",
);

pub(crate) const BOOK: Book = Book { name: "returns", run: |reader| Box::pin(returns(reader)) };

async fn returns(reader: &Reader<'_>) -> Result<Vec<Entry>, StoreError> {
    let rows: Vec<(String, String, String, String, Amount, Amount)> = reader.fetch_all(&RETURNS, ()).await?;
    let entry = |(tenant, owner, state, currency, refund, given): (
        String,
        String,
        String,
        String,
        Amount,
        Amount,
    )| {
        let (account, amount, currency, stands) = match state.as_str() {
            "inspected" => ("owed for a return", refund.minor(), Some(currency), Stands::WhileOpen),
            "settled" => ("given for a return", given.minor(), Some(currency), Stands::ForGood),
            _ => ("return asked for", 1, None, Stands::WhileOpen),
        };
        Entry { tenant, owner, account: account.to_owned(), amount, currency, stands }
    };
    Ok(rows.into_iter().map(entry).filter(|entry| entry.amount != 0).collect())
}
