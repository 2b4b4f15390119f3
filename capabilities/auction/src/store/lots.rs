//! Auctions and what happened to them beside bids.

use std::collections::{BTreeSet, HashMap};

use mortise_capability::StoreError;
use mortise_store::{Reader, Statement, Tx};
use mortise_types::{Amount, AuctionId, CustomerId, TenantId, Timestamp};

use super::{LotKey, of_word, read, word, written};
use crate::contract::{AuctionState, EntryKind};
use crate::rules::{Bidder, Leader, Rules, Standing};

const LOT: Statement = Statement::pair(
    "auction.lot",
    "SELECT rules, state, price, leader, leader_paddle, leader_maximum, leader_bid, closes_at, extensions, bids,
            position, paddles, offer
     FROM auction_lot WHERE tenant = ?1 AND auction_id = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, auction_id, n)
     CROSS JOIN LATERAL (
       SELECT rules, state, price, leader, leader_paddle, leader_maximum, leader_bid, closes_at, extensions,
         bids,
       position, paddles, offer
       FROM auction_lot WHERE tenant = item.tenant AND auction_id = item.auction_id) AS found",
);
const LOTS: Statement = Statement::pair(
    "auction.lots",
    "SELECT auction_id, rules, state, price, leader, leader_paddle, leader_maximum, leader_bid, closes_at, extensions,
            bids, position, paddles, offer
     FROM auction_lot WHERE tenant = ?1 AND auction_id > ?2 ORDER BY auction_id LIMIT ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, auction_id, most, n)
     CROSS JOIN LATERAL (
       SELECT auction_id, rules, state, price, leader, leader_paddle, leader_maximum, leader_bid, closes_at,
         extensions,
       bids, position, paddles, offer
       FROM auction_lot
       WHERE tenant = item.tenant AND auction_id > item.auction_id ORDER BY auction_id LIMIT item.most) AS found",
);
const NEW_LOT: Statement = Statement::pair(
    "auction.new_lot",
    "INSERT INTO auction_lot
       (tenant, auction_id, rules, state, closes_at, extensions, bids, position, paddles, offer)
     VALUES (?1, ?2, ?3, 'open', ?4, 0, 0, 1, 0, 0)
     ON CONFLICT (tenant, auction_id) DO NOTHING",
    "WITH item AS (SELECT * FROM unnest($1, $2, $3, $4)
       WITH ORDINALITY AS item (tenant, auction_id, rules, closes_at, n)),
     added AS (
       INSERT INTO auction_lot (tenant, auction_id, rules, state, closes_at, extensions, bids, position,
         paddles,
              offer)
       SELECT tenant, auction_id, rules, 'open', closes_at, 0, 0, 1, 0, 0 FROM item
         ORDER BY tenant, auction_id, n
       ON CONFLICT DO NOTHING RETURNING tenant, auction_id)
     SELECT min(n) FROM item WHERE ((tenant, auction_id) IN (TABLE added)) IS TRUE GROUP BY tenant, auction_id",
);
const SAVE_LOT: Statement = Statement::pair(
    "auction.save_lot",
    "UPDATE auction_lot
     SET state = ?3, price = ?4, leader = ?5, leader_paddle = ?6, leader_maximum = ?7, leader_bid = ?8, closes_at = ?9,
         extensions = ?10, bids = ?11, position = ?12, offer = ?13
     WHERE tenant = ?1 AND auction_id = ?2",
    "UPDATE auction_lot t SET state = item.state, price = item.price, leader = item.leader,
         leader_paddle = item.leader_paddle, leader_maximum = item.leader_maximum,
         leader_bid = item.leader_bid, closes_at = item.closes_at, extensions = item.extensions,
         bids = item.bids, position = item.position, offer = item.offer
     FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) WITH ORDINALITY
       AS item (tenant, auction_id, state, price, leader, leader_paddle, leader_maximum, leader_bid,
               closes_at, extensions, bids, position, offer, n)
     WHERE t.tenant = item.tenant AND t.auction_id = item.auction_id
     RETURNING item.n",
);
const SAVE_PADDLES: Statement = Statement::pair(
    "auction.save_paddles",
    "UPDATE auction_lot SET paddles = ?3 WHERE tenant = ?1 AND auction_id = ?2",
    "UPDATE auction_lot t SET paddles = item.paddles
     FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, auction_id, paddles, n)
     WHERE t.tenant = item.tenant AND t.auction_id = item.auction_id
     RETURNING item.n",
);
const NEW_ENTRY: Statement = Statement::pair(
    "auction.new_entry",
    "INSERT INTO auction_entry (tenant, auction_id, position, kind, customer_id, paddle, price, closes_at, note, at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    "INSERT INTO auction_entry (tenant, auction_id, position, kind, customer_id, paddle, price, closes_at,
         note, at)
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ORDER BY 1, 2, 3",
);

/// An auction.
#[derive(Clone, Debug)]
pub(crate) struct Lot {
    pub(crate) rules: Rules,
    pub(crate) state: AuctionState,
    pub(crate) standing: Standing,
    pub(crate) paddles: i64,
    /// The number of the latest offer; 0 before the first.
    pub(crate) offer: i64,
}

type Lead = (Option<Amount>, Option<CustomerId>, Option<i64>, Option<Amount>, Option<i64>);
type Row = (
    String,
    String,
    Option<Amount>,
    Option<CustomerId>,
    Option<i64>,
    Option<Amount>,
    Option<i64>,
    Timestamp,
    i64,
    i64,
    i64,
    i64,
    i64,
);
type NamedRow = (
    AuctionId,
    String,
    String,
    Option<Amount>,
    Option<CustomerId>,
    Option<i64>,
    Option<Amount>,
    Option<i64>,
    Timestamp,
    i64,
    i64,
    i64,
    i64,
    i64,
);

fn lead(row: Lead) -> Option<(Leader, Amount)> {
    let (price, customer_id, paddle, maximum, position) = row;
    let bidder = Bidder { customer_id: customer_id?, paddle: paddle? };
    Some((Leader { bidder, maximum: maximum?, position: position? }, price?))
}

fn lot(row: Row) -> Result<Lot, StoreError> {
    let (
        rules,
        state,
        price,
        leader,
        paddle,
        maximum,
        bid,
        closes_at,
        extensions,
        bids,
        position,
        paddles,
        offer,
    ) = row;
    let lead = lead((price, leader, paddle, maximum, bid));
    Ok(Lot {
        rules: read(&rules)?,
        state: of_word(&state)?,
        standing: Standing { lead, closes_at, extensions, bids, position },
        paddles,
        offer,
    })
}

/// The auctions at `keys`; unknown ones are left out.
pub(crate) async fn load_lots(
    reader: &Reader<'_>,
    keys: impl IntoIterator<Item = LotKey>,
) -> Result<HashMap<LotKey, Lot>, StoreError> {
    let keys: BTreeSet<LotKey> = keys.into_iter().collect();
    let rows: Vec<Option<Row>> =
        reader.fetch_optional(&LOT, keys.iter().map(|(tenant, id)| (tenant, id))).await?;
    keys.into_iter().zip(rows).filter_map(|(key, row)| row.map(|row| Ok((key, lot(row)?)))).collect()
}

/// A tenant's auctions behind one, by id.
pub(crate) async fn page_of_lots<'a>(
    reader: &Reader<'_>,
    pages: impl IntoIterator<Item = (&'a TenantId, &'a str, i64)>,
) -> Result<Vec<Vec<(AuctionId, Lot)>>, StoreError> {
    let pages: Vec<Vec<NamedRow>> = reader.fetch_grouped(&LOTS, pages).await?;
    let named = |(id, a, b, c, d, e, f, g, h, i, j, k, l, m): NamedRow| {
        Ok((id, lot((a, b, c, d, e, f, g, h, i, j, k, l, m))?))
    };
    pages.into_iter().map(|rows| rows.into_iter().map(named).collect()).collect()
}

/// Stores new auctions and says which are new.
pub(crate) async fn insert_lots(
    tx: &mut Tx<'_>,
    lots: &[(&LotKey, &Rules)],
) -> Result<Vec<bool>, StoreError> {
    let mut rows = Vec::with_capacity(lots.len());
    for ((tenant, auction_id), rules) in lots {
        rows.push((tenant, auction_id, written(rules)?, rules.closes_at));
    }
    let inserted = tx.execute(&NEW_LOT, rows).await?;
    Ok(inserted.into_iter().map(|count| count > 0).collect())
}

/// Writes where auctions stand: one statement an auction, however many bids a batch had for it.
pub(crate) async fn save_lots<'a>(
    tx: &mut Tx<'_>,
    lots: impl IntoIterator<Item = (&'a LotKey, &'a Lot)>,
) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for ((tenant, auction_id), lot) in lots {
        let Standing { closes_at, extensions, bids, position, .. } = lot.standing;
        let leader = lot.standing.leader();
        rows.push((
            tenant,
            auction_id,
            word(lot.state)?,
            lot.standing.price(),
            leader.map(|leader| &leader.bidder.customer_id),
            leader.map(|leader| leader.bidder.paddle),
            leader.map(|leader| leader.maximum),
            leader.map(|leader| leader.position),
            closes_at,
            extensions,
            bids,
            position,
            lot.offer,
        ));
    }
    rows.sort_by(|one, other| (one.0, one.1).cmp(&(other.0, other.1)));
    if rows.is_empty() { Ok(()) } else { tx.execute(&SAVE_LOT, rows).await.map(drop) }
}

/// Writes how many bidders have had a number.
pub(crate) async fn save_paddles(
    tx: &mut Tx<'_>,
    lots: &HashMap<LotKey, Lot>,
    changed: &BTreeSet<LotKey>,
) -> Result<(), StoreError> {
    let rows = changed.iter().filter_map(|key| lots.get(key).map(|lot| (&key.0, &key.1, lot.paddles)));
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() { Ok(()) } else { tx.execute(&SAVE_PADDLES, rows).await.map(drop) }
}

/// An entry of a timeline.
#[derive(Clone, Debug)]
pub(crate) struct NewEntry {
    pub(crate) key: LotKey,
    pub(crate) position: i64,
    pub(crate) kind: EntryKind,
    pub(crate) bidder: Option<Bidder>,
    pub(crate) price: Option<Amount>,
    pub(crate) closes_at: Option<Timestamp>,
    pub(crate) note: Option<&'static str>,
    pub(crate) at: Timestamp,
}

pub(crate) async fn insert_entries(tx: &mut Tx<'_>, entries: &[NewEntry]) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        rows.push((
            &entry.key.0,
            &entry.key.1,
            entry.position,
            word(entry.kind)?,
            entry.bidder.as_ref().map(|bidder| &bidder.customer_id),
            entry.bidder.as_ref().map(|bidder| bidder.paddle),
            entry.price,
            entry.closes_at,
            entry.note.map(str::to_owned),
            entry.at,
        ));
    }
    if rows.is_empty() { Ok(()) } else { tx.execute(&NEW_ENTRY, rows).await.map(drop) }
}
