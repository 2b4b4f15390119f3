//! What a server is told when it starts: where ids and currencies come from, and its limits, all named and bounded.

use std::sync::Arc;
use std::time::Duration;

use mortise_points::{NoExtensions, Points};
use mortise_types::{Currency, IdSource, Scope};

use crate::metrics::MoreFigures;

/// A business line's own currency: that of every amount which nothing nearer says the currency of.
pub type CurrencyOf = Arc<dyn Fn(&Scope) -> Currency + Send + Sync>;

/// Settings of a server.
#[derive(Clone)]
pub struct Settings {
    /// Names requests that come without a trace.
    pub ids: Arc<dyn IdSource>,
    /// Each business line's own currency.
    pub currency_of: CurrencyOf,
    /// Who reads bodies that are no flow's input: the point `request-mapping`. Nobody, unless it is said.
    pub points: Arc<dyn Points>,
    /// The scope that `/`, `/docs` and `/openapi.json` describe; none: what the platform publishes for everybody.
    pub described: Option<Scope>,
    /// How those who are let in from outside reach the server, without a slash at its end.
    pub public_url: String,
    /// What stands on the page of figures behind the server's own.
    pub more_figures: Vec<MoreFigures>,
    /// How long a POST waits for its trade's answer before it is told where to ask again.
    pub answer_wait: Duration,
    /// The largest body.
    pub body_max_bytes: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// How long the head of a request may take to arrive; also how long a connection may be idle.
    pub head_timeout: Duration,
    /// Connections that are open at once.
    pub connections_max: usize,
    /// Requests that are worked on at once.
    pub requests_max: usize,
    /// Streams that are open at once.
    pub followers_max: usize,
    /// How often a stream that has nothing to say says so.
    pub follow_keep_alive: Duration,
    /// How long a stream lets commits gather before it looks again.
    pub follow_pause: Duration,
    /// How long the server says that it is about to stop before it takes no more connections.
    pub drain_notice: Duration,
    /// How long requests that are under way may take when the server stops.
    pub drain_limit: Duration,
}

impl Settings {
    /// The usual limits.
    pub fn new(ids: Arc<dyn IdSource>, currency_of: CurrencyOf) -> Self {
        Self {
            ids,
            currency_of,
            points: Arc::new(NoExtensions),
            described: None,
            public_url: "http://localhost:8080".to_owned(),
            more_figures: Vec::new(),
            answer_wait: Duration::from_secs(10),
            body_max_bytes: 1024 * 1024,
            body_timeout: Duration::from_secs(30),
            head_timeout: Duration::from_secs(30),
            connections_max: 10_000,
            requests_max: 4_096,
            followers_max: 2_000,
            follow_keep_alive: Duration::from_secs(15),
            follow_pause: Duration::from_millis(20),
            drain_notice: Duration::ZERO,
            drain_limit: Duration::from_secs(15),
        }
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("described", &self.described)
            .field("answer_wait", &self.answer_wait)
            .field("body_max_bytes", &self.body_max_bytes)
            .finish_non_exhaustive()
    }
}
