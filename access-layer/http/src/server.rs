//! The server: routes over an engine, and the loop that takes connections until it is told to stop. Then it says that it
//! is about to stop, lets the engine finish what it took, and lets requests under way end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use mortise_engine::Engine;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service as _;

use crate::app::App;
use crate::clock::SettableClock;
use crate::desk::Desk;
use crate::routes;
use crate::settings::Settings;
use crate::webhook::Webhook;

/// How long to wait when the machine has no room for another connection.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// An access layer over an engine.
#[derive(Clone)]
pub struct Server {
    app: Arc<App>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("settings", &self.app.settings).finish_non_exhaustive()
    }
}

impl Server {
    /// A server over `engine`. Peers' messages are verified by `hooks`, found by their peer's name; with `dev_clock` the
    /// routes under `/dev/clock` exist.
    pub fn new(
        engine: Engine,
        settings: Settings,
        hooks: Vec<Arc<dyn Webhook>>,
        dev_clock: Option<Arc<dyn SettableClock>>,
    ) -> Self {
        Self { app: Arc::new(App::new(engine, settings, hooks, dev_clock)) }
    }

    /// With a desk, at which staff on this machine work on the platform itself: the route `/desk` exists.
    #[must_use]
    pub fn with_desk(self, desk: Arc<dyn Desk>) -> Self {
        // A second desk is not put beside the first.
        drop(self.app.desk.set(desk));
        self
    }

    /// The routes alone. Without the connection's address (`ConnectInfo<SocketAddr>`) nobody can be signed in.
    pub fn router(&self) -> Router {
        routes::router(Arc::clone(&self.app))
    }

    /// Serves `listener` until `shutdown` is ready, then drains: `/health/ready` and new work are refused with 503,
    /// streams end, the engine commits what it has taken, and requests under way get their answers.
    ///
    /// # Errors
    /// None today: a connection that fails is its own affair, and a listener that fails is tried again.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let accepting = Accepting {
            router: self.router(),
            listener,
            seats: Arc::new(Semaphore::new(self.app.settings.connections_max)),
            connections: GracefulShutdown::new(),
            head_timeout: self.app.settings.head_timeout,
        };
        accepting.until(shutdown).await;
        self.app.draining.send_replace(true);
        let drained = async {
            tokio::time::sleep(self.app.settings.drain_notice).await;
            self.app.engine.drain().await;
        };
        let limit = self.app.settings.drain_limit;
        accepting.until(async { drop(tokio::time::timeout(limit, drained).await) }).await;
        let Accepting { listener, connections, .. } = accepting;
        drop(listener);
        if tokio::time::timeout(limit, connections.shutdown()).await.is_err() {
            tracing::warn!("requests were cut off: they took longer than the server may take to stop");
        }
        Ok(())
    }
}

struct Accepting {
    router: Router,
    listener: TcpListener,
    seats: Arc<Semaphore>,
    connections: GracefulShutdown,
    head_timeout: Duration,
}

impl Accepting {
    /// Takes connections until `end` is ready.
    async fn until(&self, end: impl Future<Output = ()>) {
        let mut end = pin!(end);
        loop {
            let next = async {
                let seat = Arc::clone(&self.seats).acquire_owned().await;
                (seat, self.listener.accept().await)
            };
            tokio::select! {
                biased;
                () = &mut end => return,
                (Ok(seat), accepted) = next => match accepted {
                    Ok((stream, peer)) => self.connect(seat, stream, peer),
                    Err(error) if is_connections_own(&error) => {}
                    Err(error) => {
                        tracing::error!(%error, "no connection can be taken");
                        tokio::time::sleep(ACCEPT_AGAIN_AFTER).await;
                    }
                },
            }
        }
    }

    fn connect(&self, seat: OwnedSemaphorePermit, stream: TcpStream, peer: SocketAddr) {
        // Answers are small and whole; a delay would be the caller's latency.
        let _ = stream.set_nodelay(true);
        let router = self.router.clone();
        let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            let answer = router.clone().call(request);
            async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(self.head_timeout);
        let connection = self.connections.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, %peer, "a connection ended early");
            }
            drop(seat);
        });
    }
}

/// A connection that was gone before it was taken; the listener is well.
fn is_connections_own(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
