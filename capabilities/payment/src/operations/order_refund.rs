//! `payment.refund_order`: an amount of an order's money goes back over its payments, once for a reference, and cannot be
//! refused. What is asked for is set aside in the transaction that checks it; what no provider moves is booked at once.

use std::collections::BTreeMap;

use mortise_capability::{
    Call, Intended, ReadOperation, RemoteOperation, Reply, SendContext, Settling, Unanswered,
};
use mortise_store::{Reader, StoreError, Tx};
use mortise_types::{Amount, PaymentId};
use serde::{Deserialize, Serialize};

use super::take_back::TakingBack;
use super::{key, refund_news, too_large, unknown};
use crate::contract::{Funds, FundsInput, OrderRefundInput, OrderRefunded, RefundPart};
use crate::rules::{RefundRow, RefundStatus, WhatHappened};
use crate::store::{Key, Payments, refunds};

/// The code of `payment.refund_order`.
pub(crate) struct RefundOrder(pub(crate) TakingBack);

/// The code of `payment.funds`.
pub(crate) struct ReadFunds;

/// What providers have to be asked, and what the whole comes to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OrderRefundIntent {
    asked: Vec<Asked>,
    refunded: OrderRefunded,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Asked {
    provider_ref: String,
    part: RefundPart,
}

/// Our refunds with the provider's names for them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OrderRefundAnswer {
    provider_refund_refs: Vec<(String, String)>,
}

type RefundKey = (mortise_types::TenantId, PaymentId, String);

/// One payment's refund for a reference: the same whoever asks, and however often.
fn refund_key(key: &Key, reference: &str) -> RefundKey {
    (key.0.clone(), key.1.clone(), format!("{reference}@{}", key.1))
}

/// Each payment once.
fn keys(call: &Call<OrderRefundInput>) -> Vec<Key> {
    let payments = &call.input.payments;
    let first = |(at, id): &(usize, &PaymentId)| !payments[..*at].contains(*id);
    payments.iter().enumerate().filter(first).map(|(_, payment_id)| key(call, payment_id)).collect()
}

/// The payments of a batch and the refunds that stand for its references.
struct Batch {
    payments: Payments,
    rows: BTreeMap<RefundKey, RefundRow>,
    changed: Vec<RefundKey>,
}

impl Batch {
    async fn load(tx: &Tx<'_>, calls: &[Call<OrderRefundInput>]) -> Result<Batch, StoreError> {
        let payments = Payments::load(tx, calls.iter().flat_map(keys)).await?;
        let places: Vec<RefundKey> = calls
            .iter()
            .flat_map(|call| keys(call).into_iter().map(|key| refund_key(&key, &call.input.reference)))
            .collect();
        let found = refunds(tx, places.iter().cloned()).await?;
        let rows = places.into_iter().zip(found).filter_map(|(place, row)| Some((place, row?))).collect();
        Ok(Batch { payments, rows, changed: Vec::new() })
    }

    /// Sets aside what each payment gives, unless that was done. What no provider has to be asked for is booked at once.
    fn decide(&mut self, call: &Call<OrderRefundInput>) -> Intents {
        let mut places = keys(call).into_iter().map(|key| refund_key(&key, &call.input.reference));
        if !places.any(|place| self.rows.contains_key(&place)) {
            self.set_aside(call)?;
        }
        let (mut asked, mut parts) = (Vec::new(), Vec::new());
        for key in keys(call) {
            let Some(row) = self.rows.get(&refund_key(&key, &call.input.reference)) else { continue };
            let Some(booked) = self.payments.get_mut(&key) else { continue };
            let part = RefundPart { payment_id: key.1, refund_id: row.refund_id.clone(), amount: row.amount };
            let provider_ref = booked.payment.provider_ref.clone();
            let pending = row.status == RefundStatus::Pending;
            if let Some(provider_ref) = provider_ref.filter(|_| pending) {
                asked.push(Asked { provider_ref, part: part.clone() });
            }
            parts.push(part);
        }
        let refunded = refunded(call.input.amount, parts)?;
        if asked.is_empty() {
            return Ok(Intended::Decided(self.book(call, refunded, &[])?));
        }
        Intended::send(OrderRefundIntent { asked, refunded: refunded.clone() }, &refunded)
    }

    /// Books the parts that are on their way. A webhook, or the same call, may have been faster, and has told the news.
    fn book(
        &mut self,
        call: &Call<OrderRefundInput>,
        refunded: OrderRefunded,
        provider_refund_refs: &[(String, String)],
    ) -> Result<Reply<OrderRefunded>, StoreError> {
        let mut news = Vec::new();
        for part in &refunded.parts {
            let key = key(call, &part.payment_id);
            let place = refund_key(&key, &call.input.reference);
            let (Some(row), Some(booked)) = (self.rows.get_mut(&place), self.payments.get_mut(&key)) else {
                return Err(StoreError::Value(format!(
                    "refund {} was on its way and is gone",
                    part.refund_id
                )));
            };
            let named = provider_refund_refs.iter().find(|(refund_id, _)| *refund_id == part.refund_id);
            row.provider_ref = row.provider_ref.take().or_else(|| named.map(|(_, name)| name.clone()));
            let (amount, now) = (part.amount, call.context.now);
            let happened = booked.end_refund(row, amount, RefundStatus::Done, now).map_err(too_large)?;
            if happened == WhatHappened::Now {
                news.push(refund_news(&booked.payment, &part.refund_id, amount));
                self.changed.push(place);
            }
        }
        news.iter().try_fold(Reply::done(refunded), |reply, news| reply.emit("payment.refunded", news))
    }

    fn set_aside(&mut self, call: &Call<OrderRefundInput>) -> Result<(), StoreError> {
        let OrderRefundInput { amount, reference, reason, .. } = &call.input;
        let mut left = *amount;
        for key in keys(call) {
            let Some(booked) = self.payments.get_mut(&key) else { continue };
            let part = left.min(booked.payment.refundable());
            if part <= Amount::ZERO || booked.set_aside(part).is_err() {
                continue;
            }
            left = left.checked_sub(part).map_err(too_large)?;
            let place = refund_key(&key, reference);
            let row = RefundRow {
                refund_id: place.2.clone(),
                status: RefundStatus::Pending,
                amount: part,
                reason: reason.clone(),
                provider_ref: None,
                created_at: call.context.now,
            };
            self.rows.insert(place.clone(), row);
            self.changed.push(place);
        }
        Ok(())
    }

    async fn save(mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        for place in self.changed {
            if let Some(row) = self.rows.get(&place) {
                self.payments.put_refund((place.0, place.1), row.clone());
            }
        }
        self.payments.save(tx).await
    }
}

type Intents = Result<Intended<OrderRefundIntent, OrderRefunded>, StoreError>;

fn refunded(asked: Amount, parts: Vec<RefundPart>) -> Result<OrderRefunded, StoreError> {
    let amount = Amount::sum(parts.iter().map(|part| part.amount)).map_err(too_large)?;
    let missing = asked.checked_sub(amount).map_err(too_large)?.max(Amount::ZERO);
    Ok(OrderRefunded { amount, missing, parts })
}

impl RemoteOperation for RefundOrder {
    type Input = OrderRefundInput;
    type Output = OrderRefunded;
    type Intent = OrderRefundIntent;
    type Answer = OrderRefundAnswer;

    async fn intent(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<OrderRefundInput>],
    ) -> Result<Vec<Intended<OrderRefundIntent, OrderRefunded>>, StoreError> {
        let mut batch = Batch::load(tx, calls).await?;
        let mut intents = Vec::with_capacity(calls.len());
        for call in calls {
            intents.push(batch.decide(call)?);
        }
        batch.save(tx).await?;
        Ok(intents)
    }

    async fn send(
        &self,
        context: SendContext,
        intent: OrderRefundIntent,
    ) -> Result<OrderRefundAnswer, Unanswered> {
        let mut provider_refund_refs = Vec::with_capacity(intent.asked.len());
        for Asked { provider_ref, part } in &intent.asked {
            let name = self.0.refund(&context, provider_ref, &part.refund_id, part.amount).await?;
            provider_refund_refs.push((part.refund_id.clone(), name));
        }
        Ok(OrderRefundAnswer { provider_refund_refs })
    }

    async fn settle(
        &self,
        tx: &mut Tx<'_>,
        items: &[Settling<OrderRefundInput, OrderRefundIntent, OrderRefundAnswer>],
    ) -> Result<Vec<Reply<OrderRefunded>>, StoreError> {
        let calls: Vec<Call<OrderRefundInput>> = items.iter().map(|item| item.call.clone()).collect();
        let mut batch = Batch::load(tx, &calls).await?;
        let mut replies = Vec::with_capacity(items.len());
        for Settling { call, intent, answer } in items {
            replies.push(batch.book(call, intent.refunded.clone(), &answer.provider_refund_refs)?);
        }
        batch.save(tx).await?;
        Ok(replies)
    }
}

impl ReadOperation for ReadFunds {
    type Input = FundsInput;
    type Output = Funds;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<FundsInput>],
    ) -> Result<Vec<Reply<Funds>>, StoreError> {
        let all = calls.iter().flat_map(|call| call.input.payments.iter().map(move |id| key(call, id)));
        let mut payments = Payments::load(reader, all).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            replies.push(funds(&mut payments, call)?);
        }
        Ok(replies)
    }
}

fn funds(payments: &mut Payments, call: &Call<FundsInput>) -> Result<Reply<Funds>, StoreError> {
    let mut sums = Funds { captured: Amount::ZERO, refunded: Amount::ZERO, refundable: Amount::ZERO };
    for payment_id in &call.input.payments {
        let Some(booked) = payments.get_mut(&key(call, payment_id)) else {
            return unknown(payment_id);
        };
        let payment = &booked.payment;
        for (sum, amount) in [
            (&mut sums.captured, payment.captured),
            (&mut sums.refunded, payment.refunded),
            (&mut sums.refundable, payment.refundable()),
        ] {
            *sum = sum.checked_add(amount).map_err(too_large)?;
        }
    }
    Ok(Reply::done(sums))
}
