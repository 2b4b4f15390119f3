//! What a sandbox is started with. Reading it from a command line is the caller's matter.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How a sandbox runs.
#[derive(Clone)]
pub struct SandboxConfig {
    /// Where it listens; port 0 takes a free one, which [`crate::RunningSandbox::address`] names.
    pub listen: SocketAddr,
    /// The directory of its book, made if it is missing and locked while it runs. `None` keeps the book in memory.
    pub data: Option<PathBuf>,
    /// The secret with which webhooks are signed.
    pub webhook_secret: String,
    /// Where events go whose payment or shipment names no `webhook_url` of its own.
    pub default_webhook_url: Option<String>,
    /// The address under which people and adapters reach it, without a slash at the end, if that is not
    /// `http://<listen>`. Links to the pay page and to labels begin with it.
    pub public_url: Option<String>,
    /// How webhooks are repeated.
    pub webhook_retry: WebhookRetry,
    /// After how long a shipment takes its next step by itself; `None` leaves them to `advance`.
    pub auto_advance: Option<Duration>,
    /// What the draws of faults with `chance_percent` begin from: the same seed, the same faults.
    pub seed: u64,
}

/// The back-off of webhooks, which are repeated until the receiver answers 2xx.
#[derive(Clone, Copy, Debug)]
pub struct WebhookRetry {
    /// The pause after the first failed attempt; it doubles with each further one.
    pub first: Duration,
    /// The longest pause.
    pub most: Duration,
}

impl Default for WebhookRetry {
    fn default() -> WebhookRetry {
        WebhookRetry { first: Duration::from_millis(200), most: Duration::from_secs(30) }
    }
}

impl SandboxConfig {
    /// A sandbox at `listen` that signs with `webhook_secret`: in memory, no default webhook, no movement by itself.
    #[must_use]
    pub fn new(listen: SocketAddr, webhook_secret: impl Into<String>) -> SandboxConfig {
        SandboxConfig {
            listen,
            data: None,
            webhook_secret: webhook_secret.into(),
            default_webhook_url: None,
            public_url: None,
            webhook_retry: WebhookRetry::default(),
            auto_advance: None,
            seed: 0,
        }
    }
}

impl fmt::Debug for SandboxConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxConfig")
            .field("listen", &self.listen)
            .field("data", &self.data)
            .field("default_webhook_url", &self.default_webhook_url)
            .field("public_url", &self.public_url)
            .field("webhook_retry", &self.webhook_retry)
            .field("auto_advance", &self.auto_advance)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}
