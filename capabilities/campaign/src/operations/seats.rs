//! Seats: taken, given back, confirmed. Those of one batch are decided one after the other, so that a group never has
//! more of them than buyers make it, and tells once that it is filled.

use std::sync::Arc;

use mortise_capability::{Call, Reply, WriteOperation};
use mortise_store::{StoreError, Tx};
use mortise_types::{Applied, IdSource, SeatId};

use super::No;
use super::groups::news;
use crate::contract::{
    ALREADY_IN, AlreadyIn, GROUP_CLOSED, GROUP_FULL, GROUP_UNKNOWN, GroupClosed, GroupFull, GroupUnknown,
    SEAT_UNAVAILABLE, SeatCondition, SeatMeant, SeatSettled, SeatTaken, SeatUnavailable, TakeSeatInput,
};
use crate::rules::{Confirmed, Group, NotTaken, Seat};
use crate::store::{GroupKey, Groups, SeatKey, off};

pub(crate) struct TakeSeat {
    pub(crate) ids: Arc<dyn IdSource>,
}

pub(crate) struct ReturnSeat;

pub(crate) struct ConfirmSeat;

pub(crate) struct UnconfirmSeat;

type Settled = Vec<Reply<SeatSettled>>;

impl TakeSeat {
    fn take(
        &self,
        groups: &mut Groups,
        call: &Call<TakeSeatInput>,
    ) -> Result<Result<SeatTaken, No>, StoreError> {
        let TakeSeatInput { campaign, group_id, customer_id, holder } = &call.input;
        let key = group_key(call);
        if let Some(seat) = groups.seat_of(&key, customer_id) {
            let detail = AlreadyIn { group_id: group_id.clone(), holder: seat.holder.clone() };
            return Ok(Err(No::new(ALREADY_IN, &detail)));
        }
        let group = groups.group_mut(&key).filter(|group| group.campaign == *campaign);
        let Some(group) = group else {
            return Ok(Err(No::new(GROUP_UNKNOWN, &GroupUnknown { group_id: group_id.clone() })));
        };
        if let Err(why) = group.take(call.context.now) {
            return Ok(Err(not_taken(group, why)));
        }
        let seat_id = SeatId::new(format!("seat-{}", self.ids.next().simple())).map_err(off)?;
        let closes_at = group.closes_at;
        groups.add_seat(
            key.0,
            Seat {
                seat_id: seat_id.clone(),
                group_id: group_id.clone(),
                customer_id: customer_id.clone(),
                holder: holder.clone(),
                condition: SeatCondition::Held,
                taken_at: call.context.now,
            },
        );
        Ok(Ok(SeatTaken { seat_id, group_id: group_id.clone(), closes_at }))
    }
}

fn not_taken(group: &Group, why: NotTaken) -> No {
    let group_id = group.group_id.clone();
    match why {
        NotTaken::Full => No::new(GROUP_FULL, &GroupFull { group_id, size: group.size, held: group.held }),
        NotTaken::Closed => closed(group),
    }
}

fn closed(group: &Group) -> No {
    No::new(GROUP_CLOSED, &GroupClosed { group_id: group.group_id.clone(), closed_at: group.closes_at })
}

fn group_key(call: &Call<TakeSeatInput>) -> GroupKey {
    (call.context.scope.tenant.clone(), call.input.group_id.clone())
}

fn seat_key(call: &Call<SeatMeant>) -> SeatKey {
    (call.context.scope.tenant.clone(), call.input.seat_id.clone())
}

impl WriteOperation for TakeSeat {
    type Input = TakeSeatInput;
    type Output = SeatTaken;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<TakeSeatInput>],
    ) -> Result<Vec<Reply<SeatTaken>>, StoreError> {
        let mut groups = Groups::default();
        groups.load_groups(tx, calls.iter().map(group_key)).await?;
        let customers = calls.iter().map(|call| {
            let (tenant, group_id) = group_key(call);
            (tenant, group_id, call.input.customer_id.clone())
        });
        groups.load_seats_of(tx, customers).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            replies.push(match self.take(&mut groups, call)? {
                Ok(taken) => Reply::done(taken),
                Err(no) => no.reply()?,
            });
        }
        groups.save(tx).await?;
        Ok(replies)
    }
}

/// Settles seats by a rule that cannot refuse.
async fn settle(
    tx: &mut Tx<'_>,
    calls: &[Call<SeatMeant>],
    rule: impl Fn(&mut Group, &mut Seat) -> bool,
) -> Result<Settled, StoreError> {
    let mut groups = Groups::default();
    groups.load_seats(tx, calls.iter().map(seat_key)).await?;
    let mut replies = Vec::with_capacity(calls.len());
    for call in calls {
        let settled = match groups.seat_mut(&seat_key(call)) {
            Some((seat, group)) => {
                let applied = if rule(group, seat) { Applied::Now } else { Applied::Already };
                SeatSettled { applied, condition: seat.condition }
            }
            None => SeatSettled { applied: Applied::Already, condition: SeatCondition::Unknown },
        };
        replies.push(Reply::done(settled));
    }
    groups.save(tx).await?;
    Ok(replies)
}

impl WriteOperation for ReturnSeat {
    type Input = SeatMeant;
    type Output = SeatSettled;

    async fn run(&self, tx: &mut Tx<'_>, calls: &[Call<SeatMeant>]) -> Result<Settled, StoreError> {
        settle(tx, calls, Group::give_back).await
    }
}

impl WriteOperation for UnconfirmSeat {
    type Input = SeatMeant;
    type Output = SeatSettled;

    async fn run(&self, tx: &mut Tx<'_>, calls: &[Call<SeatMeant>]) -> Result<Settled, StoreError> {
        settle(tx, calls, Group::unconfirm).await
    }
}

impl WriteOperation for ConfirmSeat {
    type Input = SeatMeant;
    type Output = SeatSettled;

    async fn run(&self, tx: &mut Tx<'_>, calls: &[Call<SeatMeant>]) -> Result<Settled, StoreError> {
        let mut groups = Groups::default();
        groups.load_seats(tx, calls.iter().map(seat_key)).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let (seat_id, now) = (call.input.seat_id.clone(), call.context.now);
            let unavailable = |condition| {
                No::new(SEAT_UNAVAILABLE, &SeatUnavailable { seat_id: seat_id.clone(), condition })
            };
            let Some((seat, group)) = groups.seat_mut(&seat_key(call)) else {
                replies.push(unavailable(SeatCondition::Unknown).reply()?);
                continue;
            };
            let confirmed =
                |applied| Reply::done(SeatSettled { applied, condition: SeatCondition::Confirmed });
            replies.push(match group.confirm(seat, now) {
                Confirmed::Now => confirmed(Applied::Now),
                Confirmed::Filled => confirmed(Applied::Now).emit("campaign.group_filled", &news(group))?,
                Confirmed::Already => confirmed(Applied::Already),
                Confirmed::Closed => closed(group).reply()?,
                Confirmed::Unavailable => unavailable(seat.condition).reply()?,
            });
        }
        groups.save(tx).await?;
        Ok(replies)
    }
}
