//! A parcel of the carrier and the way it takes: pure decisions on plain values, and the carrier's tariff. Storing
//! them, HTTP and faults are not here.

use mortise_types::{Amount, Currency, Timestamp};
use serde::{Deserialize, Serialize};

use crate::problem::{Refusal, RefusalKind};

/// The most items of one parcel.
pub(crate) const ITEMS_MAX: usize = 500;
/// The heaviest parcel, in grams.
pub(crate) const WEIGHT_MAX_GRAMS: u32 = 1_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ShipmentStatus {
    /// The label is made, the parcel waits for the carrier.
    Created,
    PickedUp,
    InTransit,
    OutForDelivery,
    Delivered,
    /// Something holds it up; it goes on or comes back.
    Exception,
    /// The recipient did not take it; it comes back.
    Refused,
    /// It was called back and is on its way to the sender.
    Returning,
    Returned,
    Cancelled,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PostalAddress {
    pub(crate) name: String,
    pub(crate) lines: Vec<String>,
    pub(crate) city: String,
    pub(crate) postal_code: String,
    /// ISO 3166-1 alpha-2.
    pub(crate) country: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ParcelItem {
    pub(crate) sku: String,
    pub(crate) quantity: u32,
}

/// Cash that is collected against a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Collect {
    /// In minor units.
    pub(crate) amount: Amount,
    pub(crate) currency: Currency,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shipment {
    pub(crate) id: String,
    pub(crate) tracking_number: String,
    pub(crate) reference: String,
    pub(crate) status: ShipmentStatus,
    pub(crate) from: PostalAddress,
    pub(crate) to: PostalAddress,
    pub(crate) items: Vec<ParcelItem>,
    pub(crate) weight_grams: u32,
    pub(crate) webhook_url: String,
    /// What is to be collected at the door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) collect: Option<Collect>,
    /// What was: there when it was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) collected: Option<Amount>,
    /// The remittance that paid it out to the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) remittance: Option<String>,
    /// What happened to it, oldest first.
    pub(crate) history: Vec<TrackingStep>,
    /// The pause between two steps that it takes by itself.
    pub(crate) advance_every_ms: Option<u64>,
    /// When it takes the next one.
    pub(crate) advance_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TrackingStep {
    pub(crate) status: ShipmentStatus,
    pub(crate) at: Timestamp,
}

impl ShipmentStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            ShipmentStatus::Created => "created",
            ShipmentStatus::PickedUp => "picked_up",
            ShipmentStatus::InTransit => "in_transit",
            ShipmentStatus::OutForDelivery => "out_for_delivery",
            ShipmentStatus::Delivered => "delivered",
            ShipmentStatus::Exception => "exception",
            ShipmentStatus::Refused => "refused",
            ShipmentStatus::Returning => "returning",
            ShipmentStatus::Returned => "returned",
            ShipmentStatus::Cancelled => "cancelled",
        }
    }

    /// The usual next step.
    fn next(self) -> Option<ShipmentStatus> {
        match self {
            ShipmentStatus::Created => Some(ShipmentStatus::PickedUp),
            ShipmentStatus::PickedUp | ShipmentStatus::Exception => Some(ShipmentStatus::InTransit),
            ShipmentStatus::InTransit => Some(ShipmentStatus::OutForDelivery),
            ShipmentStatus::OutForDelivery => Some(ShipmentStatus::Delivered),
            ShipmentStatus::Refused => Some(ShipmentStatus::Returning),
            ShipmentStatus::Returning => Some(ShipmentStatus::Returned),
            ShipmentStatus::Delivered | ShipmentStatus::Returned | ShipmentStatus::Cancelled => None,
        }
    }

    /// Whether the carrier has it and has not handed it over.
    fn is_on_its_way(self) -> bool {
        matches!(
            self,
            ShipmentStatus::PickedUp
                | ShipmentStatus::InTransit
                | ShipmentStatus::OutForDelivery
                | ShipmentStatus::Exception
        )
    }
}

/// What happens at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// The recipient takes the parcel and pays what is to be collected.
    Takes,
    /// The recipient pays so much less, and has it all the same.
    PaysLess(Amount),
    /// The recipient does not take it.
    Refuses,
}

/// The steps from where the parcel is to `target` (the usual next step without one), each of which is an event.
pub(crate) fn advance(
    shipment: &Shipment,
    target: Option<ShipmentStatus>,
    door: Door,
    now: Timestamp,
) -> Result<Vec<Shipment>, Refusal> {
    let impossible = || {
        let to = target.map_or("any further step", ShipmentStatus::name);
        let detail = format!("a parcel that is {} does not come to {to}", shipment.status.name());
        Refusal::new(RefusalKind::Conflict, "impossible_step", detail)
    };
    let target = target.or(shipment.status.next()).ok_or_else(impossible)?;
    let on_its_way = shipment.status.is_on_its_way();
    let detour = match target {
        ShipmentStatus::Exception => on_its_way && shipment.status != ShipmentStatus::Exception,
        ShipmentStatus::Returned => on_its_way || shipment.status == ShipmentStatus::Returning,
        ShipmentStatus::Refused => shipment.status == ShipmentStatus::OutForDelivery,
        _ => false,
    };
    if detour {
        return Ok(vec![step(shipment, target, now)]);
    }
    // Whoever refuses a parcel has been brought it.
    let refused = target == ShipmentStatus::Refused;
    let target = if refused { ShipmentStatus::OutForDelivery } else { target };
    let mut steps: Vec<Shipment> = Vec::new();
    let mut status = shipment.status;
    while status != target {
        status = status.next().ok_or_else(impossible)?;
        let before = steps.last().unwrap_or(shipment);
        if status == ShipmentStatus::Delivered {
            if target != ShipmentStatus::Delivered {
                return Err(impossible());
            }
            steps.push(at_the_door(before, door, now));
            break;
        }
        steps.push(step(before, status, now));
    }
    if refused && let Some(brought) = steps.last() {
        steps.push(step(brought, ShipmentStatus::Refused, now));
    }
    if steps.is_empty() { Err(impossible()) } else { Ok(steps) }
}

fn at_the_door(shipment: &Shipment, door: Door, now: Timestamp) -> Shipment {
    let less = match door {
        Door::Refuses => return step(shipment, ShipmentStatus::Refused, now),
        Door::PaysLess(less) => less,
        Door::Takes => Amount::ZERO,
    };
    let paid = |collect: Collect| {
        collect.amount.checked_sub(less).map_or(Amount::ZERO, |paid| paid.max(Amount::ZERO))
    };
    let collected = shipment.collect.map(paid);
    Shipment { collected, ..step(shipment, ShipmentStatus::Delivered, now) }
}

/// Takes a parcel back: before the pick-up it is cancelled, on its way it is called back, delivered it is too late.
/// `Ok(None)` when it is on its way back already.
pub(crate) fn cancel(shipment: &Shipment, now: Timestamp) -> Result<Option<Shipment>, Refusal> {
    match shipment.status {
        ShipmentStatus::Created => Ok(Some(step(shipment, ShipmentStatus::Cancelled, now))),
        status if status.is_on_its_way() => Ok(Some(step(shipment, ShipmentStatus::Returning, now))),
        ShipmentStatus::Delivered => {
            let detail = "the parcel has been handed over to the recipient";
            Err(Refusal::new(RefusalKind::Conflict, "already_delivered", detail))
        }
        _ => Ok(None),
    }
}

fn step(shipment: &Shipment, status: ShipmentStatus, now: Timestamp) -> Shipment {
    let mut next = Shipment { status, ..shipment.clone() };
    next.history.push(TrackingStep { status, at: now });
    next.advance_at = next_advance(&next, now);
    next
}

/// When a parcel that moves by itself takes its next step.
pub(crate) fn next_advance(shipment: &Shipment, now: Timestamp) -> Option<Timestamp> {
    let pause_ms = i64::try_from(shipment.advance_every_ms?).ok()?;
    shipment.status.next()?;
    Some(Timestamp::from_millis(now.as_millis().saturating_add(pause_ms)))
}

/// A service that the carrier offers for a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Rate {
    pub(crate) service: &'static str,
    pub(crate) amount: Amount,
    pub(crate) days: u32,
}

/// The tariff in minor units of whatever currency is asked in: a base by distance, and a part for each kilogram begun.
pub(crate) fn rates(from_country: &str, to_country: &str, weight_grams: u32) -> [Rate; 2] {
    let (base, days) = if from_country == to_country { (490, 2) } else { (1_290, 5) };
    let kilograms = i64::from(weight_grams.div_ceil(1_000).max(1));
    let standard = base + 60 * kilograms;
    [
        Rate { service: "standard", amount: Amount(standard), days },
        Rate { service: "express", amount: Amount(2 * standard), days: days.div_ceil(2) },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(5);

    fn shipment() -> Shipment {
        let address = PostalAddress {
            name: "A".into(),
            lines: vec!["Street 1".into()],
            city: "C".into(),
            postal_code: "1".into(),
            country: "DE".into(),
            region: None,
        };
        Shipment {
            id: "shp_1".into(),
            tracking_number: "MT1".into(),
            reference: "p-1".into(),
            status: ShipmentStatus::Created,
            from: address.clone(),
            to: address,
            items: Vec::new(),
            weight_grams: 1,
            webhook_url: String::new(),
            collect: None,
            collected: None,
            remittance: None,
            history: Vec::new(),
            advance_every_ms: None,
            advance_at: None,
            created_at: NOW,
        }
    }

    fn at(status: ShipmentStatus) -> Shipment {
        Shipment { status, ..shipment() }
    }

    fn names(steps: &[Shipment]) -> Vec<&'static str> {
        steps.iter().map(|step| step.status.name()).collect()
    }

    #[test]
    fn a_parcel_passes_every_place_on_its_way() {
        let steps = advance(&shipment(), Some(ShipmentStatus::Delivered), Door::Takes, NOW).unwrap();
        assert_eq!(names(&steps), ["picked_up", "in_transit", "out_for_delivery", "delivered"]);
        assert_eq!(steps.last().unwrap().history.len(), 4);
        assert_eq!(names(&advance(&shipment(), None, Door::Takes, NOW).unwrap()), ["picked_up"]);
    }

    #[test]
    fn exceptions_and_returns_happen_on_the_way_only() {
        assert!(advance(&shipment(), Some(ShipmentStatus::Exception), Door::Takes, NOW).is_err());
        let held = advance(&at(ShipmentStatus::InTransit), Some(ShipmentStatus::Exception), Door::Takes, NOW)
            .unwrap();
        assert_eq!(
            names(&advance(&held[0], Some(ShipmentStatus::Returned), Door::Takes, NOW).unwrap()),
            ["returned"]
        );
        assert_eq!(names(&advance(&held[0], None, Door::Takes, NOW).unwrap()), ["in_transit"]);
        for target in [None, Some(ShipmentStatus::PickedUp), Some(ShipmentStatus::Delivered)] {
            assert!(advance(&at(ShipmentStatus::Delivered), target, Door::Takes, NOW).is_err(), "{target:?}");
        }
        assert!(
            advance(&shipment(), Some(ShipmentStatus::Cancelled), Door::Takes, NOW).is_err(),
            "cancelling has its own call"
        );
    }

    #[test]
    fn cancelling_takes_back_what_has_become_of_it() {
        let becomes = |status| cancel(&at(status), NOW).map(|next| next.map(|shipment| shipment.status));
        assert_eq!(becomes(ShipmentStatus::Created), Ok(Some(ShipmentStatus::Cancelled)));
        assert_eq!(becomes(ShipmentStatus::InTransit), Ok(Some(ShipmentStatus::Returning)));
        assert_eq!(becomes(ShipmentStatus::Cancelled), Ok(None));
        assert_eq!(becomes(ShipmentStatus::Delivered).unwrap_err().code, "already_delivered");
    }

    fn to_collect(status: ShipmentStatus) -> Shipment {
        let collect = Collect { amount: Amount(500), currency: Currency::new("EUR").unwrap() };
        Shipment { collect: Some(collect), ..at(status) }
    }

    #[test]
    fn cash_is_collected_when_the_parcel_is_handed_over() {
        let comes_to = |door| {
            let steps =
                advance(&to_collect(ShipmentStatus::Created), Some(ShipmentStatus::Delivered), door, NOW)
                    .unwrap();
            let last = steps.last().unwrap();
            (last.status.name(), last.collected.map(Amount::minor))
        };
        assert_eq!(comes_to(Door::Takes), ("delivered", Some(500)));
        assert_eq!(comes_to(Door::PaysLess(Amount(120))), ("delivered", Some(380)));
        assert_eq!(comes_to(Door::Refuses), ("refused", None));
        let free =
            advance(&at(ShipmentStatus::OutForDelivery), None, Door::PaysLess(Amount(1)), NOW).unwrap();
        assert_eq!(free[0].collected, None, "nothing is asked for, nothing is collected");
    }

    #[test]
    fn what_is_refused_at_the_door_comes_back() {
        let steps =
            advance(&to_collect(ShipmentStatus::PickedUp), Some(ShipmentStatus::Refused), Door::Takes, NOW)
                .unwrap();
        assert_eq!(names(&steps), ["in_transit", "out_for_delivery", "refused"]);
        let refused = steps.last().unwrap();
        assert_eq!(names(&advance(refused, None, Door::Takes, NOW).unwrap()), ["returning"]);
        let back = advance(refused, Some(ShipmentStatus::Returned), Door::Takes, NOW).unwrap();
        assert_eq!(names(&back), ["returning", "returned"]);
        assert!(advance(refused, Some(ShipmentStatus::Delivered), Door::Takes, NOW).is_err());
        assert_eq!(cancel(refused, NOW), Ok(None), "it comes back as it is");
    }

    #[test]
    fn the_tariff_counts_kilograms_begun() {
        assert_eq!(rates("DE", "DE", 0)[0].amount, Amount(550));
        assert_eq!(rates("DE", "DE", 1_001)[0].amount, Amount(610));
        assert_eq!(rates("DE", "FR", 1_000)[1], Rate { service: "express", amount: Amount(2_700), days: 3 });
    }
}
