//! Payments that no provider moves: on invoice, and in cash at the door.

use std::sync::Arc;

use mortise_capability::{Call, Reply, WriteOperation};
use mortise_store::{StoreError, Tx};
use mortise_types::{Amount, IdSource};

use super::{applied, key, new_payment_id, unknown};
use crate::contract::{
    AppliedOnce, Claim, PaymentMade, PaymentMeant, ReceiptDiffers, ReceiptInput, ReceiptRefused, ReceiptStage,
};
use crate::rules::{Booked, Method, NotReceived, Payment, Stage, Status, WhatHappened};
use crate::store::{Payments, Remembered, remember};

pub(crate) struct OnInvoice {
    pub(crate) ids: Arc<dyn IdSource>,
}

pub(crate) struct OnDelivery {
    pub(crate) ids: Arc<dyn IdSource>,
}

pub(crate) struct CancelInvoice;

pub(crate) struct RecordReceipt;

impl WriteOperation for OnInvoice {
    type Input = Claim;
    type Output = PaymentMade;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<Claim>],
    ) -> Result<Vec<Reply<PaymentMade>>, StoreError> {
        claim(&*self.ids, tx, calls, Method::Invoice, Status::Due).await
    }
}

impl WriteOperation for OnDelivery {
    type Input = Claim;
    type Output = PaymentMade;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<Claim>],
    ) -> Result<Vec<Reply<PaymentMade>>, StoreError> {
        claim(&*self.ids, tx, calls, Method::OnDelivery, Status::DueOnDelivery).await
    }
}

async fn claim(
    ids: &dyn IdSource,
    tx: &mut Tx<'_>,
    calls: &[Call<Claim>],
    method: Method,
    status: Status,
) -> Result<Vec<Reply<PaymentMade>>, StoreError> {
    let mut payments = Payments::default();
    let mut replies = Vec::with_capacity(calls.len());
    for Call { context, input } in calls {
        if input.amount.is_negative() {
            let owed = format!("order {} owes {}", input.order_id, input.amount);
            return Err(StoreError::Contradiction(owed));
        }
        let payment_id = new_payment_id(ids)?;
        let mut booked = Booked::of(Payment {
            payment_id: payment_id.clone(),
            order_id: input.order_id.clone(),
            customer_id: input.customer_id.clone(),
            method,
            deposit: super::deposit(input.purpose),
            credited_to: None,
            status,
            currency: input.currency,
            amount: input.amount,
            captured: Amount::ZERO,
            refunded: Amount::ZERO,
            pending_refund: Amount::ZERO,
            transfers: 0,
            provider_ref: None,
            pay_url: None,
            decline_code: None,
            created_at: context.now,
            expires_at: None,
        });
        booked.claim(context.now);
        payments.add(context.scope.tenant.clone(), booked);
        replies.push(Reply::done(PaymentMade { payment_id }));
    }
    payments.save(tx).await?;
    Ok(replies)
}

impl WriteOperation for CancelInvoice {
    type Input = PaymentMeant;
    type Output = AppliedOnce;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<PaymentMeant>],
    ) -> Result<Vec<Reply<AppliedOnce>>, StoreError> {
        let mut payments =
            Payments::load(tx, calls.iter().map(|call| key(call, &call.input.payment_id))).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let happened = match payments.get_mut(&key(call, &call.input.payment_id)) {
                Some(booked) => booked.cancel_claim(call.context.now).map_err(super::too_large)?,
                None => WhatHappened::Already,
            };
            replies.push(Reply::done(applied(happened)));
        }
        payments.save(tx).await?;
        Ok(replies)
    }
}

impl WriteOperation for RecordReceipt {
    type Input = ReceiptInput;
    type Output = AppliedOnce;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<ReceiptInput>],
    ) -> Result<Vec<Reply<AppliedOnce>>, StoreError> {
        let mut payments =
            Payments::load(tx, calls.iter().map(|call| key(call, &call.input.payment_id))).await?;
        let (mut history, mut replies) = (Vec::new(), Vec::with_capacity(calls.len()));
        for call in calls {
            let stage = match call.input.stage {
                ReceiptStage::InvoicePaid => Stage::InvoicePaid,
                ReceiptStage::Collected => Stage::Collected,
                ReceiptStage::Remitted => Stage::Remitted,
                ReceiptStage::Refused => Stage::Refused,
            };
            let Some(booked) = payments.get_mut(&key(call, &call.input.payment_id)) else {
                replies.push(unknown(&call.input.payment_id)?);
                continue;
            };
            let came = call.input.amount;
            replies.push(match booked.receive(stage, came, call.context.now).map_err(super::too_large)? {
                Ok(happened) => {
                    if happened == WhatHappened::Now {
                        history.extend(at_the_door(call, &booked.payment, stage));
                    }
                    Reply::done(applied(happened))
                }
                Err(NotReceived::OutOfTurn) => {
                    let status = booked.payment.status.word().to_owned();
                    Reply::rejected("receipt_refused", &ReceiptRefused { status })?
                }
                Err(NotReceived::Expected(expected)) => {
                    let came = came.unwrap_or_default();
                    Reply::rejected("receipt_differs", &ReceiptDiffers { expected, came })?
                }
            });
        }
        payments.save(tx).await?;
        remember(tx, history).await?;
        Ok(replies)
    }
}

/// What a customer's history gains when a parcel was paid for at the door, or refused there.
fn at_the_door(call: &Call<ReceiptInput>, payment: &Payment, stage: Stage) -> Option<Remembered> {
    let (collected, refused) = match stage {
        Stage::Collected => (1, 0),
        Stage::Refused => (0, 1),
        Stage::InvoicePaid | Stage::Remitted => return None,
    };
    let (tenant, customer_id) = (call.context.scope.tenant.clone(), payment.customer_id.clone()?);
    Some(Remembered { tenant, customer_id, collected, refused })
}
