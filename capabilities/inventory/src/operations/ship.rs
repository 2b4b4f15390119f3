//! `inventory.ship`: a parcel's units leave the location that claimed them, and the ledger says so.

use std::collections::HashMap;
use std::sync::Arc;

use mortise_capability::{Call, Reply, StoreError, WriteOperation};
use mortise_store::Tx;
use mortise_types::{Applied, IdSource, Quantity, Timestamp};

use crate::contract::{CannotShip, ReservationState, Settled, ShipInput};
use crate::rules::StockError;
use crate::rules::reservation::{HeldLine, parcel_demand};
use crate::rules::stock::StockKey;
use crate::store::{self, Extent, NewMovement, ReservationKey};

pub(crate) struct Ship {
    pub(crate) ids: Arc<dyn IdSource>,
}

impl WriteOperation for Ship {
    type Input = ShipInput;
    type Output = Settled;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<ShipInput>],
    ) -> Result<Vec<Reply<Settled>>, StoreError> {
        let keys: Vec<ReservationKey> = calls
            .iter()
            .map(|call| (call.context.scope.tenant.clone(), call.input.reservation.clone()))
            .collect();
        let mut reservations = store::load_reservations(tx, keys.iter().cloned()).await?;
        let touched = reservations.iter().flat_map(|(key, reservation)| reservation.keys(&key.0));
        let mut book = store::load_book(tx, touched).await?;
        let mut changed: HashMap<&ReservationKey, Timestamp> = HashMap::new();
        let (mut movements, mut replies) = (Vec::new(), Vec::with_capacity(calls.len()));
        for (call, key) in calls.iter().zip(&keys) {
            let parcel = &call.input.parcel;
            let shipped = match reservations.get_mut(key) {
                Some(reservation) => reservation.ship(&mut book, &key.0, &key.1, parcel)?,
                None => Err(unknown(&call.input)?),
            };
            let settled = match shipped {
                Ok(settled) => settled,
                Err(refused) => {
                    replies.push(Reply::rejected("cannot_ship", &refused)?);
                    continue;
                }
            };
            if settled.applied == Applied::Now {
                changed.insert(key, call.context.now);
                movements.extend(left(call)?);
            }
            replies.push(Reply::done(settled));
        }
        store::save_book(tx, &book).await?;
        let mut rows: Vec<_> = changed
            .into_iter()
            .filter_map(|(key, now)| reservations.get(key).map(|reservation| (key, reservation, now)))
            .collect();
        rows.sort_by_key(|(key, ..)| *key);
        store::update_reservations(tx, &rows, Extent::Lines).await?;
        store::insert_movements(tx, &self.ids.next().to_string(), &movements).await?;
        Ok(replies)
    }
}

fn left(call: &Call<ShipInput>) -> Result<Vec<NewMovement>, StoreError> {
    let parcel = &call.input.parcel;
    let mut movements = Vec::new();
    for HeldLine(sku, location, units) in parcel_demand(parcel)? {
        movements.push(NewMovement {
            key: StockKey { tenant: call.context.scope.tenant.clone(), sku, location },
            delta: units.checked_neg().map_err(StockError::from)?,
            reason: "ship",
            reference: Some(parcel.parcel_id.as_str().to_owned()),
            now: call.context.now,
        });
    }
    Ok(movements)
}

fn unknown(input: &ShipInput) -> Result<CannotShip, StoreError> {
    let first = parcel_demand(&input.parcel)?.into_iter().next();
    let HeldLine(sku, location, wanted) =
        first.ok_or_else(|| StoreError::Value("inventory: a parcel without items".to_owned()))?;
    Ok(CannotShip {
        reservation: input.reservation.clone(),
        state: ReservationState::Unknown,
        sku,
        location,
        wanted,
        claimed: Quantity::ZERO,
        on_hand: Quantity::ZERO,
    })
}
