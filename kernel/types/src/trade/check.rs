//! Whether a price proof proves its price: every figure is the sum of its parts, to the minor unit. It does not ask
//! whether the rules that it names would decide so again.

use std::collections::HashSet;
use std::fmt;

use crate::trade::{Adjustment, AdjustmentKind, PriceProof, ProofFee, ProofLine, TaxPart, TaxTreatment};
use crate::{Amount, ArithmeticError, FeeId, LineId, Quantity};

/// The place in a proof at which something is off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProofPlace {
    /// A line.
    Line(LineId),
    /// A fee.
    Fee(FeeId),
    /// The order as a whole.
    Order,
}

impl fmt::Display for ProofPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProofPlace::Line(id) => write!(f, "line {id}"),
            ProofPlace::Fee(id) => write!(f, "fee {id}"),
            ProofPlace::Order => f.write_str("the order"),
        }
    }
}

/// What is off in a price proof, and where. Amounts are in minor units.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// A figure is not the sum of its parts.
    #[error("{place}: {what} is {stated}, its parts add up to {sum}")]
    Sum {
        /// Where.
        place: ProofPlace,
        /// Which figure.
        what: &'static str,
        /// What the proof says.
        stated: Amount,
        /// What its parts add up to.
        sum: Amount,
    },
    /// Two lines or two fees have one id.
    #[error("{0} stands twice in the proof")]
    Repeated(ProofPlace),
    /// A line has no units.
    #[error("{0}: the quantity is not at least 1")]
    Quantity(ProofPlace),
    /// The list amount lies a whole minor unit or more from price × quantity, further than any rounding per line brings
    /// it; rounding per unit is within one minor unit for each unit.
    #[error("{0}: the list amount is not the list price over the quantity")]
    List(ProofPlace),
    /// A sum does not fit.
    #[error("{0}: {1}")]
    Arithmetic(ProofPlace, ArithmeticError),
}

impl PriceProof {
    /// Checks every identity of the proof: each line's and fee's list amount and adjustments add up to its payable
    /// amount, tax on top stands among the adjustments, and the order's figures are the sums over lines and fees.
    /// Names the first place that is off.
    pub fn check(&self) -> Result<(), ProofError> {
        let (mut line_ids, mut fee_ids) = (HashSet::new(), HashSet::new());
        for line in &self.lines {
            check_line(line)?;
            if !line_ids.insert(&line.line_id) {
                return Err(ProofError::Repeated(ProofPlace::Line(line.line_id.clone())));
            }
        }
        for fee in &self.fees {
            Figures::of_fee(fee).check(|| ProofPlace::Fee(fee.fee_id.clone()))?;
            if !fee_ids.insert(&fee.fee_id) {
                return Err(ProofError::Repeated(ProofPlace::Fee(fee.fee_id.clone())));
            }
        }
        let payables =
            self.lines.iter().map(|line| line.payable).chain(self.fees.iter().map(|fee| fee.payable));
        same(|| ProofPlace::Order, "the payable amount", self.payable, payables)?;
        let taxes = self.lines.iter().map(|line| &line.taxes).chain(self.fees.iter().map(|fee| &fee.taxes));
        same(|| ProofPlace::Order, "the tax", self.tax, taxes.flatten().map(|part| part.tax))
    }
}

fn check_line(line: &ProofLine) -> Result<(), ProofError> {
    let place = || ProofPlace::Line(line.line_id.clone());
    if line.quantity < Quantity::ONE {
        return Err(ProofError::Quantity(place()));
    }
    if !list_is_near(line) {
        return Err(ProofError::List(place()));
    }
    Figures::of_line(line).check(place)
}

/// Whether `list` is `list_price × quantity`, but for rounding of at most each unit: less than one minor unit a unit.
fn list_is_near(line: &ProofLine) -> bool {
    let (per, quantity) = (i128::from(line.list_price.per().units()), i128::from(line.quantity.units()));
    let exact = i128::from(line.list_price.amount().minor()) * quantity;
    let stated = i128::from(line.list.minor()) * per;
    stated.checked_sub(exact).is_some_and(|off| off.unsigned_abs() < (quantity * per).unsigned_abs())
}

/// What a line and a fee have in common.
struct Figures<'a> {
    list: Amount,
    adjustments: &'a [Adjustment],
    taxes: &'a [TaxPart],
    payable: Amount,
}

impl<'a> Figures<'a> {
    fn of_line(line: &'a ProofLine) -> Figures<'a> {
        Figures { list: line.list, adjustments: &line.adjustments, taxes: &line.taxes, payable: line.payable }
    }

    fn of_fee(fee: &'a ProofFee) -> Figures<'a> {
        Figures { list: fee.list, adjustments: &fee.adjustments, taxes: &fee.taxes, payable: fee.payable }
    }

    fn check(&self, place: impl Fn() -> ProofPlace) -> Result<(), ProofError> {
        let parts =
            std::iter::once(self.list).chain(self.adjustments.iter().map(|adjustment| adjustment.amount));
        same(&place, "the payable amount", self.payable, parts)?;
        let added_taxes = self.taxes.iter().filter(|part| part.treatment == TaxTreatment::Added);
        let added_tax = added_taxes.map(|part| part.tax);
        let adjusted =
            self.adjustments.iter().filter(|adjustment| adjustment.kind == AdjustmentKind::TaxAdded);
        let adjusted_by = Amount::sum(adjusted.map(|adjustment| adjustment.amount))
            .map_err(|error| ProofError::Arithmetic(place(), error))?;
        same(&place, "the tax among the adjustments", adjusted_by, added_tax)
    }
}

fn same(
    place: impl Fn() -> ProofPlace,
    what: &'static str,
    stated: Amount,
    parts: impl Iterator<Item = Amount>,
) -> Result<(), ProofError> {
    match Amount::sum(parts) {
        Ok(sum) if sum == stated => Ok(()),
        Ok(sum) => Err(ProofError::Sum { place: place(), what, stated, sum }),
        Err(error) => Err(ProofError::Arithmetic(place(), error)),
    }
}
