//! What a capability promises, as data: operations, events, rejections, undo, resources, and the schemas of all of them.
//! The flow checker, the engine, the access layer and `mortise capability export` read the same contracts.
//! It holds no code of an operation and runs nothing.

mod contracts;
mod declare;
mod normalise;
mod schema;
mod validate;
pub mod value;

pub use contracts::{
    Acquires, Budget, CallTemplate, Contracts, Effect, EventContract, FlowContract, How, OperationContract,
    Settles, Tcc, Undo,
};
pub use declare::{Declaration, DeclarationError, Event, NoDetail, Operation};
pub use normalise::{NormaliseError, foreign_schema};
pub use schema::{Additional, Schema, Type, Types, Unit};
pub use validate::Violation;
pub use value::{Record, Text, Value, ValueError, from_value, json, to_value};
