//! The capability's decisions on plain values: which fee holds, what a parcel weighs, what a tracking event changes.

mod fees;
#[cfg(test)]
mod tests;
mod tracking;

pub(crate) use fees::{Bracket, NoFee, Table, UNLIMITED_GRAMS, parcel_grams, proof};
pub(crate) use tracking::{Learnt, Shipment, Status};
