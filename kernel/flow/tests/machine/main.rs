//! The machine, driven by hand: every way that the flow language describes, and laws over random flows.

mod backward;
mod forward;
mod late;
mod laws;
mod random;
mod rounds;
mod synthesized;
mod trade;
