//! `auction.award`, `auction.sale`, `auction.ask_payment`, `auction.next_bidder`, `auction.record_paid`: the lot is offered to
//! whoever comes first, until one of them pays.

use mortise_capability::{Call, ReadOperation, Reply, StoreError, WriteOperation};
use mortise_store::{Reader, Tx};
use mortise_types::{Applied, LineId, Price, ProofLine, Timestamp};

use super::close::{Offered, entry, offer, unsold};
use super::{deposits, key_of, order_of};
use crate::contract::{
    AppliedOnce, AskPaymentInput, AuctionRef, AuctionState, Award, Changed, Defaulted, EntryKind, NextPrice,
    NotAwarded, OfferRef, OfferState, Sold,
};
use crate::rules::{Deposits, sale};
use crate::store::{self, Lot, LotKey, OfferRow, off};

/// Which offer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadOffer {
    /// The one that is to be paid.
    ToBePaid,
    /// The one that was paid.
    Paid,
}

impl ReadOffer {
    const fn state(self) -> AuctionState {
        match self {
            ReadOffer::ToBePaid => AuctionState::Awarded,
            ReadOffer::Paid => AuctionState::Sold,
        }
    }

    const fn no(self) -> &'static str {
        match self {
            ReadOffer::ToBePaid => "not_awarded",
            ReadOffer::Paid => "not_sold",
        }
    }
}

impl ReadOperation for ReadOffer {
    type Input = AuctionRef;
    type Output = Award;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<AuctionRef>],
    ) -> Result<Vec<Reply<Award>>, StoreError> {
        let keys: Vec<LotKey> =
            calls.iter().map(|call| key_of(&call.context, &call.input.auction_id)).collect();
        let lots = store::load_lots(reader, keys.iter().cloned()).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for (call, key) in calls.iter().zip(&keys) {
            replies.push(match lots.get(key) {
                Some(lot) if lot.state == self.state() => award(reader, key, lot, call.context.now).await?,
                other => {
                    let state = other.map_or(AuctionState::Unknown, |lot| lot.state);
                    Reply::rejected(self.no(), &NotAwarded { state })?
                }
            });
        }
        Ok(replies)
    }
}

/// The latest offer, as an order needs it.
async fn award(
    reader: &Reader<'_>,
    key: &LotKey,
    lot: &Lot,
    now: Timestamp,
) -> Result<Reply<Award>, StoreError> {
    let offers = store::load_offers(reader, [(key, lot.offer)]).await?;
    let row = offers.into_iter().flatten().next().ok_or_else(|| off(format!("{} has no offer", key.1)))?;
    let bidder = store::bidder_of(reader, key, &row.customer_id).await?;
    let (_, ship_to) = bidder.ok_or_else(|| off(format!("{} is no bidder of {}", row.customer_id, key.1)))?;
    let OfferRow { offer, customer_id, price, credit, pay_by, .. } = row;
    let line = ProofLine {
        line_id: LineId::nth(0),
        sku: lot.rules.lot.sku.clone(),
        quantity: lot.rules.lot.quantity,
        location: None,
        list_price: Price::new(price, lot.rules.lot.quantity).map_err(off)?,
        list: price,
        adjustments: Vec::new(),
        taxes: Vec::new(),
        payable: price,
    };
    let (order_id, policy_version) = (order_of(&key.1, offer)?, lot.rules.policy_version.clone());
    let lines = vec![line];
    let pay_within_s = (pay_by.since(now).as_millis() / 1_000).clamp(60, 2_592_000);
    Ok(Reply::done(Award {
        offer,
        customer_id,
        order_id,
        ship_to,
        price,
        credit,
        lines,
        policy_version,
        pay_by,
        pay_within_s,
    }))
}

pub(crate) struct AskPayment;

impl WriteOperation for AskPayment {
    type Input = AskPaymentInput;
    type Output = AppliedOnce;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<AskPaymentInput>],
    ) -> Result<Vec<Reply<AppliedOnce>>, StoreError> {
        let asked: Vec<store::Asked<'_>> = calls
            .iter()
            .map(|Call { context, input }| {
                let AskPaymentInput { auction_id, offer, amount, payment_id, pay_url } = input;
                (key_of(context, auction_id), *offer, *amount, payment_id, pay_url.as_str())
            })
            .collect();
        let kept = store::ask_payment(tx, &asked).await?;
        let applied = |kept| if kept { Applied::Now } else { Applied::Already };
        Ok(kept.into_iter().map(|kept| Reply::done(AppliedOnce { applied: applied(kept) })).collect())
    }
}

/// What becomes of an offer that was to be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is paid.
    Paid,
    /// Its time is up.
    NotPaid,
}

impl WriteOperation for Outcome {
    type Input = OfferRef;
    type Output = Changed;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<OfferRef>],
    ) -> Result<Vec<Reply<Changed>>, StoreError> {
        let mut replies = Vec::with_capacity(calls.len());
        // Rare, and each is about an auction of its own: call by call.
        for Call { context, input } in calls {
            let key = key_of(context, &input.auction_id);
            let lot = store::load_lots(tx, [key.clone()]).await?.remove(&key);
            let Some(mut lot) = lot else {
                replies.push(Reply::done(Changed::already(AuctionState::Unknown)));
                continue;
            };
            let offer = store::load_offers(tx, [(&key, input.offer)]).await?.into_iter().flatten().next();
            let open = |row: &OfferRow| row.state == OfferState::Awarded && row.offer == lot.offer;
            replies.push(match (self, offer.filter(open)) {
                (Outcome::Paid, Some(row)) => paid(tx, &key, &mut lot, &row, context.now).await?,
                (Outcome::NotPaid, Some(row)) if context.now >= row.pay_by => {
                    defaulted(tx, &key, &mut lot, &row, context.now).await?
                }
                _ => Reply::done(Changed::already(lot.state)),
            });
        }
        Ok(replies)
    }
}

async fn paid(
    tx: &mut Tx<'_>,
    key: &LotKey,
    lot: &mut Lot,
    row: &OfferRow,
    now: Timestamp,
) -> Result<Reply<Changed>, StoreError> {
    store::set_offers(tx, &[(key.clone(), row.offer, OfferState::Paid)]).await?;
    lot.state = AuctionState::Sold;
    let order_id = order_of(&key.1, row.offer)?;
    let deposits = Deposits::Paid { buyer: &row.customer_id, credit: row.credit };
    let decided = deposits::decide(tx, key, deposits, Some(&order_id)).await?;
    let bidder = store::bidder_of(tx, key, &row.customer_id).await?.map(|(found, _)| found.bidder);
    let about = bidder.map(|bidder| (bidder, row.price));
    let entries = [entry(key, lot, EntryKind::Sold, about, None, now)];
    store::save_lots(tx, [(key, &*lot)]).await?;
    store::insert_entries(tx, &entries).await?;
    let event = Sold {
        auction_id: key.1.clone(),
        customer_id: row.customer_id.clone(),
        price: row.price,
        order_id,
        currency: lot.rules.currency,
    };
    deposits::tell(Reply::done(Changed::now(lot.state)).emit("auction.sold", &event)?, &decided)
}

async fn defaulted(
    tx: &mut Tx<'_>,
    key: &LotKey,
    lot: &mut Lot,
    row: &OfferRow,
    now: Timestamp,
) -> Result<Reply<Changed>, StoreError> {
    store::set_offers(tx, &[(key.clone(), row.offer, OfferState::Defaulted)]).await?;
    let order_id = order_of(&key.1, row.offer)?;
    let mut decided =
        deposits::decide(tx, key, Deposits::Defaulted(&row.customer_id), Some(&order_id)).await?;
    let bidder = store::bidder_of(tx, key, &row.customer_id).await?.map(|(found, _)| found.bidder);
    let about = bidder.map(|bidder| (bidder, row.price));
    let mut entries = vec![entry(key, lot, EntryKind::Defaulted, about, None, now)];
    let defaulters = store::defaulters(tx, key).await?;
    let ranked = sale::ranked(&lot.rules, store::best_bids(tx, key, lot.rules.offers_most).await?);
    let bids = match lot.rules.next_price {
        NextPrice::OwnMaximum => Vec::new(),
        NextPrice::WithoutDefaulters => store::all_bids(tx, key).await?,
    };
    let next = sale::next(&lot.rules, &ranked, &bids, &defaulters);
    let mut awarded = None;
    match next {
        Some(next) => {
            let Offered { row, entry, event } = offer(tx, key, lot, next, now).await?;
            store::insert_offers(tx, &[(key.clone(), row, now)]).await?;
            entries.push(entry);
            awarded = Some(event);
        }
        None => {
            let (more, back) = unsold(tx, key, lot, "not_paid", now).await?;
            entries.extend(more);
            decided.extend(back);
        }
    }
    store::save_lots(tx, [(key, &*lot)]).await?;
    store::insert_entries(tx, &entries).await?;
    let (auction_id, customer_id) = (key.1.clone(), row.customer_id.clone());
    let event = Defaulted { auction_id, customer_id, offer: row.offer };
    let mut reply = Reply::done(Changed::now(lot.state)).emit("auction.defaulted", &event)?;
    if let Some(awarded) = &awarded {
        reply = reply.emit("auction.awarded", awarded)?;
    }
    deposits::tell(reply, &decided)
}
