//! What after-sale promises: its operations and events. It decides nothing.

mod records;

use mortise_asking::{EXTENSION_REFUSED, ExtensionRefused};
use mortise_contract::{Declaration, Event, Operation};
use mortise_points::{Point as _, RefundCheck};
use mortise_types::RmaId;
use serde_json::json;

pub use records::{
    AcceptInput, Applied, AssessInput, Assessment, Charge, ChargeKind, Deduction, DeductionKind,
    EntitledLine, Entitlement, GetInput, InspectInput, InspectedLine, LimitsBack, ListInput, ListOutput,
    Moved, OpenInput, Opened, Outcome, RefundCap, RefuseInput, ReturnLine, ReturnProblem, ReturnReason,
    ReturnRefused, RmaExists, RmaKind, RmaNews, RmaRef, RmaState, RmaSummary, RmaUnknown, RmaView,
    SettleInput, TaxShare, UnitsExceeded, WrongState,
};

/// Rejection: an RMA of this id stands already.
pub(crate) const RMA_EXISTS: &str = "rma_exists";
/// Rejection: there is no such RMA, or it is somebody else's.
pub(crate) const RMA_UNKNOWN: &str = "rma_unknown";
/// Rejection: more units than are left.
pub(crate) const UNITS_EXCEEDED: &str = "units_exceeded";
/// Rejection: the shop does not take it back.
pub(crate) const RETURN_REFUSED: &str = "return_refused";
/// Rejection: it has gone another way.
pub(crate) const WRONG_STATE: &str = "rma_wrong_state";

pub(crate) fn declaration() -> Declaration {
    let asking = Declaration::new("after_sale")
        .operation(
            Operation::read::<AssessInput, Assessment>(
                "assess",
                "What would be owed for what a customer wants to give back; changes nothing.",
            )
            .opens(RefundCheck::NAME)
            .rejects::<UnitsExceeded>(UNITS_EXCEEDED)
            .rejects::<ReturnRefused>(RETURN_REFUSED)
            .rejects::<ExtensionRefused>(EXTENSION_REFUSED),
        )
        .operation(
            Operation::write::<OpenInput, Opened>("open", "Takes units of an order on as coming back, once.")
                .undo("after_sale.withdraw", json!({"rma_id": "${ input.rma_id }"}))
                .rejects::<RmaExists>(RMA_EXISTS)
                .rejects::<UnitsExceeded>(UNITS_EXCEEDED)
                .rejects::<ReturnRefused>(RETURN_REFUSED)
                .emits("after_sale.opened"),
        )
        .operation(
            Operation::write::<RmaRef, Moved>(
                "withdraw",
                "The customer keeps it; what was asked for is free again.",
            )
            .nothing_to_undo()
            .emits("after_sale.withdrawn"),
        )
        .operation(
            Operation::write::<RmaRef, Moved>("approve", "Staff let it come back.")
                .nothing_to_undo()
                .rejects::<RmaUnknown>(RMA_UNKNOWN)
                .rejects::<WrongState>(WRONG_STATE)
                .emits("after_sale.approved"),
        )
        .operation(
            Operation::write::<RefuseInput, Moved>("refuse", "Staff do not take it back.")
                .nothing_to_undo()
                .rejects::<RmaUnknown>(RMA_UNKNOWN)
                .rejects::<WrongState>(WRONG_STATE)
                .emits("after_sale.refused"),
        );
    coming_back(asking)
        .operation(
            Operation::read::<GetInput, RmaView>("get", "A return with what is owed for it.")
                .may_lag(2_000)
                .rejects::<RmaUnknown>(RMA_UNKNOWN),
        )
        .operation(
            Operation::read::<ListInput, ListOutput>("list", "Returns, latest first, page by page.")
                .may_lag(2_000),
        )
        .event(news("opened", "A return was asked for."))
        .event(news("approved", "Staff let a return come back."))
        .event(news("refused", "Staff do not take a return back."))
        .event(news("withdrawn", "A return was withdrawn; nothing came back."))
        .event(news("received", "The goods of a return have arrived."))
        .event(Event::new::<Outcome, RmaId>(
            "inspected",
            "rma_id",
            "It is settled what is owed for a return.",
        ))
        .event(news("settled", "What was owed for a return has been given back."))
}

fn coming_back(declared: Declaration) -> Declaration {
    declared
        .operation(
            Operation::write::<RmaRef, Moved>("receive", "The goods have arrived.")
                .nothing_to_undo()
                .emits("after_sale.received"),
        )
        .operation(
            Operation::write::<InspectInput, Outcome>(
                "inspect",
                "Staff say how many units they take back and in which condition; that settles what is owed.",
            )
            .nothing_to_undo()
            .rejects::<RmaUnknown>(RMA_UNKNOWN)
            .rejects::<WrongState>(WRONG_STATE)
            .rejects::<UnitsExceeded>(UNITS_EXCEEDED)
            .emits("after_sale.inspected"),
        )
        .operation(
            Operation::write::<AcceptInput, Outcome>(
                "accept",
                "Takes all of it back without a look; what was inspected stays as it was found.",
            )
            .nothing_to_undo()
            .emits("after_sale.inspected"),
        )
        .operation(
            Operation::write::<SettleInput, Moved>("settle", "What was owed has been given back.")
                .nothing_to_undo()
                .emits("after_sale.settled"),
        )
}

fn news(name: &'static str, summary: &'static str) -> Event {
    Event::new::<RmaNews, RmaId>(name, "rma_id", summary)
}
