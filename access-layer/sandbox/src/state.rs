//! What the book says, as a fold of its changes: payments, shipments, payouts, stored answers and events that wait for their
//! receiver. It decides nothing and writes nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mortise_types::{Amount, Timestamp};
use serde::{Deserialize, Serialize};

use crate::payment::Payment;
use crate::remittance::Remittance;
use crate::shipment::Shipment;

/// One change of the book. What is durable is made of these alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub(crate) enum Change {
    /// A payment is now this.
    Payment { payment: Box<Payment> },
    /// A shipment is now this.
    Shipment { shipment: Box<Shipment> },
    /// The carrier has paid out.
    Remittance { remittance: Box<Remittance> },
    /// A request with this idempotency key has been answered.
    Answered { key: String, answer: StoredAnswer },
    /// An event is to be delivered.
    Raised { event: Event },
    /// An event's receiver has answered 2xx.
    Delivered { event_id: String, attempts: u32 },
}

/// What a request with an idempotency key got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredAnswer {
    /// Of the request, to tell a repetition from another request.
    pub(crate) fingerprint: String,
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// An event for a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    /// `payment.captured`, `shipment.delivered`, ...
    pub(crate) kind: String,
    /// The payment, shipment or remittance; its events are delivered in order.
    pub(crate) subject: String,
    /// The merchant's reference and amount, by which faults choose.
    pub(crate) reference: String,
    pub(crate) amount: Option<Amount>,
    pub(crate) target: String,
    /// The bytes that are sent.
    pub(crate) body: String,
}

/// An event that arrived: what is left of it for the book's readers.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DeliveredEvent {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) subject: String,
    pub(crate) attempts: u32,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) payments: BTreeMap<String, Payment>,
    pub(crate) shipments: BTreeMap<String, Shipment>,
    pub(crate) remittances: BTreeMap<String, Remittance>,
    pub(crate) answers: HashMap<String, StoredAnswer>,
    pub(crate) waiting: BTreeMap<String, Event>,
    pub(crate) delivered: Vec<DeliveredEvent>,
    payments_by_reference: BTreeSet<(String, String)>,
    expiring: BTreeSet<(Timestamp, String)>,
    moving: BTreeSet<(Timestamp, String)>,
}

impl State {
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Payment { payment } => self.apply_payment(*payment),
            Change::Shipment { shipment } => self.apply_shipment(*shipment),
            Change::Remittance { remittance } => {
                self.remittances.insert(remittance.id.clone(), *remittance);
            }
            Change::Answered { key, answer } => {
                self.answers.insert(key, answer);
            }
            Change::Raised { event } => {
                self.waiting.insert(event.id.clone(), event);
            }
            Change::Delivered { event_id, attempts } => {
                if let Some(Event { id, kind, subject, .. }) = self.waiting.remove(&event_id) {
                    self.delivered.push(DeliveredEvent { id, kind, subject, attempts });
                }
            }
        }
    }

    /// The payments of a merchant's reference.
    pub(crate) fn payments_of<'s>(&'s self, reference: &'s str) -> impl Iterator<Item = &'s Payment> {
        let from = (reference.to_owned(), String::new());
        let of_reference =
            self.payments_by_reference.range(from..).take_while(move |(of, _)| of == reference);
        of_reference.filter_map(|(_, id)| self.payments.get(id))
    }

    /// Open payments whose time is up, at most `limit`.
    pub(crate) fn expired(&self, now: Timestamp, limit: usize) -> Vec<&Payment> {
        due(&self.expiring, now).filter_map(|id| self.payments.get(id)).take(limit).collect()
    }

    /// Shipments whose next step is due, at most `limit`.
    pub(crate) fn due_to_move(&self, now: Timestamp, limit: usize) -> Vec<&Shipment> {
        due(&self.moving, now).filter_map(|id| self.shipments.get(id)).take(limit).collect()
    }

    fn apply_payment(&mut self, payment: Payment) {
        let place = (payment.expires_at, payment.id.clone());
        if payment.is_open() {
            self.expiring.insert(place);
        } else {
            self.expiring.remove(&place);
        }
        self.payments_by_reference.insert((payment.reference.clone(), payment.id.clone()));
        self.payments.insert(payment.id.clone(), payment);
    }

    fn apply_shipment(&mut self, shipment: Shipment) {
        if let Some(before) = self.shipments.get(&shipment.id).and_then(|before| before.advance_at) {
            self.moving.remove(&(before, shipment.id.clone()));
        }
        if let Some(at) = shipment.advance_at {
            self.moving.insert((at, shipment.id.clone()));
        }
        self.shipments.insert(shipment.id.clone(), shipment);
    }
}

fn due(queue: &BTreeSet<(Timestamp, String)>, now: Timestamp) -> impl Iterator<Item = &String> {
    queue.iter().take_while(move |(at, _)| *at <= now).map(|(_, id)| id)
}
