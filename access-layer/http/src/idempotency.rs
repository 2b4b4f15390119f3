//! `Idempotency-Key`: which requests are the same. Keys are one caller's own, so that nobody meets another's answer; a key
//! whose first request is still being worked on is refused here, everything later is the engine's record.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderName;
use axum::http::request::Parts;
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use mortise_fault::codes;
use mortise_types::Scope;

use crate::caller::Caller;
use crate::problem::Problem;

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The longest key.
const KEY_MAX_CHARS: usize = 255;

/// A caller's key: 1 to 255 visible ASCII characters.
#[derive(Debug)]
pub(crate) struct IdempotencyKey(String);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut given = parts.headers.get_all(&IDEMPOTENCY_KEY).iter();
        let Some(key) = given.next() else {
            return Err(Problem::of(
                &codes::IDEMPOTENCY_KEY_MISSING,
                "Send a header Idempotency-Key, new for each request and the same when it is repeated.",
            ));
        };
        let bytes = key.as_bytes();
        let valid = (1..=KEY_MAX_CHARS).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
        match key.to_str() {
            Ok(key) if valid && given.next().is_none() => Ok(Self(key.to_owned())),
            _ => Err(Problem::of(
                &codes::IDEMPOTENCY_KEY_INVALID,
                format!("An Idempotency-Key is one header of 1 to {KEY_MAX_CHARS} visible ASCII characters."),
            )),
        }
    }
}

/// What a request asks for, by its content.
pub(crate) type RequestHash = [u8; 16];

/// The hash of what is asked for (`trades/NAME`) and the body as it was sent.
pub(crate) fn request_hash(what: &str, name: &str, body: &[u8]) -> RequestHash {
    let mut hasher = blake3::Hasher::new();
    for part in [what, name] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.update(body);
    let mut hash = [0; 16];
    hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    hash
}

/// The requests that are being worked on.
#[derive(Debug, Default)]
pub(crate) struct UnderWay(DashMap<String, RequestHash>);

/// A request's place among those that are being worked on; dropping it makes way.
#[derive(Debug)]
pub(crate) struct Turn {
    under_way: Arc<UnderWay>,
    name: String,
    /// What the engine keeps: the key with its owner, and the request's hash.
    pub(crate) kept: (String, Vec<u8>),
}

impl UnderWay {
    /// Takes the key's turn.
    ///
    /// # Errors
    /// The key's first request is still being worked on, or was another one.
    pub(crate) fn enter(
        self: &Arc<Self>,
        key: &IdempotencyKey,
        scope: &Scope,
        caller: &Caller,
        hash: RequestHash,
    ) -> Result<Turn, Problem> {
        // The caller's key stands first: one that is time-ordered stays so. A blank is in no part.
        let owner = match caller {
            Caller::Nobody => "-".to_owned(),
            Caller::Customer(customer) => format!("c:{customer}"),
            Caller::Staff(name) => format!("s:{name}"),
        };
        let kept = format!("{} {} {owner}", key.0, scope.line);
        let name = format!("{} {kept}", scope.tenant);
        match self.0.entry(name.clone()) {
            Entry::Vacant(free) => {
                free.insert(hash);
            }
            Entry::Occupied(taken) if *taken.get() == hash => return Err(in_progress()),
            Entry::Occupied(_) => return Err(mismatch()),
        }
        Ok(Turn { under_way: Arc::clone(self), name, kept: (kept, hash.to_vec()) })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.under_way.0.remove(&self.name);
    }
}

/// The first request with the key has no answer yet.
pub(crate) fn in_progress() -> Problem {
    Problem::of(
        &codes::IDEMPOTENCY_IN_PROGRESS,
        "Ask again in a while, with the same key: you get the first one's answer.",
    )
}

/// The key was used for another request.
pub(crate) fn mismatch() -> Problem {
    Problem::of(
        &codes::IDEMPOTENCY_MISMATCH,
        "This key stands for another request. Use a new key for a new request.",
    )
}
