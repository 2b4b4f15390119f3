//! The purchase limits' operations.

pub(crate) mod check;
pub(crate) mod claim;
pub(crate) mod import;
pub(crate) mod returns;
