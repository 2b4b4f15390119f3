//! Sales that something comes back of, and returns: loaded and saved for a whole batch. It decides nothing.

mod pages;

use std::collections::{BTreeMap, BTreeSet};

use mortise_capability::StoreError;
use mortise_store::{Reader, Statement, Tx};
use mortise_types::{Amount, CustomerId, OrderId, RmaId, TenantId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::contract::{RmaKind, RmaState};
use crate::rules::{Account, AfterSaleError, Rma, Sale};

pub(crate) use pages::{FROM_THE_LATEST, Page, SaleRow, pages, rmas_of, sales_behind};

const SALE: Statement = Statement::pair(
    "after_sale.sale",
    "SELECT sale, account FROM after_sale_sale WHERE tenant = ?1 AND order_id = ?2 AND placed_at = ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, order_id, placed_at, n)
     CROSS JOIN LATERAL (
       SELECT sale, account FROM after_sale_sale
       WHERE tenant = item.tenant AND order_id = item.order_id AND placed_at = item.placed_at) AS found",
);
const NEW_SALE: Statement = Statement::pair(
    "after_sale.new_sale",
    "INSERT INTO after_sale_sale (tenant, order_id, placed_at, granted, sale, account) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    "INSERT INTO after_sale_sale (tenant, order_id, placed_at, granted, sale, account)
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6) ORDER BY 1, 2, 3",
);
const SAVE_ACCOUNT: Statement = Statement::pair(
    "after_sale.save_account",
    "UPDATE after_sale_sale SET granted = ?4, account = ?5 WHERE tenant = ?1 AND order_id = ?2 AND placed_at = ?3",
    "UPDATE after_sale_sale t SET granted = item.granted, account = item.account
     FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS item (tenant, order_id, placed_at, granted, account, n)
     WHERE t.tenant = item.tenant AND t.order_id = item.order_id AND t.placed_at = item.placed_at
     RETURNING item.n",
);
const RMA: Statement = Statement::pair(
    "after_sale.rma",
    "SELECT rma_id, order_id, placed_at, customer_id, currency, kind, state, document, given, opened_at, changed_at
     FROM after_sale_rma WHERE tenant = ?1 AND rma_id = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, rma_id, n)
     CROSS JOIN LATERAL (
       SELECT rma_id, order_id, placed_at, customer_id, currency, kind, state, document, given, opened_at, changed_at
       FROM after_sale_rma WHERE tenant = item.tenant AND rma_id = item.rma_id) AS found",
);
const NEW_RMA: Statement = Statement::pair(
    "after_sale.new_rma",
    "INSERT INTO after_sale_rma (tenant, rma_id, order_id, placed_at, customer_id, entry, currency, kind, state, gross,
                                 refund, given, document, opened_at, changed_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
     ON CONFLICT (tenant, rma_id) DO UPDATE SET order_id = excluded.order_id, placed_at = excluded.placed_at,
            customer_id = excluded.customer_id, entry = excluded.entry, currency = excluded.currency,
            kind = excluded.kind, state = excluded.state, gross = excluded.gross, refund = excluded.refund,
            given = excluded.given, document = excluded.document, opened_at = excluded.opened_at,
            changed_at = excluded.changed_at",
    "INSERT INTO after_sale_rma (tenant, rma_id, order_id, placed_at, customer_id, entry, currency, kind, state, gross,
                                 refund, given, document, opened_at, changed_at)
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ORDER BY 1, 2
     ON CONFLICT (tenant, rma_id) DO UPDATE SET order_id = excluded.order_id, placed_at = excluded.placed_at,
            customer_id = excluded.customer_id, entry = excluded.entry, currency = excluded.currency,
            kind = excluded.kind, state = excluded.state, gross = excluded.gross, refund = excluded.refund,
            given = excluded.given, document = excluded.document, opened_at = excluded.opened_at,
            changed_at = excluded.changed_at",
);
const SAVE_RMA: Statement = Statement::pair(
    "after_sale.save_rma",
    "UPDATE after_sale_rma SET state = ?3, gross = ?4, refund = ?5, given = ?6, document = ?7, changed_at = ?8
     WHERE tenant = ?1 AND rma_id = ?2",
    "UPDATE after_sale_rma t SET state = item.state, gross = item.gross, refund = item.refund, given = item.given,
         document = item.document, changed_at = item.changed_at
     FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) WITH ORDINALITY
       AS item (tenant, rma_id, state, gross, refund, given, document, changed_at, n)
     WHERE t.tenant = item.tenant AND t.rma_id = item.rma_id
     RETURNING item.n",
);

pub(crate) fn off(problem: impl std::fmt::Display) -> StoreError {
    StoreError::Value(format!("after-sale: {problem}"))
}

pub(crate) fn no_return(rma_id: &RmaId) -> StoreError {
    StoreError::Conflict(format!("there is no return `{rma_id}`"))
}

impl From<AfterSaleError> for StoreError {
    fn from(error: AfterSaleError) -> StoreError {
        let problem = format!("after-sale: {error}");
        match error {
            AfterSaleError::Proof(_) => StoreError::Contradiction(problem),
            AfterSaleError::AnotherProof => StoreError::Conflict(problem),
            AfterSaleError::NoLine(_) | AfterSaleError::Arithmetic(_) => StoreError::Value(problem),
        }
    }
}

pub(crate) fn written<T: Serialize>(document: &T) -> Result<String, StoreError> {
    serde_json::to_string(document).map_err(off)
}

pub(crate) fn read<T: DeserializeOwned>(document: &str) -> Result<T, StoreError> {
    serde_json::from_str(document).map_err(off)
}

/// The word of a kind or a state in its column: that of its JSON.
pub(crate) fn word<T: Serialize>(value: &T) -> Result<String, StoreError> {
    match serde_json::to_value(value).map_err(off)? {
        serde_json::Value::String(word) => Ok(word),
        other => Err(off(format!("{other} is no word"))),
    }
}

pub(crate) fn of_word<T: DeserializeOwned>(word: String) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(word)).map_err(off)
}

/// A sale's place. An order that was cancelled and placed again is another sale.
pub(crate) type SaleKey = (TenantId, OrderId, Timestamp);
/// A return's place.
pub(crate) type RmaKey = (TenantId, RmaId);

/// A sale with its account.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) sale: Sale,
    pub(crate) account: Account,
    /// Whether the row is there.
    pub(crate) is_stored: bool,
}

/// The sales at `keys`; those of which nothing was asked for yet are left out.
pub(crate) async fn load_sales(
    reader: &Reader<'_>,
    keys: BTreeSet<SaleKey>,
) -> Result<BTreeMap<SaleKey, Stored>, StoreError> {
    let params = keys.iter().map(|key| (&key.0, &key.1, key.2));
    let found: Vec<Option<(String, String)>> = reader.fetch_optional(&SALE, params).await?;
    let mut sales = BTreeMap::new();
    for (key, row) in keys.into_iter().zip(found) {
        if let Some((sale, account)) = row {
            sales.insert(key, Stored { sale: read(&sale)?, account: read(&account)?, is_stored: true });
        }
    }
    Ok(sales)
}

/// Writes accounts that changed: one statement a sale, however many returns of the batch were about it.
pub(crate) async fn save_sales(tx: &mut Tx<'_>, changed: &[(&SaleKey, &Stored)]) -> Result<(), StoreError> {
    let (mut new, mut known) = (Vec::new(), Vec::new());
    for (key, Stored { sale, account, is_stored }) in changed {
        let (granted, text) = (account.granted, written(account)?);
        if *is_stored {
            known.push((&key.0, &key.1, key.2, granted, text));
        } else {
            new.push((&key.0, &key.1, key.2, granted, written(sale)?, text));
        }
    }
    if !new.is_empty() {
        tx.execute(&NEW_SALE, new).await?;
    }
    if !known.is_empty() {
        tx.execute(&SAVE_ACCOUNT, known).await?;
    }
    Ok(())
}

/// A return's columns.
pub(crate) type RmaColumns =
    (RmaId, OrderId, Timestamp, CustomerId, String, String, String, String, Amount, Timestamp, Timestamp);

pub(crate) fn rma(columns: RmaColumns) -> Result<Rma, StoreError> {
    let (
        rma_id,
        order_id,
        placed_at,
        customer_id,
        currency,
        kind,
        state,
        document,
        given,
        opened_at,
        changed_at,
    ) = columns;
    Ok(Rma {
        rma_id,
        order_id,
        placed_at,
        customer_id,
        currency: currency.parse().map_err(off)?,
        kind: of_word::<RmaKind>(kind)?,
        state: of_word::<RmaState>(state)?,
        document: read(&document)?,
        given,
        opened_at,
        changed_at,
    })
}

/// The returns at `keys`; unknown ones are left out.
pub(crate) async fn load_rmas(
    reader: &Reader<'_>,
    keys: BTreeSet<RmaKey>,
) -> Result<BTreeMap<RmaKey, Rma>, StoreError> {
    let found: Vec<Option<RmaColumns>> =
        reader.fetch_optional(&RMA, keys.iter().map(|key| (&key.0, &key.1))).await?;
    let mut rmas = BTreeMap::new();
    for (key, row) in keys.into_iter().zip(found) {
        if let Some(columns) = row {
            rmas.insert(key, rma(columns)?);
        }
    }
    Ok(rmas)
}

/// What was granted for a return: nothing before that is settled.
fn granted(rma: &Rma) -> Amount {
    match rma.state {
        RmaState::Inspected | RmaState::Settled => rma.document.entitlement.gross,
        _ => Amount::ZERO,
    }
}

/// Stores new returns, with the time-ordered entry by which they are listed.
pub(crate) async fn insert_rmas(tx: &mut Tx<'_>, new: &[(TenantId, String, &Rma)]) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(new.len());
    for (tenant, entry, rma) in new {
        let amounts = (granted(rma), rma.document.entitlement.refund);
        rows.push((
            tenant,
            &rma.rma_id,
            &rma.order_id,
            rma.placed_at,
            &rma.customer_id,
            entry,
            rma.currency.code(),
            word(&rma.kind)?,
            word(&rma.state)?,
            amounts.0,
            amounts.1,
            rma.given,
            written(&rma.document)?,
            rma.opened_at,
            rma.changed_at,
        ));
    }
    if rows.is_empty() {
        return Ok(());
    }
    tx.execute(&NEW_RMA, rows).await.map(drop)
}

/// Writes returns that changed.
pub(crate) async fn save_rmas(tx: &mut Tx<'_>, changed: &[(&RmaKey, &Rma)]) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(changed.len());
    for (key, rma) in changed {
        let (state, document) = (word(&rma.state)?, written(&rma.document)?);
        let refund = rma.document.entitlement.refund;
        rows.push((&key.0, &key.1, state, granted(rma), refund, rma.given, document, rma.changed_at));
    }
    if rows.is_empty() {
        return Ok(());
    }
    tx.execute(&SAVE_RMA, rows).await.map(drop)
}
