//! What the capability takes, answers and tells, as records with schemas. Which operations there are is in `declaration`.

mod open;
mod order_refund;
mod risk;
mod transfer;

use mortise_types::{Amount, Currency, CustomerId, OrderId, PaymentId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::policy::CaptureMethod;

pub use open::{OpenInput, OpenPayment, OpenPayments};
pub(crate) use order_refund::declare as declare_order_refund;
pub use order_refund::{Funds, FundsInput, OrderRefundInput, OrderRefunded, RefundPart};
pub(crate) use risk::TooRisky;
pub use risk::{AssessInput, Assessed, RiskReason, RiskReasonCode};
pub(crate) use transfer::declare as declare_transfer;
pub use transfer::{TransferInput, Transferred};

/// What a payment is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// It pays an order.
    #[default]
    Order,
    /// It is security for something that is decided later: it is then credited, forfeited or given back.
    Deposit,
}

/// An order to be paid outside of a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The order.
    pub order_id: OrderId,
    /// What it owes, in minor units; nothing is posted for an order that owes nothing.
    #[schemars(range(min = 0))]
    pub amount: Amount,
    /// Of the amount.
    pub currency: Currency,
    /// What it is for.
    #[serde(default)]
    pub purpose: Purpose,
    /// Who owes it, where that is to be remembered: what becomes of cash at the door counts in `assess`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CustomerId")]
    pub customer_id: Option<CustomerId>,
}

/// A payment of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentMade {
    /// The payment: a handle on the order's money.
    pub payment_id: PaymentId,
}

/// A payment that is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentMeant {
    /// The payment.
    pub payment_id: PaymentId,
}

/// Whether an operation that may come twice did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Applied {
    /// It did it now.
    Now,
    /// It had been done, or there was nothing to do.
    Already,
}

/// What became of an operation that may come twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppliedOnce {
    /// Whether it did something.
    pub applied: Applied,
}

/// An order to be paid through the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestInput {
    /// The order.
    pub order_id: OrderId,
    /// What it owes, in minor units.
    #[schemars(range(min = 0))]
    pub amount: Amount,
    /// Of the amount.
    pub currency: Currency,
    /// How long the customer has, in seconds; the shop's policy where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32")]
    pub expires_in_s: Option<u32>,
    /// Until when the customer has time, where that is a moment; it comes before `expires_in_s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Timestamp")]
    pub expires_at: Option<Timestamp>,
    /// When the money moves; the shop's policy where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CaptureMethod")]
    pub capture: Option<CaptureMethod>,
    /// What it is for.
    #[serde(default)]
    pub purpose: Purpose,
    /// Who pays: a signed-in customer finds it by its order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CustomerId")]
    pub customer_id: Option<CustomerId>,
}

/// A deposit that counts as paid from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditDepositInput {
    /// The deposit: the handle that this consumes.
    pub payment_id: PaymentId,
    /// The order that it is credited to; it need not be the one that it was asked for with.
    pub order_id: OrderId,
}

/// What a deposit came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DepositMoved {
    /// Whether it was moved now.
    pub applied: Applied,
    /// How much of it there was, in minor units: what was captured without what had gone back.
    pub amount: Amount,
}

/// A payment that the customer can make now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requested {
    /// The payment; `payment.captured` comes with it as key.
    pub payment_id: PaymentId,
    /// Where the customer pays.
    pub pay_url: String,
}

/// Authorised money to be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureInput {
    /// The payment.
    pub payment_id: PaymentId,
    /// How much of it, in minor units; all of it where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    pub amount: Option<Amount>,
}

/// Money that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Captured {
    /// The payment: a handle on its money.
    pub payment_id: PaymentId,
    /// How much, in minor units.
    pub amount: Amount,
}

/// Captured money to be given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundInput {
    /// The payment.
    pub payment_id: PaymentId,
    /// How much, in minor units, at least 1.
    pub amount: Amount,
    /// Why, for the shop's staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub reason: Option<String>,
}

/// Money that was given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refunded {
    /// The refund.
    pub refund_id: String,
    /// What can still be given back, in minor units.
    pub refundable: Amount,
}

/// Money that came and has no owner, or whose trade was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveBackInput {
    /// The payment: the handle that this releases.
    pub payment_id: PaymentId,
    /// At most so much, in minor units.
    pub amount: Amount,
}

/// How a payment was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TakenBackBy {
    /// It will never be captured.
    Void,
    /// It had been captured, and went back.
    Refund,
    /// There was nothing of it any more.
    Nothing,
}

/// What became of a payment that was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TakenBack {
    /// How.
    pub by: TakenBackBy,
    /// What went back to the customer, in minor units.
    pub amount: Amount,
}

/// How far the money of an invoice or of cash at the door has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptStage {
    /// The customer has paid the invoice.
    InvoicePaid,
    /// The carrier has collected the money at the door.
    Collected,
    /// The carrier has handed the money over.
    Remitted,
    /// The customer did not take the goods: nothing is owed any more.
    Refused,
}

/// Money that came by invoice or at the door.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiptInput {
    /// The payment.
    pub payment_id: PaymentId,
    /// What happened.
    pub stage: ReceiptStage,
    /// How much came, in minor units, where that was told: if it is not what is expected, nothing is booked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    pub amount: Option<Amount>,
}

/// What a provider reports. An adapter makes it of a webhook whose signature it has verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderEvent {
    /// The provider's id of the event: one is taken once.
    pub event_id: String,
    /// What happened.
    pub kind: ProviderEventKind,
    /// Our payment.
    pub payment_id: PaymentId,
    /// The provider's name for the payment.
    pub provider_ref: String,
    /// `captured` and `refunded`: how much was captured, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Amount")]
    pub amount: Option<Amount>,
    /// `declined`: the provider's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub code: Option<String>,
    /// `refunded`: which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ProviderRefund")]
    pub refund: Option<ProviderRefund>,
}

/// What a provider reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderEventKind {
    /// The money is set aside on the customer's card.
    Authorised,
    /// The money is ours.
    Captured,
    /// The customer's bank said no.
    Declined,
    /// The request was taken back.
    Voided,
    /// The customer's time was up.
    Expired,
    /// Money went back, by our refund or by hand at the provider's.
    Refunded,
}

/// A refund as a provider reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderRefund {
    /// The provider's name for it.
    pub provider_refund_ref: String,
    /// Our refund, where it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub refund_id: Option<String>,
    /// How much, in minor units.
    pub amount: Amount,
}

/// Two entries of the ledger: `debit` gets the amount, `credit` loses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LedgerTransfer {
    /// Within the payment, from 1.
    pub number: i64,
    /// What it was for.
    pub kind: String,
    /// The account that is debited.
    pub debit: String,
    /// The account that is credited.
    pub credit: String,
    /// In minor units, above zero.
    pub amount: Amount,
    /// When.
    pub at: Timestamp,
}

/// A payment as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentView {
    /// The payment.
    pub payment_id: PaymentId,
    /// Its order.
    pub order_id: OrderId,
    /// `invoice`, `on_delivery`, `provider`, `provider_manual`.
    pub method: String,
    /// For a deposit: `held`, `credited`, `forfeited`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub deposit: Option<String>,
    /// The order that a deposit was credited to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "OrderId")]
    pub credited_to: Option<OrderId>,
    /// Where it stands.
    pub status: String,
    /// Of all its amounts.
    pub currency: Currency,
    /// What was asked for, in minor units.
    pub amount: Amount,
    /// What the order was credited with.
    pub captured: Amount,
    /// What of it went back.
    pub refunded: Amount,
    /// What is on its way back.
    pub pending_refund: Amount,
    /// The provider's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub provider_ref: Option<String>,
    /// Where the customer pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub pay_url: Option<String>,
    /// Why it was declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub decline_code: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A payment with its ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentWithLedger {
    /// The payment.
    pub payment: PaymentView,
    /// Its transfers, oldest first.
    #[schemars(length(max = 10_000))]
    pub ledger: Vec<LedgerTransfer>,
}

/// A page of payments to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListInput {
    /// The last payment of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PaymentId")]
    pub after: Option<PaymentId>,
}

/// A page of payments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// In the order in which they were made; fewer than 1,000 on the last page.
    #[schemars(length(max = 1_000))]
    pub payments: Vec<PaymentView>,
}

/// Nothing to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// What an account holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Balance {
    /// The account.
    pub account: String,
    /// Of the amount.
    pub currency: Currency,
    /// Debits less credits, in minor units.
    pub amount: Amount,
}

/// The trial balance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrialBalance {
    /// By account and currency; those of one currency add up to zero.
    #[schemars(length(max = 2_000))]
    pub balances: Vec<Balance>,
}

/// Detail of `unknown_payment`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct UnknownPayment {
    /// The id that nothing has.
    pub(crate) payment_id: PaymentId,
}

/// Detail of the provider's refusals.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct RefusedDetail {
    /// The provider's reason, or `nothing_to_pay`.
    pub(crate) code: String,
}

/// Detail of `not_capturable`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct NotCapturable {
    /// Where the payment stands.
    pub(crate) status: String,
    /// What could be captured if it were authorised, in minor units.
    pub(crate) authorised: Amount,
}

/// Detail of `refund_exceeds_captured`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct RefundExceedsCaptured {
    /// What was asked, in minor units.
    pub(crate) asked: Amount,
    /// What can be given back.
    pub(crate) refundable: Amount,
}

/// Detail of `receipt_refused`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ReceiptRefused {
    /// Where the payment stands.
    pub(crate) status: String,
}

/// Detail of `receipt_differs`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ReceiptDiffers {
    /// What should have come, in minor units.
    pub(crate) expected: Amount,
    /// What came.
    pub(crate) came: Amount,
}

/// What happened to a payment.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct PaymentNews {
    /// The payment: the event's key.
    pub(crate) payment_id: PaymentId,
    /// Its order.
    pub(crate) order_id: OrderId,
    /// Captured: how much came; else what was asked for. In minor units.
    pub(crate) amount: Amount,
    /// Of the amount.
    pub(crate) currency: Currency,
    /// Why, where it was declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub(crate) code: Option<String>,
}

/// Money that went back.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct RefundNews {
    /// The payment: the event's key.
    pub(crate) payment_id: PaymentId,
    /// Its order.
    pub(crate) order_id: OrderId,
    /// The refund.
    pub(crate) refund_id: String,
    /// How much, in minor units.
    pub(crate) amount: Amount,
    /// What went back of the payment altogether.
    pub(crate) refunded: Amount,
    /// Of the amounts.
    pub(crate) currency: Currency,
}
