//! The point `unit-price`: is there another price for these lines? For each line the first offer by rank wins, held
//! between the floor and the ceiling that the shop sets for it. The extension sees neither of the two.

use std::cmp::Ordering;

use mortise_types::{Amount, Currency, CustomerId, LineId, Price, Quantity, Rounding, Sku, Timestamp};
use serde::{Deserialize, Serialize};

use crate::check::{Place, at_most, shown};
use crate::{Attribute, ExtensionId, Invalid, MoneyPart, Point, PointMoney};

/// The highest amount of a price, in minor units.
pub const MAX_AMOUNT_MINOR: i64 = 1_000_000_000_000;
/// The most units that a price is for.
pub const MAX_PER: i64 = 1_000_000_000;

/// The point `unit-price`.
#[derive(Clone, Copy, Debug)]
pub struct UnitPrice;

/// All lines of an order that is quoted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Of all amounts.
    pub currency: Currency,
    /// Who buys, if known: a canary keeps to its customers by it. Not shown to extensions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// The group that the customer's prices are for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_group: Option<String>,
    /// When the trade takes place.
    pub trade_time: Timestamp,
    /// Its lines; ids occur once.
    pub lines: Vec<Line>,
}

/// An order line that is quoted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Names the line in offers.
    pub line_id: LineId,
    /// What is asked for.
    pub sku: Sku,
    /// How many units, at least 1.
    pub quantity: Quantity,
    /// The price list's price.
    pub list: Price,
    /// The price that holds if nobody offers another.
    pub current: Price,
    /// No offer brings the price below this. Not shown to extensions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Price>,
    /// No offer brings the price above this. Not shown to extensions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<Price>,
    /// Those that the panel asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
}

/// What an extension says of one line, unchecked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// Of a line of the question.
    pub line_id: String,
    /// Minor units, for `per` units.
    pub amount: i64,
    /// At least 1.
    pub per: i64,
    /// For the price proof.
    pub reason: String,
}

/// A checked offer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValidOffer {
    /// Position of the line in the question.
    pub line_index: usize,
    /// What is offered.
    pub price: Price,
    /// For the price proof.
    pub reason: String,
}

/// The offer that counts for one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Won {
    /// The line.
    pub line_id: LineId,
    /// The price that holds.
    pub price: Price,
    /// Whether the offer had to be held back.
    pub bounded: Bounded,
    /// Why, in the extension's words.
    pub reason: String,
    /// Whose offer it is.
    pub extension: ExtensionId,
}

/// Whether a price is as it was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bounded {
    /// As offered.
    AsOffered,
    /// The offer was below the floor, the floor holds.
    RaisedToFloor,
    /// The offer was above the ceiling, the ceiling holds.
    LoweredToCeiling,
}

impl Point for UnitPrice {
    const NAME: &'static str = "unit-price";
    const VERSION: &'static str = "1.0";
    type Question = Question;
    type Answer = Vec<Offer>;
    type Valid = Vec<ValidOffer>;
    /// One for each line that has an offer, in the order of the lines.
    type Reduced = Vec<Won>;

    fn lines(question: &Question) -> usize {
        question.lines.len()
    }

    fn trade_time(question: &Question) -> Timestamp {
        question.trade_time
    }

    fn revalidate(question: &Question, offers: Vec<Offer>) -> Result<Vec<ValidOffer>, Invalid> {
        at_most("offers", offers.len(), question.lines.len())?;
        let mut offered = vec![false; question.lines.len()];
        let mut valid = Vec::with_capacity(offers.len());
        for (index, offer) in offers.into_iter().enumerate() {
            let place = Place { list: "offers", index };
            // Honest answers come in the order of the lines, so the search usually ends where it starts.
            let line_index = find_line(question, &offer.line_id, index)
                .ok_or_else(|| place.refuse("line-id", format_args!("no line {}", shown(&offer.line_id))))?;
            if std::mem::replace(&mut offered[line_index], true) {
                return Err(place
                    .refuse("line-id", format_args!("a second offer for line {}", shown(&offer.line_id))));
            }
            let price = valid_price(place, &offer)?;
            place.reason(&offer.reason)?;
            valid.push(ValidOffer { line_index, price, reason: offer.reason });
        }
        Ok(valid)
    }

    fn reduce(question: &Question, answers: Vec<(ExtensionId, Vec<ValidOffer>)>) -> Vec<Won> {
        if answers.is_empty() {
            return Vec::new();
        }
        let mut won: Vec<Option<Won>> = vec![None; question.lines.len()];
        for (extension, offers) in answers {
            for ValidOffer { line_index, price, reason } in offers {
                if won[line_index].is_none() {
                    let line = &question.lines[line_index];
                    let (price, bounded) = held(price, line.floor, line.ceiling);
                    let extension = extension.clone();
                    won[line_index] =
                        Some(Won { line_id: line.line_id.clone(), price, bounded, reason, extension });
                }
            }
        }
        won.into_iter().flatten().collect()
    }

    /// What every line costs, at the price that was won or at the current one.
    fn money(question: &Question, won: &Vec<Won>) -> Option<PointMoney> {
        let part = |line: &Line| {
            let price =
                won.iter().find(|won| won.line_id == line.line_id).map_or(line.current, |won| won.price);
            let amount = price.extend(line.quantity, Rounding::HalfUp).ok()?;
            Some(MoneyPart::of_line(&line.sku, &line.attributes, amount.minor()))
        };
        let parts = question.lines.iter().map(part).collect::<Option<_>>()?;
        Some(PointMoney { currency: question.currency, parts })
    }

    fn customer(question: &Question) -> Option<&str> {
        question.customer_id.as_ref().map(CustomerId::as_str)
    }
}

fn find_line(question: &Question, line_id: &str, hint: usize) -> Option<usize> {
    let is_it = |line: &Line| line.line_id.as_str() == line_id;
    if question.lines.get(hint).is_some_and(is_it) {
        return Some(hint);
    }
    question.lines.iter().position(is_it)
}

fn valid_price(place: Place, offer: &Offer) -> Result<Price, Invalid> {
    if !(0..=MAX_AMOUNT_MINOR).contains(&offer.amount) {
        return Err(
            place.refuse("amount", format_args!("{} is not within 0 to {MAX_AMOUNT_MINOR}", offer.amount))
        );
    }
    if offer.per > MAX_PER {
        return Err(place.refuse("per", format_args!("{} is not within 1 to {MAX_PER}", offer.per)));
    }
    Price::new(Amount(offer.amount), Quantity(offer.per)).map_err(|problem| place.refuse("per", problem))
}

/// The floor is asked last: where it lies above the ceiling, it holds.
fn held(offered: Price, floor: Option<Price>, ceiling: Option<Price>) -> (Price, Bounded) {
    let below_ceiling = match ceiling {
        Some(ceiling) if offered.compare_value(ceiling) == Ordering::Greater => {
            (ceiling, Bounded::LoweredToCeiling)
        }
        _ => (offered, Bounded::AsOffered),
    };
    match floor {
        Some(floor) if below_ceiling.0.compare_value(floor) == Ordering::Less => {
            (floor, Bounded::RaisedToFloor)
        }
        _ => below_ceiling,
    }
}
