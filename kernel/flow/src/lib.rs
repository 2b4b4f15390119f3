//! The flow language: a definition with spans, the checker that proves it, and the machine that runs it.
//! Everything here is pure: no clock, no I/O, no randomness, no async, no database. It sees contracts only.

pub mod ast;
mod check;
mod compile;
pub mod diagnostic;
mod eval;
mod label;
pub mod machine;
mod migrate;
mod parse;
mod render;
mod report;
pub mod typing;
mod walk;

pub use check::{Checked, check, check_contracts, check_text, with_flows};
pub use compile::{CompileError, Program};
pub use eval::EvalError;
pub use machine::{
    Answer, Begin, CallKind, CallNo, CallOutcome, Command, EVALUATION_FAILED, Ended, Input, OpenWait,
    Persistence, State, TAKEN_BACK, WaitNo, step,
};
pub use migrate::{Obstacle, obstacles};
pub use parse::{contract_template, parse};
pub use render::render;
