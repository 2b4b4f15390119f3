//! The point `allocation`: from which locations do these lines come? The first extension by rank that has an opinion
//! decides for the whole order; what it says covers the demand exactly, from stock that was in the question.

use std::collections::{HashMap, HashSet};

use mortise_types::{CountryCode, LineId, LocationId, Quantity, Sku, Timestamp};
use serde::{Deserialize, Serialize};

use crate::check::{Place, Whole, at_most, shown};
use crate::{Attribute, ExtensionId, Invalid, Point};

/// The most takes in one answer.
pub const MAX_TAKES: usize = 1_000;

/// The point `allocation`.
#[derive(Clone, Copy, Debug)]
pub struct Allocation;

/// An order that the shop has enough for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Where the goods go, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_to: Option<Destination>,
    /// When the trade takes place.
    pub trade_time: Timestamp,
    /// Its lines; ids occur once.
    pub lines: Vec<Line>,
    /// What they may come from; an item and location occur once.
    pub stock: Vec<Stock>,
}

/// Where goods go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// The country.
    pub country: CountryCode,
    /// State or province, where the country uses one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Empty where the country has none.
    pub postal_code: String,
}

/// A line that is to be allocated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Names the line in answers.
    pub line_id: LineId,
    /// What is bought.
    pub sku: Sku,
    /// How many units, at least 1.
    pub quantity: Quantity,
    /// It comes from here or not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<LocationId>,
    /// Those that the panel asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
}

/// Units of an item at a location.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stock {
    /// The item.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// Units that this order may have, at least 1.
    pub saleable: Quantity,
    /// Whether it stands in another country than the delivery's.
    #[serde(default)]
    pub abroad: bool,
    /// The location's own, the lowest first.
    #[serde(default)]
    pub priority: i64,
    /// Whether only lines that name the location may have them.
    #[serde(default)]
    pub named_only: bool,
}

/// Where an order comes from, unchecked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// Units of lines from locations.
    pub takes: Vec<Take>,
    /// For the shop's staff.
    pub reason: String,
}

/// Units of a line from a location, unchecked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Take {
    /// Of a line of the question.
    pub line_id: String,
    /// Where the item is offered.
    pub location: String,
    /// At least 1.
    pub quantity: i64,
}

/// A checked proposal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValidProposal {
    /// In the order of the lines, then of the answer: exactly the units of every line.
    pub takes: Vec<ValidTake>,
    /// For the shop's staff.
    pub reason: String,
}

/// A checked take.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValidTake {
    /// Position of the line in the question.
    pub line_index: usize,
    /// Where.
    pub location: LocationId,
    /// At least 1.
    pub quantity: Quantity,
}

/// The proposal that counts, and whose it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chosen {
    /// What is proposed.
    #[serde(flatten)]
    pub proposal: ValidProposal,
    /// By whom.
    pub extension: ExtensionId,
}

impl Point for Allocation {
    const NAME: &'static str = "allocation";
    const VERSION: &'static str = "1.0";
    type Question = Question;
    type Answer = Option<Proposal>;
    type Valid = Option<ValidProposal>;
    /// None where nobody has an opinion.
    type Reduced = Option<Chosen>;

    fn lines(question: &Question) -> usize {
        question.lines.len()
    }

    fn trade_time(question: &Question) -> Timestamp {
        question.trade_time
    }

    fn revalidate(question: &Question, answer: Option<Proposal>) -> Result<Option<ValidProposal>, Invalid> {
        answer.map(|proposal| valid_proposal(question, proposal)).transpose()
    }

    fn reduce(_: &Question, answers: Vec<(ExtensionId, Option<ValidProposal>)>) -> Option<Chosen> {
        answers
            .into_iter()
            .find_map(|(extension, answer)| answer.map(|proposal| Chosen { proposal, extension }))
    }
}

fn valid_proposal(question: &Question, proposal: Proposal) -> Result<ValidProposal, Invalid> {
    let whole = |problem: String| Invalid { place: "takes".to_owned(), problem };
    at_most("takes", proposal.takes.len(), MAX_TAKES)?;
    let mut demand = Demand::of(question);
    let mut takes = Vec::with_capacity(proposal.takes.len());
    for (index, take) in proposal.takes.into_iter().enumerate() {
        takes.push(demand.meet(Place { list: "takes", index }, &take)?);
    }
    if let Some(index) = demand.open.iter().position(|open| *open != 0) {
        let line = &question.lines[index];
        let (wanted, open) = (line.quantity.units(), demand.open[index]);
        let got = wanted.saturating_sub(open);
        return Err(whole(format!("line {} gets {got} of its {wanted} units", shown(line.line_id.as_str()))));
    }
    Whole("proposal").reason(&proposal.reason)?;
    takes.sort_by_key(|take| take.line_index);
    Ok(ValidProposal { takes, reason: proposal.reason })
}

/// What is still wanted and what is still there, as takes are counted off.
struct Demand<'q> {
    question: &'q Question,
    lines: HashMap<&'q str, usize>,
    stock: HashMap<(&'q str, &'q str), usize>,
    /// Units that a line still wants, by its position.
    open: Vec<i64>,
    /// Units that are still there, by the position of the stock.
    left: Vec<i64>,
    met: HashSet<(usize, usize)>,
}

impl<'q> Demand<'q> {
    fn of(question: &'q Question) -> Self {
        let lines = question.lines.iter().enumerate();
        let stock = question.stock.iter().enumerate();
        Demand {
            question,
            lines: lines.map(|(index, line)| (line.line_id.as_str(), index)).collect(),
            stock: stock.map(|(index, at)| ((at.sku.as_str(), at.location.as_str()), index)).collect(),
            open: question.lines.iter().map(|line| line.quantity.units()).collect(),
            left: question.stock.iter().map(|stock| stock.saleable.units()).collect(),
            met: HashSet::new(),
        }
    }

    fn meet(&mut self, place: Place, take: &Take) -> Result<ValidTake, Invalid> {
        let (line_id, location) = (|| shown(&take.line_id), || shown(&take.location));
        let line_index = *self
            .lines
            .get(take.line_id.as_str())
            .ok_or_else(|| place.refuse("line-id", format_args!("no line {}", line_id())))?;
        let line = &self.question.lines[line_index];
        let offered = self.stock.get(&(line.sku.as_str(), take.location.as_str())).copied().filter(|at| {
            let stock = &self.question.stock[*at];
            line.location.as_ref().map_or(!stock.named_only, |named| *named == stock.location)
        });
        let at = offered.ok_or_else(|| {
            place.refuse("location", format_args!("{} is not offered to line {}", location(), line_id()))
        })?;
        if !self.met.insert((line_index, at)) {
            return Err(place.refuse("", format_args!("line {} from {} twice", line_id(), location())));
        }
        let quantity = take.quantity;
        if quantity < 1 {
            return Err(place.refuse("quantity", format_args!("{quantity} is below 1")));
        }
        if quantity > self.open[line_index] {
            let open = self.open[line_index];
            return Err(place.refuse(
                "quantity",
                format_args!("{quantity} is above the {open} that line {} still wants", line_id()),
            ));
        }
        if quantity > self.left[at] {
            let left = self.left[at];
            return Err(place.refuse(
                "quantity",
                format_args!("{quantity} is above the {left} that {} still has", location()),
            ));
        }
        self.open[line_index] -= quantity;
        self.left[at] -= quantity;
        let location = self.question.stock[at].location.clone();
        Ok(ValidTake { line_index, location, quantity: Quantity(quantity) })
    }
}
