//! The durable driver: it runs trades in stretches, gathers the stretches of many trades into one commit, keeps the journal
//! beside the data, and resumes after a crash. It knows no capability and no trade by name.

mod attention;
mod children;
mod commit;
mod definitions;
mod driver;
mod engine;
mod history;
mod job;
mod keeper;
mod lease;
mod load;
mod migrate;
mod policies;
mod post;
mod prune;
mod reading;
mod record;
pub mod remote;
mod retrace;
pub mod schedule;
#[cfg(test)]
mod simulation;
mod store;
mod stretch;
mod subscribe;
mod trail;
mod verify;

pub use attention::{Choice, ChoiceError, Decision, Standing, Told, Waiting, waiting};
pub use definitions::{Aliasing, Catalogue, PLATFORM, PublishError, Published};
pub use driver::{CRASH_POINTS, CrashPoint, Figures, Mistake, Replay, Started, Trouble};
pub use engine::{
    Begun, CallRequest, Engine, EngineError, Options, StartRequest, StepMode, TradeStatus, migrations,
};
pub use history::{History, Move, Version, history};
pub use migrate::{Attempt, MigrateError, definition_hash, migrate};
pub use policies::{load as load_policies, set as set_policy};
pub use prune::Retention;
pub use reading::{Freshness, ReadOutcome};
pub use record::{Asked, Intent, Record, TradeId};
pub use retrace::{
    Difference, Effect, Entry, Happened, Journal, Note, PastCall, Replayed, RetraceError, Settled, Timeline,
    find as find_trades, newest_trades, past_calls, replay, timeline,
};
pub use stretch::Bound;
pub use subscribe::{Delivered, Subscriber};
pub use trail::{Noticed, TradeRow};
pub use verify::{tenants, verify};
