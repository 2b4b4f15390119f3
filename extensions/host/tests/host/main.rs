//! The host with real components: the shipped example, guests that do harm, many calls at a time, the compile cache.
//! The guests are built by the tests; see `support`.

#![allow(clippy::unwrap_used, reason = "a test says by panicking")]

mod cache;
mod cookbook;
mod crowd;
mod example;
mod hostile;
mod loading;
mod recipes;
mod support;
mod two_points;
mod versions;
mod wat;
