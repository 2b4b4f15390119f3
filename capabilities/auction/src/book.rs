//! The book of auctions: deposits that an auction has in hand, and has not returned, credited or kept.

use mortise_capability::{Book, Entry, Stands, StoreError};
use mortise_store::{Reader, Statement};

const DEPOSITS: Statement = Statement::sqlite(
    "auction.book",
    "SELECT tenant, auction_id, count(*) FROM auction_bidder
     WHERE deposit_state IN ('held', 'to_return', 'to_credit', 'to_forfeit') GROUP BY 1, 2 ORDER BY 1, 2",
);

pub(crate) const BOOK: Book = Book { name: "deposits", run: |reader| Box::pin(deposits(reader)) };

async fn deposits(reader: &Reader<'_>) -> Result<Vec<Entry>, StoreError> {
    let rows: Vec<(String, String, i64)> = reader.fetch_all(&DEPOSITS, ()).await?;
    let entry = |(tenant, owner, amount)| Entry {
        tenant,
        owner,
        account: "deposits in hand".to_owned(),
        amount,
        currency: None,
        stands: Stands::WhileOpen,
    };
    Ok(rows.into_iter().map(entry).collect())
}
