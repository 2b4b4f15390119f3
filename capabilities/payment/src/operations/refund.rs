//! `payment.refund`: what is asked for is set aside in the transaction that checks it, so that refunds together never
//! exceed what was captured, whoever asks at the same time.

use std::sync::Arc;

use mortise_capability::{Call, Intended, RemoteOperation, Reply, SendContext, Settling, Unanswered};
use mortise_store::{StoreError, Tx};
use mortise_types::IdSource;

use super::{key, new_refund_id, refund_news, too_large, unknown};
use crate::contract::{RefundExceedsCaptured, RefundInput, Refunded, RefusedDetail};
use crate::provider::{PaymentProvider, ProviderRefundRequest, RefundAnswer};
use crate::rules::{Booked, RefundRow, RefundStatus};
use crate::store::{Payments, refunds};

pub(crate) struct Refund {
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) provider: Arc<dyn PaymentProvider>,
}

type Intents = Intended<ProviderRefundRequest, Refunded>;

impl Refund {
    /// Sets the amount aside, or books the refund at once where no provider has the money.
    fn decide(
        &self,
        booked: &mut Booked,
        call: &Call<RefundInput>,
    ) -> Result<(Intents, Option<RefundRow>), StoreError> {
        let Call { context, input } = call;
        if let Err(refundable) = booked.set_aside(input.amount) {
            let detail = RefundExceedsCaptured { asked: input.amount, refundable };
            return Ok((Intended::Decided(Reply::rejected("refund_exceeds_captured", &detail)?), None));
        }
        let refund_id = new_refund_id(&*self.ids);
        let mut row = RefundRow {
            refund_id: refund_id.clone(),
            status: RefundStatus::Pending,
            amount: input.amount,
            reason: input.reason.clone(),
            provider_ref: None,
            created_at: context.now,
        };
        let refunded = Refunded { refund_id: refund_id.clone(), refundable: booked.payment.refundable() };
        let intent = match booked.payment.provider_ref.clone() {
            Some(provider_ref) => {
                let key = refund_id.clone();
                Intended::send(
                    ProviderRefundRequest { provider_ref, refund_id, key, amount: input.amount },
                    &refunded,
                )?
            }
            None => {
                booked
                    .end_refund(&mut row, input.amount, RefundStatus::Done, context.now)
                    .map_err(too_large)?;
                let news = refund_news(&booked.payment, &refund_id, input.amount);
                Intended::Decided(Reply::done(refunded).emit("payment.refunded", &news)?)
            }
        };
        Ok((intent, Some(row)))
    }
}

impl RemoteOperation for Refund {
    type Input = RefundInput;
    type Output = Refunded;
    type Intent = ProviderRefundRequest;
    type Answer = RefundAnswer;

    async fn intent(&self, tx: &mut Tx<'_>, calls: &[Call<RefundInput>]) -> Result<Vec<Intents>, StoreError> {
        let mut payments =
            Payments::load(tx, calls.iter().map(|call| key(call, &call.input.payment_id))).await?;
        let mut intents = Vec::with_capacity(calls.len());
        for call in calls {
            let key = key(call, &call.input.payment_id);
            let Some(booked) = payments.get_mut(&key) else {
                intents.push(Intended::Decided(unknown(&call.input.payment_id)?));
                continue;
            };
            let (intent, row) = self.decide(booked, call)?;
            intents.push(intent);
            if let Some(row) = row {
                payments.put_refund(key, row);
            }
        }
        payments.save(tx).await?;
        Ok(intents)
    }

    async fn send(
        &self,
        context: SendContext,
        intent: ProviderRefundRequest,
    ) -> Result<RefundAnswer, Unanswered> {
        self.provider.refund(&context.scope, &intent).await
    }

    async fn settle(
        &self,
        tx: &mut Tx<'_>,
        items: &[Settling<RefundInput, ProviderRefundRequest, RefundAnswer>],
    ) -> Result<Vec<Reply<Refunded>>, StoreError> {
        let keys = items.iter().map(|item| key(&item.call, &item.call.input.payment_id));
        let mut payments = Payments::load(tx, keys).await?;
        let refund_keys = items.iter().map(|item| {
            let (tenant, payment_id) = key(&item.call, &item.call.input.payment_id);
            (tenant, payment_id, item.intent.refund_id.clone())
        });
        let rows = refunds(tx, refund_keys).await?;
        let mut replies = Vec::with_capacity(items.len());
        for (item, row) in items.iter().zip(rows) {
            let key = key(&item.call, &item.call.input.payment_id);
            let (Some(booked), Some(mut row)) = (payments.get_mut(&key), row) else {
                return Err(StoreError::Value(format!(
                    "refund {} was on its way and is gone",
                    item.intent.refund_id
                )));
            };
            replies.push(settle_one(booked, &mut row, item)?);
            payments.put_refund(key, row);
        }
        payments.save(tx).await?;
        Ok(replies)
    }
}

fn settle_one(
    booked: &mut Booked,
    row: &mut RefundRow,
    item: &Settling<RefundInput, ProviderRefundRequest, RefundAnswer>,
) -> Result<Reply<Refunded>, StoreError> {
    let (now, amount) = (item.call.context.now, item.intent.amount);
    match &item.answer {
        RefundAnswer::Refunded { provider_refund_ref } => {
            row.provider_ref = Some(provider_refund_ref.clone());
            let happened = booked.end_refund(row, amount, RefundStatus::Done, now).map_err(too_large)?;
            let refundable = booked.payment.refundable();
            let reply = Reply::done(Refunded { refund_id: row.refund_id.clone(), refundable });
            // The webhook may have been faster, and has told the news.
            match happened {
                crate::rules::WhatHappened::Now => {
                    reply.emit("payment.refunded", &refund_news(&booked.payment, &row.refund_id, amount))
                }
                crate::rules::WhatHappened::Already => Ok(reply),
            }
        }
        RefundAnswer::Refused { code } => {
            booked.end_refund(row, amount, RefundStatus::Refused, now).map_err(too_large)?;
            Reply::rejected("refund_refused", &RefusedDetail { code: code.clone() })
        }
    }
}
