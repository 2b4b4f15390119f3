//! `auction.closing_time`, `auction.close`, `auction.pass`: the hammer falls when the time is up; a lot that nobody pays is passed.

use mortise_capability::{Call, ReadOperation, Reply, StoreError, WriteOperation};
use mortise_store::{Reader, Tx};
use mortise_types::{Amount, Timestamp};

use super::{deposits, key_of};
use crate::contract::{
    AuctionRef, AuctionState, Awarded, Changed, Closed, ClosingTime, DepositDecided, EntryKind, OfferState,
};
use crate::rules::{Bidder, Close, Deposits, sale};
use crate::store::{self, Lot, LotKey, NewEntry, OfferRow};

pub(crate) struct LookAtClock;

impl ReadOperation for LookAtClock {
    type Input = AuctionRef;
    type Output = ClosingTime;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<AuctionRef>],
    ) -> Result<Vec<Reply<ClosingTime>>, StoreError> {
        let keys = calls.iter().map(|call| key_of(&call.context, &call.input.auction_id));
        let lots = store::load_lots(reader, keys).await?;
        let look = |call: &Call<AuctionRef>| match lots.get(&key_of(&call.context, &call.input.auction_id)) {
            None => ClosingTime { state: AuctionState::Unknown, closes_at: call.context.now },
            Some(lot) => ClosingTime { state: lot.state, closes_at: lot.standing.closes_at },
        };
        Ok(calls.iter().map(look).map(Reply::done).collect())
    }
}

/// The next entry of an auction's timeline.
pub(crate) fn entry(
    key: &LotKey,
    lot: &mut Lot,
    kind: EntryKind,
    about: Option<(Bidder, Amount)>,
    note: Option<&'static str>,
    at: Timestamp,
) -> NewEntry {
    lot.standing.position += 1;
    let (bidder, price) = about.map_or((None, None), |(bidder, price)| (Some(bidder), Some(price)));
    let position = lot.standing.position;
    NewEntry { key: key.clone(), position, kind, bidder, price, closes_at: None, note, at }
}

/// What offering a lot to a bidder writes.
pub(crate) struct Offered {
    pub(crate) row: OfferRow,
    pub(crate) entry: NewEntry,
    pub(crate) event: Awarded,
}

/// Offers a lot to a bidder.
pub(crate) async fn offer(
    tx: &mut Tx<'_>,
    key: &LotKey,
    lot: &mut Lot,
    (bidder, price): (Bidder, Amount),
    now: Timestamp,
) -> Result<Offered, StoreError> {
    let at = (key.0.clone(), key.1.clone(), bidder.customer_id.clone());
    let known = store::load_bidders(tx, [at.clone()]).await?;
    let held = known.get(&at).filter(|row| row.deposit_state == crate::contract::DepositState::Held);
    let credit = held.map_or(Amount::ZERO, |row| lot.rules.credit(row.deposit, price));
    lot.offer += 1;
    lot.state = AuctionState::Awarded;
    let (offer, pay_by, customer_id) = (lot.offer, lot.rules.pay_by(now), bidder.customer_id.clone());
    let (currency, auction_id) = (lot.rules.currency, key.1.clone());
    let entry = entry(key, lot, EntryKind::Awarded, Some((bidder, price)), None, now);
    let event = Awarded { customer_id: customer_id.clone(), auction_id, offer, price, pay_by, currency };
    let state = OfferState::Awarded;
    let row = OfferRow { offer, customer_id, state, price, credit, pay_by, amount: None, pay_url: None };
    Ok(Offered { row, entry, event })
}

pub(crate) struct LetHammerFall;

impl WriteOperation for LetHammerFall {
    type Input = AuctionRef;
    type Output = Changed;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<AuctionRef>],
    ) -> Result<Vec<Reply<Changed>>, StoreError> {
        let keys = calls.iter().map(|call| key_of(&call.context, &call.input.auction_id));
        let mut lots = store::load_lots(tx, keys).await?;
        let mut replies = Vec::with_capacity(calls.len());
        // Auctions close one by one: it happens once to each.
        for call in calls {
            let key = key_of(&call.context, &call.input.auction_id);
            replies.push(match lots.get_mut(&key) {
                None => Reply::done(Changed::already(AuctionState::Unknown)),
                Some(lot) if lot.state != AuctionState::Open => Reply::done(Changed::already(lot.state)),
                Some(lot) => close(tx, &key, lot, call.context.now).await?,
            });
        }
        Ok(replies)
    }
}

async fn close(
    tx: &mut Tx<'_>,
    key: &LotKey,
    lot: &mut Lot,
    now: Timestamp,
) -> Result<Reply<Changed>, StoreError> {
    let (mut entries, mut awarded, mut may_buy) = (Vec::new(), None, Vec::new());
    match sale::close(&lot.rules, &lot.standing, now) {
        Close::NotDue => return Ok(Reply::done(Changed::already(lot.state))),
        Close::Unsold(why) => {
            lot.state = AuctionState::Unsold;
            entries.push(entry(key, lot, EntryKind::Unsold, None, Some(why), now));
        }
        Close::Awarded { bidder, price } => {
            let best = store::best_bids(tx, key, lot.rules.offers_most).await?;
            may_buy = sale::ranked(&lot.rules, best);
            let Offered { row, entry, event } = offer(tx, key, lot, (bidder, price), now).await?;
            store::insert_offers(tx, &[(key.clone(), row, now)]).await?;
            entries.push(entry);
            awarded = Some(event);
        }
    }
    let decided = deposits::decide(tx, key, Deposits::Closed { may_buy: &may_buy }, None).await?;
    store::save_lots(tx, [(key, &*lot)]).await?;
    store::insert_entries(tx, &entries).await?;
    closed(key, lot, awarded.as_ref(), &decided)
}

fn closed(
    key: &LotKey,
    lot: &Lot,
    awarded: Option<&Awarded>,
    decided: &[DepositDecided],
) -> Result<Reply<Changed>, StoreError> {
    let event = Closed {
        auction_id: key.1.clone(),
        state: lot.state,
        price: lot.standing.price(),
        bids: lot.standing.bids,
        currency: lot.rules.currency,
    };
    let mut reply = Reply::done(Changed::now(lot.state)).emit("auction.closed", &event)?;
    if let Some(awarded) = awarded {
        reply = reply.emit("auction.awarded", awarded)?;
    }
    deposits::tell(reply, decided)
}

pub(crate) struct Pass;

impl WriteOperation for Pass {
    type Input = AuctionRef;
    type Output = Changed;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<AuctionRef>],
    ) -> Result<Vec<Reply<Changed>>, StoreError> {
        let keys = calls.iter().map(|call| key_of(&call.context, &call.input.auction_id));
        let mut lots = store::load_lots(tx, keys).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let key = key_of(&call.context, &call.input.auction_id);
            replies.push(match lots.get_mut(&key) {
                None => Reply::done(Changed::already(AuctionState::Unknown)),
                Some(lot) if lot.state != AuctionState::Awarded => Reply::done(Changed::already(lot.state)),
                Some(lot) => {
                    store::set_offers(tx, &[(key.clone(), lot.offer, OfferState::Passed)]).await?;
                    let (entries, decided) = unsold(tx, &key, lot, "passed", call.context.now).await?;
                    store::save_lots(tx, [(&key, &*lot)]).await?;
                    store::insert_entries(tx, &entries).await?;
                    deposits::tell(Reply::done(Changed::now(lot.state)), &decided)?
                }
            });
        }
        Ok(replies)
    }
}

/// Nobody buys any more: the entry to write and the deposits that go back.
pub(crate) async fn unsold(
    tx: &mut Tx<'_>,
    key: &LotKey,
    lot: &mut Lot,
    why: &'static str,
    now: Timestamp,
) -> Result<(Vec<NewEntry>, Vec<DepositDecided>), StoreError> {
    lot.state = AuctionState::Unsold;
    let entries = vec![entry(key, lot, EntryKind::Unsold, None, Some(why), now)];
    Ok((entries, deposits::decide(tx, key, Deposits::Over, None).await?))
}
