//! Which status follows which. A step that was made, or that newer news has overtaken, is no error: it is `Already`.

use crate::contract::Statuses;
use crate::status::{AfterSaleStatus, FulfilmentStatus, OrderState, OrderStatus, PaymentStatus};

/// Whether a status may follow another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It follows.
    Forward,
    /// It is so already.
    Already,
    /// It does not.
    Refused,
}

/// Whether the order stands.
pub(crate) fn order_step(from: OrderStatus, to: OrderStatus) -> Step {
    match (from, to) {
        (from, to) if from == to => Step::Already,
        (OrderStatus::Open, _) => Step::Forward,
        (OrderStatus::Completed | OrderStatus::Cancelled, _) => Step::Refused,
    }
}

/// What becomes of the money. Cash on delivery is owed, then with the carrier, then with the shop; never simply paid.
pub(crate) fn payment_step(from: PaymentStatus, to: PaymentStatus) -> Step {
    use PaymentStatus::{
        Collected, DepositForfeited, DepositPaid, Due, DueOnDelivery, Invoiced, Paid, Refunded, Remitted,
        Void,
    };
    match (from, to) {
        (from, to) if from == to => Step::Already,
        (Due, Paid | Invoiced | DueOnDelivery | DepositPaid | Void)
        | (DepositPaid, Paid | Invoiced | DueOnDelivery | DepositForfeited | Void)
        | (Invoiced, Paid | Void)
        | (DueOnDelivery, Collected | Void)
        | (Collected, Remitted | Refunded)
        | (Paid | Remitted, Refunded)
        | (PaymentStatus::PartiallyRefunded, Refunded) => Step::Forward,
        _ => Step::Refused,
    }
}

const fn rank(status: FulfilmentStatus) -> u8 {
    match status {
        FulfilmentStatus::None => 0,
        FulfilmentStatus::Requested => 1,
        FulfilmentStatus::Packed => 2,
        FulfilmentStatus::HandedOver => 3,
        FulfilmentStatus::Undeliverable => 4,
        FulfilmentStatus::InTransit => 5,
        FulfilmentStatus::Delivered => 6,
        FulfilmentStatus::Returned => 7,
    }
}

/// How far a parcel is. News comes late and twice: only news from further on counts, except that a carrier may give up on
/// the way, and try again.
pub(crate) fn parcel_step(from: FulfilmentStatus, to: FulfilmentStatus) -> Step {
    let gives_up = (from, to) == (FulfilmentStatus::InTransit, FulfilmentStatus::Undeliverable);
    if gives_up || rank(to) > rank(from) { Step::Forward } else { Step::Already }
}

/// How far the goods are, out of the parcels: as far as the parcel that is least far, unless one cannot be brought.
/// What came back is further than what arrived: an order is returned when all of it is.
pub(crate) fn fulfilment_of(parcels: impl IntoIterator<Item = FulfilmentStatus>) -> FulfilmentStatus {
    let mut least: Option<FulfilmentStatus> = None;
    for parcel in parcels {
        if parcel == FulfilmentStatus::Undeliverable {
            return parcel;
        }
        least = Some(match least {
            Some(least) if rank(least) <= rank(parcel) => least,
            _ => parcel,
        });
    }
    least.unwrap_or(FulfilmentStatus::None)
}

/// One word out of four.
pub(crate) fn state_of(statuses: &Statuses) -> OrderState {
    match (statuses.order, statuses.after_sale) {
        (OrderStatus::Cancelled, _) => return OrderState::Cancelled,
        (_, AfterSaleStatus::Requested) => return OrderState::AfterSale,
        (OrderStatus::Completed, _) => return OrderState::Completed,
        (OrderStatus::Open, _) => {}
    }
    match (statuses.fulfilment, statuses.payment) {
        (FulfilmentStatus::Delivered, _) => OrderState::Delivered,
        (
            FulfilmentStatus::HandedOver
            | FulfilmentStatus::InTransit
            | FulfilmentStatus::Undeliverable
            | FulfilmentStatus::Returned,
            _,
        ) => OrderState::Shipped,
        (FulfilmentStatus::Requested | FulfilmentStatus::Packed, _) => OrderState::InFulfilment,
        (FulfilmentStatus::None, PaymentStatus::Due | PaymentStatus::DepositPaid) => {
            OrderState::AwaitingPayment
        }
        (FulfilmentStatus::None, _) => OrderState::AwaitingFulfilment,
    }
}
