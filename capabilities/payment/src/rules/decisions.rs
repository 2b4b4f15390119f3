//! Every decision about a payment. One that would give back more than there is, or take money twice, does nothing and
//! says so.

use mortise_types::{Amount, ArithmeticError, Timestamp};

use super::ledger::{Account, Transfer, TransferKind};
use super::payment::{
    Booked, Deposit, Fact, Method, News, NotReceived, Payment, RefundRow, RefundStatus, Stage, Status,
    TakeBack, Took, WhatHappened,
};

impl Booked {
    /// A payment with nothing posted yet.
    pub(crate) fn of(payment: Payment) -> Booked {
        Booked { payment, transfers: Vec::new() }
    }

    fn post(&mut self, kind: TransferKind, debit: Account, credit: Account, amount: Amount, at: Timestamp) {
        if amount.minor() > 0 {
            self.payment.transfers += 1;
            self.transfers.push(Transfer { number: self.payment.transfers, kind, debit, credit, amount, at });
        }
    }

    /// The claim of an invoice or of cash at the door, or money that the provider has already, made when the payment is made.
    pub(crate) fn claim(&mut self, now: Timestamp) {
        let kind = match self.payment.method {
            Method::OnDelivery => TransferKind::DueOnDelivery,
            Method::Invoice => TransferKind::Invoiced,
            Method::Provider | Method::ProviderManual => TransferKind::Captured,
        };
        self.payment.captured = self.payment.amount;
        self.post(kind, self.payment.claim_account(), self.payment.funds_account(), self.payment.amount, now);
    }

    /// Takes a claim back, once. What was received of it stands as the customer's credit on the claim's account.
    pub(crate) fn cancel_claim(&mut self, now: Timestamp) -> Result<WhatHappened, ArithmeticError> {
        let forfeited = self.payment.deposit == Some(Deposit::Forfeited);
        if self.payment.is_providers() || self.payment.is_taken_back() || forfeited {
            return Ok(WhatHappened::Already);
        }
        self.end_claim(Status::Cancelled, now)?;
        Ok(WhatHappened::Now)
    }

    fn end_claim(&mut self, ended: Status, now: Timestamp) -> Result<(), ArithmeticError> {
        self.payment.status = ended;
        let amount = self.payment.refundable();
        self.payment.refunded = self.payment.refunded.checked_add(amount)?;
        let (from, to) = (self.payment.funds_account(), self.payment.claim_account());
        self.post(TransferKind::Cancelled, from, to, amount, now);
        Ok(())
    }

    /// Money of a claim has come one step further, or will not come; `came` is how much, where that was told.
    pub(crate) fn receive(
        &mut self,
        stage: Stage,
        came: Option<Amount>,
        now: Timestamp,
    ) -> Result<Result<WhatHappened, NotReceived>, ArithmeticError> {
        let (from, to) = match stage {
            Stage::InvoicePaid => (Status::Due, Status::Paid),
            Stage::Collected => (Status::DueOnDelivery, Status::Collected),
            Stage::Remitted => (Status::Collected, Status::Remitted),
            Stage::Refused => (Status::DueOnDelivery, Status::Refused),
        };
        if self.payment.status == to {
            return Ok(Ok(WhatHappened::Already));
        }
        if self.payment.status != from {
            return Ok(Err(NotReceived::OutOfTurn));
        }
        let expected = match stage {
            Stage::Refused => Amount::ZERO,
            _ => self.payment.headroom(self.payment.captured),
        };
        if came.is_some_and(|came| came != expected) {
            return Ok(Err(NotReceived::Expected(expected)));
        }
        let (kind, debit, credit) = match stage {
            Stage::InvoicePaid => (TransferKind::Received, Account::Bank, Account::CustomerReceivable),
            Stage::Collected => (TransferKind::Collected, Account::CarrierClearing, Account::CashOnDelivery),
            Stage::Remitted => (TransferKind::Remitted, Account::Bank, Account::CarrierClearing),
            Stage::Refused => {
                self.end_claim(Status::Refused, now)?;
                return Ok(Ok(WhatHappened::Now));
            }
        };
        self.payment.status = to;
        self.post(kind, debit, credit, expected, now);
        Ok(Ok(WhatHappened::Now))
    }

    /// The provider has taken the request. A webhook may have been faster.
    pub(crate) fn accepted(&mut self, provider_ref: String, pay_url: String) {
        if self.payment.status == Status::Requested {
            self.payment.status = Status::Pending;
        }
        self.payment.provider_ref = Some(provider_ref);
        self.payment.pay_url = Some(pay_url);
    }

    /// The provider will not have the request.
    pub(crate) fn refused(&mut self, code: String) {
        if self.payment.status == Status::Requested {
            self.payment.status = Status::Declined;
            self.payment.decline_code = Some(code);
        }
    }

    /// Takes over what a provider reports, in whatever order it comes: money that came is booked once, and nothing
    /// that came to light later takes it away again.
    pub(crate) fn learn(&mut self, fact: &Fact, now: Timestamp) -> News {
        match fact {
            Fact::Captured(amount) => match (self.capture(*amount, now), self.payment.method) {
                (WhatHappened::Now, Method::Provider) => News::Captured,
                // What `payment.capture` took has its owner: whoever called it.
                _ => News::None,
            },
            Fact::Authorised if matches!(self.payment.status, Status::Requested | Status::Pending) => {
                self.payment.status = Status::Authorised;
                News::Authorised
            }
            Fact::Declined(code) if self.payment.may_still_be_captured() => {
                self.payment.status = Status::Declined;
                self.payment.decline_code = Some(code.clone());
                News::Declined
            }
            Fact::Expired if self.payment.may_still_be_captured() => {
                self.payment.status = Status::Expired;
                News::Expired
            }
            Fact::Voided if self.payment.may_still_be_captured() => {
                self.payment.status = Status::Voided;
                News::None
            }
            Fact::Authorised | Fact::Declined(_) | Fact::Expired | Fact::Voided => News::None,
        }
    }

    /// Books captured money, once.
    pub(crate) fn capture(&mut self, amount: Amount, now: Timestamp) -> WhatHappened {
        if self.payment.status == Status::Captured || !self.payment.is_providers() {
            return WhatHappened::Already;
        }
        self.payment.status = Status::Captured;
        self.payment.captured = amount;
        let funds = self.payment.funds_account();
        self.post(TransferKind::Captured, Account::ProviderBalance, funds, amount, now);
        WhatHappened::Now
    }

    /// Whether `amount` (all of it without one) can be captured now; it is then on its way.
    pub(crate) fn begin_capture(&mut self, amount: Option<Amount>) -> Option<Amount> {
        let amount = amount.unwrap_or(self.payment.amount);
        let fits = amount.minor() >= 1 && amount <= self.payment.amount;
        if self.payment.status != Status::Authorised || !fits {
            return None;
        }
        self.payment.status = Status::Capturing;
        Some(amount)
    }

    /// The provider did not let the capture through.
    pub(crate) fn capture_refused(&mut self) {
        if self.payment.status == Status::Capturing {
            self.payment.status = Status::Authorised;
        }
    }

    /// Sets `amount` aside for a refund, or says what could be.
    pub(crate) fn set_aside(&mut self, amount: Amount) -> Result<(), Amount> {
        let refundable = self.payment.refundable();
        if amount.minor() < 1 || amount > refundable {
            return Err(refundable);
        }
        self.reserve(amount).map_err(|_| refundable)
    }

    fn reserve(&mut self, amount: Amount) -> Result<(), ArithmeticError> {
        self.payment.pending_refund = self.payment.pending_refund.checked_add(amount)?;
        Ok(())
    }

    /// How to take the payment back, at most `limit` of it; what may have to be refunded is set aside.
    pub(crate) fn take_back(&mut self, limit: Option<Amount>) -> Result<TakeBack, ArithmeticError> {
        let bounded = |amount: Amount| limit.map_or(amount, |limit| amount.min(limit)).max(Amount::ZERO);
        if !self.payment.is_providers() {
            let forfeited = self.payment.deposit == Some(Deposit::Forfeited);
            let open = !self.payment.is_taken_back() && !forfeited;
            return Ok(if open { TakeBack::Here } else { TakeBack::Nothing });
        }
        if self.payment.may_still_be_captured() {
            let amount = bounded(self.payment.headroom(self.payment.amount));
            self.reserve(amount)?;
            return Ok(TakeBack::VoidFirst(amount));
        }
        let amount = bounded(self.payment.refundable());
        if self.payment.status != Status::Captured || amount.is_zero() {
            return Ok(TakeBack::Nothing);
        }
        self.reserve(amount)?;
        Ok(TakeBack::Refund(amount))
    }

    /// The provider said what became of a payment that was being taken back.
    pub(crate) fn took(&mut self, took: Took, now: Timestamp) {
        match took {
            Took::Voided if self.payment.may_still_be_captured() => self.payment.status = Status::Voided,
            Took::Voided => {}
            Took::Captured(amount) => {
                self.capture(amount, now);
            }
        }
    }

    /// A refund ended: `given` of what it had set aside is with the customer. Once a refund.
    pub(crate) fn end_refund(
        &mut self,
        refund: &mut RefundRow,
        given: Amount,
        ended: RefundStatus,
        now: Timestamp,
    ) -> Result<WhatHappened, ArithmeticError> {
        if refund.status != RefundStatus::Pending {
            return Ok(WhatHappened::Already);
        }
        self.payment.pending_refund = self.payment.pending_refund.checked_sub(refund.amount)?;
        refund.status = ended;
        if ended == RefundStatus::Done {
            refund.amount = given;
            self.book_refund(given, now)?;
        }
        Ok(WhatHappened::Now)
    }

    /// Money went back to the customer; it had come, then, though nobody has said so yet.
    pub(crate) fn book_refund(&mut self, amount: Amount, now: Timestamp) -> Result<(), ArithmeticError> {
        self.capture(self.payment.amount, now);
        self.payment.refunded = self.payment.refunded.checked_add(amount)?;
        let (from, to) = (self.payment.funds_account(), self.payment.claim_account());
        self.post(TransferKind::Refunded, from, to, amount, now);
        Ok(())
    }

    /// A deposit goes another way: towards an order, back from there, or to the shop. `None` when it cannot: it is no
    /// deposit, has not come, or has gone elsewhere.
    pub(crate) fn move_deposit(&mut self, to: Deposit, now: Timestamp) -> Option<WhatHappened> {
        let from = self.payment.deposit?;
        if from == to {
            return Some(WhatHappened::Already);
        }
        let kind = match (from, to) {
            (Deposit::Held, Deposit::Credited) => TransferKind::DepositCredited,
            (Deposit::Held, Deposit::Forfeited) => TransferKind::DepositForfeited,
            (Deposit::Credited, Deposit::Held) => TransferKind::DepositUncredited,
            _ => return None,
        };
        if !self.payment.has_come() {
            return None;
        }
        let debit = self.payment.funds_account();
        self.payment.deposit = Some(to);
        let there = self.payment.there();
        self.post(kind, debit, self.payment.funds_account(), there, now);
        Some(WhatHappened::Now)
    }
}
