//! The binary from outside, as people and other programs meet it: real processes, free ports, data directories of their own.

#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect fails")]

mod allocator;
mod attention;
mod capability;
mod contained;
mod cookbook;
mod crash;
mod demo;
mod deploy;
mod failover;
mod flow;
#[path = "../../../../extensions/deployments/tests/deployments/guest.rs"]
mod guest;
mod import;
mod isolation;
mod own;
mod policy;
mod reference;
mod replicas;
mod serve;
mod several;
mod simulate;
mod support;
mod verify;
