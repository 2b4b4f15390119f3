//! Discount's tables: statements in plain sight, each for a whole batch. What counts among the rows is not decided here.

mod book;
mod catalogue;
mod checks;
mod ledger;

pub(crate) use book::redemptions;
pub(crate) use catalogue::{
    CouponRecord, EntryRecord, ItemRecord, SheetKey, coupons, facts, promotions, put_coupons, put_entries,
    put_items, put_promotions, sheet_entries, versions,
};
pub(crate) use checks::{unreadable_promotions, usage_is_the_ledger};
pub(crate) use ledger::{
    CouponKey, CustomerKey, LedgerRow, PromotionKey, UsageKey, add_usage, budgets, coupon_limits,
    open_redemptions, put_redemptions, restore, usage, usage_by_customer,
};

#[cfg(test)]
mod tests;
