//! The point `discount`: which discounts does this order deserve? Every candidate of every extension is handed on; the
//! stacking policy decides which of them count, and the residual policy spreads each over its lines.

use std::sync::Arc;

use mortise_types::{Amount, CouponCode, Currency, CustomerId, LineId, Price, Quantity, Sku, Timestamp};
use serde::{Deserialize, Serialize};

use crate::check::{Place, at_most, shown};
use crate::{Attribute, ExtensionId, Invalid, MoneyPart, Point, PointMoney};

/// The most candidates in one answer.
pub const MAX_CANDIDATES: usize = 256;

/// The point `discount`.
#[derive(Clone, Copy, Debug)]
pub struct Discount;

/// All lines of an order whose discounts are worked out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Of all amounts.
    pub currency: Currency,
    /// Who buys, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// The group that the customer's prices are for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_group: Option<String>,
    /// What the customer entered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coupons: Vec<CouponCode>,
    /// When the trade takes place.
    pub trade_time: Timestamp,
    /// What delivery costs before discounts, all parcels together. Not shown to extensions of version 1.0.
    #[serde(default)]
    pub delivery_amount: Amount,
    /// Its lines; ids occur once.
    pub lines: Vec<Line>,
}

/// An order line at its quoted price.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Names the line in candidates.
    pub line_id: LineId,
    /// What is bought.
    pub sku: Sku,
    /// How many units, at least 1.
    pub quantity: Quantity,
    /// The quoted price.
    pub unit: Price,
    /// What the whole line costs before discounts.
    pub line_amount: Amount,
    /// What it costs at list price; left out, the same. Not shown to extensions of version 1.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_amount: Option<Amount>,
    /// Those that the panel asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
}

/// A discount that an extension proposes, unchecked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The lane that it takes part in.
    pub lane: String,
    /// Of one group at most one counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stacking_group: Option<String>,
    /// Lines of the question, each once.
    pub lines: Vec<String>,
    /// Minor units, off all of them together.
    pub amount_off: i64,
    /// For the price proof.
    pub reason: String,
}

/// A checked candidate.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValidCandidate {
    /// The lane, a code.
    pub lane: Arc<str>,
    /// The stacking group, a code.
    pub stacking_group: Option<Arc<str>>,
    /// At least one line of the question, each once, in the order of the answer.
    pub lines: Vec<LineId>,
    /// At least 1, at most what the lines cost together.
    pub amount_off: Amount,
    /// For the price proof.
    pub reason: String,
}

/// A candidate, and whose it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Proposed {
    /// What is proposed.
    #[serde(flatten)]
    pub candidate: ValidCandidate,
    /// By whom.
    pub extension: ExtensionId,
}

impl Point for Discount {
    const NAME: &'static str = "discount";
    const VERSION: &'static str = "1.1";
    type Question = Question;
    type Answer = Vec<Candidate>;
    type Valid = Vec<ValidCandidate>;
    /// All of them, by rank of the extension, then in the order of its answer.
    type Reduced = Vec<Proposed>;

    fn lines(question: &Question) -> usize {
        question.lines.len()
    }

    fn trade_time(question: &Question) -> Timestamp {
        question.trade_time
    }

    fn revalidate(question: &Question, candidates: Vec<Candidate>) -> Result<Vec<ValidCandidate>, Invalid> {
        at_most("candidates", candidates.len(), MAX_CANDIDATES)?;
        let judged =
            |(index, candidate)| valid_candidate(question, Place { list: "candidates", index }, candidate);
        candidates.into_iter().enumerate().map(judged).collect()
    }

    fn reduce(_: &Question, answers: Vec<(ExtensionId, Vec<ValidCandidate>)>) -> Vec<Proposed> {
        let mut all = Vec::with_capacity(answers.iter().map(|(_, candidates)| candidates.len()).sum());
        for (extension, candidates) in answers {
            all.extend(
                candidates.into_iter().map(|candidate| Proposed { candidate, extension: extension.clone() }),
            );
        }
        all
    }

    /// What is proposed, as if all of it counted; each candidate falls to its first line.
    fn money(question: &Question, proposed: &Vec<Proposed>) -> Option<PointMoney> {
        let part = |proposed: &Proposed| {
            let first = proposed.candidate.lines.first()?;
            let line = question.lines.iter().find(|line| line.line_id == *first)?;
            Some(MoneyPart::of_line(&line.sku, &line.attributes, -proposed.candidate.amount_off.minor()))
        };
        Some(PointMoney { currency: question.currency, parts: proposed.iter().filter_map(part).collect() })
    }

    fn customer(question: &Question) -> Option<&str> {
        question.customer_id.as_ref().map(CustomerId::as_str)
    }
}

fn valid_candidate(
    question: &Question,
    place: Place,
    candidate: Candidate,
) -> Result<ValidCandidate, Invalid> {
    place.code("lane", &candidate.lane)?;
    if let Some(group) = &candidate.stacking_group {
        place.code("stacking-group", group)?;
    }
    place.reason(&candidate.reason)?;
    let lines = valid_lines(question, place, &candidate.lines)?;
    let cost: i128 = lines.iter().map(|line| i128::from(line.line_amount.minor())).sum();
    let amount_off = candidate.amount_off;
    if amount_off < 1 {
        return Err(place.refuse("amount-off", format_args!("{amount_off} is below 1")));
    }
    if i128::from(amount_off) > cost {
        return Err(
            place.refuse("amount-off", format_args!("{amount_off} is above the {cost} that its lines cost"))
        );
    }
    Ok(ValidCandidate {
        lane: candidate.lane.into(),
        stacking_group: candidate.stacking_group.map(Into::into),
        lines: lines.into_iter().map(|line| line.line_id.clone()).collect(),
        amount_off: Amount(amount_off),
        reason: candidate.reason,
    })
}

fn valid_lines<'q>(question: &'q Question, place: Place, named: &[String]) -> Result<Vec<&'q Line>, Invalid> {
    if named.is_empty() {
        return Err(place.refuse("lines", "empty; a discount is off something"));
    }
    if named.len() > question.lines.len() {
        return Err(place.refuse(
            "lines",
            format_args!("{} of them, the order has {}", named.len(), question.lines.len()),
        ));
    }
    let mut taken = vec![false; question.lines.len()];
    let mut lines = Vec::with_capacity(named.len());
    for line_id in named {
        let index = question.lines.iter().position(|line| line.line_id.as_str() == line_id);
        let index = index.ok_or_else(|| place.refuse("lines", format_args!("no line {}", shown(line_id))))?;
        if std::mem::replace(&mut taken[index], true) {
            return Err(place.refuse("lines", format_args!("line {} twice", shown(line_id))));
        }
        lines.push(&question.lines[index]);
    }
    Ok(lines)
}
