//! A payment at the simulated provider, and what may become of it. Pure but for the book that it stands in.

use std::collections::BTreeMap;

use mortise_payment::contract::{ProviderEvent, ProviderEventKind, ProviderRefund};
use mortise_payment::{CaptureAnswer, CaptureMethod, ProviderRequest, RefundAnswer, VoidAnswer};
use mortise_types::{Amount, Scope, Timestamp};

use crate::{Did, Does, Held};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Requested,
    Authorised,
    Captured,
    Declined,
    Voided,
    Expired,
}

impl Status {
    const fn word(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Authorised => "authorised",
            Self::Captured => "captured",
            Self::Declined => "declined",
            Self::Voided => "taken back",
            Self::Expired => "expired",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Payment {
    scope: Scope,
    request: ProviderRequest,
    reference: String,
    status: Status,
    captured: Amount,
    /// By key: a repetition has one effect.
    refunds: BTreeMap<String, Amount>,
    events: u32,
}

impl Payment {
    pub(crate) fn new(scope: Scope, request: ProviderRequest, reference: String) -> Self {
        let status = Status::Requested;
        Self {
            scope,
            request,
            reference,
            status,
            captured: Amount::ZERO,
            refunds: BTreeMap::new(),
            events: 0,
        }
    }

    fn refundable(&self) -> i64 {
        self.captured.minor() - self.refunds.values().map(|amount| amount.minor()).sum::<i64>()
    }

    pub(crate) fn held(&self) -> Held {
        Held {
            scope: self.scope.clone(),
            order_id: self.request.order_id.clone(),
            amount: Amount(self.refundable()),
            currency: self.request.currency,
        }
    }

    pub(crate) fn act(&mut self, does: &Does, now: Timestamp) -> Did {
        let in_vain = |status: Status| Did { said: format!("in vain: it is {}", status.word()), tells: None };
        if self.status == Status::Requested && now >= self.request.expires_at && *does != Does::Expire {
            return Did { said: "in vain: the page has expired".to_owned(), tells: None };
        }
        match (does, self.status) {
            (Does::Pay, Status::Requested | Status::Declined) => match self.request.capture {
                CaptureMethod::Automatic => {
                    self.captured = self.request.amount;
                    self.told(Status::Captured, ProviderEventKind::Captured)
                }
                CaptureMethod::Manual => self.told(Status::Authorised, ProviderEventKind::Authorised),
            },
            (Does::Decline(code), Status::Requested) => {
                let mut did = self.told(Status::Declined, ProviderEventKind::Declined);
                if let Some(event) = &mut did.tells {
                    event.code = Some(code.clone());
                }
                did
            }
            (Does::Expire, Status::Requested | Status::Authorised) => {
                self.told(Status::Expired, ProviderEventKind::Expired)
            }
            (Does::Refund(amount), Status::Captured) if (1..=self.refundable()).contains(&amount.minor()) => {
                let provider_refund_ref = format!("{}-by-hand-{}", self.reference, self.refunds.len() + 1);
                self.refunds.insert(provider_refund_ref.clone(), *amount);
                let mut did = self.told(Status::Captured, ProviderEventKind::Refunded);
                if let Some(event) = &mut did.tells {
                    event.refund =
                        Some(ProviderRefund { provider_refund_ref, refund_id: None, amount: *amount });
                }
                did.said = "given back".to_owned();
                did
            }
            (_, status) => in_vain(status),
        }
    }

    fn told(&mut self, status: Status, kind: ProviderEventKind) -> Did {
        self.status = status;
        self.events += 1;
        let amount = matches!(kind, ProviderEventKind::Captured | ProviderEventKind::Refunded);
        let event = ProviderEvent {
            event_id: format!("{}-event-{}", self.reference, self.events),
            kind,
            payment_id: self.request.payment_id.clone(),
            provider_ref: self.reference.clone(),
            amount: amount.then_some(self.captured),
            code: None,
            refund: None,
        };
        Did { said: status.word().to_owned(), tells: Some(event) }
    }

    pub(crate) fn capture(&mut self, amount: Amount, now: Timestamp) -> CaptureAnswer {
        match self.status {
            // A repetition: a payment is captured once.
            Status::Captured => CaptureAnswer::Captured { amount: self.captured },
            Status::Authorised if now < self.request.expires_at && amount <= self.request.amount => {
                self.status = Status::Captured;
                self.captured = amount;
                CaptureAnswer::Captured { amount }
            }
            status => CaptureAnswer::Refused { code: status.word().replace(' ', "_") },
        }
    }

    pub(crate) fn void(&mut self) -> VoidAnswer {
        match self.status {
            Status::Requested | Status::Authorised | Status::Voided => {
                self.status = Status::Voided;
                VoidAnswer::Voided
            }
            Status::Declined | Status::Expired => {
                self.status = Status::Voided;
                VoidAnswer::Nothing
            }
            Status::Captured => {
                VoidAnswer::Captured { captured: self.captured, refundable: Amount(self.refundable()) }
            }
        }
    }

    pub(crate) fn refund(&mut self, key: &str, amount: Amount) -> RefundAnswer {
        let provider_refund_ref = format!("{}-refund-{key}", self.reference);
        if self.refunds.contains_key(key) {
            return RefundAnswer::Refunded { provider_refund_ref };
        }
        if !(1..=self.refundable()).contains(&amount.minor()) {
            return RefundAnswer::Refused { code: "refund_exceeds_captured".to_owned() };
        }
        self.refunds.insert(key.to_owned(), amount);
        RefundAnswer::Refunded { provider_refund_ref }
    }
}

#[cfg(test)]
mod tests {
    use mortise_types::{Currency, OrderId, PaymentId};

    use super::*;

    fn payment(capture: CaptureMethod) -> Payment {
        let request = ProviderRequest {
            payment_id: PaymentId::new("pay-1").unwrap(),
            order_id: OrderId::new("o-1").unwrap(),
            amount: Amount(1_000),
            currency: Currency::new("EUR").unwrap(),
            capture,
            expires_at: Timestamp::from_millis(1_000),
        };
        Payment::new(Scope::new("acme", "books", "web").unwrap(), request, "sim-pay-1".to_owned())
    }

    const NOW: Timestamp = Timestamp::EPOCH;

    #[test]
    fn a_payment_is_paid_once_and_in_time() {
        let mut one = payment(CaptureMethod::Automatic);
        assert_eq!(one.act(&Does::Pay, NOW).tells.unwrap().amount, Some(Amount(1_000)));
        assert_eq!(one.act(&Does::Pay, NOW).tells, None);
        let mut late = payment(CaptureMethod::Automatic);
        assert_eq!(late.act(&Does::Pay, Timestamp::from_millis(1_000)).tells, None);
        assert_eq!(late.held().amount, Amount::ZERO);
    }

    #[test]
    fn what_was_captured_goes_back_once_a_key_and_never_more_than_there_is() {
        let mut one = payment(CaptureMethod::Manual);
        one.act(&Does::Pay, NOW);
        assert_eq!(one.capture(Amount(700), NOW), CaptureAnswer::Captured { amount: Amount(700) });
        assert_eq!(one.void(), VoidAnswer::Captured { captured: Amount(700), refundable: Amount(700) });
        assert!(matches!(one.refund("k", Amount(400)), RefundAnswer::Refunded { .. }));
        assert!(matches!(one.refund("k", Amount(400)), RefundAnswer::Refunded { .. }));
        assert!(matches!(one.refund("l", Amount(301)), RefundAnswer::Refused { .. }));
        assert_eq!(one.held().amount, Amount(300));
    }

    #[test]
    fn a_request_that_was_taken_back_cannot_be_paid() {
        let mut one = payment(CaptureMethod::Automatic);
        assert_eq!(one.void(), VoidAnswer::Voided);
        assert_eq!(one.act(&Does::Pay, NOW).tells, None);
    }
}
