//! A shipment and what tracking events change about it. The carrier numbers its events: an older one that comes late is
//! kept for the history and moves nothing back.

use std::fmt;
use std::str::FromStr;

use mortise_types::{Amount, Currency, OrderId, ParcelId, ShipmentId, Timestamp};

/// Where a shipment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// The carrier has been asked and has not answered.
    Requested,
    /// It will be picked up.
    Dispatched,
    /// The carrier will not have it.
    Refused,
    PickedUp,
    InTransit,
    OutForDelivery,
    Delivered,
    Exception,
    /// The recipient did not take it.
    RefusedAtDoor,
    Returning,
    Returned,
    Cancelled,
}

const WORDS: [(Status, &str); 12] = [
    (Status::Requested, "requested"),
    (Status::Dispatched, "dispatched"),
    (Status::Refused, "refused"),
    (Status::PickedUp, "picked_up"),
    (Status::InTransit, "in_transit"),
    (Status::OutForDelivery, "out_for_delivery"),
    (Status::Delivered, "delivered"),
    (Status::Exception, "exception"),
    (Status::RefusedAtDoor, "refused_at_door"),
    (Status::Returning, "returning"),
    (Status::Returned, "returned"),
    (Status::Cancelled, "cancelled"),
];

impl Status {
    /// The word in the database and in contracts.
    pub(crate) fn word(self) -> &'static str {
        WORDS.iter().find(|(status, _)| *status == self).map_or("", |(_, word)| word)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Status {
    type Err = String;

    fn from_str(word: &str) -> Result<Status, String> {
        let found = WORDS.iter().find(|(_, known)| *known == word);
        found.map(|(status, _)| *status).ok_or_else(|| format!("{word:?} is no shipment status"))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shipment {
    pub(crate) shipment_id: ShipmentId,
    pub(crate) order_id: OrderId,
    pub(crate) parcel_id: ParcelId,
    pub(crate) status: Status,
    /// The highest of the carrier's numbers that was seen; 0 before the first.
    pub(crate) sequence: i64,
    /// That the recipient has it has been told.
    pub(crate) delivered: bool,
    /// That the recipient did not take it has been told.
    pub(crate) refused_at_door: bool,
    /// What is to be collected at the door.
    pub(crate) collect: Amount,
    /// Of the amounts, where something is.
    pub(crate) collect_currency: Option<Currency>,
    /// What was collected.
    pub(crate) collected: Amount,
    /// What the carrier has paid out.
    pub(crate) remitted: Amount,
    pub(crate) carrier_ref: Option<String>,
    pub(crate) tracking_number: Option<String>,
    pub(crate) label_url: Option<String>,
    /// Why the carrier did not take it.
    pub(crate) refusal: Option<String>,
    /// What the carrier was asked, as JSON.
    pub(crate) request: String,
    pub(crate) created_at: Timestamp,
}

/// What a tracking event meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Learnt {
    /// It is there now.
    Moved,
    /// It was there, and is further by now.
    Late,
}

impl Shipment {
    /// The carrier has taken the request. A webhook may have been faster.
    pub(crate) fn accepted(&mut self, carrier_ref: String, tracking_number: String, label_url: String) {
        if self.status == Status::Requested {
            self.status = Status::Dispatched;
        }
        self.carrier_ref = Some(carrier_ref);
        self.tracking_number = Some(tracking_number);
        self.label_url = Some(label_url);
    }

    /// The carrier will not have it.
    pub(crate) fn refused(&mut self, code: String) {
        if self.status == Status::Requested {
            self.status = Status::Refused;
            self.refusal = Some(code);
        }
    }

    /// Takes over a tracking event.
    pub(crate) fn learn(&mut self, status: Status, sequence: i64) -> Learnt {
        if sequence <= self.sequence {
            return Learnt::Late;
        }
        self.sequence = sequence;
        self.status = status;
        Learnt::Moved
    }

    /// Whether it is to be told now that the recipient has it: once, however the events come.
    pub(crate) fn tell_delivered(&mut self, status: Status) -> bool {
        let first = status == Status::Delivered && !self.delivered;
        self.delivered |= first;
        first
    }

    /// Whether it is to be told now that the recipient did not take it: once, however the events come.
    pub(crate) fn tell_refused(&mut self, status: Status) -> bool {
        let first = status == Status::RefusedAtDoor && !self.refused_at_door;
        self.refused_at_door |= first;
        first
    }

    /// Whether the carrier still has to be asked to take it back.
    pub(crate) fn can_be_taken_back(&self) -> bool {
        !matches!(
            self.status,
            Status::Delivered
                | Status::Refused
                | Status::RefusedAtDoor
                | Status::Returning
                | Status::Returned
                | Status::Cancelled
        )
    }

    /// The carrier said what became of a parcel that was taken back; what tracking has said since stands.
    pub(crate) fn taken_back(&mut self, status: Status) {
        if self.can_be_taken_back() {
            self.status = status;
        }
    }
}
