//! The operations as code: load a batch's payments, decide by the rules, save. Nothing is decided here.

mod assess;
mod capture;
mod claims;
mod deposits;
mod order_refund;
mod provider_event;
mod reads;
mod refund;
mod request;
mod take_back;
mod transfer;

use mortise_capability::{Call, Reply};
use mortise_store::StoreError;
use mortise_types::{ArithmeticError, IdSource, PaymentId};
use serde::Serialize;

pub(crate) use assess::Assess;
pub(crate) use capture::Capture;
pub(crate) use claims::{CancelInvoice, OnDelivery, OnInvoice, RecordReceipt};
pub(crate) use deposits::{CreditDeposit, ForfeitDeposit, HoldDeposit};
pub(crate) use order_refund::{ReadFunds, RefundOrder};
pub(crate) use provider_event::RecordProviderEvent;
pub(crate) use reads::{Balances, Get, List, Open};
pub(crate) use refund::Refund;
pub(crate) use request::Request;
pub(crate) use take_back::{GiveBack, TakingBack, Void};
pub(crate) use transfer::TransferFunds;

use crate::contract::{Applied, AppliedOnce, PaymentNews, Purpose, RefundNews, UnknownPayment};
use crate::rules::{Deposit, Payment, WhatHappened};
use crate::store::Key;

/// The payment that a call is about, within its tenant.
fn key<I>(call: &Call<I>, payment_id: &PaymentId) -> Key {
    (call.context.scope.tenant.clone(), payment_id.clone())
}

fn new_payment_id(ids: &dyn IdSource) -> Result<PaymentId, StoreError> {
    PaymentId::new(format!("pay-{}", ids.next().simple()))
        .map_err(|error| StoreError::Value(error.to_string()))
}

fn new_refund_id(ids: &dyn IdSource) -> String {
    format!("ref-{}", ids.next().simple())
}

fn unknown<O>(payment_id: &PaymentId) -> Result<Reply<O>, StoreError> {
    Reply::rejected("unknown_payment", &UnknownPayment { payment_id: payment_id.clone() })
}

fn too_large(error: ArithmeticError) -> StoreError {
    StoreError::Value(error.to_string())
}

fn applied(happened: WhatHappened) -> AppliedOnce {
    AppliedOnce { applied: word(happened) }
}

const fn word(happened: WhatHappened) -> Applied {
    match happened {
        WhatHappened::Now => Applied::Now,
        WhatHappened::Already => Applied::Already,
    }
}

/// What a fresh payment of this purpose is as a deposit.
const fn deposit(purpose: Purpose) -> Option<Deposit> {
    match purpose {
        Purpose::Order => None,
        Purpose::Deposit => Some(Deposit::Held),
    }
}

fn payment_news(payment: &Payment) -> impl Serialize + use<> {
    let captured = payment.captured;
    PaymentNews {
        payment_id: payment.payment_id.clone(),
        order_id: payment.order_id.clone(),
        amount: if captured.is_zero() { payment.amount } else { captured },
        currency: payment.currency,
        code: payment.decline_code.clone(),
    }
}

fn refund_news(payment: &Payment, refund_id: &str, amount: mortise_types::Amount) -> impl Serialize + use<> {
    RefundNews {
        payment_id: payment.payment_id.clone(),
        order_id: payment.order_id.clone(),
        refund_id: refund_id.to_owned(),
        amount,
        refunded: payment.refunded,
        currency: payment.currency,
    }
}
