//! What a fault code is. The table of all codes is in `codes`.

use std::fmt;

use serde::{Serialize, Serializer};

/// What a fault asks of the person who meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A business no: the request was understood and the answer is no. Repeating it gets the same answer until the
    /// business changes.
    Rejected,
    /// Not now: the same request may succeed later, and may be repeated with the same idempotency key.
    Unavailable,
    /// Something is wrong on this side; a person has to look.
    Broken,
    /// The request itself is wrong; it must change before it can succeed.
    Invalid,
}

impl Class {
    /// The name as it is written in problems and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Class::Rejected => "rejected",
            Class::Unavailable => "unavailable",
            Class::Broken => "broken",
            Class::Invalid => "invalid",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One of the platform's fault codes. Codes are the ones in [`crate::codes`], once each, so that two are equal exactly
/// when their names are.
#[derive(Debug)]
pub struct FaultCode {
    /// The name, in kebab case: stable, for programs.
    pub code: &'static str,
    /// What it asks of the person who meets it.
    pub class: Class,
    /// The status of an HTTP answer that carries it.
    pub http_status: u16,
    /// What is wrong, for people, without any particulars.
    pub title: &'static str,
    /// The page that explains it, as Markdown: the text of [`FaultCode::page`].
    pub page_text: &'static str,
}

impl FaultCode {
    /// Where the page stands that explains it, from the root of the repository.
    #[must_use]
    pub fn page(&self) -> String {
        format!("docs/faults/{}.md", self.code)
    }
}

impl PartialEq for FaultCode {
    fn eq(&self, other: &FaultCode) -> bool {
        self.code == other.code
    }
}

impl Eq for FaultCode {}

impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code)
    }
}

/// The code's name alone.
impl Serialize for FaultCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code)
    }
}
