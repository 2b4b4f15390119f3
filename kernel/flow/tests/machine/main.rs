//! The machine, driven by hand: every way that the flow language describes, and laws over random flows.

#![allow(clippy::unwrap_used, reason = "what a test takes for granted")]

mod attempts;
mod backward;
mod branches;
mod forward;
mod held;
mod late;
mod laws;
mod races;
mod random;
mod resources;
mod rounds;
mod starts;
mod synthesized;
mod tcc;
mod trade;
