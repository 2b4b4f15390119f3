//! What discount takes and answers, as records with schemas. Which promotion counts is not here: see `rules`.

mod deposit;
mod promotion;
mod records;
mod terms;

use mortise_asking::{EXTENSION_REFUSED, ExtensionRefused};
use mortise_capability::import::{ROW_REFUSED, RowRefused, Rows};
use mortise_contract::{Declaration, Operation};
use mortise_points::{Discount, Point as _};
use serde_json::json;

pub(crate) use deposit::{DepositCoversPrice, GrantForDepositInput, GrantedForDeposit};
pub(crate) use promotion::{BenefitKind, Each, Exclusive, OpenedBy, Promotion, Status, Target};
pub(crate) use records::{
    CouponExhausted, CouponProblem, CouponRefused, CouponRow, DefineInput, EntryRow, EvaluateInput,
    EvaluateOutput, ExhaustedWhat, ExplainOutput, Fate, IgnoredCoupon, ImportCouponsInput,
    ImportEntriesInput, ImportItemsInput, ItemRow, Judged, PromotionInvalid, RedeemInput, Redeemed,
    Redemption, RestoreInput, Restored, UsageInput, UsageOutput,
};

pub(crate) use terms::{TermsInput, TermsOutput};

/// Rejection: a coupon code does not open anything here.
pub(crate) const COUPON_REFUSED: &str = "coupon_refused";
/// Rejection: a limit was reached by others.
pub(crate) const COUPON_EXHAUSTED: &str = "coupon_exhausted";
/// Rejection: a deposit that leaves nothing to pay.
pub(crate) const DEPOSIT_COVERS_PRICE: &str = "deposit_covers_price";
/// Rejection: a promotion makes no sense.
pub(crate) const PROMOTION_INVALID: &str = "promotion_invalid";

pub(crate) fn declaration() -> Declaration {
    Declaration::new("discount")
        .operation(
            Operation::read::<EvaluateInput, EvaluateOutput>(
                "evaluate",
                "Which promotions, coupons and extensions take what off, as a price proof.",
            )
            .opens(Discount::NAME)
            .rejects::<CouponRefused>(COUPON_REFUSED)
            .rejects::<ExtensionRefused>(EXTENSION_REFUSED),
        )
        .operation(
            Operation::read::<EvaluateInput, ExplainOutput>(
                "explain",
                "What became of every promotion, coupon and extension's proposal in an order, and why.",
            )
            .opens(Discount::NAME)
            .rejects::<ExtensionRefused>(EXTENSION_REFUSED),
        )
        .operation(
            Operation::pure::<GrantForDepositInput, GrantedForDeposit>(
                "grant_for_deposit",
                "What is paid early of an order, and what the order costs less for it.",
            )
            .rejects::<DepositCoversPrice>(DEPOSIT_COVERS_PRICE),
        )
        .operation(
            Operation::write::<RedeemInput, Redeemed>(
                "redeem",
                "Books limited promotions and coupons to an order.",
            )
            .undo("discount.restore", json!({ "order_id": "${ input.order_id }" }))
            .rejects::<CouponExhausted>(COUPON_EXHAUSTED)
            .may_be_stale(),
        )
        .operation(
            Operation::write::<RestoreInput, Restored>(
                "restore",
                "Gives back what an order had redeemed, once.",
            )
            .nothing_to_undo(),
        )
        .operation(Operation::read::<TermsInput, TermsOutput>(
            "terms",
            "What the promotions of a price proof asked for, where they stand as they stood then.",
        ))
        .operation(Operation::read::<UsageInput, UsageOutput>(
            "usage",
            "How much of a promotion or coupon is used.",
        ))
        .operation(
            Operation::write::<DefineInput, Rows>("define", "Defines promotions, or replaces them.")
                .nothing_to_undo()
                .rejects::<PromotionInvalid>(PROMOTION_INVALID),
        )
        .operation(
            Operation::write::<ImportEntriesInput, Rows>("import_entries", "Stores entries of price sheets.")
                .nothing_to_undo()
                .rejects::<RowRefused>(ROW_REFUSED),
        )
        .operation(
            Operation::write::<ImportCouponsInput, Rows>("import_coupons", "Stores coupon codes.")
                .nothing_to_undo()
                .rejects::<RowRefused>(ROW_REFUSED),
        )
        .operation(
            Operation::write::<ImportItemsInput, Rows>("import_items", "Stores facts about items.")
                .nothing_to_undo()
                .rejects::<RowRefused>(ROW_REFUSED),
        )
}
