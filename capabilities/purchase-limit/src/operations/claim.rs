//! `purchase_limit.claim` counts orders against limits, checked once more where it is written; `purchase_limit.release`
//! takes an order's count back, once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use mortise_capability::{Call, Policies, Reply, StoreError, WriteOperation};
use mortise_store::Tx;
use mortise_types::{Applied, Quantity, TenantId};

use crate::contract::{
    AlreadyClaimed, Claim, ClaimInput, ClaimOutput, LimitExceeded, ReleaseInput, ReleaseOutput,
};
use crate::policy::PurchaseLimitPolicy;
use crate::rules::{Rule, UtcOffset, summed};
use crate::store::{self, Entry, NewEntry, Standing, UseKey, arithmetic};

pub(crate) struct ClaimLimits {
    pub(crate) policies: Arc<Policies>,
}

/// Counters and rules as a batch sees them.
struct Counters<'a> {
    rules: HashMap<(&'a TenantId, &'a str), Rule>,
    used: BTreeMap<UseKey, Quantity>,
    changed: BTreeSet<UseKey>,
}

impl WriteOperation for ClaimLimits {
    type Input = ClaimInput;
    type Output = ClaimOutput;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<ClaimInput>],
    ) -> Result<Vec<Reply<ClaimOutput>>, StoreError> {
        // Most orders have no limit that counts over time; they cost nothing here.
        let claiming = || calls.iter().filter(|call| !call.input.claims.is_empty());
        let orders = claiming().map(|call| (&call.context.scope.tenant, &call.input.order_id)).collect();
        let ids = claiming().flat_map(|call| {
            call.input.claims.iter().map(|claim| (&call.context.scope.tenant, claim.rule.as_str()))
        });
        let mut entries = store::load_entries(tx, orders).await?;
        let keys = claiming().flat_map(|call| call.input.claims.iter().map(|claim| use_key(call, claim)));
        let mut counters = Counters {
            rules: store::rules_by_id(tx, ids.collect()).await?,
            used: store::load_used(tx, keys).await?,
            changed: BTreeSet::new(),
        };
        let (mut new, mut replies) = (Vec::new(), Vec::with_capacity(calls.len()));
        for call in calls {
            if call.input.claims.is_empty() {
                replies.push(Reply::done(ClaimOutput { claimed: 0 }));
                continue;
            }
            let (tenant, order_id) = (&call.context.scope.tenant, &call.input.order_id);
            if entries.get(&(tenant, order_id)).is_some_and(|entry| entry.standing == Standing::Open) {
                let detail = AlreadyClaimed { order_id: order_id.clone() };
                replies.push(Reply::rejected("already_claimed", &detail)?);
                continue;
            }
            let chosen = self.policies.get::<PurchaseLimitPolicy>(&call.context.scope);
            let claims = summed(&call.input.claims).map_err(arithmetic)?;
            let offset = UtcOffset::minutes(chosen.policy.utc_offset_minutes);
            if let Some(refusal) = counters.claim(call, &claims, offset)? {
                replies.push(Reply::rejected("limit_exceeded", &refusal)?);
                continue;
            }
            replies.push(Reply::done(ClaimOutput { claimed: claims.len() as i64 }));
            let customer_id = &call.input.customer_id;
            let entry =
                Entry { customer_id: customer_id.clone(), claims: claims.clone(), standing: Standing::Open };
            entries.insert((tenant, order_id), entry);
            let policy_version = Arc::clone(&chosen.version);
            new.push(NewEntry {
                tenant,
                order_id,
                customer_id,
                claims,
                policy_version,
                now: call.context.now,
            });
        }
        store::save_used(tx, &counters.used, &counters.changed).await?;
        store::insert_entries(tx, &new).await?;
        Ok(replies)
    }
}

impl Counters<'_> {
    /// Counts all claims of an order, or none and says by which rule it was refused. A rule that was retired since the
    /// check refuses nobody; what was bought still counts.
    fn claim(
        &mut self,
        call: &Call<ClaimInput>,
        claims: &[Claim],
        offset: UtcOffset,
    ) -> Result<Option<LimitExceeded>, StoreError> {
        for claim in claims {
            if claim.quantity < Quantity::ONE {
                return Err(store::off(format!("{} units are claimed: at least 1 is", claim.quantity)));
            }
            let Some(rule) = self.rules.get(&(&call.context.scope.tenant, claim.rule.as_str())) else {
                continue;
            };
            let used = self.used.get(&use_key(call, claim)).copied().unwrap_or_default();
            let refusal =
                rule.refuses(used, claim.quantity, claim.window_start, offset).map_err(arithmetic)?;
            if refusal.is_some() {
                return Ok(refusal);
            }
        }
        for claim in claims {
            let key = use_key(call, claim);
            let used = self.used.entry(key.clone()).or_default();
            *used = used.checked_add(claim.quantity).map_err(arithmetic)?;
            self.changed.insert(key);
        }
        Ok(None)
    }
}

fn use_key(call: &Call<ClaimInput>, claim: &Claim) -> UseKey {
    UseKey {
        tenant: call.context.scope.tenant.clone(),
        customer_id: call.input.customer_id.clone(),
        rule: claim.rule.clone(),
        window_start: claim.window_start,
    }
}

pub(crate) struct ReleaseLimits;

impl WriteOperation for ReleaseLimits {
    type Input = ReleaseInput;
    type Output = ReleaseOutput;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<ReleaseInput>],
    ) -> Result<Vec<Reply<ReleaseOutput>>, StoreError> {
        let orders = calls.iter().map(|call| (&call.context.scope.tenant, &call.input.order_id)).collect();
        let mut entries = store::load_entries(tx, orders).await?;
        let keys: Vec<UseKey> = entries
            .iter()
            .flat_map(|((tenant, _), entry)| entry.claims.iter().map(|claim| entry_key(tenant, entry, claim)))
            .collect();
        let mut used = store::load_used(tx, keys).await?;
        let (mut changed, mut released) = (BTreeSet::new(), Vec::new());
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let order = (&call.context.scope.tenant, &call.input.order_id);
            let open = entries.get_mut(&order).filter(|entry| entry.standing == Standing::Open);
            let Some(entry) = open else {
                replies.push(Reply::done(ReleaseOutput { applied: Applied::Already }));
                continue;
            };
            entry.standing = Standing::Released;
            for claim in &entry.claims {
                let key = entry_key(order.0, entry, claim);
                let count = used.entry(key.clone()).or_default();
                *count = count.checked_sub(claim.quantity).map_err(arithmetic)?;
                changed.insert(key);
            }
            released.push((order.0, order.1, call.context.now));
            replies.push(Reply::done(ReleaseOutput { applied: Applied::Now }));
        }
        store::save_used(tx, &used, &changed).await?;
        store::release_entries(tx, &released).await?;
        Ok(replies)
    }
}

pub(super) fn entry_key(tenant: &TenantId, entry: &Entry, claim: &Claim) -> UseKey {
    UseKey {
        tenant: tenant.clone(),
        customer_id: entry.customer_id.clone(),
        rule: claim.rule.clone(),
        window_start: claim.window_start,
    }
}
