//! The point `refund-check`: may these lines come back, and how much is owed for them? One refusal keeps a line out; of
//! several caps of a line the lowest holds.

use mortise_types::{Amount, Currency, CustomerId, LineId, OrderId, Quantity, Sku, Timestamp};
use serde::{Deserialize, Serialize};

use crate::check::{Place, at_most, shown};
use crate::{ExtensionId, Invalid, MoneyPart, Point, PointMoney};

/// The point `refund-check`.
#[derive(Clone, Copy, Debug)]
pub struct RefundCheck;

/// All lines that a customer wants to give back, which the shop's own rules let come back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The order.
    pub order_id: OrderId,
    /// Who bought.
    pub customer_id: CustomerId,
    /// Of all amounts.
    pub currency: Currency,
    /// Whether other goods are wanted for it.
    pub kind: Kind,
    /// When the order was placed.
    pub placed_at: Timestamp,
    /// When it was delivered, or placed where that is not known.
    pub returnable_from: Timestamp,
    /// When the trade takes place.
    pub trade_time: Timestamp,
    /// What would be owed for all of it by the shop's own rules.
    pub refund: Amount,
    /// The lines; ids occur once.
    pub lines: Vec<Line>,
}

/// What is wanted for what comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Money.
    Return,
    /// Other goods.
    Exchange,
}

impl Kind {
    /// Its code, as in JSON.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Kind::Return => "return",
            Kind::Exchange => "exchange",
        }
    }
}

/// A line of which units are to come back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Names the line in rulings.
    pub line_id: LineId,
    /// What comes back.
    pub sku: Sku,
    /// Units that were bought.
    pub bought: Quantity,
    /// Units that are to come back.
    pub returned: Quantity,
    /// Codes of why, each once.
    pub reasons: Vec<String>,
    /// What was paid for the units that are to come back.
    pub paid: Amount,
}

/// What an extension says of the lines, unchecked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ruling {
    /// Lines that may not come back, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    /// Lines for which less is owed, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caps: Vec<Cap>,
}

/// A line that may not come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Of a line of the question.
    pub line_id: String,
    /// For the customer.
    pub reason: String,
}

/// A line for which less is owed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// Of a line of the question.
    pub line_id: String,
    /// Minor units, for all units that are to come back.
    pub at_most: i64,
    /// For the customer.
    pub reason: String,
}

/// A checked ruling: positions of lines in the question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ValidRuling {
    /// Line and reason.
    pub refusals: Vec<(usize, String)>,
    /// Line, the most that is owed, and reason.
    pub caps: Vec<(usize, Amount, String)>,
}

/// What all rulings come to, in the order of the lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ruled {
    /// Lines that may not come back.
    pub refused: Vec<Refused>,
    /// Lines for which less is owed.
    pub capped: Vec<Capped>,
}

/// A line that may not come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The line.
    pub line_id: LineId,
    /// Why, in the extension's words.
    pub reason: String,
    /// Whose refusal it is.
    pub extension: ExtensionId,
}

/// The lowest cap of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Capped {
    /// The line.
    pub line_id: LineId,
    /// From 0 to what was paid for its units.
    pub at_most: Amount,
    /// Why, in the extension's words.
    pub reason: String,
    /// Whose cap it is.
    pub extension: ExtensionId,
}

impl Point for RefundCheck {
    const NAME: &'static str = "refund-check";
    const VERSION: &'static str = "1.0";
    type Question = Question;
    type Answer = Ruling;
    type Valid = ValidRuling;
    type Reduced = Ruled;

    fn lines(question: &Question) -> usize {
        question.lines.len()
    }

    fn trade_time(question: &Question) -> Timestamp {
        question.trade_time
    }

    fn revalidate(question: &Question, ruling: Ruling) -> Result<ValidRuling, Invalid> {
        let Ruling { refusals, caps } = ruling;
        at_most("refusals", refusals.len(), question.lines.len())?;
        at_most("caps", caps.len(), question.lines.len())?;
        let mut valid = ValidRuling::default();
        let mut named = Named::new(question);
        for (index, Refusal { line_id, reason }) in refusals.into_iter().enumerate() {
            let place = Place { list: "refusals", index };
            let line = named.once(place, &line_id)?;
            place.reason(&reason)?;
            valid.refusals.push((line, reason));
        }
        let mut named = Named::new(question);
        for (index, Cap { line_id, at_most, reason }) in caps.into_iter().enumerate() {
            let place = Place { list: "caps", index };
            let line = named.once(place, &line_id)?;
            let paid = question.lines[line].paid.minor();
            if !(0..=paid).contains(&at_most) {
                let problem = format_args!("{at_most} is not within 0 to the {paid} that was paid");
                return Err(place.refuse("at-most", problem));
            }
            place.reason(&reason)?;
            valid.caps.push((line, Amount(at_most), reason));
        }
        Ok(valid)
    }

    fn reduce(question: &Question, answers: Vec<(ExtensionId, ValidRuling)>) -> Ruled {
        if answers.is_empty() {
            return Ruled::default();
        }
        let mut refused: Vec<Option<Refused>> = vec![None; question.lines.len()];
        let mut capped: Vec<Option<Capped>> = vec![None; question.lines.len()];
        for (extension, ValidRuling { refusals, caps }) in answers {
            for (line, reason) in refusals {
                let line_id = question.lines[line].line_id.clone();
                refused[line].get_or_insert(Refused { line_id, reason, extension: extension.clone() });
            }
            for (line, at_most, reason) in caps {
                if capped[line].as_ref().is_none_or(|lowest| at_most < lowest.at_most) {
                    let line_id = question.lines[line].line_id.clone();
                    capped[line] = Some(Capped { line_id, at_most, reason, extension: extension.clone() });
                }
            }
        }
        Ruled {
            refused: refused.into_iter().flatten().collect(),
            capped: capped.into_iter().flatten().collect(),
        }
    }

    /// What is owed for the lines, which the customer gets: negative. A line that stays is owed nothing.
    fn money(question: &Question, ruled: &Ruled) -> Option<PointMoney> {
        let part = |line: &Line| {
            let stays = ruled.refused.iter().any(|refused| refused.line_id == line.line_id);
            let capped = ruled.capped.iter().find(|capped| capped.line_id == line.line_id);
            let owed = capped.map_or(line.paid, |capped| capped.at_most);
            (!stays).then(|| MoneyPart::of_line(&line.sku, &[], -owed.minor()))
        };
        Some(PointMoney {
            currency: question.currency,
            parts: question.lines.iter().filter_map(part).collect(),
        })
    }

    fn customer(question: &Question) -> Option<&str> {
        Some(question.customer_id.as_str())
    }
}

/// The lines that one list of an answer has named.
struct Named<'q> {
    question: &'q Question,
    seen: Vec<bool>,
}

impl<'q> Named<'q> {
    fn new(question: &'q Question) -> Self {
        Named { question, seen: vec![false; question.lines.len()] }
    }

    /// The position of the line, which has not been named before.
    fn once(&mut self, place: Place, line_id: &str) -> Result<usize, Invalid> {
        let found = self.question.lines.iter().position(|line| line.line_id.as_str() == line_id);
        let line =
            found.ok_or_else(|| place.refuse("line-id", format_args!("no line {}", shown(line_id))))?;
        if std::mem::replace(&mut self.seen[line], true) {
            return Err(place.refuse("line-id", format_args!("line {} twice", shown(line_id))));
        }
        Ok(line)
    }
}
