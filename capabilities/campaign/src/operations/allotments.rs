//! `campaign.take_allotment` and `campaign.return_allotment`. Many orders on one item are decided one after the other in
//! memory, and are one row update a batch: the last unit is given once, however many want it.

use std::collections::HashMap;

use mortise_capability::{Call, Reply, WriteOperation};
use mortise_store::{StoreError, Tx};
use mortise_types::{CampaignId, CustomerId, Quantity, RequestedLine, TenantId};

use super::{No, campaign_of, key};
use crate::contract::{
    ALLOTMENT_EXHAUSTED, ALREADY_TAKEN, AlreadyTaken, CAMPAIGN_CLOSED, NOT_IN_CAMPAIGN, ReturnAllotmentInput,
    Returned, TakeAllotmentInput, Taken,
};
use crate::rules::{self, Wanted};
use crate::store::{
    self, CampaignKey, Counted, CounterKey, Counters, Standing, Stored, TakenLine, Taking, arithmetic, off,
};

pub(crate) struct TakeAllotment;

pub(crate) struct ReturnAllotment;

/// What a basket wants of a campaign that it may enter now; what is left is not asked yet.
pub(super) fn without_counters<I>(
    stored: &HashMap<CampaignKey, Stored>,
    call: &Call<I>,
    campaign: &CampaignId,
    lines: &[RequestedLine],
) -> Result<Result<Vec<Wanted>, No>, StoreError> {
    let Stored { campaign, .. } = match campaign_of(stored, call, campaign) {
        Ok(found) => found,
        Err(no) => return Ok(Err(no)),
    };
    if let Err(closed) = rules::open_for(campaign, call.context.now) {
        return Ok(Err(No::new(CAMPAIGN_CLOSED, &closed)));
    }
    let sums = rules::summed(lines).map_err(arithmetic)?;
    if let Some((sku, units)) = sums.iter().find(|(_, units)| *units < Quantity::ONE) {
        return Err(off(format!("{units} units of {sku} are wanted: at least 1 is")));
    }
    Ok(rules::wanted(campaign, sums).map_err(|absent| No::new(NOT_IN_CAMPAIGN, &absent)))
}

/// The counters that decide about what is wanted: for all where there is a quota or anything to count, and for the
/// customer where one is limited.
pub(super) fn counter_keys<I>(
    call: &Call<I>,
    campaign: &CampaignId,
    customer_id: &CustomerId,
    wanted: &[Wanted],
) -> Vec<CounterKey> {
    let place = |wanted: &Wanted, customer_id: Option<&CustomerId>| CounterKey {
        tenant: call.context.scope.tenant.clone(),
        campaign: campaign.clone(),
        customer_id: customer_id.cloned(),
        sku: wanted.item.sku.clone(),
    };
    let of_all = wanted.iter().map(|wanted| place(wanted, None));
    let limited = wanted.iter().filter(|wanted| wanted.item.per_customer.is_some());
    of_all.chain(limited.map(|wanted| place(wanted, Some(customer_id)))).collect()
}

/// Whether all that is wanted is left.
pub(super) fn judged<I>(
    counters: &Counters,
    call: &Call<I>,
    campaign: &CampaignId,
    customer_id: &CustomerId,
    wanted: &[Wanted],
) -> Result<Result<(), No>, StoreError> {
    for wanted in wanted {
        let place = |customer_id: Option<&CustomerId>| CounterKey {
            tenant: call.context.scope.tenant.clone(),
            campaign: campaign.clone(),
            customer_id: customer_id.cloned(),
            sku: wanted.item.sku.clone(),
        };
        let (given, to_customer) = (counters.given(&place(None)), counters.given(&place(Some(customer_id))));
        if let Some(refusal) = rules::refusal(wanted, given, to_customer).map_err(arithmetic)? {
            return Ok(Err(No::new(ALLOTMENT_EXHAUSTED, &refusal.detail(campaign, wanted))));
        }
    }
    Ok(Ok(()))
}

impl WriteOperation for TakeAllotment {
    type Input = TakeAllotmentInput;
    type Output = Taken;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<TakeAllotmentInput>],
    ) -> Result<Vec<Reply<Taken>>, StoreError> {
        let stored = store::campaigns(tx, calls.iter().map(|call| key(call, &call.input.campaign))).await?;
        let mut takings = store::takings(tx, calls.iter().map(taking_key)).await?;
        let mut asked = Vec::with_capacity(calls.len());
        for call in calls {
            asked.push(without_counters(&stored, call, &call.input.campaign, &call.input.lines)?);
        }
        let keys = calls.iter().zip(&asked).flat_map(|(call, asked)| {
            let wanted = asked.as_ref().map(Vec::as_slice).unwrap_or_default();
            counter_keys(call, &call.input.campaign, &call.input.customer_id, wanted)
        });
        let mut counters = Counters::load(tx, keys.collect::<Vec<_>>()).await?;
        let (mut new, mut replies) = (Vec::new(), Vec::with_capacity(calls.len()));
        for (call, asked) in calls.iter().zip(asked) {
            let TakeAllotmentInput { holder, campaign, customer_id, .. } = &call.input;
            let taking_key = taking_key(call);
            let already = takings.get(&taking_key).is_some_and(|taking| taking.standing == Standing::Open);
            let wanted = match asked {
                Ok(_) if already => {
                    let detail = AlreadyTaken { holder: holder.clone(), campaign: campaign.clone() };
                    Err(No::new(ALREADY_TAKEN, &detail))
                }
                Ok(wanted) => judged(&counters, call, campaign, customer_id, &wanted)?.map(|()| wanted),
                Err(no) => Err(no),
            };
            let wanted = match wanted {
                Ok(wanted) => wanted,
                Err(no) => {
                    replies.push(no.reply()?);
                    continue;
                }
            };
            for key in counter_keys(call, campaign, customer_id, &wanted) {
                let units = wanted.iter().find(|wanted| wanted.item.sku == key.sku);
                counters.add(key, units.map_or(Quantity::ZERO, |wanted| wanted.units))?;
            }
            let units = Quantity::sum(wanted.iter().map(|wanted| wanted.units)).map_err(arithmetic)?;
            let lines = wanted.into_iter().map(taken_line).collect();
            let taking = Taking { customer_id: customer_id.clone(), lines, standing: Standing::Open };
            takings.insert(taking_key.clone(), taking.clone());
            new.push((taking_key, taking, call.context.now));
            replies.push(Reply::done(Taken { units }));
        }
        counters.save(tx).await?;
        store::insert_takings(tx, &new).await?;
        Ok(replies)
    }
}

fn taking_key(call: &Call<TakeAllotmentInput>) -> store::TakingKey {
    (call.context.scope.tenant.clone(), call.input.holder.clone(), call.input.campaign.clone())
}

fn taken_line(wanted: Wanted) -> TakenLine {
    let counted = match wanted.item.per_customer {
        Some(_) => Counted::ForTheCustomerToo,
        None => Counted::ForAll,
    };
    TakenLine::new(wanted.item.sku, wanted.units, counted)
}

/// The counters in which a taking stands, with its units.
fn counted(tenant: &TenantId, campaign: &CampaignId, taking: &Taking) -> Vec<(CounterKey, Quantity)> {
    let place = |line: &TakenLine, customer_id: Option<&CustomerId>| CounterKey {
        tenant: tenant.clone(),
        campaign: campaign.clone(),
        customer_id: customer_id.cloned(),
        sku: line.0.clone(),
    };
    let of_all = taking.lines.iter().map(|line| (place(line, None), line.1));
    let limited = taking.lines.iter().filter(|line| line.counts_for_the_customer());
    of_all.chain(limited.map(|line| (place(line, Some(&taking.customer_id)), line.1))).collect()
}

impl WriteOperation for ReturnAllotment {
    type Input = ReturnAllotmentInput;
    type Output = Returned;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<ReturnAllotmentInput>],
    ) -> Result<Vec<Reply<Returned>>, StoreError> {
        let key = |call: &Call<ReturnAllotmentInput>| {
            (call.context.scope.tenant.clone(), call.input.holder.clone(), call.input.campaign.clone())
        };
        let mut takings = store::takings(tx, calls.iter().map(key)).await?;
        let places = takings
            .iter()
            .flat_map(|((tenant, _, campaign), taking)| counted(tenant, campaign, taking))
            .map(|(place, _)| place);
        let mut counters = Counters::load(tx, places.collect::<Vec<_>>()).await?;
        let (mut returned, mut replies) = (Vec::new(), Vec::with_capacity(calls.len()));
        for call in calls {
            let key = key(call);
            let open = takings.get_mut(&key).filter(|taking| taking.standing == Standing::Open);
            let Some(taking) = open else {
                replies.push(Reply::done(Returned { units: Quantity::ZERO }));
                continue;
            };
            taking.standing = Standing::Returned;
            for (place, units) in counted(&key.0, &key.2, taking) {
                counters.add(place, units.checked_neg().map_err(arithmetic)?)?;
            }
            let units = Quantity::sum(taking.lines.iter().map(|line| line.1)).map_err(arithmetic)?;
            returned.push((key, call.context.now));
            replies.push(Reply::done(Returned { units }));
        }
        counters.save(tx).await?;
        store::return_takings(tx, &returned).await?;
        Ok(replies)
    }
}
