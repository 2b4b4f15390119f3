//! The operations of discount: load for the whole batch, decide by `rules`, write once.

mod deposit;
mod evaluate;
mod extensions;
mod gather;
mod import;
mod redeem;
mod terms;
mod usage;

pub(crate) use deposit::GrantForDeposit;
pub(crate) use evaluate::{Evaluate, Evaluator, Explain};
pub(crate) use import::{Define, ImportCoupons, ImportEntries, ImportItems};
pub(crate) use redeem::{Redeem, Restore};
pub(crate) use terms::Terms;
pub(crate) use usage::Usage;
