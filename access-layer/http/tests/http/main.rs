//! The access layer as its callers meet it: bytes in, status, headers and bytes out.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod attention;
mod describe;
mod drain;
mod follow;
mod garbage;
mod hooks;
mod house;
mod idempotency;
mod mapping;
mod money;
mod operations;
mod reads;
mod roles;
mod till;
mod trades;
