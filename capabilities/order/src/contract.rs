//! What orders promise: their operations and events. It decides nothing.

mod after_sale;
mod changes;
mod events;
mod looks;

use mortise_contract::{Declaration, Event, Operation};
use mortise_types::OrderId;
use serde_json::json;

pub use crate::status::{AfterSaleStatus, Axis, FulfilmentStatus, OrderState, OrderStatus, PaymentStatus};
pub use after_sale::{AfterSaleEntry, AfterSaleStage, Effects, RecordAfterSaleInput, RecordRefundInput};
pub use changes::{
    CancelUntil, Changed, ConfirmPaymentInput, DeliveryProgress, FulfilmentProgress, NotCancellable,
    OrderExists, OrderRef, OrderUnknown, PaymentProgress, PaymentRefused, PaymentTerms, PlaceInput,
    RecordDeliveryInput, RecordFulfilmentInput, RecordPaymentInput, RequestCancelInput,
};
pub use events::{CancelRequested, Ended, Paid, Placed};
pub use looks::{
    GetInput, ListInput, ListOutput, OrderSummary, OrderView, ParcelState, Statuses, TimelineEntry,
    TimelineInput, TimelineOutput,
};

pub(crate) fn declaration() -> Declaration {
    let declared = Declaration::new("order")
        .operation(
            Operation::write::<PlaceInput, OrderRef>("place", "Stores an order with its price proof.")
                .undo("order.cancel", json!({"order_id": "${ input.order_id }"}))
                .rejects::<OrderExists>("order_exists")
                .emits("order.placed"),
        )
        .operation(
            Operation::write::<OrderRef, Changed>("cancel", "Takes an order back, once.")
                .nothing_to_undo()
                .emits("order.cancelled"),
        )
        .operation(
            Operation::write::<ConfirmPaymentInput, Changed>(
                "confirm_payment",
                "It is settled how the order is paid.",
            )
            .consumes("money", "payment_id")
            .emits("order.paid"),
        )
        .operation(
            Operation::write::<RecordPaymentInput, Changed>("record_payment", "News about an order's money.")
                .nothing_to_undo()
                .rejects::<OrderUnknown>("order_unknown")
                .rejects::<PaymentRefused>("payment_status_refused"),
        )
        .operation(
            Operation::write::<RecordFulfilmentInput, Changed>(
                "record_fulfilment",
                "News of a parcel from the warehouse.",
            )
            .nothing_to_undo(),
        )
        .operation(
            Operation::write::<RecordDeliveryInput, Changed>(
                "record_delivery",
                "News of a parcel from the carrier.",
            )
            .nothing_to_undo(),
        )
        .operation(
            Operation::write::<OrderRef, Changed>("complete", "All of an order is done.")
                .emits("order.completed"),
        )
        .operation(
            Operation::write::<RequestCancelInput, Changed>(
                "request_cancel",
                "Asks the trade to take the order back.",
            )
            .nothing_to_undo()
            .rejects::<OrderUnknown>("order_unknown")
            .rejects::<NotCancellable>("not_cancellable")
            .emits("order.cancel_requested"),
        );
    after_sale::declare(declared)
        .operation(
            Operation::read::<GetInput, OrderView>("get", "An order with its price proof.")
                .may_lag(2_000)
                .rejects::<OrderUnknown>("order_unknown"),
        )
        .operation(
            Operation::read::<ListInput, ListOutput>("list", "Orders, latest first, page by page.")
                .may_lag(2_000),
        )
        .operation(
            Operation::read::<TimelineInput, TimelineOutput>(
                "timeline",
                "What happened to an order, from a position on.",
            )
            .may_lag(2_000)
            .rejects::<OrderUnknown>("order_unknown"),
        )
        .event(Event::new::<Placed, OrderId>("placed", "order_id", "An order was placed."))
        .event(Event::new::<Paid, OrderId>("paid", "order_id", "It is settled how an order is paid."))
        .event(Event::new::<Ended, OrderId>("completed", "order_id", "All of an order is done."))
        .event(Event::new::<Ended, OrderId>("cancelled", "order_id", "An order was taken back."))
        .event(Event::new::<CancelRequested, OrderId>(
            "cancel_requested",
            "order_id",
            "Somebody wants an order cancelled.",
        ))
}
