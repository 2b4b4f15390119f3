//! What goes in and out of after-sale's operations and events, as records with schemas.

use mortise_types::{
    Amount, Currency, CustomerId, GoodsCondition, ItemUnits, LineId, LocationId, OrderId, Parcel, PriceProof,
    PromotionTerms, Quantity, RateBp, ReturnedUnits, RmaId, Sku, TaxTreatment, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use mortise_types::Applied;

/// Why a unit comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReturnReason {
    /// The customer does not want it any more.
    ChangedMind,
    /// It does not work.
    Defective,
    /// It is something else.
    WrongItem,
    /// It is not as it was described.
    NotAsDescribed,
    /// It broke on the way.
    DamagedOnTheWay,
    /// It came too late.
    TooLate,
    /// Anything else.
    Other,
}

impl ReturnReason {
    /// Every reason.
    pub const ALL: [ReturnReason; 7] = {
        use ReturnReason::{
            ChangedMind, DamagedOnTheWay, Defective, NotAsDescribed, Other, TooLate, WrongItem,
        };
        [ChangedMind, Defective, WrongItem, NotAsDescribed, DamagedOnTheWay, TooLate, Other]
    };

    /// The code of this reason, as in JSON.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            ReturnReason::ChangedMind => "changed_mind",
            ReturnReason::Defective => "defective",
            ReturnReason::WrongItem => "wrong_item",
            ReturnReason::NotAsDescribed => "not_as_described",
            ReturnReason::DamagedOnTheWay => "damaged_on_the_way",
            ReturnReason::TooLate => "too_late",
            ReturnReason::Other => "other",
        }
    }
}

/// What kind of way back it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RmaKind {
    /// Parcels that were stopped before they left: nothing has to come back.
    BeforeShipping,
    /// Goods come back for money.
    Return,
    /// Goods come back for other goods.
    Exchange,
}

/// How far an RMA is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RmaState {
    /// The customer has asked; staff have to say yes.
    Requested,
    /// It may come back.
    Approved,
    /// It has arrived.
    Received,
    /// It is settled what is owed for it.
    Inspected,
    /// That has been given back.
    Settled,
    /// The shop does not take it back.
    Refused,
    /// The customer keeps it.
    Withdrawn,
    /// There is no such RMA.
    Unknown,
}

/// Units of a line that are to come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnLine {
    /// The line of the order.
    pub line_id: LineId,
    /// How many units; at least 1.
    #[schemars(range(min = 1))]
    pub quantity: Quantity,
    /// Why.
    pub reason: ReturnReason,
}

/// What a customer wants to give back, and the order it is of, as `order.get` and `order.effects` tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssessInput {
    /// The order.
    pub order_id: OrderId,
    /// Who bought.
    pub customer_id: CustomerId,
    /// When it was placed: an order that was cancelled and placed again is another sale.
    pub placed_at: Timestamp,
    /// From when the days count in which it may come back: its delivery, or its placing where that is not known.
    pub returnable_from: Timestamp,
    /// The currency of all its amounts.
    pub currency: Currency,
    /// How its price came about: what is owed is derived from it.
    pub proof: PriceProof,
    /// What of its price the shop has, or has claimed: no more than this is ever owed, in minor units.
    #[schemars(range(min = 0))]
    pub captured: Amount,
    /// What kind of way back it is.
    pub kind: RmaKind,
    /// What comes back; empty for what was never shipped.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub lines: Vec<ReturnLine>,
    /// The parcels that were stopped before they left.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub stopped: Vec<Parcel>,
    /// What the order's promotions asked for, where that is known. One that is not here is kept.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub terms: Vec<PromotionTerms>,
}

/// Less than was paid is owed for a line, because an extension says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundCap {
    /// The line.
    pub line_id: LineId,
    /// The most that is owed for all units of it that are asked for, before charges; their share for some of them.
    #[schemars(range(min = 0))]
    pub at_most: Amount,
    /// Why, in the extension's words.
    pub reason: String,
    /// `name@version`.
    pub extension: String,
}

/// A return to take on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenInput {
    /// The caller's id of it.
    pub rma_id: RmaId,
    /// What comes back, and of which order.
    pub request: AssessInput,
    /// Where it comes back to, unless the inspection says otherwise; the policy's place where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "LocationId")]
    pub return_to: Option<LocationId>,
    /// What `assess` has answered, if it was asked: the caps hold when it is settled what is owed.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub caps: Vec<RefundCap>,
}

/// A share of a tax, by the rate at which the order was taxed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaxShare {
    /// The tax.
    pub code: String,
    /// Its rate.
    pub rate_bp: RateBp,
    /// Whether it was in the price or on top.
    pub treatment: TaxTreatment,
    /// The net amount that it is on.
    pub base: Amount,
    /// The tax that goes back; it is contained in what is refunded.
    pub tax: Amount,
}

/// What is owed for units of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntitledLine {
    /// The line.
    pub line_id: LineId,
    /// The item.
    pub sku: Sku,
    /// How many units.
    pub quantity: Quantity,
    /// What was paid for them, taxes included.
    pub goods: Amount,
}

/// Why less is owed than was paid for what came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeductionKind {
    /// What is kept no longer meets a promotion's conditions.
    BrokenPromotion,
    /// A gift is kept.
    GiftKept,
}

/// What is owed less because of what is kept; below zero where it is owed again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deduction {
    /// Why.
    pub kind: DeductionKind,
    /// The promotion.
    pub source: String,
    /// How much, in minor units.
    pub amount: Amount,
}

/// What the shop keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChargeKind {
    /// For unpacking and storing.
    Restocking,
    /// For bringing it back.
    ReturnShipping,
    /// An extension says that less is owed for a line.
    Withheld,
}

/// A charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Charge {
    /// For what.
    pub kind: ChargeKind,
    /// How much, in minor units.
    pub amount: Amount,
    /// The line that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "LineId")]
    pub line_id: Option<LineId>,
    /// Which extension says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub extension: Option<String>,
    /// Why, in its words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub reason: Option<String>,
}

/// What is owed, and how that comes about: `refund = goods + fees - deductions + carried - charges`. All in minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entitlement {
    /// The units, with what was paid for them.
    #[schemars(length(max = 500))]
    pub lines: Vec<EntitledLine>,
    /// What was paid for the units.
    pub goods: Amount,
    /// Fees that go back.
    pub fees: Amount,
    /// What is owed less because of what is kept.
    #[schemars(length(max = 500))]
    pub deductions: Vec<Deduction>,
    /// Less than nothing is never owed, nor more than was paid in: what was cut off is made up for later.
    pub carried: Amount,
    /// What is owed before charges.
    pub gross: Amount,
    /// What the shop keeps: for its work, and what extensions have it withhold.
    #[schemars(length(max = 502))]
    pub charges: Vec<Charge>,
    /// What is owed.
    pub refund: Amount,
    /// The taxes in what is owed before charges.
    #[schemars(length(max = 500))]
    pub taxes: Vec<TaxShare>,
    /// Whether all of the order has now come back.
    pub whole: bool,
}

/// What would be owed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    /// What is owed if all of it is taken back.
    pub entitlement: Entitlement,
    /// Where it would stand: `requested` if staff have to say yes.
    pub state: RmaState,
    /// What extensions cap; `open` takes it on.
    #[schemars(length(max = 500))]
    pub caps: Vec<RefundCap>,
}

/// A return that was taken on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// The return.
    pub rma_id: RmaId,
    /// `requested` if staff have to say yes, else `approved`.
    pub state: RmaState,
    /// What is owed if all of it is taken back.
    pub entitlement: Entitlement,
    /// How it travels back, where that is known: its place is where it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Parcel")]
    pub parcel: Option<Parcel>,
}

/// Names a return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RmaRef {
    /// The return.
    pub rma_id: RmaId,
}

/// What a command did to a return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    /// Whether it did something.
    pub applied: Applied,
    /// How far the return is now.
    pub state: RmaState,
}

/// A return that is not taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefuseInput {
    /// The return.
    pub rma_id: RmaId,
    /// Why, for the customer.
    pub reason: String,
}

/// What was found of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InspectedLine {
    /// The line.
    pub line_id: LineId,
    /// Units that are taken back; the others stay the customer's.
    #[schemars(range(min = 0))]
    pub accepted: Quantity,
    /// In which condition they are.
    #[serde(default)]
    pub condition: GoodsCondition,
    /// Where they are; the return's own place where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "LocationId")]
    pub location: Option<LocationId>,
}

/// What an inspection found. A line that is left out is not taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InspectInput {
    /// The return.
    pub rma_id: RmaId,
    /// What was found.
    #[schemars(length(max = 500))]
    pub lines: Vec<InspectedLine>,
    /// Anything to say about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub note: Option<String>,
}

/// A return that nobody has looked at in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInput {
    /// The return.
    pub rma_id: RmaId,
    /// What is taken of its condition: nobody has seen it.
    #[serde(default = "unseen")]
    pub condition: GoodsCondition,
}

const fn unseen() -> GoodsCondition {
    GoodsCondition::Damaged
}

/// What is owed for a return, for good; and what has to go back where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The return: the event's key.
    pub rma_id: RmaId,
    /// The order.
    pub order_id: OrderId,
    /// Whether it was settled now.
    pub applied: Applied,
    /// Units that were taken back, over all lines.
    pub accepted: Quantity,
    /// Units that were not.
    pub rejected: Quantity,
    /// What is owed.
    pub entitlement: Entitlement,
    /// The units that were taken back, by item.
    #[schemars(length(max = 500))]
    pub units: Vec<ItemUnits>,
    /// What goes back to the shelves; without units whose place nobody has said.
    #[schemars(length(max = 500))]
    pub restock: Vec<ReturnedUnits>,
    /// Whether the order's coupons may be used again.
    pub restore_coupons: bool,
    /// What no longer counts against the customer's purchase limits.
    pub restore_limits: LimitsBack,
}

/// What no longer counts against a customer's purchase limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitsBack {
    /// What was bought counts on.
    Nothing,
    /// The units that were taken back.
    Units,
    /// The whole order.
    Order,
}

/// What was given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleInput {
    /// The return.
    pub rma_id: RmaId,
    /// What the customer got, in money or in other goods, in minor units.
    #[schemars(range(min = 0))]
    pub given: Amount,
}

/// What happened to a return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RmaNews {
    /// The return: the event's key.
    pub rma_id: RmaId,
    /// The order.
    pub order_id: OrderId,
    /// Who bought.
    pub customer_id: CustomerId,
    /// How far it is.
    pub state: RmaState,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub note: Option<String>,
}

/// A return in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RmaSummary {
    /// The return.
    pub rma_id: RmaId,
    /// The order.
    pub order_id: OrderId,
    /// Who bought.
    pub customer_id: CustomerId,
    /// What kind of way back it is.
    pub kind: RmaKind,
    /// How far it is.
    pub state: RmaState,
    /// The currency of its amounts.
    pub currency: Currency,
    /// What is owed: if all of it is taken back, until it has been inspected.
    pub refund: Amount,
    /// What the customer got.
    pub given: Amount,
    /// When it was asked for.
    pub opened_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// A return with all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RmaView {
    /// What a list shows of it.
    pub summary: RmaSummary,
    /// What was asked for.
    #[schemars(length(max = 500))]
    pub lines: Vec<ReturnLine>,
    /// What was found.
    #[schemars(length(max = 500))]
    pub inspected: Vec<InspectedLine>,
    /// What is owed, and how that comes about.
    pub entitlement: Entitlement,
    /// Which of the shop's choices it is reckoned by.
    pub policy_version: String,
    /// What staff said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub note: Option<String>,
}

/// Which return to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetInput {
    /// The return.
    pub rma_id: RmaId,
    /// Whose it has to be; without it, anybody's (for the shop's staff). A signed-in customer sees only their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CustomerId")]
    pub customer_id: Option<CustomerId>,
}

const fn page() -> i64 {
    50
}

/// Which returns to list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListInput {
    /// Whose; without it, all of the shop's. A signed-in customer sees only their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "CustomerId")]
    pub customer_id: Option<CustomerId>,
    /// Only of this order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "OrderId")]
    pub order_id: Option<OrderId>,
    /// Go on behind this page's end, as `next` of the last page says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub cursor: Option<String>,
    /// At most so many.
    #[serde(default = "page")]
    #[schemars(range(min = 1, max = 200), extend("x-unit" = "count"))]
    pub limit: i64,
}

/// Returns, latest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListOutput {
    /// The returns.
    #[schemars(length(max = 200))]
    pub returns: Vec<RmaSummary>,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub next: Option<String>,
}

/// An RMA of this id stands already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RmaExists {
    /// The id.
    pub rma_id: RmaId,
}

/// There is no such RMA, or it is somebody else's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RmaUnknown {
    /// What was asked for.
    pub rma_id: RmaId,
}

/// More units than are left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitsExceeded {
    /// The line.
    pub line_id: LineId,
    /// Units that were asked for.
    pub asked: Quantity,
    /// Units that have not come back, and are not asked for by another return.
    pub left: Quantity,
}

/// Why a return is not taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReturnProblem {
    /// Nothing is asked for.
    NothingAsked,
    /// The order has no such line.
    NoSuchLine,
    /// It is too late.
    WindowClosed,
    /// A gift has to come back as well.
    GiftMissing,
    /// It is somebody else's order.
    NotYours,
    /// An extension says that a line may not come back.
    Objected,
}

/// The shop does not take it on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnRefused {
    /// Why.
    pub problem: ReturnProblem,
    /// The line that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "LineId")]
    pub line_id: Option<LineId>,
    /// Which extension says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub extension: Option<String>,
    /// Why, in its words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub reason: Option<String>,
}

/// The return is not where this can be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrongState {
    /// The return.
    pub rma_id: RmaId,
    /// How far it is.
    pub state: RmaState,
}
