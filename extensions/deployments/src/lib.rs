//! What is deployed: components by their content, bindings as numbered revisions that never change, trials and what they
//! showed; and the platform's extension points as the newest revision says, swapped without a restart.
//! It runs no component itself and knows no point by name.

mod change;
mod grants;
mod judge;
mod live;
mod panel;
mod registry;
mod revision;
mod snapshot;
mod store;

pub use change::{AfterShadow, ChangeError, Deploy, Rollback, deploy, promote, roll_back};
pub use grants::{GrantError, Grants};
pub use judge::{Customers, Seen, judge};
pub use live::{EFFECT_AFTER, LiveError, LiveHost, POLL};
pub use panel::{Compare, Comparison, Observation};
pub use registry::{Registry, RegistryError, StoredComponent};
pub use revision::{Change, Kind, Revision, began_at};
pub use snapshot::{Snapshot, SnapshotError};
pub use store::migrations;
