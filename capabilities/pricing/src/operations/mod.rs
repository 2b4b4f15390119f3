//! The operations of pricing, one file each: load for the whole batch, decide by `rules`, answer.

mod explain;
mod import;
mod quote;

pub(crate) use explain::Explain;
pub(crate) use import::{ImportEntries, ImportMembers, RemoveEntries};
pub(crate) use quote::Quote;
