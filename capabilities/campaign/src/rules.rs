//! What may be taken of a campaign and what becomes of a group, on plain values. No database and no clock.

mod allotment;
mod group;
#[cfg(test)]
mod tests;

pub(crate) use allotment::{Wanted, invalid, left, open_for, refusal, summed, wanted};
pub(crate) use group::{Confirmed, Group, NotTaken, Seat};
