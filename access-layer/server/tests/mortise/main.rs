//! The binary from outside, as people and other programs meet it: real processes, free ports, data directories of their own.

#![allow(clippy::unwrap_used, reason = "a test that meets what it does not expect fails")]

mod capability;
mod cookbook;
mod crash;
mod demo;
mod flow;
mod import;
mod policy;
mod serve;
mod simulate;
mod support;
mod verify;
