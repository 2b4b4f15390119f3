//! The decisions of discount, on plain values: what a promotion is, whether it is open, what it takes off, which of
//! several count, what of a coupon or a budget is left, and how all of that stands in a proof. Nothing here reads a table.

mod coupon;
mod deposit;
mod effect;
mod promotion;
mod proof;
mod redeem;
mod stack;

use std::collections::HashMap;

use mortise_types::allocate::AllocationError;
use mortise_types::{
    Amount, ArithmeticError, CouponCode, Currency, CustomerId, Price, ProofFee, ProofLine, Timestamp,
};

pub(crate) use coupon::{CouponFacts, judge as judge_coupon, problem_of_fate};
pub(crate) use deposit::grant as grant_for_deposit;
pub(crate) use promotion::{Benefit, Promotion, compile};
pub(crate) use proof::build as build_proof;
pub(crate) use redeem::{CouponLimits, Limits, Standing, exhausted};
pub(crate) use stack::{Applied, Source, Trace, evaluate};

/// A fact about an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) name: String,
    pub(crate) value: String,
    /// `name=value`, as promotions write it.
    pub(crate) text: String,
}

/// What a sheet takes off an item at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SheetEntry {
    pub(crate) promotion: String,
    /// Empty for any.
    pub(crate) line: String,
    /// Empty for any.
    pub(crate) location: String,
    pub(crate) valid_from: Timestamp,
    pub(crate) off: Price,
}

/// What is used of a budget or a coupon.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Use {
    /// Orders.
    pub(crate) count: i64,
    /// What was taken off them.
    pub(crate) amount: Amount,
}

/// What is used of a promotion: by all, and by the customer who asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) all: Use,
    pub(crate) customer: Use,
}

/// An order whose discounts are decided. Lines and fees are its parts: the lines first, then the fees.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    pub(crate) channel: &'a str,
    /// Who buys, if known.
    pub(crate) customer: Option<&'a CustomerId>,
    pub(crate) customer_group: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) currency: Currency,
    pub(crate) lines: &'a [ProofLine],
    pub(crate) fees: &'a [ProofFee],
    /// What is known of each line's item.
    pub(crate) facts: Vec<&'a [Fact]>,
    /// The sheets' entries for each line.
    pub(crate) sheets: Vec<&'a [SheetEntry]>,
    /// The promotions that a coupon of this order opens, by id.
    pub(crate) opened: HashMap<&'a str, &'a CouponCode>,
    /// What is used of the promotions that have a budget, by id.
    pub(crate) used: HashMap<&'a str, Used>,
}

/// The amounts of an order's parts, as they change.
#[derive(Debug, Clone)]
pub(crate) struct Amounts {
    pub(crate) list: Vec<Amount>,
    pub(crate) quoted: Vec<Amount>,
    pub(crate) running: Vec<Amount>,
}

impl Amounts {
    pub(crate) fn of(order: &Order<'_>) -> Amounts {
        let lines = order.lines.iter().map(|line| (line.list, line.payable));
        let parts = lines.chain(order.fees.iter().map(|fee| (fee.list, fee.payable)));
        let (list, quoted): (Vec<Amount>, Vec<Amount>) = parts.unzip();
        Amounts { list, running: quoted.clone(), quoted }
    }
}

/// Why a decision cannot be worked out: figures beyond 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLarge;

impl From<ArithmeticError> for TooLarge {
    fn from(_: ArithmeticError) -> TooLarge {
        TooLarge
    }
}

impl From<AllocationError> for TooLarge {
    fn from(_: AllocationError) -> TooLarge {
        TooLarge
    }
}

#[cfg(test)]
mod tests;
