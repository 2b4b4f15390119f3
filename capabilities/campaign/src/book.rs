//! The campaigns' book: what holders have taken of allotments, and their seats.

use mortise_capability::{Book, Entry, Stands};
use mortise_store::{Reader, Statement, StoreError};

const HELD: Statement = Statement::sqlite(
    "campaign.book",
    "SELECT tenant, holder, 'allotment of ' || campaign, count(*), 0 FROM campaign_taking WHERE state = 'open' \
       GROUP BY 1, 2, 3 \
     UNION ALL SELECT tenant, holder, 'seats held', count(*), 1 FROM campaign_seat WHERE state = 'held' GROUP BY 1, 2 \
     UNION ALL SELECT tenant, holder, 'seats', count(*), 0 FROM campaign_seat WHERE state = 'confirmed' GROUP BY 1, 2 \
     ORDER BY 1, 2, 3",
);

pub(crate) const BOOK: Book = Book { name: "campaigns", run: |reader| Box::pin(held(reader)) };

async fn held(reader: &Reader<'_>) -> Result<Vec<Entry>, StoreError> {
    let rows: Vec<(String, String, String, i64, bool)> = reader.fetch_all(&HELD, ()).await?;
    let entry = |(tenant, owner, account, amount, open): (String, String, String, i64, bool)| Entry {
        tenant,
        owner,
        account,
        amount,
        currency: None,
        stands: if open { Stands::WhileOpen } else { Stands::ForGood },
    };
    Ok(rows.into_iter().map(entry).collect())
}
