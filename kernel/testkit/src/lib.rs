//! What tests of all parts share: tables of text with expected output, a clock that stands still until it is moved, and
//! ids that come out the same every time. It is a dev-dependency only, and stands in for nothing that can run for real.

mod database;
mod postgres;
mod replicated;
mod rig;
pub mod table;

pub use database::TestDatabase;
pub use mortise_types::{SeededIds, VirtualClock};
pub use replicated::Replicated;
pub use rig::Rig;
