//! What the simulator is given: the capabilities, wired, and the peers that they reach. Only a composition root knows them.

use std::fmt;
use std::sync::Arc;

use mortise_capability::{Entry, Policies, Registry};
use mortise_contract::Value;
use mortise_engine::Bound;
use mortise_types::{Clock, IdSource};

/// A platform that worlds can be run on.
pub trait Composition: Sync {
    /// Peers whose books are empty and who live by `clock`.
    fn peers(&self, clock: Arc<dyn Clock>) -> Arc<dyn Peers>;

    /// The flows that are shipped, by file: a world may start any of them.
    fn flows(&self) -> Vec<(String, String)>;
}

/// The outside of a platform: providers, carriers. They outlive a crash of the engine.
pub trait Peers: Send + Sync + fmt::Debug {
    /// The capabilities, wired to these peers; as often as the engine is started.
    ///
    /// # Errors
    /// Parts that do not fit together, in words.
    fn wire(&self, ids: Arc<dyn IdSource>) -> Result<Wired, String>;

    /// Something that a peer does by itself, such as `provider.pay`.
    ///
    /// # Errors
    /// An action that no peer knows, or that it cannot read, in words.
    fn act(&self, action: &str, with: &Value) -> Result<Act, String>;

    /// What the peers have on books of their own, under the accounts on which the capabilities have it: the two must agree.
    fn entries(&self) -> Vec<Entry>;
}

/// The capabilities with what they look up.
pub struct Wired {
    /// Every operation.
    pub registry: Registry,
    /// The choices by scope.
    pub policies: Arc<Policies>,
    /// Which points are answered where.
    pub bound: Bound,
}

impl fmt::Debug for Wired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wired").field("registry", &self.registry).finish_non_exhaustive()
    }
}

/// What a peer did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Act {
    /// In a few words: `captured`, `the page has expired`.
    pub said: String,
    /// What it tells the platform of it, as calls of operations.
    pub messages: Vec<Message>,
}

/// A message of a peer.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The operation that takes it.
    pub operation: String,
    /// Its input.
    pub input: Value,
}
