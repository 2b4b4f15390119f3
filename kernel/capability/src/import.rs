//! What the bulk imports of all capabilities share: rows that are judged one by one and stored all or none, and the words
//! that stand for "any". It knows no capability's rows.

use mortise_store::StoreError;
use mortise_types::{BusinessLine, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::call::{CallContext, Reply};

/// Rejection: a row of an import makes no sense. Its detail is [`RowRefused`].
pub const ROW_REFUSED: &str = "row_refused";

/// The most characters of an id or a name in an import.
const ID_MAX_CHARS: usize = 128;

/// How many rows an import stored, or a removal took away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "import/Rows")]
pub struct Rows {
    /// Rows that were stored or removed.
    pub rows: i64,
}

impl Rows {
    /// So many.
    pub fn count(rows: usize) -> Self {
        Rows { rows: i64::try_from(rows).unwrap_or(i64::MAX) }
    }
}

/// A row that makes no sense; none of its call was stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "import/RowRefused")]
pub struct RowRefused {
    /// Its position in the call, from 1.
    pub row: i64,
    /// What is wrong with it.
    pub problem: String,
}

/// Adds the rows of a call to `stored` if all make sense; else the reply names the first that doesn't.
///
/// # Errors
/// A detail that is no value of the language.
pub fn judge<T, R>(
    stored: &mut Vec<R>,
    context: &CallContext,
    rows: &[T],
    convert: impl Fn(&CallContext, &T) -> Result<R, String>,
) -> Result<Reply<Rows>, StoreError> {
    let before = stored.len();
    for (index, row) in rows.iter().enumerate() {
        match convert(context, row) {
            Ok(row) => stored.push(row),
            Err(problem) => {
                stored.truncate(before);
                let Rows { rows: row } = Rows::count(index + 1);
                return Reply::rejected(ROW_REFUSED, &RowRefused { row, problem });
            }
        }
    }
    Ok(Reply::done(Rows::count(rows.len())))
}

/// The business line that a row is for: left out, the line of the call; `*`, all lines of the tenant, which is the empty
/// text. A call writes for no other line.
///
/// # Errors
/// Another line, in words.
pub fn line_of(context: &CallContext, text: Option<&str>) -> Result<String, String> {
    let own = context.scope.line.as_str();
    match text {
        None | Some("") => Ok(own.to_owned()),
        Some("*") => Ok(String::new()),
        Some(text) if text == own => Ok(text.to_owned()),
        Some(text) => match BusinessLine::new(text) {
            Ok(other) => Err(format!("line {other} is not the line of this call, {own}")),
            Err(error) => Err(error.to_string()),
        },
    }
}

/// What is left out or `*` stands for any, which is the empty text; anything else has to pass the check.
///
/// # Errors
/// The check's, in words.
pub fn any_or<E: ToString>(
    text: Option<&str>,
    check: impl Fn(&str) -> Result<(), E>,
) -> Result<String, String> {
    match text {
        None | Some("" | "*") => Ok(String::new()),
        Some(text) => check(text).map(|()| text.to_owned()).map_err(|error| error.to_string()),
    }
}

/// An id or a name: 1 to 128 printable characters.
///
/// # Errors
/// What is wrong, naming the field.
pub fn name(field: &str, text: &str) -> Result<String, String> {
    let printable = !text.chars().any(char::is_control);
    if text.trim().is_empty() || text.chars().count() > ID_MAX_CHARS || !printable {
        return Err(format!("{field} has to be 1 to {ID_MAX_CHARS} printable characters"));
    }
    Ok(text.to_owned())
}

/// A half-open period; what is left out is without a beginning or an end.
///
/// # Errors
/// A period without a moment in it.
pub fn period(from: Option<Timestamp>, until: Option<Timestamp>) -> Result<(Timestamp, Timestamp), String> {
    let (from, until) = (from.unwrap_or(Timestamp::MIN), until.unwrap_or(Timestamp::MAX));
    if from < until {
        Ok((from, until))
    } else {
        Err(format!("valid_until {until} is not after valid_from {from}"))
    }
}
