//! `discount.usage`: how much of a promotion or a code is redeemed.

use mortise_capability::{Call, ReadOperation, Reply, StoreError};
use mortise_store::Reader;
use mortise_types::CouponCode;

use crate::contract::{UsageInput, UsageOutput};
use crate::store::{self, CouponKey, PromotionKey, UsageKey};

/// The code of `discount.usage`.
pub(crate) struct Usage;

impl ReadOperation for Usage {
    type Input = UsageInput;
    type Output = UsageOutput;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<UsageInput>],
    ) -> Result<Vec<Reply<UsageOutput>>, StoreError> {
        let lines = lines(reader, calls).await?;
        let keys: Vec<UsageKey> = calls.iter().zip(lines).map(|(call, line)| usage_key(call, line)).collect();
        let used = store::usage(reader, &keys).await?;
        Ok(used
            .into_iter()
            .map(|used| Reply::done(UsageOutput { count: used.count, amount: used.amount }))
            .collect())
    }
}

/// The line that each promotion or code was set up for; where there is none, nothing was redeemed either.
async fn lines(reader: &Reader<'_>, calls: &[Call<UsageInput>]) -> Result<Vec<String>, StoreError> {
    let promotions: Vec<PromotionKey> = calls.iter().map(promotion_key).collect();
    let coupons: Vec<CouponKey> = calls.iter().map(coupon_key).collect();
    let budgets = store::budgets(reader, &promotions).await?;
    let limits = store::coupon_limits(reader, &coupons).await?;
    let line = |(call, (promotion, coupon)): (&Call<UsageInput>, _)| {
        let promotion: Option<(String, _)> = promotion;
        let coupon: Option<(String, String, _)> = coupon;
        match &call.input.coupon {
            Some(_) => coupon.map(|(line, ..)| line),
            None => promotion.map(|(line, _)| line),
        }
        .unwrap_or_default()
    };
    Ok(calls.iter().zip(budgets.into_iter().zip(limits)).map(line).collect())
}

fn promotion_key(call: &Call<UsageInput>) -> PromotionKey {
    PromotionKey {
        tenant: call.context.scope.tenant.clone(),
        line: call.context.scope.line.as_str().to_owned(),
        promotion: call.input.promotion.clone(),
    }
}

fn coupon_key(call: &Call<UsageInput>) -> CouponKey {
    CouponKey {
        tenant: call.context.scope.tenant.clone(),
        line: call.context.scope.line.as_str().to_owned(),
        coupon: code(call),
    }
}

fn usage_key(call: &Call<UsageInput>, line: String) -> UsageKey {
    UsageKey {
        tenant: call.context.scope.tenant.clone(),
        line,
        promotion: call.input.promotion.clone(),
        coupon: code(call),
    }
}

fn code(call: &Call<UsageInput>) -> String {
    call.input.coupon.as_ref().map_or_else(String::new, |coupon: &CouponCode| coupon.as_str().to_owned())
}
