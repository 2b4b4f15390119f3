//! Operations as code: what a capability implements and what the engine calls. An operation is given a batch of calls and
//! answers each. Who calls it, in which trade and in what order is not known here.

mod book;
mod call;
mod capability;
mod distinct;
mod erased;
pub mod import;
mod operation;
mod policy;
mod registry;

pub use book::{Book, Entries, Entry, Stands};
pub use call::{Call, CallContext, EmittedEvent, ExtensionCall, Outcome, Rejection, Reply, Staleness};
pub use capability::{Capability, Check, Finding, Findings, RejectionPage};
pub use distinct::Distinct;
pub use erased::{Handler, RemoteHandler, SettleCall};
pub use operation::{
    Intended, Intentions, PureOperation, ReadOperation, RemoteOperation, SendContext, Settling, Unanswered,
    WriteOperation,
};
pub use policy::{Chosen, Policies, Policy, PolicyError, PolicyKind, PolicyRow};
pub use registry::{Registry, RegistryError};

pub use mortise_store::{StoreError, StoreErrorKind};
