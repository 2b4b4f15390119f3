//! `purchase_limit.give_back`: units that came back count no more, once for a paper, never more than the order counts.

use std::collections::{BTreeMap, BTreeSet};

use mortise_capability::{Call, Reply, StoreError, WriteOperation};
use mortise_store::Tx;
use mortise_types::{Applied, OrderId, Quantity, Sku, TenantId};

use super::claim::entry_key;
use crate::contract::{GiveBackInput, ReleaseOutput};
use crate::rules;
use crate::store::{self, Entry, ReturnKey, Standing, arithmetic};

pub(crate) struct GiveBackUnits;

fn paper(call: &Call<GiveBackInput>) -> ReturnKey<'_> {
    (&call.context.scope.tenant, &call.input.order_id, &call.input.reference)
}

impl WriteOperation for GiveBackUnits {
    type Input = GiveBackInput;
    type Output = ReleaseOutput;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<GiveBackInput>],
    ) -> Result<Vec<Reply<ReleaseOutput>>, StoreError> {
        let orders: BTreeSet<(&TenantId, &OrderId)> =
            calls.iter().map(|call| (&call.context.scope.tenant, &call.input.order_id)).collect();
        let mut entries = store::load_entries(tx, orders).await?;
        let claimed = entries.iter().flat_map(|((tenant, _), entry)| {
            entry.claims.iter().map(|claim| ((*tenant).clone(), claim.rule.clone()))
        });
        let targets = store::targets(tx, claimed.collect()).await?;
        let items: BTreeSet<(&TenantId, &Sku)> = calls
            .iter()
            .flat_map(|call| call.input.units.iter().map(|unit| (&call.context.scope.tenant, &unit.sku)))
            .collect();
        let groups = store::groups(tx, items).await?;
        let mut done = store::given_back(tx, calls.iter().map(paper).collect()).await?;
        let keys = entries.iter().flat_map(|((tenant, _), entry)| {
            entry.claims.iter().map(|claim| entry_key(tenant, entry, claim)).collect::<Vec<_>>()
        });
        let mut used = store::load_used(tx, keys.collect::<Vec<_>>()).await?;
        let (mut changed, mut papers) = (BTreeSet::new(), Vec::new());
        let mut touched: BTreeSet<(&TenantId, &OrderId)> = BTreeSet::new();
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let (tenant, order_id, _) = paper(call);
            let open = entries.get_mut(&(tenant, order_id)).filter(|entry| entry.standing == Standing::Open);
            let Some(entry) = open.filter(|_| !done.contains(&paper(call))) else {
                replies.push(Reply::done(ReleaseOutput { applied: Applied::Already }));
                continue;
            };
            let target = |rule: &str| targets.get(&(tenant.clone(), rule.to_owned()));
            let in_group = |sku: &Sku, group: &str| {
                groups.get(&(tenant, sku)).is_some_and(|names| names.iter().any(|name| name == group))
            };
            let lost =
                rules::give_back(&entry.claims, &call.input.units, target, in_group).map_err(arithmetic)?;
            for (index, lost) in lost.into_iter().enumerate().filter(|(_, lost)| *lost > Quantity::ZERO) {
                let key = entry_key(tenant, entry, &entry.claims[index]);
                let count = used.entry(key.clone()).or_default();
                *count = count.checked_sub(lost).map_err(arithmetic)?;
                changed.insert(key);
                let claim = &mut entry.claims[index];
                claim.quantity = claim.quantity.checked_sub(lost).map_err(arithmetic)?;
            }
            entry.claims.retain(|claim| !claim.quantity.is_zero());
            done.insert(paper(call));
            papers.push((paper(call), call.context.now));
            touched.insert((tenant, order_id));
            replies.push(Reply::done(ReleaseOutput { applied: Applied::Now }));
        }
        store::save_used(tx, &used, &changed).await?;
        let rows: BTreeMap<(&TenantId, &OrderId), &Entry> =
            touched.iter().filter_map(|key| Some((*key, entries.get(key)?))).collect();
        let rows: Vec<_> = rows.into_iter().map(|((tenant, order), entry)| (tenant, order, entry)).collect();
        store::save_claims(tx, &rows).await?;
        store::insert_returns(tx, &papers).await?;
        Ok(replies)
    }
}
