//! `payment.request`: the row, its id and with it the idempotency key stand before the provider is asked.

use std::sync::Arc;

use mortise_capability::{
    Call, Intended, Policies, RemoteOperation, Reply, SendContext, Settling, Unanswered,
};
use mortise_store::{StoreError, Tx};
use mortise_types::{Amount, IdSource, Span};

use super::{key, new_payment_id};
use crate::contract::{PaymentMade, RefusedDetail, RequestInput, Requested};
use crate::policy::{CaptureMethod, PaymentPolicy};
use crate::provider::{PaymentProvider, ProviderRequest, RequestAnswer};
use crate::rules::{Booked, Method, Payment, Status};
use crate::store::Payments;

pub(crate) struct Request {
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) policies: Arc<Policies>,
    pub(crate) provider: Arc<dyn PaymentProvider>,
}

impl Request {
    /// The payment as it will be asked for.
    fn asked(&self, call: &Call<RequestInput>) -> Result<ProviderRequest, StoreError> {
        let Call { context, input } = call;
        let chosen = self.policies.get::<PaymentPolicy>(&context.scope);
        let life_s = input.expires_in_s.unwrap_or(chosen.policy.request_expires_in_s);
        Ok(ProviderRequest {
            payment_id: new_payment_id(&*self.ids)?,
            order_id: input.order_id.clone(),
            amount: input.amount,
            currency: input.currency,
            capture: input.capture.unwrap_or(chosen.policy.capture),
            expires_at: input.expires_at.unwrap_or_else(|| context.now.saturating_add(Span::seconds(life_s))),
        })
    }
}

fn requested(asked: &ProviderRequest, call: &Call<RequestInput>) -> Payment {
    Payment {
        payment_id: asked.payment_id.clone(),
        order_id: asked.order_id.clone(),
        customer_id: call.input.customer_id.clone(),
        method: match asked.capture {
            CaptureMethod::Automatic => Method::Provider,
            CaptureMethod::Manual => Method::ProviderManual,
        },
        deposit: super::deposit(call.input.purpose),
        credited_to: None,
        status: Status::Requested,
        currency: asked.currency,
        amount: asked.amount,
        captured: Amount::ZERO,
        refunded: Amount::ZERO,
        pending_refund: Amount::ZERO,
        transfers: 0,
        provider_ref: None,
        pay_url: None,
        decline_code: None,
        created_at: call.context.now,
        expires_at: Some(asked.expires_at),
    }
}

impl RemoteOperation for Request {
    type Input = RequestInput;
    type Output = Requested;
    type Intent = ProviderRequest;
    type Answer = RequestAnswer;

    async fn intent(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<RequestInput>],
    ) -> Result<Vec<Intended<ProviderRequest, Requested>>, StoreError> {
        let mut payments = Payments::default();
        let mut intents = Vec::with_capacity(calls.len());
        for call in calls {
            if call.input.amount.minor() < 1 {
                let detail = RefusedDetail { code: "nothing_to_pay".to_owned() };
                intents.push(Intended::Decided(Reply::rejected("payment_refused", &detail)?));
                continue;
            }
            let asked = self.asked(call)?;
            payments.add(call.context.scope.tenant.clone(), Booked::of(requested(&asked, call)));
            let minted = PaymentMade { payment_id: asked.payment_id.clone() };
            intents.push(Intended::send(asked, &minted)?);
        }
        payments.save(tx).await?;
        Ok(intents)
    }

    async fn send(&self, context: SendContext, intent: ProviderRequest) -> Result<RequestAnswer, Unanswered> {
        self.provider.request(&context.scope, &intent).await
    }

    async fn settle(
        &self,
        tx: &mut Tx<'_>,
        items: &[Settling<RequestInput, ProviderRequest, RequestAnswer>],
    ) -> Result<Vec<Reply<Requested>>, StoreError> {
        let keys = items.iter().map(|item| key(&item.call, &item.intent.payment_id));
        let mut payments = Payments::load(tx, keys).await?;
        let mut replies = Vec::with_capacity(items.len());
        for item in items {
            let payment_id = item.intent.payment_id.clone();
            let booked = payments.get_mut(&key(&item.call, &payment_id)).ok_or_else(|| {
                StoreError::Value(format!("payment {payment_id} was requested and is gone"))
            })?;
            replies.push(match &item.answer {
                RequestAnswer::Accepted { provider_ref, pay_url } => {
                    booked.accepted(provider_ref.clone(), pay_url.clone());
                    Reply::done(Requested { payment_id, pay_url: pay_url.clone() })
                }
                RequestAnswer::Refused { code } => {
                    booked.refused(code.clone());
                    Reply::rejected("payment_refused", &RefusedDetail { code: code.clone() })?
                }
            });
        }
        payments.save(tx).await?;
        Ok(replies)
    }
}
