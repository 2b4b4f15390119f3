//! Offers of lots: to the winner, then to the next bidder.

use mortise_capability::StoreError;
use mortise_store::{Reader, Statement, Tx};
use mortise_types::{Amount, AuctionId, CustomerId, PaymentId, TenantId, Timestamp};

use super::{LotKey, of_word, word};
use crate::contract::OfferState;

const NEW_OFFER: Statement = Statement::pair(
    "auction.new_offer",
    "INSERT INTO auction_offer (tenant, auction_id, offer, customer_id, state, price, credit, pay_by, offered_at)
     VALUES (?1, ?2, ?3, ?4, 'awarded', ?5, ?6, ?7, ?8)",
    "INSERT INTO auction_offer (tenant, auction_id, offer, customer_id, state, price, credit, pay_by,
         offered_at)
     SELECT tenant, auction_id, offer, customer_id, 'awarded', price, credit, pay_by, offered_at
     FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)
       AS item (tenant, auction_id, offer, customer_id, price, credit, pay_by, offered_at)
     ORDER BY 1, 2, 3",
);
const OFFER: Statement = Statement::pair(
    "auction.offer",
    "SELECT customer_id, state, price, credit, pay_by, amount, pay_url FROM auction_offer
     WHERE tenant = ?1 AND auction_id = ?2 AND offer = ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, auction_id, offer, n)
     CROSS JOIN LATERAL (
       SELECT customer_id, state, price, credit, pay_by, amount, pay_url FROM auction_offer
       WHERE tenant = item.tenant AND auction_id = item.auction_id AND offer = item.offer) AS found",
);
/// The latest of each; a customer has one at most.
const OFFERS_OF: Statement = Statement::pair(
    "auction.offers_of",
    "SELECT offer, state, price, credit, pay_by, amount, pay_url FROM auction_offer
     WHERE tenant = ?1 AND auction_id = ?2 AND customer_id = ?3 ORDER BY offer DESC LIMIT 1",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, auction_id, customer_id, n)
     CROSS JOIN LATERAL (
       SELECT offer, state, price, credit, pay_by, amount, pay_url FROM auction_offer
       WHERE tenant = item.tenant AND auction_id = item.auction_id AND customer_id = item.customer_id
       ORDER BY offer DESC LIMIT 1) AS found",
);
const DEFAULTERS: Statement = Statement::pair(
    "auction.defaulters",
    "SELECT customer_id FROM auction_offer WHERE tenant = ?1 AND auction_id = ?2 ORDER BY offer",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, auction_id, n)
     CROSS JOIN LATERAL (
       SELECT customer_id FROM auction_offer
       WHERE tenant = item.tenant AND auction_id = item.auction_id ORDER BY offer) AS found",
);
const SET_OFFER: Statement = Statement::pair(
    "auction.set_offer",
    "UPDATE auction_offer SET state = ?4 WHERE tenant = ?1 AND auction_id = ?2 AND offer = ?3",
    "UPDATE auction_offer t SET state = item.state
     FROM unnest($1, $2, $3, $4) WITH ORDINALITY AS item (tenant, auction_id, offer, state, n)
     WHERE t.tenant = item.tenant AND t.auction_id = item.auction_id AND t.offer = item.offer
     RETURNING item.n",
);
const ASK_PAYMENT: Statement = Statement::pair(
    "auction.ask_payment",
    "UPDATE auction_offer SET amount = ?4, payment_id = ?5, pay_url = ?6
     WHERE tenant = ?1 AND auction_id = ?2 AND offer = ?3 AND state = 'awarded'",
    "UPDATE auction_offer t SET amount = item.amount, payment_id = item.payment_id, pay_url = item.pay_url
     FROM unnest($1, $2, $3, $4, $5, $6) WITH ORDINALITY
       AS item (tenant, auction_id, offer, amount, payment_id, pay_url, n)
     WHERE t.tenant = item.tenant AND t.auction_id = item.auction_id AND t.offer = item.offer
       AND t.state = 'awarded'
     RETURNING item.n",
);

/// An offer of a lot.
#[derive(Clone, Debug)]
pub(crate) struct OfferRow {
    pub(crate) offer: i64,
    pub(crate) customer_id: CustomerId,
    pub(crate) state: OfferState,
    pub(crate) price: Amount,
    pub(crate) credit: Amount,
    pub(crate) pay_by: Timestamp,
    pub(crate) amount: Option<Amount>,
    pub(crate) pay_url: Option<String>,
}

pub(crate) async fn insert_offers(
    tx: &mut Tx<'_>,
    offers: &[(LotKey, OfferRow, Timestamp)],
) -> Result<(), StoreError> {
    let rows: Vec<_> = offers
        .iter()
        .map(|(key, row, now)| {
            (&key.0, &key.1, row.offer, &row.customer_id, row.price, row.credit, row.pay_by, *now)
        })
        .collect();
    if rows.is_empty() { Ok(()) } else { tx.execute(&NEW_OFFER, rows).await.map(drop) }
}

/// The offers of these numbers; unknown ones are none.
pub(crate) async fn load_offers<'a>(
    reader: &Reader<'_>,
    keys: impl IntoIterator<Item = (&'a LotKey, i64)>,
) -> Result<Vec<Option<OfferRow>>, StoreError> {
    type Row = (CustomerId, String, Amount, Amount, Timestamp, Option<Amount>, Option<String>);
    let keys: Vec<(&LotKey, i64)> = keys.into_iter().collect();
    let params = keys.iter().map(|((tenant, auction), offer)| (tenant, auction, *offer));
    let rows: Vec<Option<Row>> = reader.fetch_optional(&OFFER, params).await?;
    let offer = |((_, offer), row): (&(&LotKey, i64), Option<Row>)| {
        row.map(|(customer_id, state, price, credit, pay_by, amount, pay_url)| {
            let (offer, state) = (*offer, of_word(&state)?);
            Ok(OfferRow { offer, customer_id, state, price, credit, pay_by, amount, pay_url })
        })
        .transpose()
    };
    keys.iter().zip(rows).map(offer).collect()
}

/// The offers to these customers; none where a lot was not offered to them.
pub(crate) async fn offers_of<'a>(
    reader: &Reader<'_>,
    keys: impl IntoIterator<Item = (&'a TenantId, &'a AuctionId, &'a CustomerId)>,
) -> Result<Vec<Option<OfferRow>>, StoreError> {
    type Row = (i64, String, Amount, Amount, Timestamp, Option<Amount>, Option<String>);
    let keys: Vec<(&TenantId, &AuctionId, &CustomerId)> = keys.into_iter().collect();
    let rows: Vec<Option<Row>> = reader.fetch_optional(&OFFERS_OF, keys.iter().copied()).await?;
    let offer = |(key, row): (&(&TenantId, &AuctionId, &CustomerId), Option<Row>)| {
        row.map(|(offer, state, price, credit, pay_by, amount, pay_url)| {
            let (customer_id, state) = (key.2.clone(), of_word(&state)?);
            Ok(OfferRow { offer, customer_id, state, price, credit, pay_by, amount, pay_url })
        })
        .transpose()
    };
    keys.iter().zip(rows).map(offer).collect()
}

/// All to whom a lot has been offered.
pub(crate) async fn defaulters(reader: &Reader<'_>, key: &LotKey) -> Result<Vec<CustomerId>, StoreError> {
    let rows: Vec<(CustomerId,)> = reader.fetch_all(&DEFAULTERS, (&key.0, &key.1)).await?;
    Ok(rows.into_iter().map(|(customer,)| customer).collect())
}

pub(crate) async fn set_offers(
    tx: &mut Tx<'_>,
    offers: &[(LotKey, i64, OfferState)],
) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(offers.len());
    for ((tenant, auction), offer, state) in offers {
        rows.push((tenant, auction, *offer, word(state)?));
    }
    if rows.is_empty() { Ok(()) } else { tx.execute(&SET_OFFER, rows).await.map(drop) }
}

/// Where an offer is paid: number, amount, payment, page.
pub(crate) type Asked<'a> = (LotKey, i64, Amount, &'a PaymentId, &'a str);

/// Keeps where offers are paid, and says which were still to be.
pub(crate) async fn ask_payment(tx: &mut Tx<'_>, asked: &[Asked<'_>]) -> Result<Vec<bool>, StoreError> {
    let rows = asked.iter().map(|((tenant, auction), offer, amount, payment, url)| {
        (tenant, auction, *offer, *amount, *payment, *url)
    });
    let changed = tx.execute(&ASK_PAYMENT, rows).await?;
    Ok(changed.into_iter().map(|count| count > 0).collect())
}
