//! `payment.void` and `payment.give_back`: they take back whatever has become of a payment, and cannot be refused. What
//! may have to be refunded is set aside first, so that the two together give back what there is once.

use std::sync::Arc;

use mortise_capability::{Call, Intended, RemoteOperation, Reply, SendContext, Settling, Unanswered};
use mortise_store::{StoreError, Tx};
use mortise_types::{Amount, IdSource, PaymentId};
use serde::{Deserialize, Serialize};

use super::{key, new_refund_id, refund_news, too_large};
use crate::contract::{GiveBackInput, PaymentMeant, TakenBack, TakenBackBy};
use crate::policy::CaptureMethod;
use crate::provider::{
    PaymentProvider, ProviderRefundRequest, ProviderRequest, RefundAnswer, RequestAnswer, VoidAnswer,
};
use crate::rules::{Booked, Method, Payment, RefundRow, RefundStatus, TakeBack, Took, WhatHappened};
use crate::store::{Payments, refunds};

/// How many keys a refund that the provider keeps refusing is tried with.
const KEYS_MAX: u32 = 50;

#[derive(Clone)]
pub(crate) struct TakingBack {
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) provider: Arc<dyn PaymentProvider>,
}

pub(crate) struct Void(pub(crate) TakingBack);

pub(crate) struct GiveBack(pub(crate) TakingBack);

/// What the provider has to be asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TakeBackIntent {
    payment_id: PaymentId,
    /// Where the provider's name for the payment is known.
    provider_ref: Option<String>,
    /// Asks for the payment again, with its key, to learn the provider's name for it.
    request: Option<ProviderRequest>,
    first: First,
    refund_id: String,
    /// What was set aside.
    amount: Amount,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum First {
    Void,
    Refund,
}

/// What the provider says became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TakeBackAnswer {
    /// It will not be captured.
    Voided { provider_ref: Option<String> },
    /// It had been captured; `returned` went back.
    Returned {
        provider_ref: String,
        /// Where this call learnt what was captured.
        captured: Option<Amount>,
        returned: Amount,
        provider_refund_ref: Option<String>,
    },
}

impl TakingBack {
    async fn intent(
        &self,
        tx: &mut Tx<'_>,
        calls: &[(Call<()>, PaymentId, Option<Amount>)],
    ) -> Result<Vec<Intended<TakeBackIntent, TakenBack>>, StoreError> {
        let mut payments = Payments::load(tx, calls.iter().map(|(call, id, _)| key(call, id))).await?;
        let mut intents = Vec::with_capacity(calls.len());
        for (call, payment_id, limit) in calls {
            let key = key(call, payment_id);
            let Some(booked) = payments.get_mut(&key) else {
                intents.push(Intended::Decided(Reply::done(nothing())));
                continue;
            };
            let (first, amount) = match booked.take_back(*limit).map_err(too_large)? {
                TakeBack::Nothing => {
                    intents.push(Intended::Decided(Reply::done(nothing())));
                    continue;
                }
                TakeBack::Here => {
                    booked.cancel_claim(call.context.now).map_err(too_large)?;
                    intents.push(Intended::Decided(Reply::done(TakenBack {
                        by: TakenBackBy::Void,
                        amount: Amount::ZERO,
                    })));
                    continue;
                }
                TakeBack::VoidFirst(amount) => (First::Void, amount),
                TakeBack::Refund(amount) => (First::Refund, amount),
            };
            let refund_id = new_refund_id(&*self.ids);
            let intent = TakeBackIntent {
                payment_id: payment_id.clone(),
                provider_ref: booked.payment.provider_ref.clone(),
                request: asked_again(&booked.payment),
                first,
                refund_id: refund_id.clone(),
                amount,
            };
            intents.push(Intended::send(intent, &nothing())?);
            let reason = Some("taken back".to_owned());
            let (status, created_at) = (RefundStatus::Pending, call.context.now);
            payments.put_refund(
                key,
                RefundRow { refund_id, status, amount, reason, provider_ref: None, created_at },
            );
        }
        payments.save(tx).await?;
        Ok(intents)
    }

    async fn send(&self, context: SendContext, intent: TakeBackIntent) -> Result<TakeBackAnswer, Unanswered> {
        let Some(provider_ref) = self.name_at_provider(&context, &intent).await? else {
            return Ok(TakeBackAnswer::Voided { provider_ref: None });
        };
        let (captured, amount) = match intent.first {
            First::Refund => (None, intent.amount),
            First::Void => match self.provider.void(&context.scope, &provider_ref).await? {
                VoidAnswer::Voided | VoidAnswer::Nothing => {
                    return Ok(TakeBackAnswer::Voided { provider_ref: Some(provider_ref) });
                }
                VoidAnswer::Captured { captured, refundable: _ } => {
                    (Some(captured), intent.amount.min(captured))
                }
            },
        };
        let provider_refund_ref = match amount.minor() {
            ..=0 => None,
            _ => Some(self.refund(&context, &provider_ref, &intent.refund_id, amount).await?),
        };
        Ok(TakeBackAnswer::Returned { provider_ref, captured, returned: amount, provider_refund_ref })
    }

    /// The provider's name for the payment. `None` when the provider never had it and never will.
    async fn name_at_provider(
        &self,
        context: &SendContext,
        intent: &TakeBackIntent,
    ) -> Result<Option<String>, Unanswered> {
        match (&intent.provider_ref, &intent.request) {
            (Some(provider_ref), _) => Ok(Some(provider_ref.clone())),
            (None, Some(request)) => Ok(match self.provider.request(&context.scope, request).await? {
                RequestAnswer::Accepted { provider_ref, .. } => Some(provider_ref),
                RequestAnswer::Refused { .. } => None,
            }),
            (None, None) => Ok(None),
        }
    }

    /// Gives the money back. A provider that refuses is asked again with a further key at the next attempt: a refusal
    /// has had no effect under its key, and only behind one is the next key used.
    pub(super) async fn refund(
        &self,
        context: &SendContext,
        provider_ref: &str,
        refund_id: &str,
        amount: Amount,
    ) -> Result<String, Unanswered> {
        let mut reason = String::new();
        for number in 1..=context.attempt.clamp(1, KEYS_MAX) {
            let request = ProviderRefundRequest {
                provider_ref: provider_ref.to_owned(),
                refund_id: refund_id.to_owned(),
                key: if number == 1 { refund_id.to_owned() } else { format!("{refund_id}.{number}") },
                amount,
            };
            match self.provider.refund(&context.scope, &request).await? {
                RefundAnswer::Refunded { provider_refund_ref } => return Ok(provider_refund_ref),
                RefundAnswer::Refused { code } => reason = code,
            }
        }
        Err(Unanswered::new(format!("the provider refuses to give {amount} back: {reason}")))
    }

    async fn settle(
        &self,
        tx: &mut Tx<'_>,
        items: &[(Call<()>, TakeBackIntent, TakeBackAnswer)],
    ) -> Result<Vec<Reply<TakenBack>>, StoreError> {
        let mut payments =
            Payments::load(tx, items.iter().map(|(call, intent, _)| key(call, &intent.payment_id))).await?;
        let refund_keys = items.iter().map(|(call, intent, _)| {
            let (tenant, payment_id) = key(call, &intent.payment_id);
            (tenant, payment_id, intent.refund_id.clone())
        });
        let rows = refunds(tx, refund_keys).await?;
        let mut replies = Vec::with_capacity(items.len());
        for ((call, intent, answer), row) in items.iter().zip(rows) {
            let key = key(call, &intent.payment_id);
            let (Some(booked), Some(mut row)) = (payments.get_mut(&key), row) else {
                return Err(StoreError::Value(format!(
                    "refund {} was on its way and is gone",
                    intent.refund_id
                )));
            };
            replies.push(settle_one(booked, &mut row, answer, call)?);
            payments.put_refund(key, row);
        }
        payments.save(tx).await?;
        Ok(replies)
    }
}

fn settle_one(
    booked: &mut Booked,
    row: &mut RefundRow,
    answer: &TakeBackAnswer,
    call: &Call<()>,
) -> Result<Reply<TakenBack>, StoreError> {
    let now = call.context.now;
    match answer {
        TakeBackAnswer::Voided { provider_ref } => {
            booked.payment.provider_ref = booked.payment.provider_ref.take().or_else(|| provider_ref.clone());
            booked.took(Took::Voided, now);
            booked.end_refund(row, Amount::ZERO, RefundStatus::Dropped, now).map_err(too_large)?;
            Ok(Reply::done(TakenBack { by: TakenBackBy::Void, amount: Amount::ZERO }))
        }
        TakeBackAnswer::Returned { provider_ref, captured, returned, provider_refund_ref } => {
            booked.payment.provider_ref = Some(provider_ref.clone());
            if let Some(captured) = captured {
                booked.took(Took::Captured(*captured), now);
            }
            row.provider_ref = row.provider_ref.take().or_else(|| provider_refund_ref.clone());
            let ended = if returned.is_zero() { RefundStatus::Dropped } else { RefundStatus::Done };
            let happened = booked.end_refund(row, *returned, ended, now).map_err(too_large)?;
            if returned.is_zero() {
                return Ok(Reply::done(nothing()));
            }
            let reply = Reply::done(TakenBack { by: TakenBackBy::Refund, amount: *returned });
            match happened {
                WhatHappened::Now => {
                    reply.emit("payment.refunded", &refund_news(&booked.payment, &row.refund_id, *returned))
                }
                WhatHappened::Already => Ok(reply),
            }
        }
    }
}

fn nothing() -> TakenBack {
    TakenBack { by: TakenBackBy::Nothing, amount: Amount::ZERO }
}

/// The request as it was made, for a payment whose name at the provider is not known.
fn asked_again(payment: &Payment) -> Option<ProviderRequest> {
    Some(ProviderRequest {
        payment_id: payment.payment_id.clone(),
        order_id: payment.order_id.clone(),
        amount: payment.amount,
        currency: payment.currency,
        capture: match payment.method {
            Method::Provider => CaptureMethod::Automatic,
            Method::ProviderManual => CaptureMethod::Manual,
            Method::Invoice | Method::OnDelivery => return None,
        },
        expires_at: payment.expires_at?,
    })
}

macro_rules! taking_back {
    ($operation:ty, $input:ty, $limit:expr) => {
        impl RemoteOperation for $operation {
            type Input = $input;
            type Output = TakenBack;
            type Intent = TakeBackIntent;
            type Answer = TakeBackAnswer;

            async fn intent(
                &self,
                tx: &mut Tx<'_>,
                calls: &[Call<$input>],
            ) -> Result<Vec<Intended<TakeBackIntent, TakenBack>>, StoreError> {
                let limit: fn(&$input) -> Option<Amount> = $limit;
                let of = |call: &Call<$input>| {
                    let context = Arc::clone(&call.context);
                    (Call { context, input: () }, call.input.payment_id.clone(), limit(&call.input))
                };
                self.0.intent(tx, &calls.iter().map(of).collect::<Vec<_>>()).await
            }

            async fn send(
                &self,
                context: SendContext,
                intent: TakeBackIntent,
            ) -> Result<TakeBackAnswer, Unanswered> {
                self.0.send(context, intent).await
            }

            async fn settle(
                &self,
                tx: &mut Tx<'_>,
                items: &[Settling<$input, TakeBackIntent, TakeBackAnswer>],
            ) -> Result<Vec<Reply<TakenBack>>, StoreError> {
                let of = |item: &Settling<$input, TakeBackIntent, TakeBackAnswer>| {
                    let context = Arc::clone(&item.call.context);
                    (Call { context, input: () }, item.intent.clone(), item.answer.clone())
                };
                self.0.settle(tx, &items.iter().map(of).collect::<Vec<_>>()).await
            }
        }
    };
}

taking_back!(Void, PaymentMeant, |_| None);
taking_back!(GiveBack, GiveBackInput, |input| Some(input.amount));
