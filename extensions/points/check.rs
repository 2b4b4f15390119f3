//! What the revalidation of every point shares: bounds that no honest answer passes, and errors that name the place.

use std::fmt;

use serde::Serialize;

/// The longest reason, in bytes.
pub const MAX_REASON_BYTES: usize = 200;

/// An answer that is not true to its question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct Invalid {
    /// Where in the answer, such as `offers[3].reason`.
    pub place: String,
    /// What is wrong there.
    pub problem: String,
}

/// A place in an answer's list: `offers[3]`; a field of it is named where a check fails, so that an answer without
/// faults pays for no text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) list: &'static str,
    pub(crate) index: usize,
}

impl Place {
    pub(crate) fn refuse(self, field: &str, problem: impl fmt::Display) -> Invalid {
        let Place { list, index } = self;
        let place =
            if field.is_empty() { format!("{list}[{index}]") } else { format!("{list}[{index}].{field}") };
        Invalid { place, problem: problem.to_string() }
    }

    /// See [`reason_problem`].
    pub(crate) fn reason(self, reason: &str) -> Result<(), Invalid> {
        reason_problem(reason).map_or(Ok(()), |problem| Err(self.refuse("reason", problem)))
    }

    /// A code is 1 to 64 of `a-z 0-9 - _ .`.
    pub(crate) fn code(self, field: &str, code: &str) -> Result<(), Invalid> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
        if (1..=64).contains(&code.len()) && code.chars().all(allowed) {
            return Ok(());
        }
        Err(self.refuse(field, format_args!("{} is not 1 to 64 of a-z 0-9 - _ .", shown(code))))
    }
}

/// An answer that is one record: `assessment`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole(pub(crate) &'static str);

impl Whole {
    pub(crate) fn refuse(self, field: &str, problem: impl fmt::Display) -> Invalid {
        Invalid { place: format!("{}.{field}", self.0), problem: problem.to_string() }
    }

    /// See [`reason_problem`].
    pub(crate) fn reason(self, reason: &str) -> Result<(), Invalid> {
        reason_problem(reason).map_or(Ok(()), |problem| Err(self.refuse("reason", problem)))
    }
}

/// A reason is there, short, and has no control characters: it is printed on receipts and kept in proofs.
fn reason_problem(reason: &str) -> Option<String> {
    if reason.trim().is_empty() {
        return Some("empty; every answer says why".to_owned());
    }
    if reason.len() > MAX_REASON_BYTES {
        return Some(format!("{} bytes, at most {MAX_REASON_BYTES}", reason.len()));
    }
    reason.chars().any(char::is_control).then(|| "has control characters".to_owned())
}

/// No more items than `most`.
pub(crate) fn at_most(list: &'static str, count: usize, most: usize) -> Result<(), Invalid> {
    if count <= most {
        return Ok(());
    }
    Err(Invalid { place: list.to_owned(), problem: format!("{count} of them, at most {most}") })
}

/// A text of an extension inside a message: quoted, escaped, cut off.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        None => format!("{text:?}"),
        Some((cut, _)) => format!("{:?}...", &text[..cut]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { list: "offers", index: 3 };

    #[test]
    fn a_refusal_names_its_place() {
        let long = "x".repeat(201);
        assert_eq!(PLACE.reason(&long).unwrap_err().to_string(), "offers[3].reason: 201 bytes, at most 200");
        assert_eq!(
            PLACE.reason(" ").unwrap_err().to_string(),
            "offers[3].reason: empty; every answer says why"
        );
        assert_eq!(
            PLACE.reason("a\u{7}").unwrap_err().to_string(),
            "offers[3].reason: has control characters"
        );
        assert_eq!(PLACE.refuse("", "known").to_string(), "offers[3]: known");
        assert!(PLACE.reason(&"x".repeat(200)).is_ok());
        let whole = Whole("assessment");
        assert_eq!(
            whole.reason("").unwrap_err().to_string(),
            "assessment.reason: empty; every answer says why"
        );
        assert_eq!(whole.refuse("score", "101").to_string(), "assessment.score: 101");
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        assert_eq!(shown(&"ä".repeat(41)), format!("{:?}...", "ä".repeat(40)));
        assert_eq!(shown("a\n"), r#""a\n""#);
    }
}
