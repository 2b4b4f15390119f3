//! What an auction decides, on plain values: its terms, what a bid makes of it, who may buy. It reads no clock and no table.

pub(crate) mod bidding;
pub(crate) mod sale;
pub(crate) mod terms;
#[cfg(test)]
mod tests;

pub(crate) use bidding::{Bidder, Judged, Leader, Refusal, Standing, Stood};
pub(crate) use sale::{Candidate, Close, Deposits};
pub(crate) use terms::Rules;
