//! What becomes of a hold. A handle settles once: held units are released or claimed, claimed units leave with their
//! parcels, and a second word about the same thing changes nothing.

use std::collections::BTreeMap;

use mortise_types::{
    Allocation, Applied, LocationId, Parcel, ParcelId, Quantity, ReservationId, Sku, TenantId,
};
use serde::{Deserialize, Serialize};

use super::stock::{Book, Levels, StockKey};
use super::{StockError, at_least_one};
use crate::contract::{CannotShip, ReservationState, Settled, Shortage};
use crate::policy::{InventoryPolicy, ShortStock};

/// Units of an item at a location that a hold has. Stored as `["sku", "location", units]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeldLine(pub(crate) Sku, pub(crate) LocationId, pub(crate) Quantity);

impl HeldLine {
    pub(super) fn key(&self, tenant: &TenantId) -> StockKey {
        StockKey { tenant: tenant.clone(), sku: self.0.clone(), location: self.1.clone() }
    }
}

/// What a stored hold can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Held,
    Claimed,
    Shipped,
    Released,
}

impl From<Standing> for ReservationState {
    fn from(standing: Standing) -> ReservationState {
        match standing {
            Standing::Held => ReservationState::Held,
            Standing::Claimed => ReservationState::Claimed,
            Standing::Shipped => ReservationState::Shipped,
            Standing::Released => ReservationState::Released,
        }
    }
}

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reservation {
    pub(crate) standing: Standing,
    /// What it still holds or has claimed; of a released one, what it held.
    pub(crate) lines: Vec<HeldLine>,
    /// The parcels that have left.
    pub(crate) parcels: Vec<ParcelId>,
}

/// A word about a hold as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settlement {
    Release,
    Claim,
    Unclaim,
}

/// What an order takes, summed by item and location: two lines with one item are one demand.
pub(crate) fn demand(allocations: &[Allocation]) -> Result<Vec<HeldLine>, StockError> {
    let mut sums: BTreeMap<(&Sku, &LocationId), Quantity> = BTreeMap::new();
    for allocation in allocations {
        let units = at_least_one(&allocation.sku, allocation.quantity)?;
        let sum = sums.entry((&allocation.sku, &allocation.location)).or_default();
        *sum = sum.checked_add(units)?;
    }
    Ok(sums
        .into_iter()
        .map(|((sku, location), units)| HeldLine(sku.clone(), location.clone(), units))
        .collect())
}

/// Holds all of `lines` on the book, or nothing and says of what there is too little.
pub(crate) fn hold(
    book: &mut Book,
    tenant: &TenantId,
    lines: &[HeldLine],
    policy: &InventoryPolicy,
) -> Result<Result<(), Shortage>, StockError> {
    if policy.short_stock != ShortStock::Backorder {
        for line in lines {
            let saleable = book.shelf(&line.key(tenant)).saleable(policy.threshold)?;
            if saleable < line.2 {
                return Ok(Err(Shortage {
                    sku: line.0.clone(),
                    location: Some(line.1.clone()),
                    wanted: line.2,
                    available: saleable.max(Quantity::ZERO),
                }));
            }
        }
    }
    for line in lines {
        let levels = &mut book.shelf_mut(&line.key(tenant)).levels;
        levels.reserved = levels.reserved.checked_add(line.2)?;
    }
    Ok(Ok(()))
}

impl Reservation {
    /// A fresh hold on what was put on the book.
    pub(crate) const fn held(lines: Vec<HeldLine>) -> Reservation {
        Reservation { standing: Standing::Held, lines, parcels: Vec::new() }
    }

    /// The rows of stock that it touches.
    pub(crate) fn keys<'a>(&'a self, tenant: &'a TenantId) -> impl Iterator<Item = StockKey> + 'a {
        self.lines.iter().map(|line| line.key(tenant))
    }

    /// Settles the hold as a whole, on the book too.
    pub(crate) fn settle(
        &mut self,
        book: &mut Book,
        tenant: &TenantId,
        how: Settlement,
    ) -> Result<Settled, StockError> {
        let next = match (how, self.standing) {
            (Settlement::Release, Standing::Held) => Some(Standing::Released),
            (Settlement::Claim, Standing::Held) => Some(Standing::Claimed),
            (Settlement::Unclaim, Standing::Claimed) if self.parcels.is_empty() => Some(Standing::Held),
            _ => None,
        };
        let Some(next) = next else { return Ok(self.settled(Applied::Already)) };
        for line in &self.lines {
            let Levels { reserved, claimed, .. } = &mut book.shelf_mut(&line.key(tenant)).levels;
            match how {
                Settlement::Release => *reserved = reserved.checked_sub(line.2)?,
                Settlement::Claim => {
                    *reserved = reserved.checked_sub(line.2)?;
                    *claimed = claimed.checked_add(line.2)?;
                }
                Settlement::Unclaim => {
                    *claimed = claimed.checked_sub(line.2)?;
                    *reserved = reserved.checked_add(line.2)?;
                }
            }
        }
        self.standing = next;
        Ok(self.settled(Applied::Now))
    }

    /// The parcel's units leave, once. They leave `on_hand` and `claimed` together, so that free stays what it was.
    pub(crate) fn ship(
        &mut self,
        book: &mut Book,
        tenant: &TenantId,
        reservation: &ReservationId,
        parcel: &Parcel,
    ) -> Result<Result<Settled, CannotShip>, StockError> {
        if self.parcels.contains(&parcel.parcel_id) {
            return Ok(Ok(self.settled(Applied::Already)));
        }
        let leaving = parcel_demand(parcel)?;
        for HeldLine(sku, location, wanted) in &leaving {
            let claimed = match self.standing {
                Standing::Claimed => self.units_of(sku, location),
                _ => Quantity::ZERO,
            };
            let key = StockKey { tenant: tenant.clone(), sku: sku.clone(), location: location.clone() };
            let on_hand = book.shelf(&key).levels.on_hand;
            if *wanted > claimed || *wanted > on_hand {
                return Ok(Err(CannotShip {
                    reservation: reservation.clone(),
                    state: self.standing.into(),
                    sku: sku.clone(),
                    location: location.clone(),
                    wanted: *wanted,
                    claimed,
                    on_hand,
                }));
            }
        }
        for line in &leaving {
            let levels = &mut book.shelf_mut(&line.key(tenant)).levels;
            levels.on_hand = levels.on_hand.checked_sub(line.2)?;
            levels.claimed = levels.claimed.checked_sub(line.2)?;
            for held in self.lines.iter_mut().filter(|held| held.0 == line.0 && held.1 == line.1) {
                held.2 = held.2.checked_sub(line.2)?;
            }
        }
        self.lines.retain(|line| !line.2.is_zero());
        self.parcels.push(parcel.parcel_id.clone());
        if self.lines.is_empty() {
            self.standing = Standing::Shipped;
        }
        Ok(Ok(self.settled(Applied::Now)))
    }

    fn units_of(&self, sku: &Sku, location: &LocationId) -> Quantity {
        self.lines
            .iter()
            .find(|line| line.0 == *sku && line.1 == *location)
            .map_or(Quantity::ZERO, |line| line.2)
    }

    fn settled(&self, applied: Applied) -> Settled {
        Settled { applied, state: self.standing.into() }
    }
}

/// The units in a parcel, by item, all from its location.
pub(crate) fn parcel_demand(parcel: &Parcel) -> Result<Vec<HeldLine>, StockError> {
    let allocations: Vec<Allocation> = parcel
        .items
        .iter()
        .map(|item| Allocation {
            line_id: item.line_id.clone(),
            sku: item.sku.clone(),
            location: parcel.location.clone(),
            quantity: item.quantity,
        })
        .collect();
    demand(&allocations)
}
