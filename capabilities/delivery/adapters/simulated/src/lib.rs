//! A parcel carrier in memory: it answers at once and moves parcels as it is told to; what it tells the platform of that
//! comes back as the capability's events. It has no faults: those are the simulator's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use mortise_delivery::contract::{Remittance, RemittanceItem, TrackingEvent, TrackingStatus};
use mortise_delivery::{CancelAnswer, Carrier, CarrierRequest, Cash, DispatchAnswer, Unanswered};
use mortise_types::{Amount, Clock, Scope, ShipmentId, Timestamp};

/// What the carrier does with a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// Brings it, all the way that is left, and collects what is to be collected.
    Deliver,
    /// Brings it, and is paid so much less at the door.
    DeliverShort(Amount),
    /// Brings it, and nobody takes it.
    Refuse,
    /// Takes it from the sender.
    PickUp,
    /// Cannot go on with it.
    Lose,
    /// Brings it back.
    Return,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Did {
    /// In a few words.
    pub said: String,
    /// What the platform is told, in order.
    pub tells: Vec<TrackingEvent>,
}

/// The carrier.
#[derive(Debug)]
pub struct SimulatedCarrier {
    clock: Arc<dyn Clock>,
    parcels: Mutex<BTreeMap<String, Parcel>>,
}

#[derive(Debug)]
struct Parcel {
    shipment_id: ShipmentId,
    reference: String,
    /// Where it is; none while it waits for the carrier.
    status: Option<TrackingStatus>,
    steps: i64,
    /// What is to be collected, and was.
    collect: Option<Cash>,
    collected: Option<Amount>,
    /// Whether it was paid out.
    paid_out: bool,
}

impl SimulatedCarrier {
    /// A carrier without parcels.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, parcels: Mutex::default() }
    }

    fn parcels(&self) -> MutexGuard<'_, BTreeMap<String, Parcel>> {
        self.parcels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The carrier does something with a parcel. None if it has no such parcel.
    pub fn act(&self, shipment: &ShipmentId, does: Does) -> Option<Did> {
        let now = self.clock.now();
        self.parcels().get_mut(&reference(shipment)).map(|parcel| parcel.act(does, now))
    }
}

impl SimulatedCarrier {
    /// Pays out what was collected for a parcel and not paid out before, less `kept`. None if it has no such parcel.
    pub fn pay_out(&self, shipment: &ShipmentId, kept: Amount) -> Option<Vec<Remittance>> {
        let mut parcels = self.parcels();
        let parcel = parcels.get_mut(&reference(shipment))?;
        let (Some(cash), Some(collected), false) = (parcel.collect, parcel.collected, parcel.paid_out) else {
            return Some(Vec::new());
        };
        parcel.paid_out = true;
        let amount = collected.checked_sub(kept).unwrap_or(Amount::ZERO).max(Amount::ZERO);
        Some(vec![Remittance {
            remittance_id: format!("{}-payout", parcel.reference),
            currency: cash.currency,
            amount,
            items: vec![RemittanceItem { shipment_id: shipment.clone(), amount }],
        }])
    }
}

/// The carrier's name for a shipment.
fn reference(shipment: &ShipmentId) -> String {
    format!("sim-{shipment}")
}

impl Parcel {
    fn act(&mut self, does: Does, now: Timestamp) -> Did {
        use TrackingStatus::{
            Cancelled, Delivered, Exception, InTransit, OutForDelivery, PickedUp, RefusedAtDoor, Returned,
            Returning,
        };
        let short = match does {
            Does::DeliverShort(short) => short,
            _ => Amount::ZERO,
        };
        let does = if matches!(does, Does::DeliverShort(_)) { Does::Deliver } else { does };
        let way: &[TrackingStatus] = match (does, self.status) {
            (_, Some(Delivered | Returned | Cancelled)) => &[],
            (Does::Deliver, None) => &[PickedUp, InTransit, OutForDelivery, Delivered],
            (Does::Deliver, Some(PickedUp | Exception)) => &[InTransit, OutForDelivery, Delivered],
            (Does::Deliver | Does::Refuse, Some(Returning | RefusedAtDoor)) => &[],
            (Does::Refuse, None) => &[PickedUp, InTransit, OutForDelivery, RefusedAtDoor],
            (Does::Refuse, Some(_)) => &[OutForDelivery, RefusedAtDoor],
            (Does::DeliverShort(_), _) => &[],
            (Does::Deliver, Some(_)) => &[Delivered],
            (Does::PickUp, None) => &[PickedUp],
            (Does::PickUp, Some(_)) => &[],
            (Does::Lose, None) => &[PickedUp, Exception],
            (Does::Lose, Some(_)) => &[Exception],
            (Does::Return, Some(Returning)) => &[Returned],
            (Does::Return, None) => &[PickedUp, Returning, Returned],
            (Does::Return, Some(_)) => &[Returning, Returned],
        };
        let Some(last) = way.last() else {
            return Did { said: "in vain: its way is over".to_owned(), tells: Vec::new() };
        };
        let paid = |cash: Cash| cash.amount.checked_sub(short).unwrap_or(Amount::ZERO).max(Amount::ZERO);
        if *last == Delivered {
            self.collected = self.collect.map(paid);
        }
        let tells = way.iter().map(|status| self.step(*status, now)).collect();
        let said = match last {
            Delivered => "delivered",
            RefusedAtDoor => "refused at the door",
            Returned => "returned",
            PickedUp => "picked up",
            _ => "held up",
        };
        Did { said: said.to_owned(), tells }
    }

    fn step(&mut self, status: TrackingStatus, now: Timestamp) -> TrackingEvent {
        self.status = Some(status);
        self.steps += 1;
        TrackingEvent {
            event_id: format!("{}-event-{}", self.reference, self.steps),
            shipment_id: self.shipment_id.clone(),
            carrier_ref: self.reference.clone(),
            status,
            sequence: self.steps,
            at: now,
            collected: self.collected.filter(|_| status == TrackingStatus::Delivered),
        }
    }
}

impl Carrier for SimulatedCarrier {
    fn dispatch<'a>(
        &'a self,
        _scope: &'a Scope,
        request: &'a CarrierRequest,
    ) -> BoxFuture<'a, Result<DispatchAnswer, Unanswered>> {
        let shipment_id = request.shipment_id.clone();
        let reference = reference(&shipment_id);
        self.parcels().entry(reference.clone()).or_insert_with(|| Parcel {
            shipment_id,
            reference: reference.clone(),
            status: None,
            steps: 0,
            collect: request.collect,
            collected: None,
            paid_out: false,
        });
        let answer = DispatchAnswer::Accepted {
            tracking_number: format!("SIM-{}", request.parcel_id),
            label_url: format!("https://labels.example/{}", request.shipment_id),
            carrier_ref: reference,
        };
        async move { Ok(answer) }.boxed()
    }

    fn cancel<'a>(
        &'a self,
        _scope: &'a Scope,
        carrier_ref: &'a str,
    ) -> BoxFuture<'a, Result<CancelAnswer, Unanswered>> {
        let mut parcels = self.parcels();
        let answer = match parcels.get_mut(carrier_ref) {
            None => Err(Unanswered::new(format!("the carrier has no parcel {carrier_ref}"))),
            Some(parcel) => Ok(match parcel.status {
                None | Some(TrackingStatus::Cancelled) => {
                    parcel.status = Some(TrackingStatus::Cancelled);
                    CancelAnswer::Cancelled
                }
                Some(TrackingStatus::Delivered) => CancelAnswer::Delivered,
                Some(_) => {
                    parcel.status = Some(TrackingStatus::Returning);
                    CancelAnswer::Returning
                }
            }),
        };
        async move { answer }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel() -> Parcel {
        let shipment_id = ShipmentId::new("shp-1").unwrap();
        Parcel {
            shipment_id,
            reference: "sim-shp-1".to_owned(),
            status: None,
            steps: 0,
            collect: Some(Cash {
                amount: Amount(900),
                currency: mortise_types::Currency::new("EUR").unwrap(),
            }),
            collected: None,
            paid_out: false,
        }
    }

    #[test]
    fn a_parcel_takes_every_step_once_and_in_order() {
        let mut parcel = parcel();
        let now = Timestamp::EPOCH;
        assert_eq!(parcel.act(Does::PickUp, now).tells.len(), 1);
        let rest = parcel.act(Does::Deliver, now).tells;
        assert_eq!(rest.iter().map(|event| event.sequence).collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(rest.last().unwrap().status, TrackingStatus::Delivered);
        assert!(parcel.act(Does::Deliver, now).tells.is_empty());
        assert!(parcel.act(Does::Return, now).tells.is_empty());
    }

    #[test]
    fn cash_is_collected_with_the_parcel_and_not_by_one_that_is_refused() {
        let now = Timestamp::EPOCH;
        let collected = |does| {
            let mut parcel = parcel();
            let tells = parcel.act(does, now).tells;
            (tells.last().unwrap().status, tells.last().unwrap().collected)
        };
        assert_eq!(collected(Does::Deliver), (TrackingStatus::Delivered, Some(Amount(900))));
        assert_eq!(
            collected(Does::DeliverShort(Amount(100))),
            (TrackingStatus::Delivered, Some(Amount(800)))
        );
        assert_eq!(collected(Does::Refuse), (TrackingStatus::RefusedAtDoor, None));
        let mut refused = parcel();
        refused.act(Does::Refuse, now);
        assert!(refused.act(Does::Deliver, now).tells.is_empty(), "it comes back");
        assert_eq!(refused.act(Does::Return, now).tells.last().unwrap().status, TrackingStatus::Returned);
    }
}
