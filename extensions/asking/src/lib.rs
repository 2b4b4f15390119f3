//! How an operation asks an extension point: in the name of its call, with the answers for the journal, and with a failure
//! as the operation's rejection. It decides nothing, and knows neither questions nor answers.

use std::sync::Arc;

use mortise_capability::{CallContext, ExtensionCall, RejectionPage, Reply, StoreError};
use mortise_points::{Answered, Attribute, CallIdentity, Opened, Point, PointError, Verdict};
use mortise_types::{CustomerId, LineId, RequestedLine, Sku};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rejection: an extension failed, and its binding says refuse. Its detail is [`ExtensionRefused`].
pub const EXTENSION_REFUSED: &str = "extension_refused";

/// Its page.
pub const PAGE: RejectionPage =
    RejectionPage { code: EXTENSION_REFUSED, page: include_str!("../rejections/extension_refused.md") };

/// An extension that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "extension/Refused")]
pub struct ExtensionRefused {
    /// The extension point.
    pub point: String,
    /// `name@version`.
    pub extension: String,
    /// The sort of failure, such as `trapped`.
    pub kind: String,
    /// What happened.
    pub detail: String,
}

/// Whose answer decided, and why: what an operation says beside what was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "extension/Decided")]
pub struct Decided {
    /// `name@version`.
    pub extension: String,
    /// In the extension's words.
    pub reason: String,
}

/// What a question came to.
#[derive(Debug)]
pub struct Asked<P: Point> {
    /// What the valid answers come to.
    pub reduced: P::Reduced,
    /// Who was asked and what became of it, for the journal.
    pub calls: Vec<ExtensionCall>,
}

/// Puts a question to whoever is bound, in the name of an operation's call.
///
/// # Errors
/// An extension failed, and its binding says refuse.
pub fn ask<P: Point>(
    opened: &Opened<P>,
    context: &CallContext,
    question: &P::Question,
) -> Result<Asked<P>, Refusal> {
    let (step, attempt) = context.step_and_attempt();
    let customer = context.caller.as_ref().map(CustomerId::as_str);
    let identity = CallIdentity { instance: &context.trade, step, attempt, customer };
    let outcome = opened.ask(identity, question).map_err(|error| Refusal(Box::new(error)))?;
    Ok(Asked { reduced: outcome.reduced, calls: journalled(P::NAME, outcome.answers) })
}

/// The attributes of a SKU that the panel reads, as far as the operation knows them.
pub fn attributes<'a, P: Point>(
    opened: &Opened<P>,
    known: impl Fn(&str) -> Option<&'a str>,
) -> Vec<Attribute> {
    let wanted = opened.sku_attributes().iter();
    wanted.filter_map(|name| Some(Attribute { name: Arc::clone(name), value: known(name)?.into() })).collect()
}

/// The line that goods belong to, among the lines that are sold: line ids are positions in them, from 1.
pub fn line_of<'a>(lines: &'a [RequestedLine], line_id: &LineId, sku: &Sku) -> Option<&'a RequestedLine> {
    let index = line_id.as_str().parse::<usize>().ok()?.checked_sub(1)?;
    lines.get(index).filter(|line| line.sku == *sku)
}

/// An extension that failed, and whose binding says refuse.
#[derive(Debug)]
pub struct Refusal(Box<PointError>);

impl Refusal {
    /// The operation's rejection.
    ///
    /// # Errors
    /// Another end of asking than a refusal: there is none today.
    pub fn reply<O>(self) -> Result<Reply<O>, StoreError> {
        match *self.0 {
            PointError::Refused { point, extension, why, answers } => {
                let detail = ExtensionRefused {
                    point: point.to_owned(),
                    extension: extension.as_str().to_owned(),
                    kind: why.kind.code().to_owned(),
                    detail: why.detail,
                };
                Ok(Reply::rejected(EXTENSION_REFUSED, &detail)?.asked(journalled(point, answers)))
            }
            other => Err(StoreError::Value(other.to_string())),
        }
    }
}

fn journalled(point: &str, answers: Vec<Answered>) -> Vec<ExtensionCall> {
    let call = |answered: Answered| ExtensionCall {
        point: point.to_owned(),
        extension: answered.extension.as_str().to_owned(),
        outcome: match answered.verdict {
            Verdict::Answered => "answered".to_owned(),
            Verdict::Skipped { why } => format!("skipped: {why}"),
            Verdict::Failed { why } => format!("failed: {why}"),
        },
        fuel: answered.fuel_used,
    };
    answers.into_iter().map(call).collect()
}
