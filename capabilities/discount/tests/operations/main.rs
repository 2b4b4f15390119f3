//! The operations of discount on a real database.

mod evaluate;
mod ledger;
mod support;
mod terms;
