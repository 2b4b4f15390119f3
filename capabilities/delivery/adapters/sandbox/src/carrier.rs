//! The carrier's calls as the capability makes them. Each carries the key that the capability has stored.

use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use mortise_delivery::Unanswered;
use mortise_delivery::{CancelAnswer, Carrier, CarrierRequest, DispatchAnswer};
use mortise_types::{Address, Scope};
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::{Answer, post};

/// Where the sandbox is and where it is to report. `{tenant}` and `{line}` in the address stand for the parcel's.
#[derive(Clone, Debug)]
pub struct SandboxCarrierConfig {
    /// The sandbox's root, `http://127.0.0.1:4600`.
    pub url: String,
    /// Where its webhooks go.
    pub webhook_url: String,
    /// How long one call may take; the engine's own deadline may be shorter.
    pub deadline: Duration,
}

/// The adapter cannot work.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for the carrier: {0}")]
pub struct StartError(String);

/// The sandbox's carrier.
#[derive(Debug)]
pub struct SandboxCarrier {
    client: Client,
    config: SandboxCarrierConfig,
}

#[derive(Deserialize)]
struct ShipmentAnswer {
    id: String,
    status: String,
    tracking_number: String,
    label_url: String,
}

impl SandboxCarrier {
    /// The carrier at `config.url`. Nothing is asked yet.
    ///
    /// # Errors
    /// An HTTP client that cannot be made.
    pub fn new(config: SandboxCarrierConfig) -> Result<SandboxCarrier, StartError> {
        let client = Client::builder()
            .timeout(config.deadline)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| StartError(error.to_string()))?;
        let url = config.url.trim_end_matches('/').to_owned();
        Ok(SandboxCarrier { client, config: SandboxCarrierConfig { url, ..config } })
    }

    async fn ask(&self, path: &str, key: Option<&str>, body: &Value) -> Result<Answer, Unanswered> {
        post(&self.client, &format!("{}/carrier/v1{path}", self.config.url), key, body).await
    }

    async fn give(&self, scope: &Scope, request: &CarrierRequest) -> Result<DispatchAnswer, Unanswered> {
        let webhook_url = self.config.webhook_url.replace("{tenant}", scope.tenant.as_str());
        let items = request.items.iter().map(|item| json!({ "sku": item.sku, "quantity": item.quantity }));
        let mut body = json!({
            "reference": format!("{}:{}", request.parcel_id, request.shipment_id),
            "from": address(&request.from),
            "to": address(&request.to),
            "items": items.collect::<Vec<Value>>(),
            "weight_grams": request.weight_grams,
            "webhook_url": webhook_url.replace("{line}", scope.line.as_str()),
        });
        if let Some(cash) = request.collect {
            body["collect"] = json!({ "amount": cash.amount, "currency": cash.currency });
        }
        let answer = self.ask("/shipments", Some(request.shipment_id.as_str()), &body).await?;
        if !answer.is_success() {
            return Ok(DispatchAnswer::Refused { code: answer.problem().code });
        }
        let ShipmentAnswer { id, tracking_number, label_url, .. } = answer.read("a shipment")?;
        Ok(DispatchAnswer::Accepted { carrier_ref: id, tracking_number, label_url })
    }

    async fn take_back(&self, carrier_ref: &str) -> Result<CancelAnswer, Unanswered> {
        let answer = self.ask(&format!("/shipments/{carrier_ref}/cancel"), None, &json!({})).await?;
        if !answer.is_success() {
            let code = answer.problem().code;
            return match code.as_str() {
                "already_delivered" => Ok(CancelAnswer::Delivered),
                _ => Err(Unanswered::new(format!(
                    "the carrier does not say what became of the parcel: {code}"
                ))),
            };
        }
        let shipment: ShipmentAnswer = answer.read("a cancellation")?;
        Ok(if shipment.status == "cancelled" { CancelAnswer::Cancelled } else { CancelAnswer::Returning })
    }
}

fn address(address: &Address) -> Value {
    let mut body = json!({
        "name": address.name,
        "lines": address.street,
        "city": address.city,
        "postal_code": address.postal_code,
        "country": address.country,
    });
    if let Some(region) = &address.region {
        body["region"] = json!(region);
    }
    body
}

impl Carrier for SandboxCarrier {
    fn dispatch<'a>(
        &'a self,
        scope: &'a Scope,
        request: &'a CarrierRequest,
    ) -> BoxFuture<'a, Result<DispatchAnswer, Unanswered>> {
        self.give(scope, request).boxed()
    }

    fn cancel<'a>(
        &'a self,
        _: &'a Scope,
        carrier_ref: &'a str,
    ) -> BoxFuture<'a, Result<CancelAnswer, Unanswered>> {
        self.take_back(carrier_ref).boxed()
    }
}
