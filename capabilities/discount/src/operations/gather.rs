//! What a batch of orders needs from the tables before anything is decided: one statement a kind, distinct keys only,
//! and only the kinds that some promotion or extension asks for.

use std::sync::Arc;

use mortise_capability::{Call, Distinct, StoreError};
use mortise_points::{Discount, Opened, Points};
use mortise_store::Reader;
use mortise_types::{Amount, CustomerId, ProofLine};

use crate::cache::{Cache, Compiled};
use crate::contract::EvaluateInput;
use crate::rules::{CouponFacts, Fact, Promotion, SheetEntry, Use, Used};
use crate::store::{self, CustomerKey, SheetKey, UsageKey};

/// What one order needs.
pub(super) struct Gathered {
    pub(super) compiled: Arc<Compiled>,
    pub(super) opened: Option<Opened<Discount>>,
    /// For each coupon of the input.
    pub(super) coupons: Vec<Option<CouponFacts>>,
    /// For each line: positions in `Tables::sheets` and `Tables::facts`; none where nobody asks.
    pub(super) sheets: Vec<usize>,
    pub(super) facts: Vec<usize>,
    /// Promotions with a budget, by their position, and what is used of them.
    pub(super) used: Vec<(usize, Used)>,
}

/// The rows that the orders of a batch share.
pub(super) struct Tables {
    pub(super) sheets: Vec<Vec<SheetEntry>>,
    pub(super) facts: Vec<Vec<Fact>>,
}

/// Loads for the whole batch.
pub(super) async fn gather(
    reader: &Reader<'_>,
    calls: &[Call<EvaluateInput>],
    cache: &Cache,
    points: &dyn Points,
) -> Result<(Tables, Vec<Gathered>), StoreError> {
    let scopes: Vec<_> = calls.iter().map(|call| &call.context.scope).collect();
    let compiled = cache.get(reader, &scopes).await?;
    let mut orders: Vec<Gathered> = Vec::with_capacity(calls.len());
    let (mut sheet_keys, mut items) = (Distinct::default(), Distinct::default());
    for (call, compiled) in calls.iter().zip(compiled) {
        let opened = points.open::<Discount>(&call.context.scope);
        let lines = call.input.lines.iter();
        let asks = compiled.asks_for_facts || opened.as_ref().is_some_and(|o| !o.sku_attributes().is_empty());
        let facts = if asks {
            lines.clone().map(|line| items.add((call.context.scope.clone(), line.sku.clone()))).collect()
        } else {
            Vec::new()
        };
        let sheets = if compiled.has_sheets {
            lines.map(|line| sheet_keys.add(sheet_key(call, line))).collect()
        } else {
            Vec::new()
        };
        orders.push(Gathered { compiled, opened, coupons: Vec::new(), sheets, facts, used: Vec::new() });
    }
    let sheets = if sheet_keys.is_empty() {
        Vec::new()
    } else {
        store::sheet_entries(reader, sheet_keys.keys()).await?
    };
    let facts = if items.is_empty() { Vec::new() } else { store::facts(reader, items.keys()).await? };
    coupons(reader, calls, &mut orders).await?;
    budgets(reader, calls, &mut orders).await?;
    Ok((Tables { sheets, facts }, orders))
}

fn sheet_key(call: &Call<EvaluateInput>, line: &ProofLine) -> SheetKey {
    SheetKey {
        scope: call.context.scope.clone(),
        location: line.location.as_ref().map_or_else(String::new, |location| location.as_str().to_owned()),
        sku: line.sku.clone(),
        currency: call.input.currency,
        now: call.context.now,
    }
}

async fn coupons(
    reader: &Reader<'_>,
    calls: &[Call<EvaluateInput>],
    orders: &mut [Gathered],
) -> Result<(), StoreError> {
    let mut keys = Distinct::default();
    let mut places = Vec::new();
    for Call { context, input } in calls {
        let customer = input.customer_id.as_ref().map_or("", CustomerId::as_str);
        places.extend(input.coupons.iter().map(|coupon| keys.add((&context.scope, coupon, customer))));
    }
    if keys.is_empty() {
        return Ok(());
    }
    let found = store::coupons(reader, keys.keys()).await?;
    let mut places = places.into_iter();
    for (call, order) in calls.iter().zip(orders) {
        order.coupons =
            places.by_ref().take(call.input.coupons.len()).map(|place| found[place].clone()).collect();
    }
    Ok(())
}

/// What is used of every open promotion that has a budget.
async fn budgets(
    reader: &Reader<'_>,
    calls: &[Call<EvaluateInput>],
    orders: &mut [Gathered],
) -> Result<(), StoreError> {
    let (mut totals, mut customers) = (Distinct::default(), Distinct::default());
    let mut wanted = Vec::new();
    for (order, (Call { context, input }, gathered)) in calls.iter().zip(orders.iter()).enumerate() {
        let limited = gathered.compiled.promotions.iter().enumerate().filter(|(_, promotion)| {
            promotion.has_budget()
                && promotion.valid_from <= context.now
                && context.now < promotion.valid_until
        });
        for (index, promotion) in limited {
            let of = usage_key(context.scope.tenant.clone(), promotion);
            let by_customer =
                promotion.limits.customer_amount.is_some() || promotion.limits.customer_count.is_some();
            let customer = input.customer_id.clone().filter(|_| by_customer);
            let customer =
                customer.map(|customer_id| customers.add(CustomerKey { of: of.clone(), customer_id }));
            wanted.push((order, index, totals.add(of), customer));
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let all = store::usage(reader, totals.keys()).await?;
    let own = if customers.is_empty() {
        Vec::new()
    } else {
        store::usage_by_customer(reader, customers.keys()).await?
    };
    for (order, promotion, total, customer) in wanted {
        let customer = customer.map_or_else(Use::default, |place| own[place]);
        orders[order].used.push((promotion, Used { all: all[total], customer }));
    }
    Ok(())
}

fn usage_key(tenant: mortise_types::TenantId, promotion: &Promotion) -> UsageKey {
    UsageKey { tenant, line: promotion.line.clone(), promotion: promotion.id.clone(), coupon: String::new() }
}

/// The amount of a line before discounts, as an extension is shown it.
pub(super) fn shown_amount(line: &ProofLine) -> Amount {
    line.payable.max(Amount::ZERO)
}
