//! `payment.capture`: that a capture is on its way stands before the provider is asked, so that two never are.

use std::sync::Arc;

use mortise_capability::{Call, Intended, RemoteOperation, Reply, SendContext, Settling, Unanswered};
use mortise_store::{StoreError, Tx};

use super::{key, unknown};
use crate::contract::{CaptureInput, Captured, NotCapturable, RefusedDetail};
use crate::provider::{CaptureAnswer, PaymentProvider, ProviderCapture};
use crate::store::Payments;

pub(crate) struct Capture {
    pub(crate) provider: Arc<dyn PaymentProvider>,
}

impl RemoteOperation for Capture {
    type Input = CaptureInput;
    type Output = Captured;
    type Intent = ProviderCapture;
    type Answer = CaptureAnswer;

    async fn intent(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<CaptureInput>],
    ) -> Result<Vec<Intended<ProviderCapture, Captured>>, StoreError> {
        let mut payments =
            Payments::load(tx, calls.iter().map(|call| key(call, &call.input.payment_id))).await?;
        let mut intents = Vec::with_capacity(calls.len());
        for call in calls {
            let payment_id = call.input.payment_id.clone();
            let Some(booked) = payments.get_mut(&key(call, &payment_id)) else {
                intents.push(Intended::Decided(unknown(&payment_id)?));
                continue;
            };
            let ready = booked.payment.provider_ref.clone().and_then(|provider_ref| {
                booked.begin_capture(call.input.amount).map(|amount| (provider_ref, amount))
            });
            intents.push(match ready {
                Some((provider_ref, amount)) => {
                    let minted = Captured { payment_id: payment_id.clone(), amount };
                    let key = format!("{payment_id}-{}", booked.payment.transfers);
                    Intended::send(ProviderCapture { provider_ref, key, amount }, &minted)?
                }
                None => {
                    let status = booked.payment.status.word().to_owned();
                    let detail = NotCapturable { status, authorised: booked.payment.amount };
                    Intended::Decided(Reply::rejected("not_capturable", &detail)?)
                }
            });
        }
        payments.save(tx).await?;
        Ok(intents)
    }

    async fn send(&self, context: SendContext, intent: ProviderCapture) -> Result<CaptureAnswer, Unanswered> {
        self.provider.capture(&context.scope, &intent).await
    }

    async fn settle(
        &self,
        tx: &mut Tx<'_>,
        items: &[Settling<CaptureInput, ProviderCapture, CaptureAnswer>],
    ) -> Result<Vec<Reply<Captured>>, StoreError> {
        let keys = items.iter().map(|item| key(&item.call, &item.call.input.payment_id));
        let mut payments = Payments::load(tx, keys).await?;
        let mut replies = Vec::with_capacity(items.len());
        for item in items {
            let payment_id = item.call.input.payment_id.clone();
            let booked = payments.get_mut(&key(&item.call, &payment_id)).ok_or_else(|| {
                StoreError::Value(format!("payment {payment_id} was being captured and is gone"))
            })?;
            replies.push(match &item.answer {
                CaptureAnswer::Captured { amount } => {
                    booked.capture(*amount, item.call.context.now);
                    Reply::done(Captured { payment_id, amount: *amount })
                }
                CaptureAnswer::Refused { code } => {
                    booked.capture_refused();
                    Reply::rejected("capture_refused", &RefusedDetail { code: code.clone() })?
                }
            });
        }
        payments.save(tx).await?;
        Ok(replies)
    }
}
