//! How far a return is, and what may follow. A second word about the same thing changes nothing.

use mortise_types::{
    Amount, Currency, CustomerId, LineId, LocationId, OrderId, ParcelId, Quantity, RmaId, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::account::NeverShipped;
use super::{Account, AfterSaleError};
use crate::contract::{Entitlement, InspectedLine, RefundCap, ReturnLine, RmaKind, RmaState};

/// A return. `document` is stored as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rma {
    pub(crate) rma_id: RmaId,
    pub(crate) order_id: OrderId,
    pub(crate) placed_at: Timestamp,
    pub(crate) customer_id: CustomerId,
    pub(crate) currency: Currency,
    pub(crate) kind: RmaKind,
    pub(crate) state: RmaState,
    pub(crate) document: RmaDocument,
    /// What the customer got.
    pub(crate) given: Amount,
    pub(crate) opened_at: Timestamp,
    pub(crate) changed_at: Timestamp,
}

/// What was asked for, what was found, what is owed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RmaDocument {
    pub(crate) lines: Vec<ReturnLine>,
    pub(crate) parcels: Vec<ParcelId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) return_to: Option<LocationId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) inspected: Vec<InspectedLine>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) caps: Vec<RefundCap>,
    pub(crate) entitlement: Entitlement,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    pub(crate) policy_version: String,
}

impl Rma {
    /// Whether its units are held.
    pub(crate) fn holds(&self) -> bool {
        matches!(self.state, RmaState::Requested | RmaState::Approved | RmaState::Received)
    }

    pub(crate) fn never_shipped(&self) -> NeverShipped {
        match self.kind {
            RmaKind::BeforeShipping => NeverShipped::Yes,
            RmaKind::Return | RmaKind::Exchange => NeverShipped::No,
        }
    }

    /// Lets the units go that it holds.
    pub(crate) fn let_go(&self, account: &mut Account) -> Result<(), AfterSaleError> {
        for line in &self.document.lines {
            account.release(&line.line_id, line.quantity)?;
        }
        Ok(())
    }

    /// Units of a line that were asked for.
    pub(crate) fn asked(&self, line_id: &LineId) -> Result<Quantity, AfterSaleError> {
        let lines = self.document.lines.iter().filter(|line| line.line_id == *line_id);
        Ok(Quantity::sum(lines.map(|line| line.quantity))?)
    }

    /// Units that were asked for, over all lines.
    pub(crate) fn asked_units(&self) -> Result<Quantity, AfterSaleError> {
        Ok(Quantity::sum(self.document.lines.iter().map(|line| line.quantity))?)
    }
}

/// A word about a return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Approve,
    Refuse,
    Withdraw,
    Receive,
    /// What is owed is settled.
    Grant,
    /// It has been given back.
    Settle,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It becomes this.
    To(RmaState),
    /// It is so already, or past that.
    Already,
    /// It cannot.
    Wrong,
}

/// Decides a step. What has been granted is never taken back.
pub(crate) const fn step(state: RmaState, word: Word) -> Step {
    use RmaState::{Approved, Inspected, Received, Refused, Requested, Settled, Unknown, Withdrawn};
    match (word, state) {
        (Word::Approve, Requested) => Step::To(Approved),
        (Word::Refuse, Requested | Approved) => Step::To(Refused),
        (Word::Withdraw, Requested | Approved | Received) => Step::To(Withdrawn),
        (Word::Receive, Requested | Approved) => Step::To(Received),
        (Word::Grant, Approved | Received) => Step::To(Inspected),
        (Word::Settle, Inspected) => Step::To(Settled),
        (Word::Approve, Approved | Received | Inspected | Settled)
        | (Word::Refuse, Refused)
        | (Word::Withdraw, Inspected | Settled | Refused | Withdrawn | Unknown)
        | (Word::Receive, Received | Inspected | Settled | Refused | Withdrawn | Unknown)
        | (Word::Grant, Inspected | Settled)
        | (Word::Settle, Settled | Refused) => Step::Already,
        (Word::Approve, Refused | Withdrawn | Unknown)
        | (Word::Refuse, Received | Inspected | Settled | Withdrawn | Unknown)
        | (Word::Grant, Requested | Refused | Withdrawn | Unknown)
        | (Word::Settle, Requested | Approved | Received | Withdrawn | Unknown) => Step::Wrong,
    }
}
