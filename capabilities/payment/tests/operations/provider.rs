//! A provider in this process, with a book and faults: what the capability asks, without a network.

use std::collections::BTreeMap;
use std::sync::Mutex;

use futures::future::{BoxFuture, FutureExt};
use mortise_capability::Unanswered;
use mortise_payment::{
    CaptureAnswer, PaymentProvider, ProviderCapture, ProviderRefundRequest, ProviderRequest, RefundAnswer,
    RequestAnswer, VoidAnswer,
};
use mortise_types::{Amount, Scope};

/// A provider in this process: payments by key, refunds by key, and the keys that it was asked with.
#[derive(Debug, Default)]
pub(crate) struct Provider(pub(crate) Mutex<Book>);

#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) payments: BTreeMap<String, (i64, &'static str)>,
    pub(crate) refunds: BTreeMap<String, i64>,
    pub(crate) refused_keys: Vec<String>,
    /// Refuses so many further refunds.
    pub(crate) refuse_refunds: usize,
    pub(crate) calls: Vec<String>,
}

impl Book {
    pub(crate) fn refunded(&self) -> i64 {
        self.refunds.values().sum()
    }
}

impl Provider {
    pub(crate) fn pay(&self, payment_id: &str) {
        self.0.lock().unwrap().payments.get_mut(payment_id).unwrap().1 = "captured";
    }

    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut Book) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }
}

fn now<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, Result<T, Unanswered>> {
    async move { Ok(value) }.boxed()
}

impl PaymentProvider for Provider {
    fn request<'a>(
        &'a self,
        _: &'a Scope,
        request: &'a ProviderRequest,
    ) -> BoxFuture<'a, Result<RequestAnswer, Unanswered>> {
        let id = request.payment_id.to_string();
        let mut book = self.0.lock().unwrap();
        book.calls.push(format!("request {id}"));
        if request.order_id.as_str().starts_with("unwanted") {
            return now(RequestAnswer::Refused { code: "unwanted".to_owned() });
        }
        book.payments.entry(id.clone()).or_insert((request.amount.minor(), "open"));
        now(RequestAnswer::Accepted { pay_url: format!("http://pay/{id}"), provider_ref: id })
    }

    fn capture<'a>(
        &'a self,
        _: &'a Scope,
        capture: &'a ProviderCapture,
    ) -> BoxFuture<'a, Result<CaptureAnswer, Unanswered>> {
        let mut book = self.0.lock().unwrap();
        book.calls.push(format!("capture {}", capture.key));
        book.payments.insert(capture.provider_ref.clone(), (capture.amount.minor(), "captured"));
        now(CaptureAnswer::Captured { amount: capture.amount })
    }

    fn void<'a>(
        &'a self,
        _: &'a Scope,
        provider_ref: &'a str,
    ) -> BoxFuture<'a, Result<VoidAnswer, Unanswered>> {
        let mut book = self.0.lock().unwrap();
        book.calls.push(format!("void {provider_ref}"));
        let refunded = book.refunded();
        let payment = book.payments.get_mut(provider_ref).unwrap();
        now(match payment {
            (amount, "captured") => {
                let (captured, refundable) = (Amount(*amount), Amount(*amount - refunded));
                VoidAnswer::Captured { captured, refundable }
            }
            (_, status) => {
                *status = "voided";
                VoidAnswer::Voided
            }
        })
    }

    fn refund<'a>(
        &'a self,
        _: &'a Scope,
        refund: &'a ProviderRefundRequest,
    ) -> BoxFuture<'a, Result<RefundAnswer, Unanswered>> {
        let mut book = self.0.lock().unwrap();
        book.calls.push(format!("refund {} {}", refund.key, refund.amount));
        if book.refuse_refunds > 0 && !book.refused_keys.contains(&refund.key) {
            book.refuse_refunds -= 1;
            book.refused_keys.push(refund.key.clone());
        }
        if book.refused_keys.contains(&refund.key) {
            return now(RefundAnswer::Refused { code: "bank_says_no".to_owned() });
        }
        book.refunds.insert(refund.key.clone(), refund.amount.minor());
        now(RefundAnswer::Refunded { provider_refund_ref: format!("p-{}", refund.key) })
    }
}
