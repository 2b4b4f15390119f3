//! The orders' operations: placing, changing, looking.

pub(crate) mod after_sale;
pub(crate) mod change;
pub(crate) mod look;
pub(crate) mod place;
