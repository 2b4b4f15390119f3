//! What an order may become, on plain values. It reads no database and no clock, and asks no other capability.

mod after_sale;
mod transition;

use std::collections::BTreeMap;

use mortise_types::{
    Applied, ArithmeticError, CustomerId, LineId, Parcel, ParcelId, PaymentId, PriceProof, ProofError,
    Quantity, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::contract::{CancelUntil, PaymentTerms, Statuses};
use crate::status::{AfterSaleStatus, Axis, FulfilmentStatus, OrderState, OrderStatus, PaymentStatus};
pub(crate) use after_sale::AfterSales;
pub(crate) use transition::{Step, fulfilment_of, order_step, parcel_step, payment_step, state_of};

/// What can only be if a flow or the data is wrong. It is nobody's business "no".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OrderError {
    #[error("the price proof does not add up: {0}")]
    Proof(#[from] ProofError),
    #[error("line {line} is {proved} units in the price proof and {packed} in the parcels")]
    Parcels { line: LineId, proved: Quantity, packed: Quantity },
    #[error("{axis} cannot go from `{from}` to `{to}`")]
    Transition { axis: &'static str, from: &'static str, to: &'static str },
    #[error("it has no parcel `{0}`")]
    NoParcel(ParcelId),
    #[error(transparent)]
    Arithmetic(#[from] ArithmeticError),
}

/// How far a parcel is. Stored as `["parcel id", "status"]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ParcelProgress(pub(crate) ParcelId, pub(crate) FulfilmentStatus);

/// The part of an order that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) customer_id: CustomerId,
    pub(crate) statuses: Statuses,
    pub(crate) parcels: Vec<ParcelProgress>,
    pub(crate) payment_id: Option<PaymentId>,
    pub(crate) cancel_requested_at: Option<Timestamp>,
    /// Of the latest entry of its timeline.
    pub(crate) position: i64,
}

/// A change, as its timeline will tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) position: i64,
    pub(crate) axis: Axis,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    pub(crate) subject: Option<String>,
    pub(crate) note: Option<String>,
}

/// The statuses of a fresh order.
pub(crate) const FRESH: Statuses = Statuses {
    order: OrderStatus::Open,
    payment: PaymentStatus::Due,
    fulfilment: FulfilmentStatus::None,
    after_sale: AfterSaleStatus::None,
};

/// Whether an order proves its price, and its parcels carry exactly the units that are charged. An order without parcels
/// has goods that do not travel.
pub(crate) fn check_placing(proof: &PriceProof, parcels: &[Parcel]) -> Result<(), OrderError> {
    proof.check()?;
    if parcels.is_empty() {
        return Ok(());
    }
    let mut packed: BTreeMap<&LineId, Quantity> = BTreeMap::new();
    for item in parcels.iter().flat_map(|parcel| &parcel.items) {
        let sum = packed.entry(&item.line_id).or_default();
        *sum = sum.checked_add(item.quantity)?;
    }
    for line in &proof.lines {
        let units = packed.remove(&line.line_id).unwrap_or_default();
        if units != line.quantity {
            let (line, proved) = (line.line_id.clone(), line.quantity);
            return Err(OrderError::Parcels { line, proved, packed: units });
        }
    }
    match packed.into_iter().next() {
        Some((line, packed)) => {
            Err(OrderError::Parcels { line: line.clone(), proved: Quantity::ZERO, packed })
        }
        None => Ok(()),
    }
}

impl Order {
    fn entry(&mut self, axis: Axis, from: &'static str, to: &'static str) -> Entry {
        self.position = self.position.saturating_add(1);
        Entry { position: self.position, axis, from, to, subject: None, note: None }
    }

    /// Where it stands, in one word.
    pub(crate) fn state(&self) -> OrderState {
        state_of(&self.statuses)
    }

    /// The way of paying is settled.
    pub(crate) fn confirm_payment(
        &mut self,
        payment_id: &PaymentId,
        terms: PaymentTerms,
    ) -> Result<Option<Entry>, OrderError> {
        let to = match terms {
            PaymentTerms::Paid => PaymentStatus::Paid,
            PaymentTerms::Invoice => PaymentStatus::Invoiced,
            PaymentTerms::OnDelivery => PaymentStatus::DueOnDelivery,
        };
        let from = self.statuses.payment;
        match payment_step(from, to) {
            // An order may have several payments: a further one is told, and changes no status.
            Step::Already if self.payment_id.as_ref() == Some(payment_id) => return Ok(None),
            Step::Refused => return Err(refused("payment", from.word(), to.word())),
            Step::Forward | Step::Already => {}
        }
        self.statuses.payment = to;
        self.payment_id = Some(payment_id.clone());
        let mut entry = self.entry(Axis::Payment, from.word(), to.word());
        entry.subject = Some(payment_id.as_str().to_owned());
        Ok(Some(entry))
    }

    /// News of the money after that. `Err` says what was refused.
    pub(crate) fn record_payment(
        &mut self,
        to: PaymentStatus,
        payment_id: Option<&PaymentId>,
    ) -> Result<Option<Entry>, PaymentStatus> {
        let from = self.statuses.payment;
        match payment_step(from, to) {
            Step::Already => Ok(None),
            Step::Refused => Err(from),
            Step::Forward => {
                self.statuses.payment = to;
                let mut entry = self.entry(Axis::Payment, from.word(), to.word());
                entry.subject = payment_id.map(|payment| payment.as_str().to_owned());
                Ok(Some(entry))
            }
        }
    }

    /// News of a parcel. Old news changes nothing. One entry tells it: of the order's own status where that moved, else
    /// of the parcel's.
    pub(crate) fn record_parcel(
        &mut self,
        parcel_id: &ParcelId,
        to: FulfilmentStatus,
    ) -> Result<Option<Entry>, OrderError> {
        let parcel = self.parcels.iter_mut().find(|parcel| parcel.0 == *parcel_id);
        let parcel = parcel.ok_or_else(|| OrderError::NoParcel(parcel_id.clone()))?;
        let from = parcel.1;
        if parcel_step(from, to) != Step::Forward {
            return Ok(None);
        }
        parcel.1 = to;
        let before = self.statuses.fulfilment;
        let after = fulfilment_of(self.parcels.iter().map(|parcel| parcel.1));
        self.statuses.fulfilment = after;
        let mut entry = if before == after {
            self.entry(Axis::Parcel, from.word(), to.word())
        } else {
            self.entry(Axis::Fulfilment, before.word(), after.word())
        };
        entry.subject = Some(parcel_id.as_str().to_owned());
        Ok(Some(entry))
    }

    /// All is done.
    pub(crate) fn complete(&mut self) -> Result<Option<Entry>, OrderError> {
        let (from, to) = (self.statuses.order, OrderStatus::Completed);
        match order_step(from, to) {
            Step::Already => Ok(None),
            Step::Refused => Err(refused("order", from.word(), to.word())),
            Step::Forward => {
                self.statuses.order = to;
                Ok(Some(self.entry(Axis::Order, from.word(), to.word())))
            }
        }
    }

    /// Takes it back; what was still owed is owed no more. An order that has ended stays as it is.
    pub(crate) fn cancel(&mut self) -> Vec<Entry> {
        let (from, to) = (self.statuses.order, OrderStatus::Cancelled);
        if order_step(from, to) != Step::Forward {
            return Vec::new();
        }
        self.statuses.order = to;
        let mut entries = vec![self.entry(Axis::Order, from.word(), to.word())];
        let (owed, void) = (self.statuses.payment, PaymentStatus::Void);
        if payment_step(owed, void) == Step::Forward {
            self.statuses.payment = void;
            entries.push(self.entry(Axis::Payment, owed.word(), void.word()));
        }
        entries
    }

    /// Somebody wants out. The first wish counts; `Err` says that it is too late.
    pub(crate) fn request_cancel(
        &mut self,
        reason: Option<&str>,
        until: CancelUntil,
        now: Timestamp,
    ) -> Result<Option<Entry>, OrderState> {
        match (self.state(), until) {
            (OrderState::AwaitingPayment, _)
            | (OrderState::AwaitingFulfilment | OrderState::InFulfilment, CancelUntil::Shipped) => {}
            (late, _) => return Err(late),
        }
        if self.cancel_requested_at.is_some() {
            return Ok(None);
        }
        self.cancel_requested_at = Some(now);
        let mut entry = self.entry(Axis::Request, "", "cancel");
        entry.note = reason.map(str::to_owned);
        Ok(Some(entry))
    }

    /// A cancelled order is placed again, by the customer who had it: its timeline goes on. None if it may not be.
    pub(crate) fn place_again(
        &mut self,
        customer_id: &CustomerId,
        parcels: Vec<ParcelProgress>,
    ) -> Option<Vec<Entry>> {
        let before = self.statuses;
        if before.order != OrderStatus::Cancelled || self.customer_id != *customer_id {
            return None;
        }
        self.statuses = FRESH;
        self.parcels = parcels;
        self.payment_id = None;
        self.cancel_requested_at = None;
        let axes = [
            (Axis::Order, before.order.word(), FRESH.order.word()),
            (Axis::Payment, before.payment.word(), FRESH.payment.word()),
            (Axis::Fulfilment, before.fulfilment.word(), FRESH.fulfilment.word()),
            (Axis::AfterSale, before.after_sale.word(), FRESH.after_sale.word()),
        ];
        let changed = axes.into_iter().filter(|(_, from, to)| from != to);
        Some(changed.map(|(axis, from, to)| self.entry(axis, from, to)).collect())
    }
}

/// How far the parcels of a fresh order are.
pub(crate) fn fresh_parcels(parcels: &[Parcel]) -> Vec<ParcelProgress> {
    parcels.iter().map(|parcel| ParcelProgress(parcel.parcel_id.clone(), FulfilmentStatus::None)).collect()
}

/// What a command says that it did.
pub(crate) const fn applied<T>(entry: Option<&T>) -> Applied {
    match entry {
        Some(_) => Applied::Now,
        None => Applied::Already,
    }
}

const fn refused(axis: &'static str, from: &'static str, to: &'static str) -> OrderError {
    OrderError::Transition { axis, from, to }
}

#[cfg(test)]
mod tests;
