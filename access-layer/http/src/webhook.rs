//! Messages of peers: an adapter verifies one and says which operations it means. Which peers there are is the
//! composition root's business; the adapters live with their capabilities.

use axum::http::HeaderMap;
use mortise_contract::Value;
use mortise_types::Timestamp;

/// One call that a verified message asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct HookCall {
    /// `capability.operation`; a write or remote one.
    pub operation: String,
    /// By the operation's input schema; amounts are plain integers.
    pub input: Value,
}

/// Why a message is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookError {
    /// Its signature does not match, is missing, or is too old. The reason is for the log.
    Signature(String),
    /// It is signed, but not a message that is understood here. The text is public.
    Malformed(String),
}

/// The adapter of one peer. It must be cheap: it runs on the server's threads.
pub trait Webhook: Send + Sync {
    /// The peer's name in the path, `/v1/{tenant}/{line}/hooks/{peer}`.
    fn peer(&self) -> &str;

    /// What the message asks for. A message that asks for nothing (an event of no interest) is an empty list.
    ///
    /// # Errors
    /// A signature that does not match `body` at `now`, or a body that is not understood.
    fn verify(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<Vec<HookCall>, HookError>;
}
