//! A payment, where it may stand, and what can be asked of it. What changes it is in `decisions`.

use std::fmt;
use std::str::FromStr;

use mortise_types::{Amount, Currency, CustomerId, OrderId, PaymentId, Timestamp};

use super::ledger::{Account, Transfer, words};

/// How the customer pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Invoice,
    OnDelivery,
    /// Through a provider, captured when the customer pays.
    Provider,
    /// Through a provider, authorised first.
    ProviderManual,
}

/// Where a payment stands. That money was given back is in the figures: a refunded payment stays captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// The provider has been asked and has not answered.
    Requested,
    /// The customer can pay.
    Pending,
    Authorised,
    /// The provider has been asked to capture and has not answered.
    Capturing,
    Captured,
    Declined,
    Expired,
    Voided,
    /// An invoice that has not been paid.
    Due,
    /// An invoice that has been paid.
    Paid,
    DueOnDelivery,
    /// The carrier has the money.
    Collected,
    /// The carrier has handed the money over.
    Remitted,
    Cancelled,
    /// The customer did not take the goods at the door.
    Refused,
}

/// What has become of a payment that is a deposit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deposit {
    /// It is the customer's until it is decided; also before it has come.
    Held,
    /// It counts as paid towards an order.
    Credited,
    /// It is the shop's.
    Forfeited,
}

words!(Deposit { Held = "held", Credited = "credited", Forfeited = "forfeited" });

words!(Method {
    Invoice = "invoice",
    OnDelivery = "on_delivery",
    Provider = "provider",
    ProviderManual = "provider_manual",
});

words!(Status {
    Requested = "requested",
    Pending = "pending",
    Authorised = "authorised",
    Capturing = "capturing",
    Captured = "captured",
    Declined = "declined",
    Expired = "expired",
    Voided = "voided",
    Due = "due",
    Paid = "paid",
    DueOnDelivery = "due_on_delivery",
    Collected = "collected",
    Remitted = "remitted",
    Cancelled = "cancelled",
    Refused = "refused",
});

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Payment {
    pub(crate) payment_id: PaymentId,
    pub(crate) order_id: OrderId,
    /// Who owes it, where that is remembered.
    pub(crate) customer_id: Option<CustomerId>,
    pub(crate) method: Method,
    /// What has become of it, if it is a deposit.
    pub(crate) deposit: Option<Deposit>,
    /// The order that a deposit was credited to.
    pub(crate) credited_to: Option<OrderId>,
    pub(crate) status: Status,
    pub(crate) currency: Currency,
    /// What was asked for.
    pub(crate) amount: Amount,
    /// What the order was credited with: captured by a provider, invoiced, or due at the door.
    pub(crate) captured: Amount,
    /// What of it was given back.
    pub(crate) refunded: Amount,
    /// What is set aside for refunds on their way.
    pub(crate) pending_refund: Amount,
    /// How many transfers the ledger has of it.
    pub(crate) transfers: i64,
    pub(crate) provider_ref: Option<String>,
    pub(crate) pay_url: Option<String>,
    pub(crate) decline_code: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
}

/// A payment under decision, with the transfers that were posted to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Booked {
    pub(crate) payment: Payment,
    pub(crate) transfers: Vec<Transfer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefundStatus {
    /// Set aside; the provider has not answered.
    Pending,
    Done,
    Refused,
    /// It turned out that there was nothing to give back.
    Dropped,
}

words!(RefundStatus { Pending = "pending", Done = "done", Refused = "refused", Dropped = "dropped" });

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefundRow {
    pub(crate) refund_id: String,
    pub(crate) status: RefundStatus,
    pub(crate) amount: Amount,
    pub(crate) reason: Option<String>,
    pub(crate) provider_ref: Option<String>,
    pub(crate) created_at: Timestamp,
}

/// What a provider reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    Authorised,
    Captured(Amount),
    Declined(String),
    Voided,
    Expired,
}

/// What the rest of the shop has to hear of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    Authorised,
    Captured,
    Declined,
    Expired,
    /// It was known, came too late to matter, or is nobody's business.
    None,
}

/// How far money has come that a provider doesn't move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    InvoicePaid,
    Collected,
    Remitted,
    Refused,
}

/// Why a receipt is not booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotReceived {
    /// The payment is not at the step before.
    OutOfTurn,
    /// Another amount should have come.
    Expected(Amount),
}

/// How a payment is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TakeBack {
    /// There is nothing of it any more.
    Nothing,
    /// No provider is concerned.
    Here,
    /// The provider may or may not have the money: void, and refund up to this if it was too late.
    VoidFirst(Amount),
    /// The provider has the money: refund this.
    Refund(Amount),
}

/// What a provider's answer to a take-back means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Took {
    /// It will not be captured.
    Voided,
    /// It had been captured.
    Captured(Amount),
}

/// Whether a decision changed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhatHappened {
    Now,
    Already,
}

impl Payment {
    /// What can still be promised to be given back of captured money: nothing of what was forfeited.
    pub(crate) fn refundable(&self) -> Amount {
        match self.deposit {
            Some(Deposit::Forfeited) => Amount::ZERO,
            _ => self.headroom(self.captured),
        }
    }

    /// The account that what it brought stands on.
    pub(super) fn funds_account(&self) -> Account {
        match self.deposit {
            None | Some(Deposit::Credited) => Account::OrderFunds,
            Some(Deposit::Held) => Account::DepositsHeld,
            Some(Deposit::Forfeited) => Account::DepositsForfeited,
        }
    }

    /// Whether its money has come, or is claimed: what can be credited or forfeited.
    pub(super) fn has_come(&self) -> bool {
        use Status::{Captured, Collected, Due, DueOnDelivery, Paid, Remitted};
        matches!(self.status, Captured | Due | Paid | DueOnDelivery | Collected | Remitted)
    }

    /// `ceiling` without what was and is being given back; never below zero.
    pub(super) fn headroom(&self, ceiling: Amount) -> Amount {
        let left = ceiling.checked_sub(self.refunded).and_then(|left| left.checked_sub(self.pending_refund));
        left.map_or(Amount::ZERO, |left| left.max(Amount::ZERO))
    }

    /// What came of it and has not gone back; what is on its way back has not.
    pub(crate) fn there(&self) -> Amount {
        self.captured.checked_sub(self.refunded).map_or(Amount::ZERO, |there| there.max(Amount::ZERO))
    }

    pub(super) fn may_still_be_captured(&self) -> bool {
        use Status::{Authorised, Capturing, Pending, Requested};
        matches!(self.status, Requested | Pending | Authorised | Capturing)
    }

    pub(super) fn is_providers(&self) -> bool {
        matches!(self.method, Method::Provider | Method::ProviderManual)
    }

    /// Whether its claim was taken back.
    pub(super) fn is_taken_back(&self) -> bool {
        matches!(self.status, Status::Cancelled | Status::Refused)
    }

    /// The account that the shop's claim stands on.
    pub(super) fn claim_account(&self) -> Account {
        match self.method {
            Method::Invoice => Account::CustomerReceivable,
            Method::OnDelivery => Account::CashOnDelivery,
            Method::Provider | Method::ProviderManual => Account::ProviderBalance,
        }
    }
}
