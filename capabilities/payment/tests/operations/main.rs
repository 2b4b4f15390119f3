//! The operations on a real database. The provider at the other end is a small one of our own making, with a book and
//! faults; the adapter's tests run the same operations against the sandbox over HTTP.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod deposits;
mod door;
mod isolation;
mod operations;
mod order_refund;
mod provider;
mod risk;
mod shop;
mod verify;
