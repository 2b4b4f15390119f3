//! `auction.assess`, `auction.bid`: whether a bid is admissible, by the auction's rules and by whoever answers `bid-check`, and
//! placing it. A batch's bids on one auction are decided in memory, in their order: one update of the auction's row, one
//! insert a bid.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use mortise_capability::{Call, CallContext, ReadOperation, Reply, Staleness, StoreError, WriteOperation};
use mortise_points::bid_check::{Objected, Question};
use mortise_points::{BidCheck, Opened, Points};
use mortise_store::{Reader, Tx};
use mortise_types::{AuctionId, CustomerId};

use super::{No, admissible, key_of, lot_for};
use crate::contract::{
    AssessInput, Assessed, Bid, BidInput, BidObjected, BidPlaced, EntryKind, Extended, Outbid, Placed,
    WrongCurrency,
};
use crate::rules::sale::PlacedBid;
use crate::rules::{Bidder, Judged, Stood};
use crate::store::{self, BidderKey, BidderRow, Lot, LotKey, NewBid, NewEntry};

/// The auctions and bidders that a batch is about.
struct Room {
    lots: HashMap<LotKey, Lot>,
    bidders: HashMap<BidderKey, BidderRow>,
}

impl Room {
    async fn load<'a>(
        reader: &Reader<'_>,
        calls: impl Iterator<Item = (&'a CallContext, &'a AuctionId, &'a CustomerId)> + Clone,
    ) -> Result<Room, StoreError> {
        let keys = calls.clone().map(|(context, auction, _)| key_of(context, auction));
        let lots = store::load_lots(reader, keys).await?;
        let keys = calls.map(|(context, auction, customer)| {
            (context.scope.tenant.clone(), auction.clone(), customer.clone())
        });
        Ok(Room { lots, bidders: store::load_bidders(reader, keys).await? })
    }

    fn judge(
        &self,
        context: &CallContext,
        auction_id: &AuctionId,
        customer: &CustomerId,
        bid: Bid,
    ) -> Result<(&Lot, Judged), No> {
        let key = key_of(context, auction_id);
        let lot = lot_for(&self.lots, &key, customer)?;
        let bidder = self.bidders.get(&(key.0, key.1, customer.clone()));
        admissible(lot, bidder, customer, bid, context.now).map(|judged| (lot, judged))
    }
}

pub(crate) struct Assess {
    pub(crate) points: Arc<dyn Points>,
}

impl ReadOperation for Assess {
    type Input = AssessInput;
    type Output = Assessed;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<AssessInput>],
    ) -> Result<Vec<Reply<Assessed>>, StoreError> {
        let about =
            calls.iter().map(|call| (&*call.context, &call.input.auction_id, &call.input.customer_id));
        let room = Room::load(reader, about).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let Call { context, input } = call;
            let judged = room.judge(context, &input.auction_id, &input.customer_id, input.bid);
            replies.push(match judged {
                Err(no) => no.reply()?,
                Ok((lot, _)) if lot.rules.currency != input.currency => {
                    No::WrongCurrency(WrongCurrency { currency: lot.rules.currency }).reply()?
                }
                Ok((lot, judged)) => match self.points.open::<BidCheck>(&context.scope) {
                    None => Reply::done(assessed(lot, input, 0)),
                    Some(opened) => checked(&opened, call, lot, judged)?,
                },
            });
        }
        Ok(replies)
    }
}

fn assessed(lot: &Lot, input: &AssessInput, judged_at: i64) -> Assessed {
    Assessed { bid: input.bid, asking_price: lot.standing.asking_price(&lot.rules), judged_at }
}

/// Puts a bid that the auction's own rules admit to the extensions.
fn checked(
    opened: &Opened<BidCheck>,
    call: &Call<AssessInput>,
    lot: &Lot,
    judged: Judged,
) -> Result<Reply<Assessed>, StoreError> {
    let Call { context, input } = call;
    let asked = match mortise_asking::ask(opened, context, &question(call, lot, judged)) {
        Ok(asked) => asked,
        Err(refusal) => return refusal.reply(),
    };
    let reply = match asked.reduced {
        None => Reply::done(assessed(lot, input, lot.standing.position)),
        Some(Objected { at_least, reason, extension }) => {
            let extension = extension.as_str().to_owned();
            Reply::rejected("bid_objected", &BidObjected { reason, at_least, extension })?
        }
    };
    Ok(reply.asked(asked.calls))
}

/// What an extension sees: nothing of the reserve price, nor of what others are ready to pay.
fn question(call: &Call<AssessInput>, lot: &Lot, judged: Judged) -> Question {
    let Call { context, input } = call;
    let (rules, standing) = (&lot.rules, &lot.standing);
    let own = standing.leader().filter(|leader| leader.bidder.customer_id == input.customer_id);
    Question {
        auction_id: input.auction_id.clone(),
        currency: rules.currency,
        customer_id: input.customer_id.clone(),
        sku: rules.lot.sku.clone(),
        quantity: rules.lot.quantity,
        starting_price: rules.starting_price,
        price: standing.price(),
        asking_price: standing.asking_price(rules),
        own_maximum: own.map(|leader| leader.maximum),
        amount: judged.amount,
        maximum: judged.maximum,
        bids: standing.bids,
        opens_at: rules.opens_at,
        closes_at: standing.closes_at,
        trade_time: context.now,
    }
}

pub(crate) struct PlaceBid;

impl WriteOperation for PlaceBid {
    type Input = BidInput;
    type Output = Placed;

    async fn run(&self, tx: &mut Tx<'_>, calls: &[Call<BidInput>]) -> Result<Vec<Reply<Placed>>, StoreError> {
        let about =
            calls.iter().map(|call| (&*call.context, &call.input.auction_id, &call.input.customer_id));
        let mut room = Room::load(tx, about).await?;
        let (mut bids, mut entries, mut touched) = (Vec::new(), Vec::new(), BTreeSet::new());
        let mut replies = Vec::with_capacity(calls.len());
        for Call { context, input } in calls {
            let BidInput { auction_id, customer_id, bid, judged_at } = input;
            let judged = match room.judge(context, auction_id, customer_id, *bid) {
                Ok((lot, _)) if moved_on(lot, *judged_at) && context.staleness == Staleness::MayReply => {
                    replies.push(Reply::stale());
                    continue;
                }
                Ok((_, judged)) => judged,
                Err(no) => {
                    replies.push(no.reply()?);
                    continue;
                }
            };
            let key = key_of(context, auction_id);
            let bidder = room.bidders.get(&(key.0.clone(), key.1.clone(), customer_id.clone()));
            // Only an admitted bidder of a known auction is judged admissible.
            let (Some(lot), Some(bidder)) = (room.lots.get_mut(&key), bidder) else { continue };
            let stood = lot.standing.take(&lot.rules, &bidder.bidder, judged, context.now);
            entries.extend(stood.extended.map(|closes_at| extended(&key, &stood, closes_at, context)));
            replies.push(reply(auction_id, lot, &bidder.bidder, &stood)?);
            let (position, bidder, at) = (stood.position, bidder.bidder.clone(), context.now);
            let placed = PlacedBid { position, bidder, bid: judged, at };
            bids.push(NewBid { key: key.clone(), placed, price: stood.price, leading: stood.leading.paddle });
            touched.insert(key);
        }
        store::insert_bids(tx, &bids).await?;
        store::save_lots(tx, room.lots.iter().filter(|(key, _)| touched.contains(*key))).await?;
        store::insert_entries(tx, &entries).await?;
        Ok(replies)
    }
}

/// Whether another bid came between: what extensions said is then about an auction that is no more.
const fn moved_on(lot: &Lot, judged_at: i64) -> bool {
    judged_at != 0 && lot.standing.position != judged_at
}

fn extended(
    key: &LotKey,
    stood: &Stood,
    closes_at: mortise_types::Timestamp,
    context: &CallContext,
) -> NewEntry {
    NewEntry {
        key: key.clone(),
        position: stood.position + 1,
        kind: EntryKind::Extended,
        bidder: None,
        price: None,
        closes_at: Some(closes_at),
        note: None,
        at: context.now,
    }
}

fn reply(
    auction_id: &AuctionId,
    lot: &Lot,
    bidder: &Bidder,
    stood: &Stood,
) -> Result<Reply<Placed>, StoreError> {
    let (price, closes_at, currency) = (stood.price, lot.standing.closes_at, lot.rules.currency);
    let (asking_price, reserve_met) = (lot.standing.asking_price(&lot.rules), lot.rules.sells_at(price));
    let placed = Placed {
        position: stood.position,
        leading: stood.leading == *bidder,
        price,
        asking_price,
        reserve_met,
        closes_at,
    };
    let event = BidPlaced {
        auction_id: auction_id.clone(),
        position: stood.position,
        paddle: bidder.paddle,
        leading: stood.leading.paddle,
        price,
        reserve_met,
        closes_at,
        currency,
    };
    let mut reply = Reply::done(placed).emit("auction.bid_placed", &event)?;
    if let Some(outbid) = &stood.outbid {
        let (customer_id, auction_id) = (outbid.customer_id.clone(), auction_id.clone());
        let event = Outbid { customer_id, auction_id, price, asking_price, closes_at, currency };
        reply = reply.emit("auction.outbid", &event)?;
    }
    if stood.extended.is_some() {
        let (auction_id, extensions) = (auction_id.clone(), lot.standing.extensions);
        reply = reply.emit("auction.extended", &Extended { auction_id, closes_at, extensions })?;
    }
    Ok(reply)
}
