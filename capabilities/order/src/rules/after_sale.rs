//! What returns do to their order: what of it is asked back, what of its money went back.

use std::collections::BTreeMap;

use mortise_types::{Amount, ArithmeticError, RmaId};

use super::{Entry, Order};
use crate::contract::AfterSaleStage;
use crate::status::{AfterSaleStatus, Axis, PaymentStatus};

/// The returns of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AfterSales(BTreeMap<RmaId, (AfterSaleStage, Amount)>);

impl AfterSales {
    pub(crate) fn put(&mut self, rma_id: RmaId, stage: AfterSaleStage, refunded: Amount) {
        self.0.insert(rma_id, (stage, refunded));
    }

    pub(crate) fn of(&self, rma_id: &RmaId) -> Option<(AfterSaleStage, Amount)> {
        self.0.get(rma_id).copied()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&RmaId, AfterSaleStage, Amount)> {
        self.0.iter().map(|(rma_id, (stage, refunded))| (rma_id, *stage, *refunded))
    }

    /// What went back for all of them.
    pub(crate) fn refunded(&self) -> Result<Amount, ArithmeticError> {
        Amount::sum(self.0.values().map(|(_, refunded)| *refunded))
    }

    /// Asked for as long as one is; settled if one was.
    pub(crate) fn status(&self) -> AfterSaleStatus {
        let any = |wanted: AfterSaleStage| self.0.values().any(|(stage, _)| *stage == wanted);
        if any(AfterSaleStage::Requested) {
            AfterSaleStatus::Requested
        } else if any(AfterSaleStage::Settled) {
            AfterSaleStatus::Settled
        } else {
            AfterSaleStatus::None
        }
    }
}

impl Order {
    /// News of a return; none if it was said, or the return is further.
    pub(crate) fn record_after_sale(
        &mut self,
        returns: &mut AfterSales,
        rma_id: &RmaId,
        stage: AfterSaleStage,
    ) -> Option<Entry> {
        let refunded = match (returns.of(rma_id), stage) {
            (None, AfterSaleStage::Requested) => Amount::ZERO,
            // One that was closed may be asked for again.
            (Some((AfterSaleStage::Closed, refunded)), AfterSaleStage::Requested)
            | (
                Some((AfterSaleStage::Requested, refunded)),
                AfterSaleStage::Settled | AfterSaleStage::Closed,
            ) => refunded,
            _ => return None,
        };
        returns.put(rma_id.clone(), stage, refunded);
        let (from, to) = (self.statuses.after_sale, returns.status());
        self.statuses.after_sale = to;
        let mut entry = self.entry(Axis::AfterSale, from.word(), to.word());
        entry.subject = Some(rma_id.as_str().to_owned());
        Some(entry)
    }

    /// Money went back for a return, once. What was owed only is owed no more, or less.
    pub(crate) fn record_refund(
        &mut self,
        returns: &mut AfterSales,
        rma_id: &RmaId,
        amount: Amount,
        payable: Amount,
    ) -> Result<Option<Entry>, ArithmeticError> {
        let Some((stage, Amount::ZERO)) = returns.of(rma_id) else { return Ok(None) };
        if amount <= Amount::ZERO {
            return Ok(None);
        }
        returns.put(rma_id.clone(), stage, amount);
        let whole = returns.refunded()? >= payable;
        let from = self.statuses.payment;
        let to = match from {
            PaymentStatus::Invoiced | PaymentStatus::DueOnDelivery if whole => PaymentStatus::Void,
            PaymentStatus::Invoiced | PaymentStatus::DueOnDelivery => from,
            PaymentStatus::Paid
            | PaymentStatus::Collected
            | PaymentStatus::Remitted
            | PaymentStatus::PartiallyRefunded
                if whole =>
            {
                PaymentStatus::Refunded
            }
            PaymentStatus::Paid | PaymentStatus::Collected | PaymentStatus::Remitted => {
                PaymentStatus::PartiallyRefunded
            }
            _ => from,
        };
        self.statuses.payment = to;
        let mut entry = self.entry(Axis::Payment, from.word(), to.word());
        entry.note = Some(format!("{amount} for return {rma_id}"));
        Ok(Some(entry))
    }
}
