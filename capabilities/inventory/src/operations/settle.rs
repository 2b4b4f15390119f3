//! `inventory.release`, `inventory.claim`, `inventory.unclaim`: what becomes of a hold as a whole. Each settles a handle
//! once, also when two calls of one batch name the same.

use std::collections::HashMap;

use mortise_capability::{Call, Reply, StoreError, WriteOperation};
use mortise_store::Tx;
use mortise_types::{Applied, Timestamp};

use crate::contract::{ReservationInput, ReservationState, Settled};
use crate::rules::reservation::Settlement;
use crate::store::{self, Extent, ReservationKey};

pub(crate) struct Settle(pub(crate) Settlement);

impl WriteOperation for Settle {
    type Input = ReservationInput;
    type Output = Settled;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<ReservationInput>],
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
            let settled = match reservations.get_mut(key) {
                Some(reservation) => reservation.settle(&mut book, &key.0, self.0)?,
                None => Settled { applied: Applied::Already, state: ReservationState::Unknown },
            };
            if settled.applied == Applied::Now {
                changed.insert(key, call.context.now);
            }
            replies.push(Reply::done(settled));
        }
        store::save_book(tx, &book).await?;
        let mut rows: Vec<_> = changed
            .into_iter()
            .filter_map(|(key, now)| reservations.get(key).map(|reservation| (key, reservation, now)))
            .collect();
        rows.sort_by_key(|(key, ..)| *key);
        store::update_reservations(tx, &rows, Extent::State).await?;
        Ok(replies)
    }
}
