//! Bidders and their deposits.

use std::collections::{BTreeSet, HashMap};

use mortise_capability::StoreError;
use mortise_store::{Reader, Statement, Tx};
use mortise_types::{Address, Amount, AuctionId, CustomerId, PaymentId, RegistrationId, TenantId, Timestamp};

use super::{LotKey, of_word, read, word, written};
use crate::contract::DepositState;
use crate::rules::Bidder;

const BIDDER: Statement = Statement::pair(
    "auction.bidder",
    "SELECT registration, paddle, state, deposit, deposit_state FROM auction_bidder
     WHERE tenant = ?1 AND auction_id = ?2 AND customer_id = ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, auction_id, customer_id, n)
     CROSS JOIN LATERAL (
       SELECT registration, paddle, state, deposit, deposit_state FROM auction_bidder
       WHERE tenant = item.tenant AND auction_id = item.auction_id AND customer_id = item.customer_id) AS found",
);
const SHIP_TO: Statement = Statement::pair(
    "auction.ship_to",
    "SELECT ship_to FROM auction_bidder WHERE tenant = ?1 AND auction_id = ?2 AND customer_id = ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, auction_id, customer_id, n)
     CROSS JOIN LATERAL (
       SELECT ship_to FROM auction_bidder
       WHERE tenant = item.tenant AND auction_id = item.auction_id AND customer_id = item.customer_id) AS found",
);
const REGISTRATION: Statement = Statement::pair(
    "auction.registration",
    "SELECT deposit_state FROM auction_bidder WHERE tenant = ?1 AND registration = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, registration, n)
     CROSS JOIN LATERAL (
       SELECT deposit_state FROM auction_bidder WHERE tenant = item.tenant
         AND registration = item.registration) AS found",
);
const HELD: Statement = Statement::pair(
    "auction.held",
    "SELECT registration, customer_id FROM auction_bidder
     WHERE tenant = ?1 AND auction_id = ?2 AND deposit_state = 'held' ORDER BY customer_id",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, auction_id, n)
     CROSS JOIN LATERAL (
       SELECT registration, customer_id FROM auction_bidder
       WHERE tenant = item.tenant AND auction_id = item.auction_id AND deposit_state = 'held'
       ORDER BY customer_id) AS found",
);
/// Who was withdrawn and comes again keeps their number.
const ADMIT: Statement = Statement::pair(
    "auction.admit",
    "INSERT INTO auction_bidder
       (tenant, auction_id, customer_id, registration, paddle, state, deposit, payment_id, deposit_state, ship_to,
        registered_at)
     VALUES (?1, ?2, ?3, ?4, ?5, 'admitted', ?6, ?7, ?8, ?9, ?10)
     ON CONFLICT (tenant, auction_id, customer_id) DO UPDATE
     SET registration = excluded.registration, state = 'admitted', deposit = excluded.deposit,
         payment_id = excluded.payment_id, deposit_state = excluded.deposit_state, ship_to = excluded.ship_to,
         registered_at = excluded.registered_at",
    "INSERT INTO auction_bidder (tenant, auction_id, customer_id, registration, paddle, state, deposit,
         payment_id, deposit_state, ship_to, registered_at)
     SELECT DISTINCT ON (tenant, auction_id, customer_id) tenant, auction_id, customer_id, registration,
       paddle, 'admitted', deposit, payment_id, deposit_state, ship_to, registered_at
     FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) WITH ORDINALITY
       AS item (tenant, auction_id, customer_id, registration, paddle, deposit, payment_id, deposit_state,
               ship_to, registered_at, n)
     ORDER BY tenant, auction_id, customer_id, n DESC
     ON CONFLICT (tenant, auction_id, customer_id) DO UPDATE
       SET registration = excluded.registration, state = 'admitted', deposit = excluded.deposit,
       payment_id = excluded.payment_id, deposit_state = excluded.deposit_state, ship_to = excluded.ship_to,
       registered_at = excluded.registered_at",
);
const WITHDRAW: Statement = Statement::pair(
    "auction.withdraw",
    "UPDATE auction_bidder SET state = 'withdrawn', deposit_state = ?3 WHERE tenant = ?1 AND registration = ?2",
    "UPDATE auction_bidder t SET state = 'withdrawn', deposit_state = item.deposit_state
     FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, registration, deposit_state, n)
     WHERE t.tenant = item.tenant AND t.registration = item.registration
     RETURNING item.n",
);
const SET_DEPOSIT: Statement = Statement::pair(
    "auction.set_deposit",
    "UPDATE auction_bidder SET deposit_state = ?3 WHERE tenant = ?1 AND registration = ?2",
    "UPDATE auction_bidder t SET deposit_state = item.deposit_state
     FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, registration, deposit_state, n)
     WHERE t.tenant = item.tenant AND t.registration = item.registration
     RETURNING item.n",
);

/// A bidder as they stand.
#[derive(Clone, Debug)]
pub(crate) struct BidderRow {
    pub(crate) bidder: Bidder,
    pub(crate) registration: RegistrationId,
    pub(crate) admitted: bool,
    pub(crate) deposit: Amount,
    pub(crate) deposit_state: DepositState,
}

/// A customer in an auction.
pub(crate) type BidderKey = (TenantId, AuctionId, CustomerId);

type Row = (RegistrationId, i64, String, Amount, String);

/// The bidders at `keys`; unknown ones are left out.
pub(crate) async fn load_bidders(
    reader: &Reader<'_>,
    keys: impl IntoIterator<Item = BidderKey>,
) -> Result<HashMap<BidderKey, BidderRow>, StoreError> {
    let keys: BTreeSet<BidderKey> = keys.into_iter().collect();
    let params = keys.iter().map(|(tenant, auction, customer)| (tenant, auction, customer));
    let rows: Vec<Option<Row>> = reader.fetch_optional(&BIDDER, params).await?;
    let mut found = HashMap::with_capacity(keys.len());
    for (key, row) in keys.into_iter().zip(rows) {
        if let Some((registration, paddle, state, deposit, deposit_state)) = row {
            let bidder = Bidder { customer_id: key.2.clone(), paddle };
            let deposit_state = of_word(&deposit_state)?;
            let row =
                BidderRow { bidder, registration, admitted: state == "admitted", deposit, deposit_state };
            found.insert(key, row);
        }
    }
    Ok(found)
}

/// Where the lot goes if it becomes a bidder's, with the bidder's row.
pub(crate) async fn bidder_of(
    reader: &Reader<'_>,
    key: &LotKey,
    customer: &CustomerId,
) -> Result<Option<(BidderRow, Address)>, StoreError> {
    let at: BidderKey = (key.0.clone(), key.1.clone(), customer.clone());
    let row = load_bidders(reader, [at.clone()]).await?.remove(&at);
    let documents: Vec<(String,)> = reader.fetch_all(&SHIP_TO, (&at.0, &at.1, &at.2)).await?;
    match (row, documents.first()) {
        (Some(row), Some((ship_to,))) => Ok(Some((row, read(ship_to)?))),
        _ => Ok(None),
    }
}

/// A bidder to admit.
#[derive(Clone, Debug)]
pub(crate) struct NewBidder<'a> {
    pub(crate) key: BidderKey,
    pub(crate) registration: RegistrationId,
    pub(crate) paddle: i64,
    pub(crate) deposit: Amount,
    pub(crate) payment_id: Option<&'a PaymentId>,
    pub(crate) ship_to: &'a Address,
    pub(crate) now: Timestamp,
}

pub(crate) async fn admit(tx: &mut Tx<'_>, bidders: &[NewBidder<'_>]) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(bidders.len());
    for new in bidders {
        let state = if new.payment_id.is_some() { DepositState::Held } else { DepositState::None };
        let (tenant, auction, customer) = &new.key;
        let (state, ship_to) = (word(state)?, written(new.ship_to)?);
        let (registration, paddle, deposit) = (&new.registration, new.paddle, new.deposit);
        rows.push((
            tenant,
            auction,
            customer,
            registration,
            paddle,
            deposit,
            new.payment_id,
            state,
            ship_to,
            new.now,
        ));
    }
    if rows.is_empty() { Ok(()) } else { tx.execute(&ADMIT, rows).await.map(drop) }
}

/// What became of the deposits of admissions; unknown ones are none.
pub(crate) async fn deposits_of(
    reader: &Reader<'_>,
    keys: &[(TenantId, RegistrationId)],
) -> Result<Vec<Option<DepositState>>, StoreError> {
    let rows: Vec<Option<(String,)>> =
        reader.fetch_optional(&REGISTRATION, keys.iter().map(|(tenant, id)| (tenant, id))).await?;
    rows.into_iter().map(|row| row.map(|(word,)| of_word(&word)).transpose()).collect()
}

/// Admissions to an auction whose deposit is held.
pub(crate) async fn bidders_with_held_deposit(
    reader: &Reader<'_>,
    key: &LotKey,
) -> Result<Vec<(RegistrationId, CustomerId)>, StoreError> {
    reader.fetch_all(&HELD, (&key.0, &key.1)).await
}

/// A deposit and what becomes of it.
pub(crate) type DepositChange = (TenantId, RegistrationId, DepositState);

pub(crate) async fn set_deposits(tx: &mut Tx<'_>, changes: &[DepositChange]) -> Result<(), StoreError> {
    change(tx, &SET_DEPOSIT, changes).await
}

pub(crate) async fn withdraw(tx: &mut Tx<'_>, changes: &[DepositChange]) -> Result<(), StoreError> {
    change(tx, &WITHDRAW, changes).await
}

async fn change(tx: &mut Tx<'_>, statement: &Statement, changes: &[DepositChange]) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(changes.len());
    for (tenant, registration, state) in changes {
        rows.push((tenant, registration, word(state)?));
    }
    if rows.is_empty() { Ok(()) } else { tx.execute(statement, rows).await.map(drop) }
}
