//! What the checker says: a code, a place, a sentence, a mend. How it is printed is the command line's business.

use serde::{Deserialize, Serialize};

/// The codes of the checker, each with a page in `docs/flow`.
pub const CODES: [&str; 23] = [
    "syntax",
    "unknown-operation",
    "unknown-event",
    "unknown-type",
    "unknown-name",
    "missing-field",
    "unknown-field",
    "type-mismatch",
    "unit-mismatch",
    "not-yet-known",
    "maybe-absent",
    "cannot-undo",
    "rejects-after-pivot",
    "leaks-resource",
    "used-twice",
    "no-timeout",
    "unbounded",
    "no-answer",
    "unreachable",
    "shadowed-name",
    "duplicate-id",
    "over-budget",
    "unused-result",
];

/// Whether a flow may be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It may not.
    Error,
    /// It may.
    Warning,
}

/// A place on the way that leads to a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WayPoint {
    /// Counted from 1.
    pub line: u32,
    /// What happens there.
    pub what: String,
}

/// One finding. Lines and columns count from 1; columns count characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// A code of the checker's table, such as `unknown-name`.
    pub code: String,
    /// Error or warning.
    pub severity: Severity,
    /// The line of the offending value.
    pub line: u32,
    /// Its column.
    pub column: u32,
    /// What is wrong, with the names and types concerned.
    pub message: String,
    /// What would mend it.
    pub help: String,
    /// The way that leads there, where the finding is about a way.
    #[serde(default)]
    pub way: Vec<WayPoint>,
    /// Where the offending text begins and how long it is, in bytes, to underline it.
    #[serde(skip)]
    pub bytes: (usize, usize),
}
