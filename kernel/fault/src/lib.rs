//! The platform's faults: what a person meets when something is wrong, as a code, a class, an HTTP status and a sentence.
//! Business rejections (`out_of_stock` and the like) are not here: they live with the capability that answers them.

mod code;
pub mod codes;
mod fault;

pub use code::{Class, FaultCode};
pub use fault::{Fault, Source};
