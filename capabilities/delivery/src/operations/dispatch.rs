//! `delivery.dispatch`: the row, its id and with it the idempotency key stand before the carrier is asked.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use mortise_capability::{
    Call, Intended, Policies, RemoteOperation, Reply, SendContext, Settling, Unanswered,
};
use mortise_store::{StoreError, Tx};
use mortise_types::{Address, Amount, IdSource, LocationId, ShipmentId, Sku, TenantId};

use super::{key, too_large};
use crate::carrier::{Carrier, CarrierRequest, Cash, DispatchAnswer};
use crate::contract::{CarrierRefused, DispatchInput, Dispatched, ShipmentMeant};
use crate::policy::DeliveryPolicy;
use crate::rules::{Shipment, Status, parcel_grams};
use crate::store::{Shipments, origins, weights};

pub(crate) struct Dispatch {
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) policies: Arc<Policies>,
    pub(crate) carrier: Arc<dyn Carrier>,
    pub(crate) direction: Direction,
}

/// Which way parcels go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From their location to an address.
    Out,
    /// From an address back to their location.
    Back,
}

/// What a batch's requests are made of.
struct Known {
    origins: HashMap<(TenantId, LocationId), Address>,
    grams: HashMap<TenantId, HashMap<Sku, i64>>,
}

impl Known {
    async fn load(tx: &Tx<'_>, calls: &[Call<DispatchInput>]) -> Result<Known, StoreError> {
        let tenant = |call: &Call<DispatchInput>| call.context.scope.tenant.clone();
        let places: BTreeSet<_> =
            calls.iter().map(|call| (tenant(call), call.input.parcel.location.clone())).collect();
        let places: Vec<_> = places.into_iter().collect();
        let found = origins(tx, &places).await?;
        let origins =
            places.into_iter().zip(found).filter_map(|(place, address)| Some((place, address?))).collect();
        let skus: BTreeSet<(TenantId, Sku)> = calls
            .iter()
            .flat_map(|call| call.input.parcel.items.iter().map(move |item| (tenant(call), item.sku.clone())))
            .collect();
        let skus: Vec<_> = skus.into_iter().collect();
        let mut grams: HashMap<TenantId, HashMap<Sku, i64>> = HashMap::new();
        let found = weights(tx, &skus).await?;
        for ((tenant, sku), weight) in skus.into_iter().zip(found) {
            grams.entry(tenant).or_default().extend(weight.map(|weight| (sku, weight)));
        }
        Ok(Known { origins, grams })
    }
}

impl Dispatch {
    /// What the carrier will be asked; `None` when nobody said where the location is.
    fn asked(&self, call: &Call<DispatchInput>, known: &Known) -> Result<Option<CarrierRequest>, StoreError> {
        let Call { context, input } = call;
        let tenant = &context.scope.tenant;
        let Some(origin) = known.origins.get(&(tenant.clone(), input.parcel.location.clone())) else {
            return Ok(None);
        };
        let default_grams =
            i64::from(self.policies.get::<DeliveryPolicy>(&context.scope).policy.default_weight_grams);
        let none = HashMap::new();
        let grams = known.grams.get(tenant).unwrap_or(&none);
        let (from, to) = match self.direction {
            Direction::Out => (origin, &input.ship_to),
            Direction::Back => (&input.ship_to, origin),
        };
        let shipment_id = ShipmentId::new(format!("shp-{}", self.ids.next().simple()));
        Ok(Some(CarrierRequest {
            shipment_id: shipment_id.map_err(|error| StoreError::Value(error.to_string()))?,
            order_id: input.order_id.clone(),
            parcel_id: input.parcel.parcel_id.clone(),
            from: from.clone(),
            to: to.clone(),
            items: input.parcel.items.clone(),
            collect: input
                .collect
                .filter(|collect| collect.amount.minor() > 0)
                .map(|collect| Cash { amount: collect.amount, currency: collect.currency }),
            weight_grams: parcel_grams(&input.parcel, grams, default_grams).map_err(too_large)?,
        }))
    }
}

fn requested(asked: &CarrierRequest, call: &Call<DispatchInput>) -> Result<Shipment, StoreError> {
    Ok(Shipment {
        shipment_id: asked.shipment_id.clone(),
        order_id: asked.order_id.clone(),
        parcel_id: asked.parcel_id.clone(),
        status: Status::Requested,
        sequence: 0,
        delivered: false,
        refused_at_door: false,
        collect: asked.collect.map_or(Amount::ZERO, |cash| cash.amount),
        collect_currency: asked.collect.map(|cash| cash.currency),
        collected: Amount::ZERO,
        remitted: Amount::ZERO,
        carrier_ref: None,
        tracking_number: None,
        label_url: None,
        refusal: None,
        request: serde_json::to_string(asked).map_err(|error| StoreError::Value(error.to_string()))?,
        created_at: call.context.now,
    })
}

fn refused(code: &str, input: &DispatchInput) -> Result<Reply<Dispatched>, StoreError> {
    let detail = CarrierRefused { code: code.to_owned(), parcel_id: input.parcel.parcel_id.clone() };
    Reply::rejected("carrier_refused", &detail)
}

impl RemoteOperation for Dispatch {
    type Input = DispatchInput;
    type Output = Dispatched;
    type Intent = CarrierRequest;
    type Answer = DispatchAnswer;

    async fn intent(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<DispatchInput>],
    ) -> Result<Vec<Intended<CarrierRequest, Dispatched>>, StoreError> {
        let known = Known::load(tx, calls).await?;
        let mut shipments = Shipments::default();
        let mut intents = Vec::with_capacity(calls.len());
        for call in calls {
            let Some(asked) = self.asked(call, &known)? else {
                intents.push(Intended::Decided(refused("origin_unknown", &call.input)?));
                continue;
            };
            shipments.add(call.context.scope.tenant.clone(), requested(&asked, call)?);
            let minted = ShipmentMeant { shipment_id: asked.shipment_id.clone() };
            intents.push(Intended::send(asked, &minted)?);
        }
        shipments.save(tx).await?;
        Ok(intents)
    }

    async fn send(&self, context: SendContext, intent: CarrierRequest) -> Result<DispatchAnswer, Unanswered> {
        self.carrier.dispatch(&context.scope, &intent).await
    }

    async fn settle(
        &self,
        tx: &mut Tx<'_>,
        items: &[Settling<DispatchInput, CarrierRequest, DispatchAnswer>],
    ) -> Result<Vec<Reply<Dispatched>>, StoreError> {
        let keys = items.iter().map(|item| key(&item.call, &item.intent.shipment_id));
        let mut shipments = Shipments::load(tx, keys).await?;
        let mut replies = Vec::with_capacity(items.len());
        for Settling { call, intent, answer } in items {
            let shipment_id = intent.shipment_id.clone();
            let shipment = shipments.get_mut(&key(call, &shipment_id)).ok_or_else(|| {
                StoreError::Value(format!("shipment {shipment_id} was requested and is gone"))
            })?;
            replies.push(match answer {
                DispatchAnswer::Accepted { carrier_ref, tracking_number, label_url } => {
                    shipment.accepted(carrier_ref.clone(), tracking_number.clone(), label_url.clone());
                    let (tracking_number, label_url) = (tracking_number.clone(), label_url.clone());
                    Reply::done(Dispatched { shipment_id, tracking_number, label_url })
                }
                DispatchAnswer::Refused { code } => {
                    shipment.refused(code.clone());
                    refused(code, &call.input)?
                }
            });
        }
        shipments.save(tx).await?;
        Ok(replies)
    }
}
