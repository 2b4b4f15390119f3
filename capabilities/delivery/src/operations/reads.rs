//! What can be read: a shipment with its way, a tenant's shipments.

use mortise_capability::{Call, ReadOperation, Reply};
use mortise_store::{Reader, StoreError};

use super::{key, unknown};
use crate::contract::{ListInput, Listed, ShipmentMeant, ShipmentView, Tracked, TrackingStep};
use crate::rules::Shipment;
use crate::store::{Shipments, Step, page, steps};

pub(crate) struct Track;

pub(crate) struct List;

impl ReadOperation for Track {
    type Input = ShipmentMeant;
    type Output = Tracked;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<ShipmentMeant>],
    ) -> Result<Vec<Reply<Tracked>>, StoreError> {
        let keys = || calls.iter().map(|call| key(call, &call.input.shipment_id));
        let mut shipments = Shipments::load(reader, keys()).await?;
        let ways = steps(reader, keys()).await?;
        calls
            .iter()
            .zip(ways)
            .map(|(call, way)| match shipments.get_mut(&key(call, &call.input.shipment_id)) {
                Some(shipment) => {
                    let steps = way.iter().map(step_view).collect();
                    Ok(Reply::done(Tracked { shipment: view(shipment), steps }))
                }
                None => unknown(&call.input.shipment_id),
            })
            .collect()
    }
}

impl ReadOperation for List {
    type Input = ListInput;
    type Output = Listed;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<ListInput>],
    ) -> Result<Vec<Reply<Listed>>, StoreError> {
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let shipments = page(reader, &call.context.scope.tenant, call.input.after.as_ref()).await?;
            replies.push(Reply::done(Listed { shipments: shipments.iter().map(view).collect() }));
        }
        Ok(replies)
    }
}

fn view(shipment: &Shipment) -> ShipmentView {
    ShipmentView {
        shipment_id: shipment.shipment_id.clone(),
        order_id: shipment.order_id.clone(),
        parcel_id: shipment.parcel_id.clone(),
        status: shipment.status.word().to_owned(),
        carrier_ref: shipment.carrier_ref.clone(),
        tracking_number: shipment.tracking_number.clone(),
        label_url: shipment.label_url.clone(),
        refusal: shipment.refusal.clone(),
        collect: shipment.collect,
        collected: shipment.collected,
        remitted: shipment.remitted,
        collect_currency: shipment.collect_currency,
        created_at: shipment.created_at,
    }
}

fn step_view(step: &Step) -> TrackingStep {
    TrackingStep { sequence: step.sequence, status: step.status.word().to_owned(), at: step.at }
}
