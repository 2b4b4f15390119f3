//! The host with real components: the shipped example, guests that do harm and how little comes of it, many calls at a
//! time, the compile cache, one answer for one question.
//! The guests are built by the tests; see `support`.

#![allow(clippy::unwrap_used, reason = "a test says by panicking")]

mod apart;
mod cache;
mod containment;
mod cookbook;
mod crowd;
mod deadline;
mod determinism;
mod example;
mod fuzz;
mod hostile;
mod loading;
mod recipes;
mod saying;
mod support;
mod two_points;
mod versions;
mod wat;
