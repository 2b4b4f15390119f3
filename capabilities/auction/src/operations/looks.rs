//! `auction.get`, `auction.list`, `auction.bids`, `auction.timeline`: what an auction is and what happened in it. Bidders see each
//! other by number; maxima, and who is behind a number, are shown to the bidder and to the shop's staff.

use mortise_capability::{Call, CallContext, ReadOperation, Reply, StoreError};
use mortise_store::Reader;
use mortise_types::{AuctionId, CustomerId};

use super::{No, key_of, order_of};
use crate::contract::{
    AuctionSummary, AuctionView, Entry, EntryKind, GetInput, ListInput, ListOutput, OwnOffer, OwnPart,
    TimelineInput, TimelineOutput,
};
use crate::store::{self, BidderRow, Lot, LotKey, OfferRow, of_word};

/// Whose part of an auction a call may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Eyes<'a> {
    /// Everything: the shop's staff.
    Staff,
    /// A bidder's own.
    Of(&'a CustomerId),
    /// What everybody sees: a signed-in customer asks for another's.
    Everybody,
}

impl<'a> Eyes<'a> {
    fn of(context: &'a CallContext, asked: Option<&'a CustomerId>) -> Eyes<'a> {
        match (context.caller.as_ref(), asked) {
            (None, None) => Eyes::Staff,
            (Some(caller), Some(asked)) if caller != asked => Eyes::Everybody,
            (Some(customer), _) | (None, Some(customer)) => Eyes::Of(customer),
        }
    }

    fn see(self, customer: &CustomerId) -> bool {
        match self {
            Eyes::Staff => true,
            Eyes::Of(own) => own == customer,
            Eyes::Everybody => false,
        }
    }
}

fn summary(auction_id: &AuctionId, lot: &Lot) -> AuctionSummary {
    let Lot { rules, standing, .. } = lot;
    AuctionSummary {
        auction_id: auction_id.clone(),
        lot: rules.lot.clone(),
        state: lot.state,
        currency: rules.currency,
        price: standing.price(),
        asking_price: standing.asking_price(rules),
        reserve_met: standing.reserve_met(rules),
        leading: standing.leader().map(|leader| leader.bidder.paddle),
        bids: standing.bids,
        opens_at: rules.opens_at,
        closes_at: standing.closes_at,
        extensions: standing.extensions,
        position: standing.position,
    }
}

pub(crate) struct Get;

impl ReadOperation for Get {
    type Input = GetInput;
    type Output = AuctionView;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<GetInput>],
    ) -> Result<Vec<Reply<AuctionView>>, StoreError> {
        let keys = calls.iter().map(|call| key_of(&call.context, &call.input.auction_id));
        let lots = store::load_lots(reader, keys).await?;
        let own: Vec<(LotKey, CustomerId)> = calls
            .iter()
            .filter_map(|call| match Eyes::of(&call.context, call.input.customer_id.as_ref()) {
                Eyes::Of(customer) => Some((key_of(&call.context, &call.input.auction_id), customer.clone())),
                Eyes::Staff | Eyes::Everybody => None,
            })
            .collect();
        let keys = own
            .iter()
            .map(|((tenant, auction), customer)| (tenant.clone(), auction.clone(), customer.clone()));
        let bidders = store::load_bidders(reader, keys).await?;
        let keys = own.iter().map(|((tenant, auction), customer)| (tenant, auction, customer));
        let mut offers = store::offers_of(reader, keys).await?.into_iter();
        let mut replies = Vec::with_capacity(calls.len());
        for Call { context, input } in calls {
            let eyes = Eyes::of(context, input.customer_id.as_ref());
            let key = key_of(context, &input.auction_id);
            let (own, offer) = match eyes {
                Eyes::Of(customer) => {
                    (bidders.get(&(key.0.clone(), key.1.clone(), customer.clone())), offers.next().flatten())
                }
                Eyes::Staff | Eyes::Everybody => (None, None),
            };
            replies.push(match lots.get(&key) {
                None => No::Unknown(key.1).reply()?,
                Some(lot) => {
                    let own = own.map(|row| own_part(&key, lot, row, offer)).transpose()?;
                    Reply::done(view(&key, lot, eyes, own))
                }
            });
        }
        Ok(replies)
    }
}

fn view(key: &LotKey, lot: &Lot, eyes: Eyes<'_>, own: Option<OwnPart>) -> AuctionView {
    let rules = &lot.rules;
    AuctionView {
        summary: summary(&key.1, lot),
        starting_price: rules.starting_price,
        has_reserve: rules.reserve_price.is_some(),
        reserve_price: rules.reserve_price.filter(|_| eyes == Eyes::Staff),
        deposit: rules.deposit,
        increments: rules.increments.clone(),
        own,
    }
}

fn own_part(
    key: &LotKey,
    lot: &Lot,
    row: &BidderRow,
    offer: Option<OfferRow>,
) -> Result<OwnPart, StoreError> {
    let leads = lot.standing.leader().filter(|leader| leader.bidder == row.bidder);
    let own_offer = |row: OfferRow| {
        let OfferRow { offer, state, price, pay_by, amount, pay_url, .. } = row;
        Ok::<_, StoreError>(OwnOffer {
            state,
            price,
            order_id: order_of(&key.1, offer)?,
            pay_by,
            amount,
            pay_url,
        })
    };
    Ok(OwnPart {
        registration: row.registration.clone(),
        paddle: row.bidder.paddle,
        leading: leads.is_some(),
        maximum: leads.map(|leader| leader.maximum),
        deposit: row.deposit_state,
        deposited: row.deposit,
        offer: offer.map(own_offer).transpose()?,
    })
}

pub(crate) struct List;

impl ReadOperation for List {
    type Input = ListInput;
    type Output = ListOutput;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<ListInput>],
    ) -> Result<Vec<Reply<ListOutput>>, StoreError> {
        let size = |input: &ListInput| input.limit.clamp(1, 200);
        let pages = calls.iter().map(|call| {
            let after = call.input.after.as_ref().map_or("", AuctionId::as_str);
            (&call.context.scope.tenant, after, size(&call.input).saturating_add(1))
        });
        let pages = store::page_of_lots(reader, pages).await?;
        let reply = |(call, mut rows): (&Call<ListInput>, Vec<(AuctionId, Lot)>)| {
            let size = usize::try_from(size(&call.input)).unwrap_or_default();
            let more = rows.len() > size;
            rows.truncate(size);
            let next = rows.last().filter(|_| more).map(|(id, _)| id.clone());
            let auctions = rows.iter().map(|(id, lot)| summary(id, lot)).collect();
            Reply::done(ListOutput { auctions, next })
        };
        Ok(calls.iter().zip(pages).map(reply).collect())
    }
}

/// What of an auction's timeline is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tell {
    /// Its bids.
    Bids,
    /// Everything.
    Everything,
}

impl ReadOperation for Tell {
    type Input = TimelineInput;
    type Output = TimelineOutput;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<TimelineInput>],
    ) -> Result<Vec<Reply<TimelineOutput>>, StoreError> {
        let keys = calls.iter().map(|call| key_of(&call.context, &call.input.auction_id));
        let lots = store::load_lots(reader, keys).await?;
        let parts = calls.iter().map(|call| {
            let TimelineInput { auction_id, after, limit, .. } = &call.input;
            (&call.context.scope.tenant, auction_id, *after, (*limit).clamp(1, 500))
        });
        let groups = match self {
            Tell::Bids => store::load_bids(reader, parts).await?,
            Tell::Everything => store::load_timeline(reader, parts).await?,
        };
        let mut replies = Vec::with_capacity(calls.len());
        for (call, rows) in calls.iter().zip(groups) {
            let eyes = Eyes::of(&call.context, call.input.customer_id.as_ref());
            let Some(lot) = lots.get(&key_of(&call.context, &call.input.auction_id)) else {
                replies.push(No::Unknown(call.input.auction_id.clone()).reply()?);
                continue;
            };
            let entries = rows.into_iter().map(|row| entry(row, eyes)).collect::<Result<_, _>>()?;
            let (position, state) = (lot.standing.position, lot.state);
            replies.push(Reply::done(TimelineOutput { entries, position, state }));
        }
        Ok(replies)
    }
}

fn entry(row: store::TimelineRow, eyes: Eyes<'_>) -> Result<Entry, StoreError> {
    let (position, kind, customer, paddle, amount, maximum, price, leading, closes_at, note, at) = row;
    let kind: EntryKind = of_word(&kind)?;
    let customer_id = customer.filter(|customer| eyes.see(customer));
    let own = customer_id.is_some();
    let (amount, maximum) = (amount.filter(|_| own), maximum.filter(|_| own));
    // What the next bidder is to pay is what that bidder was ready to pay: nobody else's business.
    let offered = matches!(kind, EntryKind::Awarded | EntryKind::Defaulted | EntryKind::Sold);
    let price = price.filter(|_| own || !offered);
    Ok(Entry { position, kind, paddle, customer_id, amount, maximum, price, leading, closes_at, note, at })
}
