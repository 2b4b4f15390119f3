//! `inventory.restock` and `inventory.free_parcel`: goods that came back, and goods that never left, can be sold again.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use mortise_capability::{Call, Reply, StoreError, WriteOperation};
use mortise_store::Tx;
use mortise_types::{Applied, GoodsCondition, IdSource, TenantId, Timestamp};

use super::counts::known_locations;
use crate::contract::{FreeParcelInput, ReservationState, RestockInput, Restocked, Settled, UnknownLocation};
use crate::rules::stock::{Book, StockKey};
use crate::rules::{StockError, at_least_one};
use crate::store::{self, Extent, NewMovement, NewRestock, ReservationKey};

pub(crate) struct Restock {
    pub(crate) ids: Arc<dyn IdSource>,
}

impl WriteOperation for Restock {
    type Input = RestockInput;
    type Output = Restocked;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<RestockInput>],
    ) -> Result<Vec<Reply<Restocked>>, StoreError> {
        let known =
            known_locations(tx, calls, |input: &RestockInput| input.units.iter().map(|unit| &unit.location))
                .await?;
        let references = calls.iter().map(reference).collect();
        let mut taken_in = store::restocked(tx, &references).await?;
        let keys = calls.iter().flat_map(|call| {
            call.input.units.iter().map(|unit| StockKey {
                tenant: call.context.scope.tenant.clone(),
                sku: unit.sku.clone(),
                location: unit.location.clone(),
            })
        });
        let mut book = store::load_book(tx, keys).await?;
        let (mut movements, mut new) = (Vec::new(), Vec::new());
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let tenant = &call.context.scope.tenant;
            if taken_in.contains(&reference(call)) {
                replies.push(Reply::done(Restocked { applied: Applied::Already }));
                continue;
            }
            let nowhere = call.input.units.iter().find(|unit| !known.contains(&(tenant, &unit.location)));
            if let Some(unit) = nowhere {
                let detail = UnknownLocation { location: unit.location.clone() };
                replies.push(Reply::rejected("unknown_location", &detail)?);
                continue;
            }
            movements.extend(take_in(&mut book, call)?);
            taken_in.insert(reference(call));
            new.push(NewRestock { call });
            replies.push(Reply::done(Restocked { applied: Applied::Now }));
        }
        store::save_book(tx, &book).await?;
        store::insert_movements(tx, &self.ids.next().to_string(), &movements).await?;
        store::insert_restocks(tx, &new).await?;
        Ok(replies)
    }
}

fn reference(call: &Call<RestockInput>) -> (&TenantId, &str) {
    (&call.context.scope.tenant, &call.input.reference)
}

/// Sellable units raise what is on hand; damaged ones come and go.
fn take_in(book: &mut Book, call: &Call<RestockInput>) -> Result<Vec<NewMovement>, StockError> {
    let mut movements = Vec::new();
    for unit in &call.input.units {
        let units = at_least_one(&unit.sku, unit.quantity)?;
        let key = StockKey {
            tenant: call.context.scope.tenant.clone(),
            sku: unit.sku.clone(),
            location: unit.location.clone(),
        };
        let moved = |delta, reason| NewMovement {
            key: key.clone(),
            delta,
            reason,
            reference: Some(call.input.reference.clone()),
            now: call.context.now,
        };
        movements.push(moved(units, "returned"));
        match unit.condition {
            GoodsCondition::Sellable => {
                let on_hand = &mut book.shelf_mut(&key).levels.on_hand;
                *on_hand = on_hand.checked_add(units)?;
            }
            GoodsCondition::Damaged => movements.push(moved(units.checked_neg()?, "damaged")),
        }
    }
    Ok(movements)
}

pub(crate) struct FreeParcel;

impl WriteOperation for FreeParcel {
    type Input = FreeParcelInput;
    type Output = Settled;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<FreeParcelInput>],
    ) -> Result<Vec<Reply<Settled>>, StoreError> {
        let keys: Vec<ReservationKey> = calls
            .iter()
            .map(|call| (call.context.scope.tenant.clone(), call.input.reservation.clone()))
            .collect();
        let mut reservations = store::load_reservations(tx, keys.iter().cloned()).await?;
        let touched = reservations.iter().flat_map(|(key, reservation)| reservation.keys(&key.0));
        let mut book = store::load_book(tx, touched).await?;
        let mut changed: HashMap<&ReservationKey, Timestamp> = HashMap::new();
        let mut replies = Vec::with_capacity(calls.len());
        for (call, key) in calls.iter().zip(&keys) {
            let parcel = &call.input.parcel;
            let freed = match reservations.get_mut(key) {
                Some(reservation) => reservation.free(&mut book, &key.0, parcel)?,
                None => Some(Settled { applied: Applied::Already, state: ReservationState::Unknown }),
            };
            let settled = freed.ok_or_else(|| {
                let problem = format!("{} has not claimed the units of parcel {}", key.1, parcel.parcel_id);
                StoreError::Value(format!("inventory: {problem}"))
            })?;
            if settled.applied == Applied::Now {
                changed.insert(key, call.context.now);
            }
            replies.push(Reply::done(settled));
        }
        store::save_book(tx, &book).await?;
        let rows: BTreeSet<&ReservationKey> = changed.keys().copied().collect();
        let rows: Vec<_> = rows
            .into_iter()
            .filter_map(|key| Some((key, reservations.get(key)?, *changed.get(key)?)))
            .collect();
        store::update_reservations(tx, &rows, Extent::Lines).await?;
        Ok(replies)
    }
}
