//! Starting and stopping: binds the address, opens the book, and keeps the server, the webhooks and the ticking of
//! expiry and parcels going until they are told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mortise_types::{Clock, IdSource};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::App;
use crate::book::Book;
use crate::clock::ShiftedClock;
use crate::config::SandboxConfig;
use crate::connection::{Connection, CuttableListener};
use crate::fault::Faults;
use crate::http;
use crate::problem::SandboxError;
use crate::webhook::Webhooks;

/// How often expiry and parcels that move by themselves are looked at.
const TICK: Duration = Duration::from_millis(50);
/// How long answers under way may take when the sandbox stops.
const GRACE: Duration = Duration::from_secs(5);

/// The stand-ins for a payment provider and a carrier.
#[derive(Debug)]
pub struct Sandbox;

/// A sandbox that answers. Dropping it ends it as a crash would: nothing acknowledged is lost.
#[derive(Debug)]
pub struct RunningSandbox {
    address: SocketAddr,
    app: Arc<App>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Sandbox {
    /// Starts a sandbox and returns when it listens. Events that had not arrived when its book was last open are
    /// sent again. `ids` must never repeat themselves, also over restarts.
    pub async fn start(
        config: SandboxConfig,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Result<RunningSandbox, SandboxError> {
        let refused = |source| SandboxError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        if let Some(url) = config.default_webhook_url.as_deref().filter(|url| !http::is_http_url(url)) {
            return Err(SandboxError::Webhooks(format!("not an http or https address: {url}")));
        }
        let (book, events) = Book::open(config.data.as_deref())?;
        let (stop, stopping) = watch::channel(false);
        let public_url = config.public_url.unwrap_or_else(|| format!("http://{address}"));
        let app = Arc::new(App {
            book,
            faults: Faults::new(config.seed),
            clock: ShiftedClock::new(clock),
            ids,
            public_url: public_url.trim_end_matches('/').to_owned(),
            default_webhook_url: config.default_webhook_url,
            auto_advance: config.auto_advance,
            stopping,
        });
        let webhooks = Webhooks::new(Arc::clone(&app), config.webhook_secret, config.webhook_retry)?;
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Arc::clone(&app)));
        tasks.spawn(Arc::new(webhooks).run(events));
        tasks.spawn(tick(Arc::clone(&app)));
        Ok(RunningSandbox { address, app, stop, tasks })
    }
}

impl RunningSandbox {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its root, `http://<address>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes no more requests, finishes those under way (hung ones are cut), and lets go of the book.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            self.tasks.shutdown().await;
        }
        self.app.book.close();
    }
}

async fn serve(listener: TcpListener, app: Arc<App>) {
    let stopped = {
        let app = Arc::clone(&app);
        async move { app.stopped().await }
    };
    let service = http::router(app).into_make_service_with_connect_info::<Connection>();
    let served = axum::serve(CuttableListener(listener), service).with_graceful_shutdown(stopped).await;
    if let Err(error) = served {
        tracing::error!(%error, "the server ended");
    }
}

async fn tick(app: Arc<App>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = app.stopped() => return,
        }
        if http::run_what_is_due(&app).await.is_err() {
            return;
        }
    }
}
