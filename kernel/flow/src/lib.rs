//! The flow language: a definition with spans, the checker that proves it, and the machine that runs it.
//! Everything here is pure: no clock, no I/O, no randomness, no async, no database. It sees contracts only.

pub mod ast;
pub mod diagnostic;
pub mod machine;
