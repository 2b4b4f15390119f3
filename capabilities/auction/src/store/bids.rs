//! Bids, and timelines, which bids and entries tell together.

use mortise_capability::StoreError;
use mortise_store::{Reader, Statement, Tx};
use mortise_types::{Amount, AuctionId, CustomerId, TenantId, Timestamp};

use super::LotKey;
use crate::rules::sale::PlacedBid;
use crate::rules::{Bidder, Candidate, Judged};

const NEW_BID: Statement = Statement::pair(
    "auction.new_bid",
    "INSERT INTO auction_bid
       (tenant, auction_id, position, customer_id, paddle, amount, maximum, price, leading, at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    "INSERT INTO auction_bid (tenant, auction_id, position, customer_id, paddle, amount, maximum, price,
         \"leading\", at)
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ORDER BY 1, 2, 3",
);
const ALL_BIDS: Statement = Statement::pair(
    "auction.all_bids",
    "SELECT position, customer_id, paddle, amount, maximum, at FROM auction_bid
     WHERE tenant = ?1 AND auction_id = ?2 ORDER BY position",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, auction_id, n)
     CROSS JOIN LATERAL (
       SELECT position, customer_id, paddle, amount, maximum, at FROM auction_bid
       WHERE tenant = item.tenant AND auction_id = item.auction_id ORDER BY position) AS found",
);
/// Each bidder's highest maximum, and where they first bid it.
const BEST_BIDS: Statement = Statement::pair(
    "auction.best_bids",
    "SELECT b.customer_id, b.paddle, b.maximum, min(b.position)
     FROM (SELECT customer_id, max(maximum) AS maximum FROM auction_bid
           WHERE tenant = ?1 AND auction_id = ?2 GROUP BY customer_id) best
     JOIN auction_bid b ON b.tenant = ?1 AND b.auction_id = ?2
       AND b.customer_id = best.customer_id AND b.maximum = best.maximum
     GROUP BY b.customer_id, b.paddle, b.maximum
     ORDER BY 3 DESC, 4 LIMIT ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, auction_id, most, n)
     CROSS JOIN LATERAL (
       SELECT b.customer_id, b.paddle, b.maximum, min(b.position)
       FROM (SELECT customer_id, max(maximum) AS maximum FROM auction_bid
       WHERE tenant = item.tenant AND auction_id = item.auction_id GROUP BY customer_id) best
       JOIN auction_bid b ON b.tenant = item.tenant AND b.auction_id = item.auction_id
       AND b.customer_id = best.customer_id AND b.maximum = best.maximum
       GROUP BY b.customer_id, b.paddle, b.maximum
       ORDER BY 3 DESC, 4 LIMIT item.most) AS found",
);
const BIDS: Statement = Statement::pair(
    "auction.bids",
    "SELECT position, 'bid', customer_id, paddle, amount, maximum, price, leading, NULL, NULL, at FROM auction_bid
     WHERE tenant = ?1 AND auction_id = ?2 AND position > ?3 ORDER BY position LIMIT ?4",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4)
       WITH ORDINALITY AS item (tenant, auction_id, position, most, n)
     CROSS JOIN LATERAL (
       SELECT position, 'bid', customer_id, paddle, amount, maximum, price, \"leading\", NULL, NULL, at
       FROM auction_bid
       WHERE tenant = item.tenant AND auction_id = item.auction_id AND position > item.position
       ORDER BY position LIMIT item.most) AS found",
);
const TIMELINE: Statement = Statement::pair(
    "auction.timeline",
    "SELECT position, 'bid', customer_id, paddle, amount, maximum, price, leading, NULL, NULL, at FROM auction_bid
     WHERE tenant = ?1 AND auction_id = ?2 AND position > ?3
     UNION ALL
     SELECT position, kind, customer_id, paddle, NULL, NULL, price, NULL, closes_at, note, at FROM auction_entry
     WHERE tenant = ?1 AND auction_id = ?2 AND position > ?3
     ORDER BY 1 LIMIT ?4",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4)
       WITH ORDINALITY AS item (tenant, auction_id, position, most, n)
     CROSS JOIN LATERAL (
       SELECT position, 'bid', customer_id, paddle, amount, maximum, price, \"leading\", NULL, NULL, at
       FROM auction_bid
       WHERE tenant = item.tenant AND auction_id = item.auction_id AND position > item.position
       UNION ALL
       SELECT position, kind, customer_id, paddle, NULL, NULL, price, NULL, closes_at, note, at
       FROM auction_entry
       WHERE tenant = item.tenant AND auction_id = item.auction_id AND position > item.position
       ORDER BY 1 LIMIT item.most) AS found",
);

/// A bid to store.
#[derive(Clone, Debug)]
pub(crate) struct NewBid {
    pub(crate) key: LotKey,
    pub(crate) placed: PlacedBid,
    pub(crate) price: Amount,
    pub(crate) leading: i64,
}

pub(crate) async fn insert_bids(tx: &mut Tx<'_>, bids: &[NewBid]) -> Result<(), StoreError> {
    let rows: Vec<_> = bids
        .iter()
        .map(|NewBid { key, placed, price, leading }| {
            let PlacedBid { position, bidder, bid, at } = placed;
            let Bidder { customer_id, paddle } = bidder;
            (&key.0, &key.1, *position, customer_id, *paddle, bid.amount, bid.maximum, *price, *leading, *at)
        })
        .collect();
    if rows.is_empty() { Ok(()) } else { tx.execute(&NEW_BID, rows).await.map(drop) }
}

type BidRow = (i64, CustomerId, i64, Option<Amount>, Amount, Timestamp);

/// All bids of an auction, oldest first.
pub(crate) async fn all_bids(reader: &Reader<'_>, key: &LotKey) -> Result<Vec<PlacedBid>, StoreError> {
    let rows: Vec<BidRow> = reader.fetch_all(&ALL_BIDS, (&key.0, &key.1)).await?;
    let placed = |(position, customer_id, paddle, amount, maximum, at)| PlacedBid {
        position,
        bidder: Bidder { customer_id, paddle },
        bid: Judged { amount, maximum },
        at,
    };
    Ok(rows.into_iter().map(placed).collect())
}

/// The bidders with the highest maxima, at most so many.
pub(crate) async fn best_bids(
    reader: &Reader<'_>,
    key: &LotKey,
    most: i64,
) -> Result<Vec<Candidate>, StoreError> {
    let rows: Vec<(CustomerId, i64, Amount, i64)> =
        reader.fetch_all(&BEST_BIDS, (&key.0, &key.1, most)).await?;
    let candidate = |(customer_id, paddle, maximum, position)| Candidate {
        bidder: Bidder { customer_id, paddle },
        maximum,
        position,
    };
    Ok(rows.into_iter().map(candidate).collect())
}

/// Position, kind, customer, paddle, amount, maximum, price, leading, closes at, note, at.
pub(crate) type TimelineRow = (
    i64,
    String,
    Option<CustomerId>,
    Option<i64>,
    Option<Amount>,
    Option<Amount>,
    Option<Amount>,
    Option<i64>,
    Option<Timestamp>,
    Option<String>,
    Timestamp,
);

/// What is asked of a timeline: whose, behind which position, how much.
pub(crate) type Part<'a> = (&'a TenantId, &'a AuctionId, i64, i64);

pub(crate) async fn load_timeline<'a>(
    reader: &Reader<'_>,
    parts: impl IntoIterator<Item = Part<'a>>,
) -> Result<Vec<Vec<TimelineRow>>, StoreError> {
    reader.fetch_grouped(&TIMELINE, parts).await
}

pub(crate) async fn load_bids<'a>(
    reader: &Reader<'_>,
    parts: impl IntoIterator<Item = Part<'a>>,
) -> Result<Vec<Vec<TimelineRow>>, StoreError> {
    reader.fetch_grouped(&BIDS, parts).await
}
