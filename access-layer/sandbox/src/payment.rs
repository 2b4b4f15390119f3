//! A payment of the provider and what may become of it: pure decisions on plain values. Storing them, HTTP and faults
//! are not here.

use mortise_types::{Amount, Currency, Timestamp};
use serde::{Deserialize, Serialize};

use crate::problem::{Refusal, RefusalKind};

/// The most that one payment can be of, in minor units.
pub(crate) const AMOUNT_MAX: i64 = 1_000_000_000_000;
/// The most refunds of one payment.
const REFUNDS_MAX: usize = 1_000;

/// Where a payment stands. `Captured` stays so when it is refunded: the refunded amount says how much is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PaymentStatus {
    RequiresPayment,
    Authorised,
    Captured,
    Declined,
    Voided,
    Expired,
}

/// When the money moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CaptureMethod {
    /// When the customer pays.
    #[default]
    Automatic,
    /// When `capture` is called; until then it is authorised.
    Manual,
}

/// What a customer's card does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Card {
    Ok,
    Decline,
    InsufficientFunds,
    #[serde(rename = "expired_card")]
    Expired,
    /// The customer closes the page.
    Abandon,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payment {
    pub(crate) id: String,
    /// The merchant's own name for it.
    pub(crate) reference: String,
    pub(crate) amount: Amount,
    pub(crate) currency: Currency,
    pub(crate) capture: CaptureMethod,
    pub(crate) status: PaymentStatus,
    pub(crate) captured_amount: Amount,
    pub(crate) refunded_amount: Amount,
    pub(crate) decline_code: Option<String>,
    pub(crate) refunds: Vec<Refund>,
    pub(crate) return_url: Option<String>,
    pub(crate) webhook_url: String,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) payment_id: String,
    pub(crate) amount: Amount,
    /// The merchant's own name for it.
    pub(crate) reference: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) created_at: Timestamp,
}

/// A refund that is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefundRequest {
    /// All that is left without one.
    pub(crate) amount: Option<Amount>,
    pub(crate) reference: Option<String>,
    pub(crate) reason: Option<String>,
}

impl Payment {
    /// Whether the customer or the merchant can still act before it expires.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.status, PaymentStatus::RequiresPayment | PaymentStatus::Authorised)
    }

    /// What was captured and has not been refunded.
    pub(crate) fn refundable(&self) -> i64 {
        self.captured_amount.minor() - self.refunded_amount.minor()
    }

    fn moved_to(&self, status: PaymentStatus, now: Timestamp) -> Payment {
        Payment { status, updated_at: now, ..self.clone() }
    }
}

/// The customer presents a card. `Ok(None)` when the customer left without paying.
pub(crate) fn pay(payment: &Payment, card: Card, now: Timestamp) -> Result<Option<Payment>, Refusal> {
    if payment.status != PaymentStatus::RequiresPayment || now >= payment.expires_at {
        return Err(wrong_state(payment, "be paid"));
    }
    let declined = |code: &str| Payment {
        decline_code: Some(code.to_owned()),
        ..payment.moved_to(PaymentStatus::Declined, now)
    };
    Ok(match (card, payment.capture) {
        (Card::Ok, CaptureMethod::Automatic) => Some(Payment {
            captured_amount: payment.amount,
            ..payment.moved_to(PaymentStatus::Captured, now)
        }),
        (Card::Ok, CaptureMethod::Manual) => Some(payment.moved_to(PaymentStatus::Authorised, now)),
        (Card::Decline, _) => Some(declined("card_declined")),
        (Card::InsufficientFunds, _) => Some(declined("insufficient_funds")),
        (Card::Expired, _) => Some(declined("expired_card")),
        (Card::Abandon, _) => None,
    })
}

/// Takes the authorised money, or the part `amount` of it; the rest of the authorisation is released.
pub(crate) fn capture(payment: &Payment, amount: Option<Amount>, now: Timestamp) -> Result<Payment, Refusal> {
    if payment.status != PaymentStatus::Authorised || now >= payment.expires_at {
        return Err(wrong_state(payment, "be captured"));
    }
    let amount = amount.unwrap_or(payment.amount);
    if amount.minor() < 1 || amount > payment.amount {
        let detail = format!("between 1 and the authorised {} can be captured", payment.amount);
        return Err(Refusal::new(RefusalKind::Unprocessable, "capture_exceeds_authorised", detail));
    }
    Ok(Payment { captured_amount: amount, ..payment.moved_to(PaymentStatus::Captured, now) })
}

/// Takes a payment back that has not been captured. One that came to nothing already stays as it is.
pub(crate) fn void(payment: &Payment, now: Timestamp) -> Result<Option<Payment>, Refusal> {
    match payment.status {
        PaymentStatus::RequiresPayment | PaymentStatus::Authorised => {
            Ok(Some(payment.moved_to(PaymentStatus::Voided, now)))
        }
        PaymentStatus::Declined | PaymentStatus::Voided | PaymentStatus::Expired => Ok(None),
        PaymentStatus::Captured => {
            let detail = "the money has been captured; refund it instead";
            Err(Refusal::new(RefusalKind::Conflict, "already_captured", detail)
                .with("captured_amount", payment.captured_amount.minor())
                .with("refundable", payment.refundable()))
        }
    }
}

/// Gives `amount` of the captured money back, or all that is left of it.
pub(crate) fn refund(
    payment: &Payment,
    id: String,
    request: RefundRequest,
    now: Timestamp,
) -> Result<(Payment, Refund), Refusal> {
    if payment.status != PaymentStatus::Captured {
        return Err(wrong_state(payment, "be refunded"));
    }
    let refundable = payment.refundable();
    let amount = request.amount.map_or(refundable, Amount::minor);
    if amount < 1 || amount > refundable {
        let detail = format!("between 1 and {refundable} can be refunded, {amount} was asked");
        return Err(Refusal::new(RefusalKind::Unprocessable, "refund_exceeds_captured", detail)
            .with("refundable", refundable));
    }
    if payment.refunds.len() >= REFUNDS_MAX {
        let detail = format!("a payment has at most {REFUNDS_MAX} refunds");
        return Err(Refusal::new(RefusalKind::Full, "too_many_refunds", detail));
    }
    let RefundRequest { reference, reason, .. } = request;
    let payment_id = payment.id.clone();
    let refund = Refund { id, payment_id, amount: Amount(amount), reference, reason, created_at: now };
    let mut next = payment.moved_to(PaymentStatus::Captured, now);
    next.refunded_amount = Amount(payment.refunded_amount.minor() + amount);
    next.refunds.push(refund.clone());
    Ok((next, refund))
}

/// The payment as expired, if its time is up and nobody took it.
pub(crate) fn expire(payment: &Payment, now: Timestamp) -> Option<Payment> {
    (payment.is_open() && now >= payment.expires_at).then(|| payment.moved_to(PaymentStatus::Expired, now))
}

fn wrong_state(payment: &Payment, what: &str) -> Refusal {
    let status = serde_json::to_value(payment.status).unwrap_or_default();
    let shown = status.as_str().unwrap_or_default().to_owned();
    let detail = format!("a payment that is {shown} cannot {what}");
    Refusal::new(RefusalKind::Conflict, "wrong_state", detail).with("payment_status", status)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    fn payment(capture: CaptureMethod) -> Payment {
        Payment {
            id: "pay_1".into(),
            reference: "o-1".into(),
            amount: Amount(1_000),
            currency: Currency::new("EUR").unwrap(),
            capture,
            status: PaymentStatus::RequiresPayment,
            captured_amount: Amount(0),
            refunded_amount: Amount(0),
            decline_code: None,
            refunds: Vec::new(),
            return_url: None,
            webhook_url: "http://127.0.0.1/".into(),
            created_at: Timestamp::EPOCH,
            expires_at: Timestamp::from_millis(60_000),
            updated_at: Timestamp::EPOCH,
        }
    }

    fn of(amount: Option<Amount>) -> RefundRequest {
        RefundRequest { amount, ..RefundRequest::default() }
    }

    fn paid(capture: CaptureMethod) -> Payment {
        pay(&payment(capture), Card::Ok, NOW).unwrap().unwrap()
    }

    #[test]
    fn refunds_together_never_exceed_what_was_captured() {
        let captured = capture(&paid(CaptureMethod::Manual), Some(Amount(700)), NOW).unwrap();
        let (once, _) = refund(&captured, "re_1".into(), of(Some(Amount(400))), NOW).unwrap();
        let refused = refund(&once, "re_2".into(), of(Some(Amount(301))), NOW).unwrap_err();
        assert_eq!(
            (refused.code.as_str(), refused.extra["refundable"].as_i64()),
            ("refund_exceeds_captured", Some(300))
        );
        let (all, rest) = refund(&once, "re_2".into(), of(None), NOW).unwrap();
        assert_eq!((rest.amount, all.refunded_amount), (Amount(300), Amount(700)));
        assert!(refund(&all, "re_3".into(), of(None), NOW).is_err(), "nothing is left");
    }

    #[test]
    fn a_captured_payment_is_refunded_and_not_voided() {
        let captured = paid(CaptureMethod::Automatic);
        assert_eq!(void(&captured, NOW).unwrap_err().code, "already_captured");
        assert_eq!(void(&paid(CaptureMethod::Manual), NOW).unwrap().unwrap().status, PaymentStatus::Voided);
    }

    #[test]
    fn nothing_is_paid_when_the_time_is_up() {
        let open = payment(CaptureMethod::Automatic);
        assert!(pay(&open, Card::Ok, open.expires_at).is_err());
        assert_eq!(expire(&open, open.expires_at).unwrap().status, PaymentStatus::Expired);
        assert_eq!(expire(&open, NOW), None);
        assert_eq!(expire(&paid(CaptureMethod::Automatic), open.expires_at), None);
    }

    #[test]
    fn a_payment_is_captured_once() {
        let captured = capture(&paid(CaptureMethod::Manual), None, NOW).unwrap();
        assert_eq!(capture(&captured, None, NOW).unwrap_err().code, "wrong_state");
        assert_eq!(
            capture(&paid(CaptureMethod::Manual), Some(Amount(1_001)), NOW).unwrap_err().code,
            "capture_exceeds_authorised"
        );
    }
}
