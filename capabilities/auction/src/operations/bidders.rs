//! Admission of bidders: `auction.admission`, `auction.register`, `auction.register_with_deposit`, `auction.withdraw`,
//! `auction.settle_deposit`. The deposit's money stays with the trade that admits; here stands what becomes of it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use mortise_capability::{Call, CallContext, ReadOperation, Reply, StoreError, WriteOperation};
use mortise_store::{Reader, Tx};
use mortise_types::{
    Address, Amount, Applied, AuctionId, CustomerId, IdSource, OrderId, PaymentId, RegistrationId, TenantId,
};

use super::{No, key_of, lot_for, still_open};
use crate::contract::{
    Admission, AdmissionInput, AlreadyRegistered, DepositDiffers, DepositInput, DepositState, RegisterInput,
    Registered, RegistrationRef, Settled, WrongCurrency,
};
use crate::store::{self, BidderKey, Lot, LotKey, NewBidder, off};

fn bidder_key(context: &CallContext, auction_id: &AuctionId, customer: &CustomerId) -> BidderKey {
    (context.scope.tenant.clone(), auction_id.clone(), customer.clone())
}

pub(crate) struct Admit;

impl ReadOperation for Admit {
    type Input = AdmissionInput;
    type Output = Admission;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<AdmissionInput>],
    ) -> Result<Vec<Reply<Admission>>, StoreError> {
        let keys = calls.iter().map(|call| key_of(&call.context, &call.input.auction_id));
        let lots = store::load_lots(reader, keys).await?;
        let keys = calls
            .iter()
            .map(|call| bidder_key(&call.context, &call.input.auction_id, &call.input.customer_id));
        let bidders = store::load_bidders(reader, keys).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for Call { context, input } in calls {
            let AdmissionInput { auction_id, customer_id, currency } = input;
            let lot = lot_for(&lots, &key_of(context, auction_id), customer_id)
                .and_then(|lot| still_open(lot, context.now).map(|()| lot));
            let known = bidders.get(&bidder_key(context, auction_id, customer_id));
            replies.push(match (lot, known.filter(|row| row.admitted)) {
                (Err(no), _) => no.reply()?,
                (Ok(lot), _) if lot.rules.currency != *currency => {
                    No::WrongCurrency(WrongCurrency { currency: lot.rules.currency }).reply()?
                }
                (Ok(_), Some(row)) => already(row.bidder.paddle)?,
                (Ok(lot), None) => Reply::done(Admission {
                    deposit: lot.rules.deposit,
                    deposit_order: OrderId::new(format!("{auction_id}-deposit")).map_err(off)?,
                    decided_by: lot.rules.decided_by(),
                }),
            });
        }
        Ok(replies)
    }
}

fn already<O>(paddle: i64) -> Result<Reply<O>, StoreError> {
    Reply::rejected("already_registered", &AlreadyRegistered { paddle })
}

/// Who asks to be admitted, with or without a deposit.
struct Asked<'a> {
    context: &'a CallContext,
    auction_id: &'a AuctionId,
    customer_id: &'a CustomerId,
    ship_to: &'a Address,
    paid: Option<(&'a PaymentId, Amount)>,
}

pub(crate) struct Register {
    pub(crate) ids: Arc<dyn IdSource>,
}

impl WriteOperation for Register {
    type Input = RegisterInput;
    type Output = Registered;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<RegisterInput>],
    ) -> Result<Vec<Reply<Registered>>, StoreError> {
        let asked = calls.iter().map(|Call { context, input }| {
            let RegisterInput { auction_id, customer_id, ship_to } = input;
            Asked { context, auction_id, customer_id, ship_to, paid: None }
        });
        admit(tx, &*self.ids, &asked.collect::<Vec<_>>()).await
    }
}

pub(crate) struct RegisterWithDeposit {
    pub(crate) ids: Arc<dyn IdSource>,
}

impl WriteOperation for RegisterWithDeposit {
    type Input = DepositInput;
    type Output = Registered;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<DepositInput>],
    ) -> Result<Vec<Reply<Registered>>, StoreError> {
        let asked = calls.iter().map(|Call { context, input }| {
            let DepositInput { auction_id, customer_id, ship_to, payment_id, deposit } = input;
            Asked { context, auction_id, customer_id, ship_to, paid: Some((payment_id, *deposit)) }
        });
        admit(tx, &*self.ids, &asked.collect::<Vec<_>>()).await
    }
}

async fn admit(
    tx: &mut Tx<'_>,
    ids: &dyn IdSource,
    asked: &[Asked<'_>],
) -> Result<Vec<Reply<Registered>>, StoreError> {
    let keys = asked.iter().map(|one| key_of(one.context, one.auction_id));
    let mut lots = store::load_lots(tx, keys).await?;
    let keys = asked.iter().map(|one| bidder_key(one.context, one.auction_id, one.customer_id));
    let known = store::load_bidders(tx, keys).await?;
    let mut paddles: HashMap<BidderKey, i64> =
        known.iter().map(|(key, row)| (key.clone(), row.bidder.paddle)).collect();
    let mut admitted: BTreeSet<BidderKey> =
        known.into_iter().filter(|(_, row)| row.admitted).map(|(key, _)| key).collect();
    let (mut new, mut changed) = (Vec::new(), BTreeSet::new());
    let mut replies = Vec::with_capacity(asked.len());
    for one in asked {
        let (at, key) =
            (key_of(one.context, one.auction_id), bidder_key(one.context, one.auction_id, one.customer_id));
        if let Err(no) = lot_for(&lots, &at, one.customer_id).and_then(|lot| still_open(lot, one.context.now))
        {
            replies.push(no.reply()?);
            continue;
        }
        let Some(lot) = lots.get_mut(&at) else { continue };
        if let Some(paddle) = paddles.get(&key).filter(|_| admitted.contains(&key)) {
            replies.push(already(*paddle)?);
            continue;
        }
        let (asks, paid) = (lot.rules.deposit, one.paid.map_or(Amount::ZERO, |(_, paid)| paid));
        if asks != paid {
            replies.push(Reply::rejected("deposit_differs", &DepositDiffers { asked: asks, paid })?);
            continue;
        }
        let paddle = *paddles.entry(key.clone()).or_insert_with(|| number(lot, &at, &mut changed));
        let registration = RegistrationId::new(ids.next().to_string()).map_err(off)?;
        let (payment_id, ship_to, now) = (one.paid.map(|(payment, _)| payment), one.ship_to, one.context.now);
        new.push(NewBidder {
            key: key.clone(),
            registration: registration.clone(),
            paddle,
            deposit: paid,
            payment_id,
            ship_to,
            now,
        });
        admitted.insert(key);
        replies.push(Reply::done(Registered { registration, paddle }));
    }
    store::admit(tx, &new).await?;
    store::save_paddles(tx, &lots, &changed).await?;
    Ok(replies)
}

/// The next number of an auction.
fn number(lot: &mut Lot, key: &LotKey, changed: &mut BTreeSet<LotKey>) -> i64 {
    lot.paddles += 1;
    changed.insert(key.clone());
    lot.paddles
}

/// What a command makes of an admission's deposit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settle {
    /// The admission is taken back.
    Withdraw,
    /// The deposit went where it was decided.
    Book,
}

impl WriteOperation for Settle {
    type Input = RegistrationRef;
    type Output = Settled;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<RegistrationRef>],
    ) -> Result<Vec<Reply<Settled>>, StoreError> {
        let keys: Vec<(TenantId, RegistrationId)> = calls
            .iter()
            .map(|call| (call.context.scope.tenant.clone(), call.input.registration.clone()))
            .collect();
        let found = store::deposits_of(tx, &keys).await?;
        let mut states: HashMap<&(TenantId, RegistrationId), DepositState> =
            keys.iter().zip(found).filter_map(|(key, state)| Some((key, state?))).collect();
        let (mut changes, mut replies) = (Vec::new(), Vec::with_capacity(calls.len()));
        for key in &keys {
            let Some(state) = states.get_mut(key) else {
                replies.push(Reply::done(Settled { applied: Applied::Already, deposit: DepositState::None }));
                continue;
            };
            let settled = settled(*state);
            let applied = match (self, settled == *state) {
                (Settle::Book, true) => Applied::Already,
                (Settle::Book, false) | (Settle::Withdraw, _) => Applied::Now,
            };
            if applied == Applied::Now {
                changes.push((key.0.clone(), key.1.clone(), settled));
            }
            *state = settled;
            replies.push(Reply::done(Settled { applied, deposit: settled }));
        }
        match self {
            Settle::Withdraw => store::withdraw(tx, &changes).await?,
            Settle::Book => store::set_deposits(tx, &changes).await?,
        }
        Ok(replies)
    }
}

/// What a deposit is when it is where it belongs.
const fn settled(state: DepositState) -> DepositState {
    match state {
        DepositState::Held | DepositState::ToReturn => DepositState::Returned,
        DepositState::ToCredit => DepositState::Credited,
        DepositState::ToForfeit => DepositState::Forfeited,
        there => there,
    }
}
