//! Deployments: the rules as tables of text, the registry on a real database, and what a platform is asked while it changes.

#![allow(clippy::unwrap_used, reason = "a test says by panicking")]

mod grants;
mod guest;
mod live;
mod registry;
mod rules;
