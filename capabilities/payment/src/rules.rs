//! What may become of a payment, decided on plain values: each decision changes the payment and posts its transfers. No
//! database, no provider, no clock.

mod decisions;
mod ledger;
mod payment;
mod risk;
#[cfg(test)]
mod tests;

pub(crate) use ledger::{Account, Transfer, TransferKind};
pub(crate) use payment::{
    Booked, Deposit, Fact, Method, News, NotReceived, Payment, RefundRow, RefundStatus, Stage, Status,
    TakeBack, Took, WhatHappened,
};
pub(crate) use risk::{Facts, assess, ordered, with_highest};
