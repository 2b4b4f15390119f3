//! The two ends of a test: a sandbox on a free port, and a receiver of webhooks that hands on what came.
#![allow(dead_code, reason = "each test file uses its part")]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use mortise_sandbox::{RunningSandbox, Sandbox, SandboxConfig, SandboxError, WebhookRetry};
use mortise_types::{SystemClock, SystemIds};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::sync::mpsc;

pub(crate) const SECRET: &str = "whsec_test";
/// Long enough for a loaded machine; a test that waits so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Peer {
    pub(crate) sandbox: RunningSandbox,
    pub(crate) client: reqwest::Client,
    pub(crate) hooks: Receiver,
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    came: mpsc::UnboundedReceiver<Hook>,
    refusals: Arc<AtomicUsize>,
}

pub(crate) struct Hook {
    pub(crate) signature: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) event: Value,
}

impl Hook {
    pub(crate) fn kind(&self) -> &str {
        self.event["type"].as_str().unwrap()
    }
}

impl Receiver {
    pub(crate) async fn start() -> Receiver {
        let (sender, came) = mpsc::unbounded_channel();
        let refusals = Arc::new(AtomicUsize::new(0));
        let left = Arc::clone(&refusals);
        let take = move |headers: HeaderMap, body: axum::body::Bytes| async move {
            let signature = headers["sandbox-signature"].to_str().unwrap().to_owned();
            let event = serde_json::from_slice(&body).unwrap();
            let _ = sender.send(Hook { signature, bytes: body.to_vec(), event });
            match left.try_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
                Ok(_) => StatusCode::SERVICE_UNAVAILABLE,
                Err(_) => StatusCode::NO_CONTENT,
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let routes = axum::Router::new().route("/hook", post(take));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Receiver { url, came, refusals }
    }

    /// Answers the next `count` webhooks with 503.
    pub(crate) fn refuse(&self, count: usize) {
        self.refusals.store(count, Ordering::SeqCst);
    }

    pub(crate) async fn next(&mut self) -> Hook {
        tokio::time::timeout(PATIENCE, self.came.recv()).await.expect("a webhook comes").unwrap()
    }

    pub(crate) async fn kinds(&mut self, count: usize) -> Vec<String> {
        let mut kinds = Vec::new();
        for _ in 0..count {
            kinds.push(self.next().await.kind().to_owned());
        }
        kinds
    }
}

pub(crate) async fn start(data: Option<&Path>, hook_url: &str) -> Result<RunningSandbox, SandboxError> {
    let mut config = SandboxConfig::new(SocketAddr::from(([127, 0, 0, 1], 0)), SECRET);
    config.data = data.map(Path::to_owned);
    config.default_webhook_url = Some(hook_url.to_owned());
    config.webhook_retry = WebhookRetry { first: Duration::from_millis(5), most: Duration::from_millis(50) };
    Sandbox::start(config, Arc::new(SystemClock), Arc::new(SystemIds)).await
}

impl Peer {
    pub(crate) async fn new() -> Peer {
        Peer::with_book(None).await
    }

    pub(crate) async fn with_book(data: Option<&Path>) -> Peer {
        let hooks = Receiver::start().await;
        let sandbox = start(data, &hooks.url).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Peer { sandbox, client, hooks }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.url())
    }

    pub(crate) async fn send(&self, method: Method, path: &str, key: Option<&str>, body: &Value) -> Response {
        self.try_send(method, path, key, body).await.unwrap()
    }

    pub(crate) async fn try_send(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: &Value,
    ) -> reqwest::Result<Response> {
        let mut request = self.client.request(method, self.url(path)).json(body);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        request.send().await
    }

    /// A POST's status and JSON.
    pub(crate) async fn post(&self, path: &str, key: Option<&str>, body: Value) -> (u16, Value) {
        let response = self.send(Method::POST, path, key, &body).await;
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let response = self.client.get(self.url(path)).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub(crate) async fn new_payment(&self, key: &str, reference: &str, amount: i64) -> (u16, Value) {
        let body = json!({ "reference": reference, "amount": amount, "currency": "EUR" });
        self.post("/provider/v1/payments", Some(key), body).await
    }

    /// A payment that has been paid, its id.
    pub(crate) async fn paid(&self, reference: &str, amount: i64) -> String {
        let (status, payment) = self.new_payment(reference, reference, amount).await;
        assert_eq!(status, 201, "{payment}");
        let id = payment["id"].as_str().unwrap().to_owned();
        let (status, paid) = self.post(&format!("/pay/{id}"), None, json!({ "card": "ok" })).await;
        assert_eq!((status, &paid["status"]), (200, &json!("captured")), "{paid}");
        id
    }

    pub(crate) async fn shipment(&self, key: &str, extra: Value) -> (u16, Value) {
        let address =
            json!({ "name": "A", "lines": ["Street 1"], "city": "C", "postal_code": "1", "country": "DE" });
        let mut body = json!({ "reference": key, "from": address, "to": address, "items": [{ "sku": "tea", "quantity": 2 }] });
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        self.post("/carrier/v1/shipments", Some(key), body).await
    }

    pub(crate) async fn fault(&self, rule: Value) {
        let (status, set) = self.post("/_control/faults", None, rule).await;
        assert_eq!(status, 201, "{set}");
    }

    pub(crate) async fn book(&self) -> Value {
        self.get("/_control/book").await.1
    }
}
