//! Deposits that are decided: credited to an order, back to being held, or forfeited. None of them can be refused; what
//! cannot be (a deposit that never came, one that is gone the other way) is an error that brings the trade before a person.

use mortise_capability::{Call, Reply, WriteOperation};
use mortise_store::{StoreError, Tx};
use mortise_types::{OrderId, PaymentId};

use super::{key, word};
use crate::contract::{CreditDepositInput, DepositMoved, PaymentMeant};
use crate::rules::{Booked, Deposit};
use crate::store::Payments;

pub(crate) struct CreditDeposit;

pub(crate) struct HoldDeposit;

pub(crate) struct ForfeitDeposit;

type Replies = Vec<Reply<DepositMoved>>;

/// Where a deposit goes.
struct Move<'c> {
    payment_id: &'c PaymentId,
    to: Deposit,
    /// `None` where it goes to no order.
    order_id: Option<&'c OrderId>,
}

async fn run<I>(
    tx: &mut Tx<'_>,
    calls: &[Call<I>],
    wish: impl Fn(&I) -> Move<'_>,
) -> Result<Replies, StoreError> {
    let mut payments =
        Payments::load(tx, calls.iter().map(|call| key(call, wish(&call.input).payment_id))).await?;
    let mut replies = Vec::with_capacity(calls.len());
    for call in calls {
        let Move { payment_id, to, order_id } = wish(&call.input);
        let booked = payments
            .get_mut(&key(call, payment_id))
            .ok_or_else(|| StoreError::Conflict(format!("there is no payment `{payment_id}`")))?;
        let happened = booked.move_deposit(to, call.context.now).ok_or_else(|| cannot(booked, to))?;
        booked.payment.credited_to = order_id.cloned();
        let amount = booked.payment.there();
        replies.push(Reply::done(DepositMoved { applied: word(happened), amount }));
    }
    payments.save(tx).await?;
    Ok(replies)
}

fn cannot(booked: &Booked, to: Deposit) -> StoreError {
    let (payment, stands) = (&booked.payment, booked.payment.deposit.map_or("no deposit", Deposit::word));
    let (id, status) = (&payment.payment_id, payment.status);
    StoreError::Conflict(format!("payment {id} is {status} and {stands}: it cannot become {to}"))
}

impl WriteOperation for CreditDeposit {
    type Input = CreditDepositInput;
    type Output = DepositMoved;

    async fn run(&self, tx: &mut Tx<'_>, calls: &[Call<CreditDepositInput>]) -> Result<Replies, StoreError> {
        run(tx, calls, |input| Move {
            payment_id: &input.payment_id,
            to: Deposit::Credited,
            order_id: Some(&input.order_id),
        })
        .await
    }
}

impl WriteOperation for HoldDeposit {
    type Input = PaymentMeant;
    type Output = DepositMoved;

    async fn run(&self, tx: &mut Tx<'_>, calls: &[Call<PaymentMeant>]) -> Result<Replies, StoreError> {
        run(tx, calls, |input| Move { payment_id: &input.payment_id, to: Deposit::Held, order_id: None })
            .await
    }
}

impl WriteOperation for ForfeitDeposit {
    type Input = PaymentMeant;
    type Output = DepositMoved;

    async fn run(&self, tx: &mut Tx<'_>, calls: &[Call<PaymentMeant>]) -> Result<Replies, StoreError> {
        run(tx, calls, |input| Move { payment_id: &input.payment_id, to: Deposit::Forfeited, order_id: None })
            .await
    }
}
