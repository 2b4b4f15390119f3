//! What can be read: a payment with its ledger, a tenant's payments, its trial balance.

use mortise_capability::{Call, ReadOperation, Reply};
use mortise_store::{Reader, StoreError};

use super::{key, unknown};
use crate::contract::{
    Balance, LedgerTransfer, ListInput, Listed, Nothing, OpenInput, OpenPayment, OpenPayments, PaymentMeant,
    PaymentView, PaymentWithLedger, Purpose, TrialBalance,
};
use crate::rules::{Payment, Transfer};
use crate::store::{Payments, Waiting, balances, page, transfers, waiting};

pub(crate) struct Get;

pub(crate) struct List;

pub(crate) struct Open;

pub(crate) struct Balances;

impl ReadOperation for Get {
    type Input = PaymentMeant;
    type Output = PaymentWithLedger;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<PaymentMeant>],
    ) -> Result<Vec<Reply<PaymentWithLedger>>, StoreError> {
        let keys = || calls.iter().map(|call| key(call, &call.input.payment_id));
        let mut payments = Payments::load(reader, keys()).await?;
        let ledgers = transfers(reader, keys()).await?;
        calls
            .iter()
            .zip(ledgers)
            .map(|(call, ledger)| match payments.get_mut(&key(call, &call.input.payment_id)) {
                Some(booked) => {
                    let ledger = ledger.iter().map(ledger_view).collect();
                    Ok(Reply::done(PaymentWithLedger { payment: view(&booked.payment), ledger }))
                }
                None => unknown(&call.input.payment_id),
            })
            .collect()
    }
}

impl ReadOperation for Open {
    type Input = OpenInput;
    type Output = OpenPayments;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<OpenInput>],
    ) -> Result<Vec<Reply<OpenPayments>>, StoreError> {
        let orders = calls.iter().map(|call| (&call.context.scope.tenant, &call.input.order_id));
        let found = waiting(reader, orders).await?;
        let reply = |(call, found): (&Call<OpenInput>, Vec<Waiting>)| {
            let caller = call.context.caller.as_ref();
            let theirs = |one: &Waiting| caller.is_none() || one.customer_id.as_ref() == caller;
            let payments = found.into_iter().filter(theirs).map(open_view).collect();
            Reply::done(OpenPayments { payments })
        };
        Ok(calls.iter().zip(found).map(reply).collect())
    }
}

fn open_view(waiting: Waiting) -> OpenPayment {
    OpenPayment {
        payment_id: waiting.payment_id,
        amount: waiting.amount,
        currency: waiting.currency,
        purpose: if waiting.deposit.is_some() { Purpose::Deposit } else { Purpose::Order },
        pay_url: waiting.pay_url,
        expires_at: waiting.expires_at,
    }
}

impl ReadOperation for List {
    type Input = ListInput;
    type Output = Listed;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<ListInput>],
    ) -> Result<Vec<Reply<Listed>>, StoreError> {
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let payments = page(reader, &call.context.scope.tenant, call.input.after.as_ref()).await?;
            replies.push(Reply::done(Listed { payments: payments.iter().map(view).collect() }));
        }
        Ok(replies)
    }
}

impl ReadOperation for Balances {
    type Input = Nothing;
    type Output = TrialBalance;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<Nothing>],
    ) -> Result<Vec<Reply<TrialBalance>>, StoreError> {
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let rows = balances(reader, &call.context.scope.tenant).await?;
            let row = |(account, currency, amount)| Balance { account, currency, amount };
            replies.push(Reply::done(TrialBalance { balances: rows.into_iter().map(row).collect() }));
        }
        Ok(replies)
    }
}

fn view(payment: &Payment) -> PaymentView {
    PaymentView {
        payment_id: payment.payment_id.clone(),
        order_id: payment.order_id.clone(),
        method: payment.method.word().to_owned(),
        deposit: payment.deposit.map(|deposit| deposit.word().to_owned()),
        credited_to: payment.credited_to.clone(),
        status: payment.status.word().to_owned(),
        currency: payment.currency,
        amount: payment.amount,
        captured: payment.captured,
        refunded: payment.refunded,
        pending_refund: payment.pending_refund,
        provider_ref: payment.provider_ref.clone(),
        pay_url: payment.pay_url.clone(),
        decline_code: payment.decline_code.clone(),
        created_at: payment.created_at,
    }
}

fn ledger_view(transfer: &Transfer) -> LedgerTransfer {
    LedgerTransfer {
        number: transfer.number,
        kind: transfer.kind.word().to_owned(),
        debit: transfer.debit.word().to_owned(),
        credit: transfer.credit.word().to_owned(),
        amount: transfer.amount,
        at: transfer.at,
    }
}
