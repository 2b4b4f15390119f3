//! Rules, counters and the ledger by order: loaded and saved for a whole batch. It decides nothing.

mod returns;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mortise_capability::StoreError;
use mortise_store::{Reader, Statement, Tx};
use mortise_types::{ArithmeticError, BusinessLine, CustomerId, OrderId, Quantity, Sku, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::contract::{Claim, Period};
use crate::rules::{Rule, Target};

pub(crate) use returns::{ReturnKey, given_back, groups, insert_returns, save_claims, targets};

const RULES_OF_ITEM: Statement = Statement::pair(
    "purchase_limit.rules_of_item",
    "SELECT rule, target, business_line, period, most, valid_from, valid_until FROM purchase_limit_rule
     WHERE tenant = ?1 AND target IN ('all', 'sku:' || ?2) AND state = 'active'
     UNION ALL
     SELECT r.rule, r.target, r.business_line, r.period, r.most, r.valid_from, r.valid_until
     FROM purchase_limit_item i CROSS JOIN purchase_limit_rule r
     WHERE i.tenant = ?1 AND i.sku = ?2
       AND r.tenant = i.tenant AND r.target = 'group:' || i.item_group AND r.state = 'active'",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, sku, n)
     CROSS JOIN LATERAL (
       SELECT rule, target, business_line, period, most, valid_from, valid_until FROM purchase_limit_rule
       WHERE tenant = item.tenant AND target IN ('all', 'sku:' || item.sku) AND state = 'active'
       UNION ALL
       SELECT r.rule, r.target, r.business_line, r.period, r.most, r.valid_from, r.valid_until
       FROM purchase_limit_item i CROSS JOIN purchase_limit_rule r
       WHERE i.tenant = item.tenant AND i.sku = item.sku
       AND r.tenant = i.tenant AND r.target = 'group:' || i.item_group AND r.state = 'active') AS found",
);
const RULE: Statement = Statement::pair(
    "purchase_limit.rule",
    "SELECT rule, target, business_line, period, most, valid_from, valid_until FROM purchase_limit_rule
     WHERE tenant = ?1 AND rule = ?2 AND state = 'active'",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, rule, n)
     CROSS JOIN LATERAL (
       SELECT rule, target, business_line, period, most, valid_from, valid_until FROM purchase_limit_rule
       WHERE tenant = item.tenant AND rule = item.rule AND state = 'active') AS found",
);
const USED: Statement = Statement::pair(
    "purchase_limit.used",
    "SELECT used FROM purchase_limit_use WHERE tenant = ?1 AND customer_id = ?2 AND rule = ?3 AND window_start = ?4",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4)
       WITH ORDINALITY AS item (tenant, customer_id, rule, window_start, n)
     CROSS JOIN LATERAL (
       SELECT used FROM purchase_limit_use
       WHERE tenant = item.tenant AND customer_id = item.customer_id AND rule = item.rule
         AND window_start = item.window_start) AS found",
);
const SET_USED: Statement = Statement::pair(
    "purchase_limit.set_used",
    "INSERT INTO purchase_limit_use (tenant, customer_id, rule, window_start, used) VALUES (?1, ?2, ?3, ?4, ?5)
     ON CONFLICT (tenant, customer_id, rule, window_start) DO UPDATE SET used = excluded.used",
    "INSERT INTO purchase_limit_use (tenant, customer_id, rule, window_start, used)
     SELECT * FROM unnest($1, $2, $3, $4, $5) ORDER BY 1, 2, 3, 4
     ON CONFLICT (tenant, customer_id, rule, window_start) DO UPDATE SET used = excluded.used",
);
const CLAIMED: Statement = Statement::pair(
    "purchase_limit.claimed",
    "SELECT customer_id, claims, state FROM purchase_limit_claim WHERE tenant = ?1 AND order_id = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, order_id, n)
     CROSS JOIN LATERAL (
       SELECT customer_id, claims, state FROM purchase_limit_claim
       WHERE tenant = item.tenant AND order_id = item.order_id) AS found",
);
const NEW_CLAIM: Statement = Statement::pair(
    "purchase_limit.new_claim",
    "INSERT INTO purchase_limit_claim
       (tenant, order_id, customer_id, claims, state, policy_version, claimed_at, released_at)
     VALUES (?1, ?2, ?3, ?4, 'open', ?5, ?6, NULL)
     ON CONFLICT (tenant, order_id) DO UPDATE
     SET customer_id = excluded.customer_id, claims = excluded.claims, state = 'open',
         policy_version = excluded.policy_version, claimed_at = excluded.claimed_at, released_at = NULL",
    "INSERT INTO purchase_limit_claim (tenant, order_id, customer_id, claims, state, policy_version,
         claimed_at, released_at)
     SELECT tenant, order_id, customer_id, claims, 'open', policy_version, claimed_at, NULL
     FROM unnest($1, $2, $3, $4, $5, $6)
       AS item (tenant, order_id, customer_id, claims, policy_version, claimed_at)
     ORDER BY 1, 2
     ON CONFLICT (tenant, order_id) DO UPDATE
       SET customer_id = excluded.customer_id, claims = excluded.claims, state = 'open',
       policy_version = excluded.policy_version, claimed_at = excluded.claimed_at, released_at = NULL",
);
const RELEASE_CLAIM: Statement = Statement::pair(
    "purchase_limit.release_claim",
    "UPDATE purchase_limit_claim SET state = 'released', released_at = ?3 WHERE tenant = ?1 AND order_id = ?2",
    "UPDATE purchase_limit_claim t SET state = 'released', released_at = item.released_at
     FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, order_id, released_at, n)
     WHERE t.tenant = item.tenant AND t.order_id = item.order_id
     RETURNING item.n",
);

type RuleColumns = (String, String, Option<String>, String, Quantity, Option<Timestamp>, Option<Timestamp>);

pub(crate) fn off(problem: impl std::fmt::Display) -> StoreError {
    StoreError::Value(format!("purchase limit: {problem}"))
}

pub(crate) fn arithmetic(error: ArithmeticError) -> StoreError {
    off(error)
}

/// The word of a target in its column.
pub(crate) fn target_word(target: &Target) -> String {
    match target {
        Target::All => "all".to_owned(),
        Target::Item(sku) => format!("sku:{sku}"),
        Target::Group(group) => format!("group:{group}"),
    }
}

fn target(word: &str) -> Result<Target, StoreError> {
    if word == "all" {
        Ok(Target::All)
    } else if let Some(sku) = word.strip_prefix("sku:") {
        Sku::new(sku).map(Target::Item).map_err(off)
    } else if let Some(group) = word.strip_prefix("group:") {
        Ok(Target::Group(group.to_owned()))
    } else {
        Err(off(format!("`{word}` is no target of a rule")))
    }
}

/// The word of a period in its column.
pub(crate) const fn period_word(period: Period) -> &'static str {
    match period {
        Period::Order => "order",
        Period::Day => "day",
        Period::Week => "week",
        Period::Month => "month",
        Period::Always => "always",
    }
}

fn rule(columns: RuleColumns) -> Result<Rule, StoreError> {
    let (rule, about, business_line, period, most, valid_from, valid_until) = columns;
    let all = [Period::Order, Period::Day, Period::Week, Period::Month, Period::Always];
    let found = all.into_iter().find(|known| period_word(*known) == period);
    Ok(Rule {
        rule,
        target: target(&about)?,
        business_line: business_line.map(BusinessLine::new).transpose().map_err(off)?,
        period: found.ok_or_else(|| off(format!("`{period}` is no period")))?,
        most,
        valid_from,
        valid_until,
    })
}

/// The active rules about each item.
pub(crate) async fn rules_of_items<'a>(
    reader: &Reader<'_>,
    items: BTreeSet<(&'a TenantId, &'a Sku)>,
) -> Result<HashMap<(&'a TenantId, &'a Sku), Vec<Rule>>, StoreError> {
    let found: Vec<Vec<RuleColumns>> = reader.fetch_grouped(&RULES_OF_ITEM, items.iter().copied()).await?;
    let mut rules = HashMap::with_capacity(items.len());
    for (item, rows) in items.into_iter().zip(found) {
        if !rows.is_empty() {
            rules.insert(item, rows.into_iter().map(rule).collect::<Result<Vec<_>, _>>()?);
        }
    }
    Ok(rules)
}

/// The active rules of these ids.
pub(crate) async fn rules_by_id<'a>(
    reader: &Reader<'_>,
    ids: BTreeSet<(&'a TenantId, &'a str)>,
) -> Result<HashMap<(&'a TenantId, &'a str), Rule>, StoreError> {
    let found: Vec<Option<RuleColumns>> = reader.fetch_optional(&RULE, ids.iter().copied()).await?;
    let mut rules = HashMap::with_capacity(ids.len());
    for (id, row) in ids.into_iter().zip(found) {
        if let Some(row) = row {
            rules.insert(id, rule(row)?);
        }
    }
    Ok(rules)
}

/// A counter's place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct UseKey {
    pub(crate) tenant: TenantId,
    pub(crate) customer_id: CustomerId,
    pub(crate) rule: String,
    pub(crate) window_start: Timestamp,
}

/// The counters at `keys`; zero where nothing was bought.
pub(crate) async fn load_used(
    reader: &Reader<'_>,
    keys: impl IntoIterator<Item = UseKey>,
) -> Result<BTreeMap<UseKey, Quantity>, StoreError> {
    let keys: BTreeSet<UseKey> = keys.into_iter().collect();
    let params = keys.iter().map(|key| (&key.tenant, &key.customer_id, key.rule.as_str(), key.window_start));
    let found: Vec<Option<(Quantity,)>> = reader.fetch_optional(&USED, params).await?;
    let used = found.into_iter().map(|row| row.map_or(Quantity::ZERO, |(used,)| used));
    Ok(keys.into_iter().zip(used).collect())
}

/// Writes the counters of `changed`: one statement a counter, however many orders met there.
pub(crate) async fn save_used(
    tx: &mut Tx<'_>,
    used: &BTreeMap<UseKey, Quantity>,
    changed: &BTreeSet<UseKey>,
) -> Result<(), StoreError> {
    if changed.is_empty() {
        return Ok(());
    }
    let rows = used.iter().filter(|(key, _)| changed.contains(*key));
    let rows =
        rows.map(|(key, used)| (&key.tenant, &key.customer_id, key.rule.as_str(), key.window_start, *used));
    tx.execute(&SET_USED, rows).await.map(drop)
}

/// Whether an order's claims count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Open,
    Released,
}

/// An order's entry in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) customer_id: CustomerId,
    pub(crate) claims: Vec<Claim>,
    pub(crate) standing: Standing,
}

/// As a claim is stored: `["rule", window_start, units]`.
#[derive(Serialize, Deserialize)]
struct StoredClaim(String, i64, Quantity);

fn stored_claims(claims: &[Claim]) -> Result<String, serde_json::Error> {
    let stored = claims.iter();
    let stored: Vec<StoredClaim> = stored
        .map(|claim| StoredClaim(claim.rule.clone(), claim.window_start.as_millis(), claim.quantity))
        .collect();
    serde_json::to_string(&stored)
}

/// The ledger's entries of these orders; orders without one are left out.
pub(crate) async fn load_entries<'a>(
    reader: &Reader<'_>,
    orders: BTreeSet<(&'a TenantId, &'a OrderId)>,
) -> Result<HashMap<(&'a TenantId, &'a OrderId), Entry>, StoreError> {
    let found: Vec<Option<(CustomerId, String, String)>> =
        reader.fetch_optional(&CLAIMED, orders.iter().copied()).await?;
    let mut entries = HashMap::with_capacity(orders.len());
    for (order, row) in orders.into_iter().zip(found) {
        let Some((customer_id, claims, state)) = row else { continue };
        let claims: Vec<StoredClaim> = serde_json::from_str(&claims).map_err(off)?;
        let claims = claims.into_iter().map(|StoredClaim(rule, window_start, quantity)| Claim {
            rule,
            window_start: Timestamp::from_millis(window_start),
            quantity,
        });
        let standing = match state.as_str() {
            "open" => Standing::Open,
            "released" => Standing::Released,
            other => return Err(off(format!("`{other}` is no state of a claim"))),
        };
        entries.insert(order, Entry { customer_id, claims: claims.collect(), standing });
    }
    Ok(entries)
}

/// An entry to write.
pub(crate) struct NewEntry<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) order_id: &'a OrderId,
    pub(crate) customer_id: &'a CustomerId,
    pub(crate) claims: Vec<Claim>,
    pub(crate) policy_version: std::sync::Arc<str>,
    pub(crate) now: Timestamp,
}

pub(crate) async fn insert_entries(tx: &mut Tx<'_>, entries: &[NewEntry<'_>]) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(entries.len());
    for entry in entries {
        let claims = stored_claims(&entry.claims).map_err(off)?;
        rows.push((
            entry.tenant,
            entry.order_id,
            entry.customer_id,
            claims,
            &entry.policy_version,
            entry.now,
        ));
    }
    if rows.is_empty() {
        return Ok(());
    }
    tx.execute(&NEW_CLAIM, rows).await.map(drop)
}

pub(crate) async fn release_entries(
    tx: &mut Tx<'_>,
    orders: &[(&TenantId, &OrderId, Timestamp)],
) -> Result<(), StoreError> {
    if orders.is_empty() {
        return Ok(());
    }
    tx.execute(&RELEASE_CLAIM, orders.iter().copied()).await.map(drop)
}
