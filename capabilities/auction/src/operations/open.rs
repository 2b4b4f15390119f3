//! `auction.open`, `auction.cancel`, `auction.request_cancel`: an auction begins, or is taken back while it is open.

use std::sync::Arc;

use mortise_capability::{Call, Policies, Reply, StoreError, WriteOperation};
use mortise_store::Tx;
use mortise_types::{Applied, Timestamp};

use super::{No, deposits, key_of, still_open};
use crate::contract::{
    AppliedOnce, AuctionExists, AuctionRef, AuctionState, CancelRequested, Changed, EntryKind, OpenInput,
    Opened, OpenedEvent, RequestCancelInput,
};
use crate::policy::AuctionPolicy;
use crate::rules::{Deposits, Rules};
use crate::store::{self, LotKey, NewEntry};

pub(crate) struct Open {
    pub(crate) policies: Arc<Policies>,
}

impl WriteOperation for Open {
    type Input = OpenInput;
    type Output = Opened;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<OpenInput>],
    ) -> Result<Vec<Reply<Opened>>, StoreError> {
        let rules = calls.iter().map(|Call { context, input }| {
            let chosen = self.policies.get::<AuctionPolicy>(&context.scope);
            let rules = Rules::of(input.clone(), &chosen.policy, &chosen.version, context.now);
            rules.map(|rules| (key_of(context, &input.auction_id), rules))
        });
        let rules: Vec<_> = rules.collect();
        let new: Vec<(&LotKey, &Rules)> = rules.iter().flatten().map(|(key, rules)| (key, rules)).collect();
        let mut inserted = store::insert_lots(tx, &new).await?.into_iter();
        let (mut replies, mut entries) = (Vec::with_capacity(calls.len()), Vec::new());
        for (call, rules) in calls.iter().zip(&rules) {
            replies.push(match rules {
                Err(refused) => Reply::rejected("terms_refused", refused)?,
                Ok((key, rules)) if inserted.next() == Some(true) => {
                    entries.push(entry(key, 1, EntryKind::Opened, Some(rules.closes_at), call.context.now));
                    opened(key, rules)?
                }
                Ok(_) => {
                    let auction_id = call.input.auction_id.clone();
                    Reply::rejected("auction_exists", &AuctionExists { auction_id })?
                }
            });
        }
        store::insert_entries(tx, &entries).await?;
        Ok(replies)
    }
}

fn opened((_, auction_id): &LotKey, rules: &Rules) -> Result<Reply<Opened>, StoreError> {
    let (opens_at, closes_at) = (rules.opens_at, rules.closes_at);
    let event = OpenedEvent {
        auction_id: auction_id.clone(),
        opens_at,
        closes_at,
        starting_price: rules.starting_price,
        currency: rules.currency,
    };
    let auction_id = auction_id.clone();
    Reply::done(Opened { auction_id, opens_at, closes_at }).emit("auction.opened", &event)
}

fn entry(
    key: &LotKey,
    position: i64,
    kind: EntryKind,
    closes_at: Option<Timestamp>,
    at: Timestamp,
) -> NewEntry {
    NewEntry { key: key.clone(), position, kind, bidder: None, price: None, closes_at, note: None, at }
}

pub(crate) struct Cancel;

impl WriteOperation for Cancel {
    type Input = AuctionRef;
    type Output = Changed;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<AuctionRef>],
    ) -> Result<Vec<Reply<Changed>>, StoreError> {
        let keys = calls.iter().map(|call| key_of(&call.context, &call.input.auction_id));
        let mut lots = store::load_lots(tx, keys).await?;
        let (mut replies, mut entries) = (Vec::with_capacity(calls.len()), Vec::new());
        for call in calls {
            let key = key_of(&call.context, &call.input.auction_id);
            let Some(lot) = lots.get_mut(&key) else {
                replies.push(Reply::done(Changed::already(AuctionState::Unknown)));
                continue;
            };
            if lot.state != AuctionState::Open {
                replies.push(Reply::done(Changed::already(lot.state)));
                continue;
            }
            lot.state = AuctionState::Cancelled;
            lot.standing.position += 1;
            entries.push(entry(&key, lot.standing.position, EntryKind::Cancelled, None, call.context.now));
            let decided = deposits::decide(tx, &key, Deposits::Over, None).await?;
            replies.push(deposits::tell(Reply::done(Changed::now(lot.state)), &decided)?);
        }
        store::save_lots(tx, &lots).await?;
        store::insert_entries(tx, &entries).await?;
        Ok(replies)
    }
}

pub(crate) struct RequestCancel;

impl WriteOperation for RequestCancel {
    type Input = RequestCancelInput;
    type Output = AppliedOnce;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<RequestCancelInput>],
    ) -> Result<Vec<Reply<AppliedOnce>>, StoreError> {
        let keys = calls.iter().map(|call| key_of(&call.context, &call.input.auction_id));
        let lots = store::load_lots(tx, keys).await?;
        let reply = |call: &Call<RequestCancelInput>| {
            let RequestCancelInput { auction_id, reason } = &call.input;
            let found = lots.get(&key_of(&call.context, auction_id));
            let lot = found.ok_or_else(|| No::Unknown(auction_id.clone()));
            match lot.and_then(|lot| still_open(lot, call.context.now)) {
                Err(no) => no.reply(),
                Ok(()) => {
                    let wish = CancelRequested { auction_id: auction_id.clone(), reason: reason.clone() };
                    Reply::done(AppliedOnce { applied: Applied::Now }).emit("auction.cancel_requested", &wish)
                }
            }
        };
        calls.iter().map(reply).collect()
    }
}
