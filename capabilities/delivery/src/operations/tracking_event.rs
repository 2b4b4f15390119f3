//! `delivery.record_tracking_event`: what a verified webhook says, taken once, in whatever order it comes.

use mortise_capability::{Call, Reply, WriteOperation};
use mortise_store::{StoreError, Tx};

use super::{key, unknown};
use crate::contract::{Applied, AppliedOnce, ShipmentNews, TrackingEvent, TrackingStatus};
use crate::rules::{Learnt, Shipment, Status};
use crate::store::{Shipments, Step, take_events};

pub(crate) struct RecordTrackingEvent;

impl WriteOperation for RecordTrackingEvent {
    type Input = TrackingEvent;
    type Output = AppliedOnce;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<TrackingEvent>],
    ) -> Result<Vec<Reply<AppliedOnce>>, StoreError> {
        let mut shipments =
            Shipments::load(tx, calls.iter().map(|call| key(call, &call.input.shipment_id))).await?;
        let known: Vec<bool> = calls
            .iter()
            .map(|call| shipments.get_mut(&key(call, &call.input.shipment_id)).is_some())
            .collect();
        let events =
            calls.iter().zip(&known).filter(|(_, known)| **known).map(|(call, _)| {
                (&call.context.scope.tenant, call.input.event_id.as_str(), call.context.now)
            });
        let mut is_new = take_events(tx, events).await?.into_iter();
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let key = key(call, &call.input.shipment_id);
            let Some(shipment) = shipments.get_mut(&key) else {
                replies.push(unknown(&call.input.shipment_id)?);
                continue;
            };
            if is_new.next() != Some(true) {
                replies.push(Reply::done(AppliedOnce { applied: Applied::Already }));
                continue;
            }
            let status = status(call.input.status);
            replies.push(take(shipment, status, &call.input)?);
            shipments.add_step(key, Step { sequence: call.input.sequence, status, at: call.input.at });
        }
        shipments.save(tx).await?;
        Ok(replies)
    }
}

fn take(
    shipment: &mut Shipment,
    status: Status,
    event: &TrackingEvent,
) -> Result<Reply<AppliedOnce>, StoreError> {
    shipment.carrier_ref.get_or_insert_with(|| event.carrier_ref.clone());
    let learnt = shipment.learn(status, event.sequence);
    if let Some(collected) = event.collected {
        shipment.collected = collected;
    }
    let news = ShipmentNews {
        shipment_id: shipment.shipment_id.clone(),
        order_id: shipment.order_id.clone(),
        parcel_id: shipment.parcel_id.clone(),
        status: status.word().to_owned(),
        at: event.at,
        collect: shipment.collect,
        collected: shipment.collected,
    };
    let reply = Reply::done(AppliedOnce { applied: Applied::Now });
    if shipment.tell_delivered(status) {
        return reply.emit("delivery.delivered", &news);
    }
    if shipment.tell_refused(status) {
        return reply.emit("delivery.refused", &news);
    }
    match (learnt, status) {
        (Learnt::Late, _) => Ok(reply),
        (Learnt::Moved, Status::Exception) => reply.emit("delivery.exception", &news),
        (Learnt::Moved, Status::Returned) => reply.emit("delivery.returned", &news),
        (Learnt::Moved, _) => reply.emit("delivery.moved", &news),
    }
}

const fn status(reported: TrackingStatus) -> Status {
    match reported {
        TrackingStatus::PickedUp => Status::PickedUp,
        TrackingStatus::InTransit => Status::InTransit,
        TrackingStatus::OutForDelivery => Status::OutForDelivery,
        TrackingStatus::Delivered => Status::Delivered,
        TrackingStatus::Exception => Status::Exception,
        TrackingStatus::RefusedAtDoor => Status::RefusedAtDoor,
        TrackingStatus::Returning => Status::Returning,
        TrackingStatus::Returned => Status::Returned,
        TrackingStatus::Cancelled => Status::Cancelled,
    }
}
