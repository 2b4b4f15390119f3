//! The auctions' book: deposits that are held or on their way to where they belong, by bidder.

use mortise_capability::{Book, Entry, Stands, StoreError};
use mortise_store::{Reader, Statement};

const DEPOSITS: Statement = Statement::both(
    "auction.book",
    "SELECT b.tenant, b.customer_id, b.auction_id, b.deposit_state, b.deposit, l.rules
     FROM auction_bidder b JOIN auction_lot l ON l.tenant = b.tenant AND l.auction_id = b.auction_id
     WHERE b.deposit_state IN ('held', 'to_return', 'to_credit', 'to_forfeit')
     ORDER BY 1, 2, 3",
);

pub(crate) const BOOK: Book = Book { name: "deposits", run: |reader| Box::pin(deposits(reader)) };

async fn deposits(reader: &Reader<'_>) -> Result<Vec<Entry>, StoreError> {
    type Row = (String, String, String, String, i64, String);
    let rows: Vec<Row> = reader.fetch_all(&DEPOSITS, ()).await?;
    let entry = |(tenant, owner, auction, state, amount, rules): Row| {
        let rules: crate::rules::Rules = crate::store::read(&rules)?;
        Ok(Entry {
            tenant,
            owner,
            account: format!("deposit for {auction}, {}", state.replace('_', " ")),
            amount,
            currency: Some(rules.currency.to_string()),
            stands: Stands::WhileOpen,
        })
    };
    rows.into_iter().map(entry).collect()
}
