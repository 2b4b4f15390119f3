//! The provider's calls as the capability makes them. Each carries the key that the capability has stored.

use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use mortise_payment::Unanswered;
use mortise_payment::{
    CaptureAnswer, CaptureMethod, PaymentProvider, ProviderCapture, ProviderRefundRequest, ProviderRequest,
    RefundAnswer, RequestAnswer, VoidAnswer,
};
use mortise_types::{Amount, Scope};
use reqwest::Client;
use serde::Deserialize;
use serde_json::json;

use crate::http::{Answer, post};

/// Where the sandbox is and where it is to report. `{tenant}` and `{line}` in the addresses stand for the payment's.
#[derive(Clone, Debug)]
pub struct SandboxProviderConfig {
    /// The sandbox's root, `http://127.0.0.1:4600`.
    pub url: String,
    /// Where its webhooks go.
    pub webhook_url: String,
    /// Where a customer goes after paying; `{order}` stands for the order.
    pub return_url: Option<String>,
    /// How long one call may take; the engine's own deadline may be shorter.
    pub deadline: Duration,
}

/// The adapter cannot work.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for the payment provider: {0}")]
pub struct StartError(String);

/// The sandbox's payment provider.
#[derive(Debug)]
pub struct SandboxProvider {
    client: Client,
    config: SandboxProviderConfig,
}

#[derive(Deserialize)]
struct PaymentAnswer {
    id: String,
    status: String,
    pay_url: String,
    captured_amount: Amount,
    refundable: Amount,
}

#[derive(Deserialize)]
struct RefundMade {
    id: String,
}

impl SandboxProvider {
    /// The provider at `config.url`. Nothing is asked yet.
    ///
    /// # Errors
    /// An HTTP client that cannot be made.
    pub fn new(config: SandboxProviderConfig) -> Result<SandboxProvider, StartError> {
        let client = Client::builder()
            .timeout(config.deadline)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| StartError(error.to_string()))?;
        let url = config.url.trim_end_matches('/').to_owned();
        Ok(SandboxProvider { client, config: SandboxProviderConfig { url, ..config } })
    }

    async fn ask(
        &self,
        path: &str,
        key: Option<&str>,
        body: &serde_json::Value,
    ) -> Result<Answer, Unanswered> {
        post(&self.client, &format!("{}/provider/v1{path}", self.config.url), key, body).await
    }

    async fn ask_to_pay(
        &self,
        scope: &Scope,
        request: &ProviderRequest,
    ) -> Result<RequestAnswer, Unanswered> {
        let in_scope = |url: &str| {
            let url = url.replace("{tenant}", scope.tenant.as_str()).replace("{line}", scope.line.as_str());
            url.replace("{order}", request.order_id.as_str())
        };
        let body = json!({
            "reference": reference(request),
            "amount": request.amount,
            "currency": request.currency,
            "capture": match request.capture {
                CaptureMethod::Automatic => "automatic",
                CaptureMethod::Manual => "manual",
            },
            "webhook_url": in_scope(&self.config.webhook_url),
            "return_url": self.config.return_url.as_deref().map(in_scope),
            "expires_at": request.expires_at,
        });
        let answer = self.ask("/payments", Some(request.payment_id.as_str()), &body).await?;
        if !answer.is_success() {
            return Ok(RequestAnswer::Refused { code: answer.problem().code });
        }
        let PaymentAnswer { id, pay_url, .. } = answer.read("a payment")?;
        Ok(RequestAnswer::Accepted { provider_ref: id, pay_url })
    }

    async fn take(&self, capture: &ProviderCapture) -> Result<CaptureAnswer, Unanswered> {
        let path = format!("/payments/{}/capture", capture.provider_ref);
        let answer = self.ask(&path, Some(&capture.key), &json!({ "amount": capture.amount })).await?;
        if !answer.is_success() {
            return Ok(CaptureAnswer::Refused { code: answer.problem().code });
        }
        let PaymentAnswer { captured_amount, .. } = answer.read("a capture")?;
        Ok(CaptureAnswer::Captured { amount: captured_amount })
    }

    async fn take_back(&self, provider_ref: &str) -> Result<VoidAnswer, Unanswered> {
        let answer = self.ask(&format!("/payments/{provider_ref}/void"), None, &json!({})).await?;
        if answer.is_success() {
            let payment: PaymentAnswer = answer.read("a void")?;
            return Ok(match payment.status.as_str() {
                "voided" => VoidAnswer::Voided,
                "captured" => {
                    VoidAnswer::Captured { captured: payment.captured_amount, refundable: payment.refundable }
                }
                _ => VoidAnswer::Nothing,
            });
        }
        let problem = answer.problem();
        match (problem.code.as_str(), problem.captured_amount, problem.refundable) {
            ("already_captured", Some(captured), Some(refundable)) => {
                Ok(VoidAnswer::Captured { captured, refundable })
            }
            (code, ..) => {
                Err(Unanswered::new(format!("the provider does not say what became of the payment: {code}")))
            }
        }
    }

    async fn give_back(&self, refund: &ProviderRefundRequest) -> Result<RefundAnswer, Unanswered> {
        let path = format!("/payments/{}/refunds", refund.provider_ref);
        let body = json!({ "amount": refund.amount, "reference": refund.refund_id });
        let answer = self.ask(&path, Some(&refund.key), &body).await?;
        if !answer.is_success() {
            return Ok(RefundAnswer::Refused { code: answer.problem().code });
        }
        let RefundMade { id } = answer.read("a refund")?;
        Ok(RefundAnswer::Refunded { provider_refund_ref: id })
    }
}

/// What the provider shows and reports: the order for people, our payment for the webhook.
fn reference(request: &ProviderRequest) -> String {
    format!("{}:{}", request.order_id, request.payment_id)
}

impl PaymentProvider for SandboxProvider {
    fn request<'a>(
        &'a self,
        scope: &'a Scope,
        request: &'a ProviderRequest,
    ) -> BoxFuture<'a, Result<RequestAnswer, Unanswered>> {
        self.ask_to_pay(scope, request).boxed()
    }

    fn capture<'a>(
        &'a self,
        _: &'a Scope,
        capture: &'a ProviderCapture,
    ) -> BoxFuture<'a, Result<CaptureAnswer, Unanswered>> {
        self.take(capture).boxed()
    }

    fn void<'a>(
        &'a self,
        _: &'a Scope,
        provider_ref: &'a str,
    ) -> BoxFuture<'a, Result<VoidAnswer, Unanswered>> {
        self.take_back(provider_ref).boxed()
    }

    fn refund<'a>(
        &'a self,
        _: &'a Scope,
        refund: &'a ProviderRefundRequest,
    ) -> BoxFuture<'a, Result<RefundAnswer, Unanswered>> {
        self.give_back(refund).boxed()
    }
}
