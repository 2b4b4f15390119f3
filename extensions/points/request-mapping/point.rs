//! The point `request-mapping`: what is the flow's input, when a front end sends something else? The first extension that
//! knows the body answers for all. What comes back is checked by the flow's own input type afterwards, as any input is.

use mortise_types::{BusinessLine, Channel, Currency, CustomerId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::check::Whole;
use crate::{ExtensionId, Invalid, Point};

/// The longest input, in bytes of its JSON text.
pub const MAX_INPUT_BYTES: usize = 256 * 1024;
/// How many bytes of a body count as a line, for what an extension may compute.
const BYTES_PER_LINE: usize = 256;

/// The point `request-mapping`.
#[derive(Clone, Copy, Debug)]
pub struct RequestMapping;

/// A request that starts a trade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The flow that is to be started.
    pub flow: String,
    /// Where.
    pub line: BusinessLine,
    /// The front end's channel.
    pub channel: Channel,
    /// The business line's own.
    pub currency: Currency,
    /// Who is signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// When the request came.
    pub request_time: Timestamp,
    /// A JSON text, as it was sent.
    pub body: String,
}

/// What an extension makes of a body, unchecked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapped {
    /// The JSON text of an object.
    pub input: String,
    /// For whoever looks for a fault.
    pub reason: String,
}

/// A checked input.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValidMapped {
    /// An object; its integers fit 64 bits.
    pub input: Value,
    /// For whoever looks for a fault.
    pub reason: String,
}

/// The input that counts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Taken {
    /// An object.
    pub input: Value,
    /// What was done, in the extension's words.
    pub reason: String,
    /// Who mapped it.
    pub extension: ExtensionId,
}

impl Point for RequestMapping {
    const NAME: &'static str = "request-mapping";
    const VERSION: &'static str = "1.0";
    type Question = Question;
    type Answer = Option<Mapped>;
    type Valid = Option<ValidMapped>;
    /// That of the highest rank; none: the body is the flow's input as it is.
    type Reduced = Option<Taken>;

    fn lines(question: &Question) -> usize {
        1 + question.body.len() / BYTES_PER_LINE
    }

    fn trade_time(question: &Question) -> Timestamp {
        question.request_time
    }

    fn revalidate(_: &Question, mapped: Option<Mapped>) -> Result<Option<ValidMapped>, Invalid> {
        let Some(Mapped { input, reason }) = mapped else { return Ok(None) };
        let place = Whole("mapped");
        if input.len() > MAX_INPUT_BYTES {
            let problem = format_args!("{} bytes, at most {MAX_INPUT_BYTES}", input.len());
            return Err(place.refuse("input", problem));
        }
        // The parser ends at its recursion limit, so that no depth costs more than its text.
        let input: Value = serde_json::from_str(&input)
            .map_err(|error| place.refuse("input", format_args!("not JSON: {error}")))?;
        if !input.is_object() {
            return Err(place.refuse("input", "not an object, which a flow's input is"));
        }
        if !fits(&input) {
            return Err(place.refuse("input", "an integer is beyond 64 bits"));
        }
        place.reason(&reason)?;
        Ok(Some(ValidMapped { input, reason }))
    }

    fn reduce(_: &Question, answers: Vec<(ExtensionId, Option<ValidMapped>)>) -> Option<Taken> {
        answers.into_iter().find_map(|(extension, mapped)| {
            let ValidMapped { input, reason } = mapped?;
            Some(Taken { input, reason, extension })
        })
    }

    fn customer(question: &Question) -> Option<&str> {
        question.customer_id.as_ref().map(CustomerId::as_str)
    }
}

/// Whether every integer is one of the platform's. As deep as the parser went.
fn fits(value: &Value) -> bool {
    match value {
        Value::Number(number) => !number.is_u64() || number.is_i64(),
        Value::Array(items) => items.iter().all(fits),
        Value::Object(fields) => fields.values().all(fits),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}
