//! The operations as code: load a batch's sales and returns, decide by the rules in the batch's order, save once.

mod batch;
mod inspect;
mod look;
mod open;
mod ruling;
mod say;

pub(crate) use inspect::{Accept, Inspect};
pub(crate) use look::{Get, List};
pub(crate) use open::{Assess, Open};
pub(crate) use say::{Approve, Receive, Refuse, Say, Settle, Withdraw};
