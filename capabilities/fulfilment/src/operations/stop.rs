//! `fulfilment.stop` and `fulfilment.resume`: what nobody has packed yet is not packed. Whoever asked for a parcel and
//! waits for it to be packed is told; what is packed already goes its way.

use std::collections::{BTreeMap, BTreeSet};

use mortise_capability::{Call, Reply, StoreError, WriteOperation};
use mortise_store::Tx;
use mortise_types::{Applied, OrderId, Parcel, PickListId, TenantId};

use crate::contract::{Changed, Progressed, ResumeInput, StopInput, Stopped};
use crate::store::{PickListKey, stop};

/// The code of `fulfilment.stop`.
pub(crate) struct Stop;
/// The code of `fulfilment.resume`.
pub(crate) struct Resume;

impl WriteOperation for Stop {
    type Input = StopInput;
    type Output = Stopped;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<StopInput>],
    ) -> Result<Vec<Reply<Stopped>>, StoreError> {
        let key = |call: &Call<StopInput>| -> (TenantId, OrderId) {
            (call.context.scope.tenant.clone(), call.input.order_id.clone())
        };
        let orders: BTreeSet<(TenantId, OrderId)> = calls.iter().map(key).collect();
        let found = stop::requested(tx, &orders).await?;
        let mut requested: BTreeMap<(TenantId, OrderId), Vec<(PickListId, Parcel)>> =
            orders.into_iter().zip(found).collect();
        let (mut stopped, mut replies) = (Vec::new(), Vec::with_capacity(calls.len()));
        for call in calls {
            let wanted = &call.input.parcels;
            let lists = requested.entry(key(call)).or_default();
            let hit =
                |list: &mut (PickListId, Parcel)| wanted.is_empty() || wanted.contains(&list.1.parcel_id);
            let taken: Vec<(PickListId, Parcel)> = lists.extract_if(.., hit).collect();
            let tenant = &call.context.scope.tenant;
            let keys = taken.iter().map(|(list, _)| ((tenant.clone(), list.clone()), call.context.now));
            stopped.extend(keys);
            replies.push(told(call, taken)?);
        }
        stop::stop(tx, &stopped).await?;
        Ok(replies)
    }
}

fn told(call: &Call<StopInput>, taken: Vec<(PickListId, Parcel)>) -> Result<Reply<Stopped>, StoreError> {
    let news: Vec<Progressed> = taken
        .iter()
        .map(|(pick_list_id, parcel)| Progressed {
            pick_list_id: pick_list_id.clone(),
            order_id: call.input.order_id.clone(),
            parcel_id: parcel.parcel_id.clone(),
            location: parcel.location.clone(),
            at: call.context.now,
        })
        .collect();
    let (pick_lists, stopped) = taken.into_iter().unzip();
    let reply = Reply::done(Stopped { stopped, pick_lists });
    news.iter().try_fold(reply, |reply, news| reply.emit("fulfilment.stopped", news))
}

impl WriteOperation for Resume {
    type Input = ResumeInput;
    type Output = Changed;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<ResumeInput>],
    ) -> Result<Vec<Reply<Changed>>, StoreError> {
        let keys: Vec<PickListKey> = calls
            .iter()
            .flat_map(|call| {
                let tenant = &call.context.scope.tenant;
                call.input.pick_lists.iter().map(move |list| (tenant.clone(), list.clone()))
            })
            .collect();
        let mut resumed = stop::resume(tx, &keys).await?.into_iter();
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let own: Vec<bool> = resumed.by_ref().take(call.input.pick_lists.len()).collect();
            let applied = if own.contains(&true) { Applied::Now } else { Applied::Already };
            replies.push(Reply::done(Changed { applied }));
        }
        Ok(replies)
    }
}
