//! The operations as code: load a batch's rows, decide by the rules, save. Nothing is decided here.

mod asked;
mod cancel;
mod dispatch;
mod imports;
mod quote;
mod reads;
mod remittance;
mod request_return;
mod tracking_event;

use mortise_capability::{Call, Reply};
use mortise_store::StoreError;
use mortise_types::{ArithmeticError, ShipmentId};

pub(crate) use cancel::Cancel;
pub(crate) use dispatch::{Direction, Dispatch};
pub(crate) use imports::{ImportFees, ImportOrigins, ImportWeights};
pub(crate) use quote::Quote;
pub(crate) use reads::{List, Track};
pub(crate) use remittance::RecordRemittance;
pub(crate) use request_return::RequestReturn;
pub(crate) use tracking_event::RecordTrackingEvent;

use crate::contract::UnknownShipment;
use crate::store::Key;

/// The shipment that a call is about, within its tenant.
fn key<I>(call: &Call<I>, shipment_id: &ShipmentId) -> Key {
    (call.context.scope.tenant.clone(), shipment_id.clone())
}

fn unknown<O>(shipment_id: &ShipmentId) -> Result<Reply<O>, StoreError> {
    Reply::rejected("unknown_shipment", &UnknownShipment { shipment_id: shipment_id.clone() })
}

fn too_large(error: ArithmeticError) -> StoreError {
    StoreError::Value(error.to_string())
}
