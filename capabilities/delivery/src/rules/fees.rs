//! Fees: the narrowest table that covers an address, and in it the first bracket that takes the weight.

use std::collections::HashMap;

use mortise_points::delivery_fee::Won;
use mortise_types::{
    Adjustment, AdjustmentKind, Amount, ArithmeticError, FeeId, FeeKind, Parcel, ProofFee, Sku,
};

/// The upper end of a bracket that takes any weight.
pub(crate) const UNLIMITED_GRAMS: i64 = i64::MAX;

/// A row of a fee table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bracket {
    /// The business line; empty for any.
    pub(crate) line: String,
    /// The country; empty for any.
    pub(crate) country: String,
    /// The heaviest that it takes.
    pub(crate) up_to_grams: i64,
    pub(crate) amount: Amount,
}

/// The table that holds for a scope and a country: the brackets of the narrowest line, in it of the country itself
/// before any country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// By weight, lightest first.
    brackets: Vec<(i64, Amount)>,
    /// `grocery/DE`, `any line/any country`: for the proof and for people.
    pub(crate) name: String,
}

/// Why there is no fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoFee {
    /// No table covers the country.
    NotThere,
    /// The table ends below the weight.
    TooHeavy,
}

impl NoFee {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            NoFee::NotThere => "not_there",
            NoFee::TooHeavy => "too_heavy",
        }
    }
}

impl Table {
    /// The table among all brackets that fit the scope's line and the address's country, in any order.
    pub(crate) fn choose(brackets: &[Bracket]) -> Option<Table> {
        let rank = |bracket: &Bracket| (!bracket.line.is_empty(), !bracket.country.is_empty());
        let best = brackets.iter().max_by_key(|bracket| rank(bracket))?;
        let mut chosen: Vec<(i64, Amount)> = brackets
            .iter()
            .filter(|bracket| rank(bracket) == rank(best))
            .map(|bracket| (bracket.up_to_grams, bracket.amount))
            .collect();
        chosen.sort_unstable();
        let or = |text: &str, any: &str| {
            if text.is_empty() { any.to_owned() } else { text.to_owned() }
        };
        let name = format!("{}/{}", or(&best.line, "any line"), or(&best.country, "any country"));
        Some(Table { brackets: chosen, name })
    }

    /// Whether the fee is the same for every weight, so that none needs to be known.
    pub(crate) fn is_flat(&self) -> bool {
        matches!(self.brackets.as_slice(), [(UNLIMITED_GRAMS, _)])
    }

    /// The fee for a weight.
    pub(crate) fn fee(&self, grams: i64) -> Result<Amount, NoFee> {
        let bracket = self.brackets.iter().find(|(up_to_grams, _)| grams <= *up_to_grams);
        bracket.map(|(_, amount)| *amount).ok_or(NoFee::TooHeavy)
    }
}

/// The proof of a fee: the table's, and what an extension makes of it; none where nothing is paid and nothing changed.
pub(crate) fn proof(
    fee_id: &FeeId,
    parcel: Option<&Parcel>,
    list: Amount,
    won: Option<&Won>,
) -> Result<Option<ProofFee>, ArithmeticError> {
    let payable = won.map_or(list, |won| won.fee.amount);
    if list.is_zero() && payable.is_zero() {
        return Ok(None);
    }
    let change = payable.checked_sub(list)?;
    let adjustment = |won: &Won| {
        let (source, version) =
            won.extension.as_str().split_once('@').unwrap_or((won.extension.as_str(), ""));
        Adjustment {
            kind: AdjustmentKind::Extension,
            source: source.to_owned(),
            version: version.to_owned(),
            lane: None,
            amount: change,
            reason: won.fee.reason.clone(),
        }
    };
    Ok(Some(ProofFee {
        fee_id: fee_id.clone(),
        kind: FeeKind::Delivery,
        parcel_id: parcel.map(|parcel| parcel.parcel_id.clone()),
        list,
        adjustments: won.map(adjustment).into_iter().collect(),
        taxes: Vec::new(),
        payable,
    }))
}

/// What a parcel weighs, in grams.
pub(crate) fn parcel_grams(
    parcel: &Parcel,
    grams: &HashMap<Sku, i64>,
    default_grams: i64,
) -> Result<i64, ArithmeticError> {
    parcel.items.iter().try_fold(0_i64, |sum, item| {
        let each = grams.get(&item.sku).copied().unwrap_or(default_grams);
        let all = each.checked_mul(item.quantity.units()).ok_or(ArithmeticError::Overflow)?;
        sum.checked_add(all).ok_or(ArithmeticError::Overflow)
    })
}
