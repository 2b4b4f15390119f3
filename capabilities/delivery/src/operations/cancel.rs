//! `delivery.cancel`: takes a parcel back, whatever has become of it, and cannot be refused. One whose dispatch was never
//! answered is asked for again with its key, so that its name at the carrier is known.

use std::sync::Arc;

use mortise_capability::{Call, Intended, RemoteOperation, Reply, SendContext, Settling, Unanswered};
use mortise_store::{StoreError, Tx};
use mortise_types::ShipmentId;
use serde::{Deserialize, Serialize};

use super::key;
use crate::carrier::{CancelAnswer, Carrier, CarrierRequest, DispatchAnswer};
use crate::contract::{ShipmentMeant, TakenBack, TakenBackBy};
use crate::rules::Status;
use crate::store::Shipments;

pub(crate) struct Cancel {
    pub(crate) carrier: Arc<dyn Carrier>,
}

/// What the carrier has to be asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CancelIntent {
    shipment_id: ShipmentId,
    /// Where the carrier's name for the shipment is known.
    carrier_ref: Option<String>,
    /// Else what it was asked, to be asked again.
    request: Option<CarrierRequest>,
}

/// What the carrier says became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Became {
    /// It never had the parcel and never will.
    NeverTaken,
    /// What it said to the cancellation.
    Said { carrier_ref: String, answer: CancelAnswer },
}

impl RemoteOperation for Cancel {
    type Input = ShipmentMeant;
    type Output = TakenBack;
    type Intent = CancelIntent;
    type Answer = Became;

    async fn intent(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<ShipmentMeant>],
    ) -> Result<Vec<Intended<CancelIntent, TakenBack>>, StoreError> {
        let mut shipments =
            Shipments::load(tx, calls.iter().map(|call| key(call, &call.input.shipment_id))).await?;
        let mut intents = Vec::with_capacity(calls.len());
        for call in calls {
            let shipment_id = call.input.shipment_id.clone();
            let nothing = TakenBack { by: TakenBackBy::Nothing };
            let shipment = shipments.get_mut(&key(call, &shipment_id));
            let Some(shipment) = shipment.filter(|shipment| shipment.can_be_taken_back()) else {
                intents.push(Intended::Decided(Reply::done(nothing)));
                continue;
            };
            let carrier_ref = shipment.carrier_ref.clone();
            let request = match &carrier_ref {
                Some(_) => None,
                None => Some(read_request(&shipment.request)?),
            };
            intents.push(Intended::send(CancelIntent { shipment_id, carrier_ref, request }, &nothing)?);
        }
        Ok(intents)
    }

    async fn send(&self, context: SendContext, intent: CancelIntent) -> Result<Became, Unanswered> {
        let carrier_ref = match (intent.carrier_ref, intent.request) {
            (Some(carrier_ref), _) => carrier_ref,
            (None, Some(request)) => match self.carrier.dispatch(&context.scope, &request).await? {
                DispatchAnswer::Accepted { carrier_ref, .. } => carrier_ref,
                DispatchAnswer::Refused { .. } => return Ok(Became::NeverTaken),
            },
            (None, None) => return Ok(Became::NeverTaken),
        };
        let answer = self.carrier.cancel(&context.scope, &carrier_ref).await?;
        Ok(Became::Said { carrier_ref, answer })
    }

    async fn settle(
        &self,
        tx: &mut Tx<'_>,
        items: &[Settling<ShipmentMeant, CancelIntent, Became>],
    ) -> Result<Vec<Reply<TakenBack>>, StoreError> {
        let keys = items.iter().map(|item| key(&item.call, &item.intent.shipment_id));
        let mut shipments = Shipments::load(tx, keys).await?;
        let mut replies = Vec::with_capacity(items.len());
        for Settling { call, intent, answer } in items {
            let shipment = shipments.get_mut(&key(call, &intent.shipment_id)).ok_or_else(|| {
                StoreError::Value(format!("shipment {} was cancelled and is gone", intent.shipment_id))
            })?;
            let by = match answer {
                Became::NeverTaken => {
                    shipment.taken_back(Status::Cancelled);
                    TakenBackBy::Cancelled
                }
                Became::Said { carrier_ref, answer } => {
                    shipment.carrier_ref.get_or_insert_with(|| carrier_ref.clone());
                    let (status, by) = match answer {
                        CancelAnswer::Cancelled => (Some(Status::Cancelled), TakenBackBy::Cancelled),
                        CancelAnswer::Returning => (Some(Status::Returning), TakenBackBy::Returning),
                        // The webhook will say so, and tell the news.
                        CancelAnswer::Delivered => (None, TakenBackBy::Delivered),
                    };
                    if let Some(status) = status {
                        shipment.taken_back(status);
                    }
                    by
                }
            };
            replies.push(Reply::done(TakenBack { by }));
        }
        shipments.save(tx).await?;
        Ok(replies)
    }
}

fn read_request(text: &str) -> Result<CarrierRequest, StoreError> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::Value(format!("a stored request to the carrier: {error}")))
}
