//! A payment provider in memory: it answers at once and keeps a book of its own. What customers do is said to it; what it
//! tells the platform of that comes back as the capability's events. It has no faults: those are the simulator's.

mod book;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use mortise_payment::contract::ProviderEvent;
use mortise_payment::{
    CaptureAnswer, PaymentProvider, ProviderCapture, ProviderRefundRequest, ProviderRequest, RefundAnswer,
    RequestAnswer, Unanswered, VoidAnswer,
};
use mortise_types::{Amount, Clock, OrderId, PaymentId, Scope};

use book::Payment;

/// What somebody does at the provider's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Does {
    /// The customer pays.
    Pay,
    /// The customer's bank says no, with this code.
    Decline(String),
    /// The customer's time is up.
    Expire,
    /// Somebody gives money back by hand.
    Refund(Amount),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Did {
    /// In a few words.
    pub said: String,
    /// What the platform is told.
    pub tells: Option<ProviderEvent>,
}

/// Money that the provider holds of a payment: what was captured and has not gone back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Whose data it is.
    pub scope: Scope,
    /// The order.
    pub order_id: OrderId,
    /// In minor units.
    pub amount: Amount,
    /// Of the amount.
    pub currency: mortise_types::Currency,
}

/// The provider.
#[derive(Debug)]
pub struct SimulatedProvider {
    clock: Arc<dyn Clock>,
    /// By the provider's own name, which is made of ours.
    payments: Mutex<BTreeMap<String, Payment>>,
}

impl SimulatedProvider {
    /// A provider with an empty book.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, payments: Mutex::default() }
    }

    fn payments(&self) -> MutexGuard<'_, BTreeMap<String, Payment>> {
        self.payments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody does something with a payment. None if the provider knows of no such payment.
    pub fn act(&self, payment: &PaymentId, does: &Does) -> Option<Did> {
        let now = self.clock.now();
        self.payments().get_mut(&reference(payment)).map(|payment| payment.act(does, now))
    }

    /// What the provider holds.
    pub fn held(&self) -> Vec<Held> {
        self.payments().values().map(Payment::held).collect()
    }

    fn with<T>(&self, reference: &str, act: impl FnOnce(&mut Payment) -> T) -> Result<T, Unanswered> {
        let mut payments = self.payments();
        let unknown = || Unanswered::new(format!("the provider knows of no payment {reference}"));
        payments.get_mut(reference).map(act).ok_or_else(unknown)
    }
}

/// The provider's name for a payment.
fn reference(payment: &PaymentId) -> String {
    format!("sim-{payment}")
}

impl PaymentProvider for SimulatedProvider {
    fn request<'a>(
        &'a self,
        scope: &'a Scope,
        request: &'a ProviderRequest,
    ) -> BoxFuture<'a, Result<RequestAnswer, Unanswered>> {
        let provider_ref = reference(&request.payment_id);
        self.payments()
            .entry(provider_ref.clone())
            .or_insert_with(|| Payment::new(scope.clone(), request.clone(), provider_ref.clone()));
        let pay_url = format!("https://pay.example/{}", request.payment_id);
        async move { Ok(RequestAnswer::Accepted { provider_ref, pay_url }) }.boxed()
    }

    fn capture<'a>(
        &'a self,
        _scope: &'a Scope,
        capture: &'a ProviderCapture,
    ) -> BoxFuture<'a, Result<CaptureAnswer, Unanswered>> {
        let now = self.clock.now();
        let answer = self.with(&capture.provider_ref, |payment| payment.capture(capture.amount, now));
        async move { answer }.boxed()
    }

    fn void<'a>(
        &'a self,
        _scope: &'a Scope,
        provider_ref: &'a str,
    ) -> BoxFuture<'a, Result<VoidAnswer, Unanswered>> {
        let answer = self.with(provider_ref, Payment::void);
        async move { answer }.boxed()
    }

    fn refund<'a>(
        &'a self,
        _scope: &'a Scope,
        refund: &'a ProviderRefundRequest,
    ) -> BoxFuture<'a, Result<RefundAnswer, Unanswered>> {
        let answer = self.with(&refund.provider_ref, |payment| payment.refund(&refund.key, refund.amount));
        async move { answer }.boxed()
    }
}
