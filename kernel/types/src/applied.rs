//! What a command says it did. A handle settles once, an undo may come twice: the second time is no error, and it is
//! told apart from the first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a command changed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "call/Applied")]
pub enum Applied {
    /// It did now.
    Now,
    /// There was nothing left to do.
    Already,
}
