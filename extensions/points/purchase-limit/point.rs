//! The point `purchase-limit`: may this customer buy this? Whoever objects is heeded: one objection of one extension is
//! enough, and the first by rank is the one that the customer reads.

use mortise_types::{CustomerId, LineId, Quantity, Sku, Timestamp};
use serde::{Deserialize, Serialize};

use crate::check::{Place, at_most, shown};
use crate::{Attribute, ExtensionId, Invalid, Point};

/// The most objections in one answer.
pub const MAX_OBJECTIONS: usize = 256;

/// The point `purchase-limit`.
#[derive(Clone, Copy, Debug)]
pub struct PurchaseLimit;

/// A basket that the shop's own limits let pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Who buys.
    pub customer_id: CustomerId,
    /// When the trade takes place.
    pub trade_time: Timestamp,
    /// Its lines; ids occur once.
    pub lines: Vec<Line>,
    /// What the shop's own limits have counted for the customer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tallies: Vec<Tally>,
}

/// A line of the basket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Names the line in objections.
    pub line_id: LineId,
    /// What is wanted.
    pub sku: Sku,
    /// How many units, at least 1.
    pub quantity: Quantity,
    /// Those that the panel asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
}

/// What one of the shop's own limits has counted, over all lines that it is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// The limit's id.
    pub rule: String,
    /// Units that a customer may buy in the period.
    pub most: Quantity,
    /// Units bought already in this period.
    pub used: Quantity,
    /// Units in this basket.
    pub wanted: Quantity,
}

/// What an extension has against a basket, unchecked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objection {
    /// Of a line of the question; none: the whole basket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_id: Option<String>,
    /// For the customer.
    pub reason: String,
}

/// A checked objection.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValidObjection {
    /// Position of the line in the question; none: the whole basket.
    pub line_index: Option<usize>,
    /// For the customer.
    pub reason: String,
}

/// An objection, and whose it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Objected {
    /// What is objected to.
    #[serde(flatten)]
    pub objection: ValidObjection,
    /// By whom.
    pub extension: ExtensionId,
}

impl Point for PurchaseLimit {
    const NAME: &'static str = "purchase-limit";
    const VERSION: &'static str = "1.0";
    type Question = Question;
    type Answer = Vec<Objection>;
    type Valid = Vec<ValidObjection>;
    /// All of them, by rank of the extension, then in the order of its answer; none: the basket passes.
    type Reduced = Vec<Objected>;

    fn lines(question: &Question) -> usize {
        question.lines.len()
    }

    fn trade_time(question: &Question) -> Timestamp {
        question.trade_time
    }

    fn revalidate(question: &Question, objections: Vec<Objection>) -> Result<Vec<ValidObjection>, Invalid> {
        at_most("objections", objections.len(), MAX_OBJECTIONS)?;
        let judged = |(index, objection): (usize, Objection)| {
            let place = Place { list: "objections", index };
            place.reason(&objection.reason)?;
            let line_index = objection.line_id.map(|line_id| {
                let found = question.lines.iter().position(|line| line.line_id.as_str() == line_id);
                found.ok_or_else(|| place.refuse("line-id", format_args!("no line {}", shown(&line_id))))
            });
            Ok(ValidObjection { line_index: line_index.transpose()?, reason: objection.reason })
        };
        objections.into_iter().enumerate().map(judged).collect()
    }

    fn reduce(_: &Question, answers: Vec<(ExtensionId, Vec<ValidObjection>)>) -> Vec<Objected> {
        let of = |(extension, objections): (ExtensionId, Vec<ValidObjection>)| {
            objections.into_iter().map(move |objection| Objected { objection, extension: extension.clone() })
        };
        answers.into_iter().flat_map(of).collect()
    }

    fn customer(question: &Question) -> Option<&str> {
        Some(question.customer_id.as_str())
    }
}
