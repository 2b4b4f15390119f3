//! Promotions as they were compiled, by business line: read again only when the tenant's version has changed. The version
//! is read in the snapshot of the call, so that a call sees the promotions of its own moment.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use mortise_capability::StoreError;
use mortise_store::Reader;
use mortise_types::{BusinessLine, CouponCode, Scope, TenantId};

use crate::contract::Status;
use crate::rules::{Benefit, Promotion};
use crate::store;

/// The promotions of a business line.
#[derive(Debug)]
pub(crate) struct Compiled {
    version: i64,
    /// In the order of their turns.
    pub(crate) promotions: Vec<Promotion>,
    /// Live promotions that are for named items only, by item; and all other live ones. Both by position.
    by_sku: HashMap<String, Vec<usize>>,
    for_any: Vec<usize>,
    /// Whether a live one takes from a sheet.
    pub(crate) has_sheets: bool,
    /// Whether a live one selects by facts about items.
    pub(crate) asks_for_facts: bool,
}

/// What was compiled so far.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    by_line: RwLock<HashMap<(TenantId, BusinessLine), Arc<Compiled>>>,
}

fn key(scope: &Scope) -> (TenantId, BusinessLine) {
    (scope.tenant.clone(), scope.line.clone())
}

impl Cache {
    /// The promotions of each scope, as the reader's snapshot has them.
    pub(crate) async fn get(
        &self,
        reader: &Reader<'_>,
        scopes: &[&Scope],
    ) -> Result<Vec<Arc<Compiled>>, StoreError> {
        let mut tenants: Vec<&str> = scopes.iter().map(|scope| scope.tenant.as_str()).collect();
        tenants.sort_unstable();
        tenants.dedup();
        let versions = store::versions(reader, &tenants).await?;
        let version: HashMap<&str, i64> = tenants.iter().copied().zip(versions).collect();
        let mut found: HashMap<(TenantId, BusinessLine), Arc<Compiled>> = HashMap::new();
        let mut missing: Vec<&Scope> = Vec::new();
        {
            let known = self.by_line.read().unwrap_or_else(PoisonError::into_inner);
            for scope in scopes {
                let key = key(scope);
                match known.get(&key).filter(|compiled| version[scope.tenant.as_str()] == compiled.version) {
                    Some(compiled) => drop(found.insert(key, Arc::clone(compiled))),
                    None if missing
                        .iter()
                        .any(|other| other.tenant == scope.tenant && other.line == scope.line) => {}
                    None => missing.push(scope),
                }
            }
        }
        if !missing.is_empty() {
            let loaded = store::promotions(reader, &missing).await?;
            for (scope, promotions) in missing.into_iter().zip(loaded) {
                let compiled = Arc::new(Compiled::new(version[scope.tenant.as_str()], promotions));
                self.keep(key(scope), &compiled);
                found.insert(key(scope), compiled);
            }
        }
        Ok(scopes.iter().map(|scope| Arc::clone(&found[&key(scope)])).collect())
    }

    /// A snapshot may be older than what another call has compiled meanwhile: the newer stays.
    fn keep(&self, key: (TenantId, BusinessLine), compiled: &Arc<Compiled>) {
        let mut known = self.by_line.write().unwrap_or_else(PoisonError::into_inner);
        let kept = known.entry(key).or_insert_with(|| Arc::clone(compiled));
        if kept.version < compiled.version {
            *kept = Arc::clone(compiled);
        }
    }
}

impl Compiled {
    fn new(version: i64, mut promotions: Vec<Promotion>) -> Self {
        promotions.sort_by(|a, b| a.turn().cmp(&b.turn()));
        let mut by_sku: HashMap<String, Vec<usize>> = HashMap::new();
        let mut for_any = Vec::new();
        let is_live = |promotion: &Promotion| promotion.status == Status::Live;
        for (position, promotion) in promotions.iter().enumerate().filter(|(_, promotion)| is_live(promotion))
        {
            if promotion.selection.names_items_only() {
                for sku in &promotion.selection.skus {
                    by_sku.entry(sku.clone()).or_default().push(position);
                }
            } else {
                for_any.push(position);
            }
        }
        let live = || promotions.iter().filter(|promotion| is_live(promotion));
        Compiled {
            version,
            has_sheets: live().any(|promotion| promotion.benefit == Benefit::Sheet),
            asks_for_facts: live().any(|promotion| promotion.selection.asks_for_facts()),
            promotions,
            by_sku,
            for_any,
        }
    }

    /// The promotions that may be for an order of these items, in the order of their turns: an order pays for those, and
    /// not for all that are live. What a coupon opens is among them, so that its fate is told.
    pub(crate) fn concerning<'a>(
        &'a self,
        skus: impl Iterator<Item = &'a str>,
        opened: &HashMap<&str, &CouponCode>,
    ) -> Vec<&'a Promotion> {
        let named = skus.filter_map(|sku| self.by_sku.get(sku)).flatten();
        let mut positions: Vec<usize> = self.for_any.iter().chain(named).copied().collect();
        if !opened.is_empty() {
            let promotions = self.promotions.iter().enumerate();
            let by_coupon = promotions.filter(|(_, promotion)| opened.contains_key(promotion.id.as_str()));
            positions.extend(by_coupon.map(|(position, _)| position));
        }
        positions.sort_unstable();
        positions.dedup();
        positions.into_iter().map(|position| &self.promotions[position]).collect()
    }
}
