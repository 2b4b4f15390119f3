//! `inventory.reserve`: holds stock for a batch of orders, each wholly or not at all, with one update a row of stock.

use std::sync::Arc;

use mortise_capability::{Call, Chosen, Policies, Reply, Staleness, StoreError, WriteOperation};
use mortise_store::Tx;
use mortise_types::{IdSource, Quantity, ReservationId};

use crate::contract::{ReserveInput, ReserveOutput, Shortage};
use crate::policy::{InventoryPolicy, ShortStock};
use crate::rules::reservation::{HeldLine, Reservation, demand, hold};
use crate::store::{self, Lacking, NewReservation};

pub(crate) struct Reserve {
    pub(crate) policies: Arc<Policies>,
    pub(crate) ids: Arc<dyn IdSource>,
}

/// A call with what it takes.
struct Asked<'a> {
    call: &'a Call<ReserveInput>,
    lines: Vec<HeldLine>,
    chosen: Arc<Chosen<InventoryPolicy>>,
}

impl WriteOperation for Reserve {
    type Input = ReserveInput;
    type Output = ReserveOutput;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<ReserveInput>],
    ) -> Result<Vec<Reply<ReserveOutput>>, StoreError> {
        let mut asked = Vec::with_capacity(calls.len());
        for call in calls {
            let chosen = self.policies.get(&call.context.scope);
            asked.push(Asked { call, lines: demand(&call.input.allocations)?, chosen });
        }
        let wanted: Vec<Reservation> = asked.iter().map(|one| Reservation::held(one.lines.clone())).collect();
        let keys =
            asked.iter().zip(&wanted).flat_map(|(one, held)| held.keys(&one.call.context.scope.tenant));
        let mut book = store::load_book(tx, keys).await?;
        let (mut new, mut short) = (Vec::new(), Vec::new());
        let mut replies: Vec<Option<Reply<ReserveOutput>>> = Vec::with_capacity(calls.len());
        for (index, (one, held)) in asked.iter().zip(wanted).enumerate() {
            let context = &one.call.context;
            replies.push(match hold(&mut book, &context.scope.tenant, &one.lines, &one.chosen.policy)? {
                Err(shortage) => {
                    short.push((index, shortage));
                    None
                }
                Ok(()) => {
                    let reservation = self.mint()?;
                    new.push(NewReservation {
                        tenant: &context.scope.tenant,
                        reservation: reservation.clone(),
                        holder: &one.call.input.holder,
                        held,
                        policy_version: Arc::clone(&one.chosen.version),
                        now: context.now,
                    });
                    Some(Reply::done(ReserveOutput { reservation }))
                }
            });
        }
        store::save_book(tx, &book).await?;
        store::insert_reservations(tx, &new).await?;
        for (index, reply) in refuse(tx, &asked, short).await? {
            replies[index] = Some(reply);
        }
        Ok(replies.into_iter().flatten().collect())
    }
}

impl Reserve {
    fn mint(&self) -> Result<ReservationId, StoreError> {
        ReservationId::new(self.ids.next().to_string()).map_err(|error| StoreError::Value(error.to_string()))
    }
}

/// Those of whose items there is too little: the stretch may look again where another location may help, else it is a no.
async fn refuse(
    tx: &Tx<'_>,
    asked: &[Asked<'_>],
    short: Vec<(usize, Shortage)>,
) -> Result<Vec<(usize, Reply<ReserveOutput>)>, StoreError> {
    let mut lacking = Vec::new();
    for (index, shortage) in &short {
        let one = &asked[*index];
        let may_reply = one.call.context.staleness == Staleness::MayReply;
        if let Some(location) = shortage.location.as_ref().filter(|_| may_reply) {
            lacking.push(Lacking {
                tenant: &one.call.context.scope.tenant,
                sku: &shortage.sku,
                location,
                threshold: one.chosen.policy.threshold,
            });
        }
    }
    let mut elsewhere = store::saleable_elsewhere(tx, &lacking).await?.into_iter();
    let mut replies = Vec::with_capacity(short.len());
    for (index, shortage) in &short {
        let one = &asked[*index];
        let others = match one.call.context.staleness {
            Staleness::MayReply => elsewhere.next().unwrap_or_default(),
            Staleness::Decide => Quantity::ZERO,
        };
        let looks_again = one.call.context.staleness == Staleness::MayReply
            && helps(shortage, others, one.chosen.policy.short_stock)?;
        let reply = if looks_again { Reply::stale() } else { Reply::rejected("out_of_stock", shortage)? };
        replies.push((*index, reply));
    }
    Ok(replies)
}

/// Whether allocating again may find what is wanted.
fn helps(shortage: &Shortage, others: Quantity, short_stock: ShortStock) -> Result<bool, StoreError> {
    let total = shortage.available.checked_add(others);
    let total = total.map_err(|error| StoreError::Value(format!("inventory: {error}")))?;
    Ok(match short_stock {
        ShortStock::Cut => total >= Quantity::ONE,
        ShortStock::AllOrNothing | ShortStock::Backorder => total >= shortage.wanted,
    })
}
