//! The book of campaigns: what holders have taken of them, and seats in their groups.

use mortise_capability::{Book, Entry, Stands, StoreError};
use mortise_store::{Reader, Statement};

const TAKEN: Statement = Statement::pair(
    "campaign.book",
    "SELECT t.tenant, t.holder, 'campaign ' || t.campaign || ', units taken', 'good', sum(line.value ->> 1)
     FROM campaign_taking t, json_each(t.lines) line WHERE t.state = 'open' GROUP BY 1, 2, 3
     UNION ALL
     SELECT tenant, holder, 'seats ' || state, CASE state WHEN 'held' THEN 'open' ELSE 'good' END, count(*)
     FROM campaign_seat WHERE state <> 'returned' GROUP BY 1, 2, 3, 4
     ORDER BY 1, 2, 3",
    "SELECT t.tenant, t.holder, 'campaign ' || t.campaign || ', units taken', 'good',
            sum((line.value ->> 1)::bigint)::bigint
     FROM campaign_taking t CROSS JOIN json_array_elements(t.lines::json) AS line (value)
     WHERE t.state = 'open' GROUP BY 1, 2, 3
     UNION ALL
     SELECT tenant, holder, 'seats ' || state, CASE state WHEN 'held' THEN 'open' ELSE 'good' END, count(*)
     FROM campaign_seat WHERE state <> 'returned' GROUP BY 1, 2, 3, 4
     ORDER BY 1, 2, 3",
);

pub(crate) const BOOK: Book = Book { name: "campaigns", run: |reader| Box::pin(taken(reader)) };

async fn taken(reader: &Reader<'_>) -> Result<Vec<Entry>, StoreError> {
    type Row = (String, String, String, String, i64);
    let rows: Vec<Row> = reader.fetch_all(&TAKEN, ()).await?;
    let entry = |(tenant, owner, account, stands, amount): Row| {
        let stands = if stands == "open" { Stands::WhileOpen } else { Stands::ForGood };
        Entry { tenant, owner, account, amount, currency: None, stands }
    };
    Ok(rows.into_iter().map(entry).collect())
}
