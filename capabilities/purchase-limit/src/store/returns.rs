//! Units that came back: which rules are about them, and what was given back before. It decides nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mortise_capability::StoreError;
use mortise_store::{Reader, Statement, Tx};
use mortise_types::{OrderId, Sku, TenantId, Timestamp};

use super::{Entry, off, stored_claims, target};
use crate::rules::Target;

/// Retired rules too: what was counted by one is given back by it.
const TARGET: Statement = Statement::pair(
    "purchase_limit.target",
    "SELECT target FROM purchase_limit_rule WHERE tenant = ?1 AND rule = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, rule, n)
     CROSS JOIN LATERAL (
       SELECT target FROM purchase_limit_rule WHERE tenant = item.tenant AND rule = item.rule) AS found",
);
const GROUPS: Statement = Statement::pair(
    "purchase_limit.groups",
    "SELECT item_group FROM purchase_limit_item WHERE tenant = ?1 AND sku = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, sku, n)
     CROSS JOIN LATERAL (
       SELECT item_group FROM purchase_limit_item WHERE tenant = item.tenant AND sku = item.sku) AS found",
);
const GIVEN_BACK: Statement = Statement::pair(
    "purchase_limit.given_back",
    "SELECT reference FROM purchase_limit_return WHERE tenant = ?1 AND order_id = ?2 AND reference = ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, order_id, reference, n)
     CROSS JOIN LATERAL (
       SELECT reference FROM purchase_limit_return
       WHERE tenant = item.tenant AND order_id = item.order_id AND reference = item.reference) AS found",
);
const NEW_RETURN: Statement = Statement::pair(
    "purchase_limit.new_return",
    "INSERT INTO purchase_limit_return (tenant, order_id, reference, given_back_at) VALUES (?1, ?2, ?3, ?4)",
    "INSERT INTO purchase_limit_return (tenant, order_id, reference, given_back_at)
     SELECT * FROM unnest($1, $2, $3, $4) ORDER BY 1, 2, 3",
);
const SET_CLAIMS: Statement = Statement::pair(
    "purchase_limit.set_claims",
    "UPDATE purchase_limit_claim SET claims = ?3 WHERE tenant = ?1 AND order_id = ?2",
    "UPDATE purchase_limit_claim t SET claims = item.claims
     FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, order_id, claims, n)
     WHERE t.tenant = item.tenant AND t.order_id = item.order_id
     RETURNING item.n",
);

/// What each rule is about; rules that are gone are left out.
pub(crate) async fn targets(
    reader: &Reader<'_>,
    rules: BTreeSet<(TenantId, String)>,
) -> Result<HashMap<(TenantId, String), Target>, StoreError> {
    let params = rules.iter().map(|(tenant, rule)| (tenant, rule.as_str()));
    let found: Vec<Option<(String,)>> = reader.fetch_optional(&TARGET, params).await?;
    let mut targets = HashMap::new();
    for (rule, row) in rules.into_iter().zip(found) {
        if let Some((word,)) = row {
            targets.insert(rule, target(&word)?);
        }
    }
    Ok(targets)
}

/// The groups that each item is in.
pub(crate) async fn groups<'a>(
    reader: &Reader<'_>,
    items: BTreeSet<(&'a TenantId, &'a Sku)>,
) -> Result<BTreeMap<(&'a TenantId, &'a Sku), Vec<String>>, StoreError> {
    let found: Vec<Vec<(String,)>> = reader.fetch_grouped(&GROUPS, items.iter().copied()).await?;
    let names = |rows: Vec<(String,)>| rows.into_iter().map(|(name,)| name).collect();
    Ok(items.into_iter().zip(found.into_iter().map(names)).collect())
}

/// A paper's place.
pub(crate) type ReturnKey<'a> = (&'a TenantId, &'a OrderId, &'a str);

/// Those of the papers whose units were given back.
pub(crate) async fn given_back<'a>(
    reader: &Reader<'_>,
    papers: BTreeSet<ReturnKey<'a>>,
) -> Result<BTreeSet<ReturnKey<'a>>, StoreError> {
    let found: Vec<Option<(String,)>> = reader.fetch_optional(&GIVEN_BACK, papers.iter().copied()).await?;
    Ok(papers.into_iter().zip(found).filter(|(_, row)| row.is_some()).map(|(paper, _)| paper).collect())
}

pub(crate) async fn insert_returns(
    tx: &mut Tx<'_>,
    papers: &[(ReturnKey<'_>, Timestamp)],
) -> Result<(), StoreError> {
    if papers.is_empty() {
        return Ok(());
    }
    let rows = papers.iter().map(|((tenant, order, reference), now)| (*tenant, *order, *reference, *now));
    tx.execute(&NEW_RETURN, rows).await.map(drop)
}

/// Writes what orders still claim.
pub(crate) async fn save_claims(
    tx: &mut Tx<'_>,
    entries: &[(&TenantId, &OrderId, &Entry)],
) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(entries.len());
    for (tenant, order_id, entry) in entries {
        rows.push((*tenant, *order_id, stored_claims(&entry.claims).map_err(off)?));
    }
    if rows.is_empty() {
        return Ok(());
    }
    tx.execute(&SET_CLAIMS, rows).await.map(drop)
}
