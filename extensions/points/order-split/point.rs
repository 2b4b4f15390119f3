//! The point `order-split`: which lines travel together? The first extension by rank that has an opinion decides for the
//! whole order; what it says is a partition of what is allocated, nothing lost and nothing twice.

use std::collections::{HashMap, HashSet};

use mortise_types::{LineId, LocationId, Quantity, Sku, Timestamp};
use serde::{Deserialize, Serialize};

use crate::check::{Place, Whole, at_most, shown};
use crate::{Attribute, ExtensionId, Invalid, Point};

/// The most parcels of an order.
pub const MAX_PARCELS: usize = 50;

/// The point `order-split`.
#[derive(Clone, Copy, Debug)]
pub struct OrderSplit;

/// An order that is allocated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// When the trade takes place.
    pub trade_time: Timestamp,
    /// What travels; a line and location occur once.
    pub items: Vec<Item>,
}

/// Units of a line at a location.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Names the line in answers.
    pub line_id: LineId,
    /// What is bought.
    pub sku: Sku,
    /// Where it is.
    pub location: LocationId,
    /// How many units, at least 1.
    pub quantity: Quantity,
    /// Those that the panel asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
}

/// How an order travels, unchecked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What travels together.
    pub parcels: Vec<Parcel>,
    /// For the shop's staff.
    pub reason: String,
}

/// A parcel, unchecked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parcel {
    /// Where it is packed.
    pub location: String,
    /// What is in it.
    pub parts: Vec<Part>,
}

/// Units of a line in a parcel, unchecked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Of an item at the parcel's location.
    pub line_id: String,
    /// At least 1.
    pub quantity: i64,
}

/// A checked plan: a partition of the question's items.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValidPlan {
    /// In the order of the answer.
    pub parcels: Vec<ValidParcel>,
    /// For the shop's staff.
    pub reason: String,
}

/// A checked parcel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValidParcel {
    /// Where it is packed.
    pub location: LocationId,
    /// At least one.
    pub parts: Vec<ValidPart>,
}

/// Units of an item in a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ValidPart {
    /// Position of the item in the question; it is at the parcel's location.
    pub item_index: usize,
    /// At least 1.
    pub quantity: Quantity,
}

/// The plan that counts, and whose it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chosen {
    /// What is planned.
    #[serde(flatten)]
    pub plan: ValidPlan,
    /// By whom.
    pub extension: ExtensionId,
}

impl Point for OrderSplit {
    const NAME: &'static str = "order-split";
    const VERSION: &'static str = "1.0";
    type Question = Question;
    type Answer = Option<Plan>;
    type Valid = Option<ValidPlan>;
    /// None where nobody has an opinion.
    type Reduced = Option<Chosen>;

    fn lines(question: &Question) -> usize {
        question.items.len()
    }

    fn trade_time(question: &Question) -> Timestamp {
        question.trade_time
    }

    fn revalidate(question: &Question, answer: Option<Plan>) -> Result<Option<ValidPlan>, Invalid> {
        answer.map(|plan| valid_plan(question, plan)).transpose()
    }

    fn reduce(_: &Question, answers: Vec<(ExtensionId, Option<ValidPlan>)>) -> Option<Chosen> {
        answers.into_iter().find_map(|(extension, answer)| answer.map(|plan| Chosen { plan, extension }))
    }
}

fn valid_plan(question: &Question, plan: Plan) -> Result<ValidPlan, Invalid> {
    at_most("parcels", plan.parcels.len(), MAX_PARCELS)?;
    let items = question.items.iter().enumerate();
    let places: HashMap<(&str, &str), usize> =
        items.map(|(index, item)| ((item.location.as_str(), item.line_id.as_str()), index)).collect();
    let mut open: Vec<i64> = question.items.iter().map(|item| item.quantity.units()).collect();
    let mut parcels = Vec::with_capacity(plan.parcels.len());
    for (index, parcel) in plan.parcels.iter().enumerate() {
        parcels.push(valid_parcel(question, Place { list: "parcels", index }, parcel, &places, &mut open)?);
    }
    if let Some(index) = open.iter().position(|open| *open != 0) {
        let item = &question.items[index];
        let (line_id, location) = (shown(item.line_id.as_str()), shown(item.location.as_str()));
        let (all, open) = (item.quantity.units(), open[index]);
        let problem = format!("{open} of the {all} units of line {line_id} at {location} are in no parcel");
        return Err(Invalid { place: "parcels".to_owned(), problem });
    }
    Whole("plan").reason(&plan.reason)?;
    Ok(ValidPlan { parcels, reason: plan.reason })
}

fn valid_parcel(
    question: &Question,
    place: Place,
    parcel: &Parcel,
    places: &HashMap<(&str, &str), usize>,
    open: &mut [i64],
) -> Result<ValidParcel, Invalid> {
    let mut packed = HashSet::new();
    let mut parts = Vec::with_capacity(parcel.parts.len().min(question.items.len()));
    let mut location = None;
    for (at, part) in parcel.parts.iter().enumerate() {
        let field = |name: &str| format!("parts[{at}].{name}");
        let line_id = || shown(&part.line_id);
        let found = places.get(&(parcel.location.as_str(), part.line_id.as_str())).copied();
        let item_index = found.ok_or_else(|| {
            let problem = format!("nothing of line {} is at {}", line_id(), shown(&parcel.location));
            place.refuse(&field("line-id"), problem)
        })?;
        if !packed.insert(item_index) {
            return Err(
                place.refuse(&field("line-id"), format_args!("line {} twice in this parcel", line_id()))
            );
        }
        let quantity = part.quantity;
        if quantity < 1 {
            return Err(place.refuse(&field("quantity"), format_args!("{quantity} is below 1")));
        }
        if quantity > open[item_index] {
            let left = open[item_index];
            let problem = format!("{quantity} is above the {left} units of line {} that are left", line_id());
            return Err(place.refuse(&field("quantity"), problem));
        }
        open[item_index] -= quantity;
        location = Some(&question.items[item_index].location);
        parts.push(ValidPart { item_index, quantity: Quantity(quantity) });
    }
    let location = location.ok_or_else(|| place.refuse("parts", "empty; a parcel has something in it"))?;
    Ok(ValidParcel { location: location.clone(), parts })
}
