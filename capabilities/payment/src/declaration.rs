//! The operations and events of the capability, with what they acquire, settle, undo and reject. The records are in
//! `contract`.

use mortise_asking::{EXTENSION_REFUSED, ExtensionRefused};
use mortise_contract::{Declaration, Event, Operation};
use mortise_points::{PaymentRisk, Point as _};
use mortise_types::PaymentId;
use serde_json::json;

use crate::contract::*;

pub(crate) fn declaration() -> Declaration {
    let money = "money";
    let of_output = json!({ "payment_id": "${ output.payment_id }" });
    declare_transfer(declare_order_refund(Declaration::new("payment")))
        .operation(
            Operation::write::<Claim, PaymentMade>("on_invoice", "The order is paid on invoice: what it owes is booked.")
                .acquires(money, "payment_id")
                .undo("payment.cancel_invoice", of_output.clone()),
        )
        .operation(
            Operation::write::<Claim, PaymentMade>(
                "on_delivery",
                "The order is paid in cash at the door: due, then collected, then remitted; never paid before.",
            )
            .acquires(money, "payment_id")
            .undo("payment.cancel_invoice", of_output.clone()),
        )
        .operation(
            Operation::read::<AssessInput, Assessed>("assess", "The risk of being paid at the door, from 0 to 100.")
                .opens(PaymentRisk::NAME)
                .rejects::<TooRisky>("too_risky")
                .rejects::<ExtensionRefused>(EXTENSION_REFUSED),
        )
        .operation(
            Operation::write::<PaymentMeant, AppliedOnce>(
                "cancel_invoice",
                "Takes the claim of an invoice, or of cash at the door, back. Once; repeated, it does nothing.",
            )
            .releases(money, "payment_id")
            .nothing_to_undo(),
        )
        .operation(
            Operation::write::<ReceiptInput, AppliedOnce>("record_receipt", "Money of an invoice or from the door has come.")
                .rejects::<UnknownPayment>("unknown_payment")
                .rejects::<ReceiptRefused>("receipt_refused")
                .rejects::<ReceiptDiffers>("receipt_differs"),
        )
        .operation(
            Operation::remote::<RequestInput, Requested>("request", "Asks the customer to pay through the provider.")
                .rejects::<RefusedDetail>("payment_refused")
                .undo("payment.void", of_output.clone())
                .leads_to("payment.captured"),
        )
        .operation(
            Operation::remote::<CaptureInput, Captured>("capture", "Takes authorised money, or a part of it. Once a payment.")
                .rejects::<UnknownPayment>("unknown_payment")
                .rejects::<NotCapturable>("not_capturable")
                .rejects::<RefusedDetail>("capture_refused")
                .acquires(money, "payment_id")
                .undo(
                    "payment.give_back",
                    json!({ "payment_id": "${ output.payment_id }", "amount": "${ output.amount }" }),
                ),
        )
        .operation(
            Operation::write::<CreditDepositInput, DepositMoved>(
                "credit_deposit",
                "A deposit that has come counts as paid towards an order.",
            )
            .consumes(money, "payment_id")
            .undo("payment.hold_deposit", json!({ "payment_id": "${ input.payment_id }" })),
        )
        .operation(
            Operation::write::<PaymentMeant, DepositMoved>("hold_deposit", "Takes the crediting of a deposit back, once.")
                .nothing_to_undo(),
        )
        .operation(
            Operation::write::<PaymentMeant, DepositMoved>(
                "forfeit_deposit",
                "A deposit that has come is the shop's: nothing of it goes back any more, also if the trade goes backward.",
            )
            .consumes(money, "payment_id")
            .nothing_to_undo(),
        )
        .operation(
            Operation::remote::<RefundInput, Refunded>("refund", "Gives captured money back, never more than there is.")
                .rejects::<UnknownPayment>("unknown_payment")
                .rejects::<RefundExceedsCaptured>("refund_exceeds_captured")
                .rejects::<RefusedDetail>("refund_refused")
                .emits("payment.refunded"),
        )
        .operation(
            Operation::remote::<PaymentMeant, TakenBack>(
                "void",
                "Takes a request back, whatever has become of it: one that was captured meanwhile is refunded, once.",
            )
            .nothing_to_undo()
            .emits("payment.refunded"),
        )
        .operation(
            Operation::remote::<GiveBackInput, TakenBack>(
                "give_back",
                "Returns what is still refundable of money that nobody owns. Once; repeated, there is nothing left.",
            )
            .releases(money, "payment_id")
            .nothing_to_undo()
            .emits("payment.refunded"),
        )
        .operation(
            Operation::write::<ProviderEvent, AppliedOnce>(
                "record_provider_event",
                "Takes over what the provider's webhook reports. Once an event, in any order.",
            )
            .rejects::<UnknownPayment>("unknown_payment")
            .nothing_to_undo()
            .emits("payment.captured")
            .emits("payment.authorised")
            .emits("payment.declined")
            .emits("payment.expired")
            .emits("payment.refunded"),
        )
        .operation(
            Operation::read::<PaymentMeant, PaymentWithLedger>("get", "A payment with its ledger.")
                .rejects::<UnknownPayment>("unknown_payment"),
        )
        .operation(Operation::read::<OpenInput, OpenPayments>("open", "What of an order can be paid now, and where."))
        .operation(Operation::read::<ListInput, Listed>("list", "The payments of a tenant, page by page.").may_lag(2_000))
        .operation(
            Operation::read::<Nothing, TrialBalance>("balances", "The trial balance of a tenant's ledger.").may_lag(5_000),
        )
        .event(
            Event::new::<PaymentNews, PaymentId>("captured", "payment_id", "The customer's money has come.").acquires(
                money,
                "payment_id",
                "payment.give_back",
                json!({ "payment_id": "${ event.payment_id }", "amount": "${ event.amount }" }),
            ),
        )
        .event(Event::new::<PaymentNews, PaymentId>("authorised", "payment_id", "The money is set aside."))
        .event(Event::new::<PaymentNews, PaymentId>("declined", "payment_id", "The customer's bank said no."))
        .event(Event::new::<PaymentNews, PaymentId>("expired", "payment_id", "The customer's time was up."))
        .event(Event::new::<RefundNews, PaymentId>("refunded", "payment_id", "Money went back to the customer."))
}
