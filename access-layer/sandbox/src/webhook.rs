//! Sends the book's events: signed, in order for each subject, repeated with back-off until the receiver answers 2xx, at
//! least once; with what a fault does to them on the way. It decides nothing about payments or parcels.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::app::App;
use crate::book::Outgoing;
use crate::config::WebhookRetry;
use crate::fault::Fault;
use crate::problem::SandboxError;
use crate::signature::sign;
use crate::state::{Change, Event};

/// How long a receiver may take to answer.
const RECEIVER_DEADLINE: Duration = Duration::from_secs(10);
/// How many deliveries are under way at once.
const AT_ONCE: usize = 64;

#[derive(Debug)]
pub(crate) struct Webhooks {
    app: Arc<App>,
    client: reqwest::Client,
    secret: String,
    retry: WebhookRetry,
    lanes: Mutex<HashMap<String, Lane>>,
    permits: Semaphore,
}

/// The events of one payment or shipment that have not arrived.
#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Parcel>,
    arrived: Arc<Notify>,
}

/// An event in its lane.
#[derive(Clone, Debug)]
struct Parcel {
    outgoing: Arc<Outgoing>,
    /// It has met its fault.
    journey: Journey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Journey {
    NotBegun,
    Plain,
}

/// What happens to one event on its way.
#[derive(Clone, Copy, Debug, Default)]
struct Plan {
    copies: u32,
    delay: Duration,
    hold: Option<Duration>,
    lose: u32,
}

impl Webhooks {
    pub(crate) fn new(app: Arc<App>, secret: String, retry: WebhookRetry) -> Result<Webhooks, SandboxError> {
        let client = reqwest::Client::builder()
            .timeout(RECEIVER_DEADLINE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| SandboxError::Webhooks(error.to_string()))?;
        let (lanes, permits) = (Mutex::default(), Semaphore::new(AT_ONCE));
        Ok(Webhooks { app, client, secret, retry, lanes, permits })
    }

    /// Delivers what comes from the book until the sandbox stops. What has not arrived then is in the book.
    pub(crate) async fn run(self: Arc<Self>, mut queue: mpsc::UnboundedReceiver<Outgoing>) {
        let mut lanes = JoinSet::new();
        loop {
            tokio::select! {
                next = queue.recv() => match next {
                    Some(outgoing) => {
                        if let Some(subject) = self.enqueue(outgoing) {
                            lanes.spawn(Arc::clone(&self).drain(subject));
                        }
                    }
                    None => break,
                },
                Some(_) = lanes.join_next() => {}
                () = self.app.stopped() => break,
            }
        }
        lanes.shutdown().await;
    }

    /// Puts an event into its lane; the subject is returned when the lane is new and needs someone to drain it.
    fn enqueue(&self, outgoing: Outgoing) -> Option<String> {
        let subject = outgoing.event.subject.clone();
        let mut lanes = self.lock();
        let is_new = !lanes.contains_key(&subject);
        let lane = lanes.entry(subject.clone()).or_default();
        lane.waiting.push_back(Parcel { outgoing: Arc::new(outgoing), journey: Journey::NotBegun });
        lane.arrived.notify_one();
        is_new.then_some(subject)
    }

    async fn drain(self: Arc<Self>, subject: String) {
        while let Some(parcel) = self.front(&subject) {
            if self.app.book.durable(parcel.outgoing.line).await.is_err() {
                return;
            }
            let mut plan = match parcel.journey {
                Journey::NotBegun => plan(self.app.faults.strike_webhook(&parcel.outgoing.event)),
                Journey::Plain => Plan::default(),
            };
            if let Some(hold) = plan.hold.take()
                && self.let_the_next_pass(&subject, hold).await
            {
                continue;
            }
            tokio::time::sleep(plan.delay).await;
            self.deliver(&parcel.outgoing.event, plan).await;
            if let Some(lane) = self.lock().get_mut(&subject) {
                lane.waiting.pop_front();
            }
        }
    }

    /// The event to be delivered next; an empty lane is closed.
    fn front(&self, subject: &str) -> Option<Parcel> {
        let mut lanes = self.lock();
        let front = lanes.get(subject).and_then(|lane| lane.waiting.front().cloned());
        if front.is_none() {
            lanes.remove(subject);
        }
        front
    }

    /// Waits for a second event and lets it go first. False when none came in time.
    async fn let_the_next_pass(&self, subject: &str, hold: Duration) -> bool {
        let arrived = self.lock().get(subject).map(|lane| Arc::clone(&lane.arrived));
        let Some(arrived) = arrived else { return false };
        let second = async {
            while !self.swap_front(subject) {
                arrived.notified().await;
            }
        };
        tokio::time::timeout(hold, second).await.is_ok()
    }

    fn swap_front(&self, subject: &str) -> bool {
        let mut lanes = self.lock();
        let Some(lane) = lanes.get_mut(subject).filter(|lane| lane.waiting.len() > 1) else {
            return false;
        };
        lane.waiting.swap(0, 1);
        if let Some(overtaken) = lane.waiting.get_mut(1) {
            overtaken.journey = Journey::Plain;
        }
        true
    }

    /// Sends until it has arrived, then as many copies as the plan says.
    async fn deliver(&self, event: &Event, mut plan: Plan) {
        let mut attempts: u32 = 0;
        let mut pause = self.retry.first;
        loop {
            attempts = attempts.saturating_add(1);
            let lost = plan.lose > 0;
            plan.lose = plan.lose.saturating_sub(1);
            if !lost && self.send(event).await {
                break;
            }
            tracing::debug!(event = event.id, attempts, "a webhook has not arrived");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(self.retry.most);
        }
        for _ in 0..plan.copies {
            self.send(event).await;
        }
        let delivered = Change::Delivered { event_id: event.id.clone(), attempts };
        if self.app.run_due(|_, _| vec![delivered]).await.is_err() {
            tracing::debug!(
                event = event.id,
                "delivered, but the book is closed: it will be delivered again"
            );
        }
    }

    /// One attempt; true when the receiver answered 2xx.
    async fn send(&self, event: &Event) -> bool {
        let Ok(_permit) = self.permits.acquire().await else {
            return false;
        };
        let signature = sign(&self.secret, self.app.clock.now(), event.body.as_bytes());
        let request = self
            .client
            .post(&event.target)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header("sandbox-signature", signature)
            .header("sandbox-event-id", &event.id)
            .body(event.body.clone());
        request.send().await.is_ok_and(|response| response.status().is_success())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn plan(fault: Option<Fault>) -> Plan {
    match fault {
        Some(Fault::WebhookDuplicate { copies }) => Plan { copies, ..Plan::default() },
        Some(Fault::WebhookDelay { delay_ms }) => {
            Plan { delay: Duration::from_millis(delay_ms), ..Plan::default() }
        }
        Some(Fault::WebhookReorder { hold_ms }) => {
            Plan { hold: Some(Duration::from_millis(hold_ms)), ..Plan::default() }
        }
        Some(Fault::WebhookLose { attempts }) => Plan { lose: attempts, ..Plan::default() },
        _ => Plan::default(),
    }
}
