//! The inventory's operations, a file each or a file for a few that are one thing.

pub(crate) mod allocate;
mod asked;
pub(crate) mod counts;
pub(crate) mod levels;
pub(crate) mod locations;
pub(crate) mod reserve;
pub(crate) mod returns;
pub(crate) mod settle;
pub(crate) mod ship;
