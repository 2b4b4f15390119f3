//! A real server on a free port, over a real engine on a real database, and a client that sends bytes and shows what
//! comes back.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mortise_capability::{Policies, Registry};
use mortise_contract::Value;
use mortise_engine::{Aliasing, Engine, Options, PLATFORM, Retention, StepMode};
use mortise_http::{HeaderMap, HookCall, HookError, Server, SettableClock, Settings, Webhook};
use mortise_testkit::{SeededIds, TestDatabase, VirtualClock};
use mortise_types::{Clock, Currency, Scope, Timestamp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

use crate::till::till;

/// How long a test waits for what has to come.
pub const LIMIT: Duration = Duration::from_secs(20);

const BUY: &str = r#"
flow: buy
version: 1
summary: Buys one thing.
input:
  type: object
  required: [order_id, customer_id, sku, offer]
  properties:
    order_id: { type: string }
    customer_id: { $ref: customer/CustomerId }
    currency: { $ref: pricing/Currency, default: EUR }
    sku: { type: string }
    offer: { type: integer, x-unit: money, minimum: 1 }
    tips: { type: array, maxItems: 3, items: { type: integer, x-unit: money }, default: [] }
key: ${ input.order_id }
currency: ${ input.currency }
steps:
  - id: quote
    call: till.quote
    with: { sku: "${ input.sku }", offer: "${ input.offer }" }
  - call: till.place
    with:
      order_id: ${ input.order_id }
      customer_id: ${ input.customer_id }
      currency: ${ input.currency }
      total: ${ quote.total }
  - answer: { order_id: "${ input.order_id }", total: "${ quote.total }", tips: "${ input.tips }" }
"#;

const ASK: &str = r#"
flow: ask
version: 1
summary: Asks a peer, and answers when the peer has.
input:
  type: object
  required: [order_id]
  properties:
    order_id: { type: string }
    customer_id: { $ref: customer/CustomerId }
steps:
  - call: till.ask
    with: { order_id: "${ input.order_id }" }
  - answer: { order_id: "${ input.order_id }", fee: 7 }
"#;

const RECOUNT: &str = r#"
flow: recount
version: 1
summary: Says nothing of a customer, so that it is for staff.
input:
  type: object
  required: [till]
  properties:
    till: { type: string }
steps:
  - answer: { till: "${ input.till }" }
"#;

const SECRET: &str = r#"
flow: secret
version: 1
summary: Is for other flows.
internal: true
input: { type: object, properties: {} }
steps:
  - pivot: at once
"#;

/// A clock that the server may set, too.
#[derive(Debug, Default)]
pub struct DevClock(pub VirtualClock);

impl Clock for DevClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

impl SettableClock for DevClock {
    fn set(&self, moment: Timestamp) {
        self.0.set(moment);
    }
}

/// A peer whose messages are lines of `operation input`, signed by the word `swordfish`.
struct Courier;

impl Webhook for Courier {
    fn peer(&self) -> &str {
        "courier"
    }

    fn verify(&self, headers: &HeaderMap, body: &[u8], _: Timestamp) -> Result<Vec<HookCall>, HookError> {
        if headers.get("signature").is_none_or(|signature| signature != "swordfish") {
            return Err(HookError::Signature("not the secret word `swordfish`".into()));
        }
        let text =
            str::from_utf8(body).map_err(|_| HookError::Malformed("The message is not text.".into()))?;
        assert!(text != "panic", "the adapter has a defect");
        let call = |line: &str| {
            let (operation, input) = line.split_once(' ')?;
            let input: Value = mortise_contract::json(input).ok()?;
            Some(HookCall { operation: operation.to_owned(), input })
        };
        let calls: Option<Vec<HookCall>> = text.lines().map(call).collect();
        calls.ok_or_else(|| HookError::Malformed("The message is not understood.".into()))
    }
}

/// A server with its engine.
pub struct House {
    pub address: SocketAddr,
    pub engine: Engine,
    /// Lets the peer answer.
    pub gate: Arc<Semaphore>,
    pub clock: Arc<DevClock>,
    pub stop: Option<oneshot::Sender<()>>,
    pub served: JoinHandle<std::io::Result<()>>,
    _database: TestDatabase,
}

impl House {
    /// A server with the usual limits.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A server with other limits.
    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let database = TestDatabase::new().await;
        let gate = Arc::new(Semaphore::new(0));
        let clock = Arc::new(DevClock::default());
        let registry = Arc::new(Registry::new([till(&gate)]).unwrap());
        let mut migrations = vec![mortise_engine::migrations()];
        migrations.extend_from_slice(registry.migrations());
        let store = database.open(&migrations).await.unwrap();
        let options = Options {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            ids: Arc::new(SeededIds::new(1)),
            bound: Arc::new(|_, _| false),
            steps: StepMode::default(),
            retention: Retention::default(),
            crash_point: None,
        };
        let engine =
            Engine::start(Arc::new(store), registry, Arc::new(Policies::default()), options).await.unwrap();
        for flow in [BUY, ASK, RECOUNT, SECRET] {
            engine
                .publish((PLATFORM, ""), flow, Aliasing::Keep)
                .await
                .unwrap_or_else(|error| panic!("{error:#?}"));
        }
        let euro = Arc::new(|_: &Scope| Currency::new("EUR").unwrap());
        let mut settings = Settings::new(Arc::new(SeededIds::new(2)), euro);
        settings.follow_pause = Duration::ZERO;
        change(&mut settings);
        let hooks: Vec<Arc<dyn Webhook>> = vec![Arc::new(Courier)];
        let server =
            Server::new(engine.clone(), settings, hooks, Some(Arc::clone(&clock) as Arc<dyn SettableClock>));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(server.serve(listener, async move { drop(stopped.await) }));
        Self { address, engine, gate, clock, stop: Some(stop), served, _database: database }
    }

    /// Sends a request and returns what came back, as it came.
    pub async fn send(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_ref()).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(LIMIT, stream.read_to_end(&mut answer)).await.expect("an answer comes").unwrap();
        String::from_utf8(answer).unwrap()
    }

    /// As `send`, shown: status, the headers that matter, and the body.
    pub async fn ask(&self, request: impl AsRef<[u8]>) -> String {
        shown(&self.send(request).await)
    }

    /// A request with these headers (a line each) and this body.
    pub fn request(&self, line: &str, headers: &str, body: &str) -> String {
        let mut text = format!("{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
        for header in headers.lines() {
            text.push_str(header.trim());
            text.push_str("\r\n");
        }
        if !body.is_empty() {
            text.push_str(&format!("content-length: {}\r\n", body.len()));
            if !headers.to_ascii_lowercase().contains("content-type") {
                text.push_str("content-type: application/json\r\n");
            }
        }
        format!("{text}\r\n{body}")
    }

    /// `POST /v1/acme/books{path}` by ada.
    pub async fn post(&self, path: &str, key: &str, body: &str) -> String {
        let headers = format!("mortise-customer: ada\nidempotency-key: {key}");
        self.ask(self.request(&format!("POST /v1/acme/books{path}"), &headers, body)).await
    }

    /// `GET /v1/acme/books{path}` by ada.
    pub async fn get(&self, path: &str) -> String {
        self.ask(self.request(&format!("GET /v1/acme/books{path}"), "mortise-customer: ada", "")).await
    }

    /// `GET /v1/acme/books{path}` by grace of the staff.
    pub async fn look(&self, path: &str) -> String {
        self.ask(self.request(&format!("GET /v1/acme/books{path}"), "mortise-staff: grace", "")).await
    }

    /// `POST /v1/acme/books/operations{path}` by grace of the staff.
    pub async fn staff(&self, path: &str, key: &str, body: &str) -> String {
        let headers = format!("mortise-staff: grace\nidempotency-key: {key}");
        self.ask(self.request(&format!("POST /v1/acme/books/operations{path}"), &headers, body)).await
    }

    /// An order of ada's.
    pub async fn order(&self, id: &str) {
        let answer = self.post("/trades/buy", &format!("key-{id}"), &buy(id, "pen", 1299)).await;
        assert!(answer.starts_with("200"), "{answer}");
    }
}

/// What `buy` is sent.
pub fn buy(order: &str, sku: &str, offer: i64) -> String {
    format!(
        r#"{{"order_id":"{order}","currency":"EUR","sku":"{sku}","offer":{{"amount":{offer},"currency":"EUR"}}}}"#
    )
}

const SHOWN: [&str; 10] = [
    "allow",
    "content-location",
    "content-type",
    "idempotent-replayed",
    "location",
    "mortise-mapped-by",
    "retry-after",
    "www-authenticate",
    "etag",
    "x-request-id",
];

/// An answer for a snapshot: ids are hidden, problems are broken into lines.
pub fn shown(answer: &str) -> String {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let mut lines = head.lines();
    let status = lines.next().unwrap_or_default().strip_prefix("HTTP/1.1 ").unwrap_or_default();
    let mut headers: Vec<&str> = lines
        .filter(|line| SHOWN.iter().any(|name| line.split(':').next() == Some(name)))
        .filter(|line| !line.starts_with("x-request-id"))
        .filter(|line| {
            *line != "content-type: application/json" && *line != "content-type: application/problem+json"
        })
        .collect();
    headers.sort_unstable();
    let body = match serde_json::from_str::<serde_json::Value>(body) {
        Ok(json) if json.get("trace_id").is_some() => {
            assert!(head.contains("content-type: application/problem+json"), "{head}");
            body.replace(",\"", ",\n \"")
        }
        _ => body.to_owned(),
    };
    hide_ids(&[&[status], headers.as_slice(), &[body.as_str()]].concat().join("\n"))
}

fn hide_ids(text: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_hexdigit() && !c.is_ascii_uppercase() {
            run.push(c);
            continue;
        }
        out.push_str(if run.len() >= 32 { "<id>" } else { &run });
        run.clear();
        out.push(c);
    }
    out.trim_end().to_owned()
}

/// The value of a header of an answer as it came.
pub fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next().unwrap_or_default();
    head.lines()
        .find_map(|line| line.split_once(": ").filter(|(found, _)| *found == name).map(|(_, value)| value))
}

/// The body of an answer as it came.
pub fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}
