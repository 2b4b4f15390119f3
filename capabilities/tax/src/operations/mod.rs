//! The operations of tax: load for the whole batch, decide by `rules`, answer.

mod assess;
mod import;
mod rates;

pub(crate) use assess::Assess;
pub(crate) use import::{ImportItems, ImportRates};
pub(crate) use rates::Rates;
