//! Runs extensions: loads components, pools and meters their calls, converts to and from the points' plain types, and
//! turns every way in which they can fail into a failure that the binding's `on_failure` settles.
//! It decides nothing about prices or discounts, and no extension reaches anything through it.

mod cache;
mod call;
mod cases;
mod counters;
mod diagnosis;
mod doors;
mod erased;
mod extension;
mod host;
mod limits;
mod manifest;
mod measure;
mod package;
mod runtime;
mod state;
mod ticker;
mod wasi;
mod watch;

pub use cache::{CacheError, CompileCache};
pub use cases::{Case, CaseError, CaseRun};
pub use counters::{Counted, Counters};
pub use erased::ErasedPoint;
pub use extension::{Extension, ExtensionError, Problem, Shelf};
pub use host::{Host, HostError};
pub use limits::{Ceilings, Granted};
pub use manifest::{Asks, Manifest, ManifestError, size_of_text};
pub use measure::Measured;
pub use package::Package;
pub use runtime::{Runtime, RuntimeError};
