//! `discount.redeem` and `discount.restore`: the ledger. Limits are tested here, in the transaction, over all orders of
//! the batch in their turn; what `evaluate` saw may be old.

use std::collections::{BTreeMap, HashMap, HashSet};

use mortise_capability::{Call, Distinct, Reply, Staleness, StoreError, WriteOperation};
use mortise_store::{Reader, Tx};
use mortise_types::{Amount, CustomerId, OrderId, TenantId, Timestamp};

use crate::contract::{
    COUPON_EXHAUSTED, CouponExhausted, ExhaustedWhat, RedeemInput, Redeemed, Redemption, RestoreInput,
    Restored,
};
use crate::rules::{self, CouponLimits, Limits, Standing, Use, Used};
use crate::store::{self, CouponKey, CustomerKey, LedgerRow, PromotionKey, UsageKey};

/// The code of `discount.redeem`.
pub(crate) struct Redeem;
/// The code of `discount.restore`.
pub(crate) struct Restore;

impl WriteOperation for Redeem {
    type Input = RedeemInput;
    type Output = Redeemed;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<RedeemInput>],
    ) -> Result<Vec<Reply<Redeemed>>, StoreError> {
        // Most orders have nothing limited; they cost no statement.
        if calls.iter().all(|call| call.input.redemptions.is_empty()) {
            return Ok(calls.iter().map(|_| Reply::done(Redeemed { redeemed: 0 })).collect());
        }
        let mut book = Book::load(tx, calls).await?;
        let replies = calls.iter().map(|call| book.redeem(call)).collect::<Result<Vec<_>, _>>()?;
        store::put_redemptions(tx, &book.rows).await?;
        let added: Vec<(UsageKey, Use)> = book.added.into_iter().collect();
        store::add_usage(tx, &added).await?;
        Ok(replies)
    }
}

type Budget = (String, Limits);
type Coupon = (String, String, CouponLimits);

/// What the batch needs, and what it changes.
struct Book {
    budgets: HashMap<PromotionKey, Option<Budget>>,
    coupons: HashMap<CouponKey, Option<Coupon>>,
    /// As the tables have it, and all that the batch has redeemed so far.
    totals: HashMap<UsageKey, Use>,
    by_customer: HashMap<CustomerKey, Use>,
    /// What an order has: promotion and code.
    redeemed: HashSet<(TenantId, OrderId, String, String)>,
    rows: Vec<(TenantId, OrderId, CustomerId, i64, Timestamp, LedgerRow)>,
    added: BTreeMap<UsageKey, Use>,
}

/// A redemption and the counters that it counts in.
struct Entry {
    row: LedgerRow,
    version: i64,
    counters: Vec<(UsageKey, CustomerKey)>,
    standing: Standing,
}

impl Book {
    async fn load(reader: &Reader<'_>, calls: &[Call<RedeemInput>]) -> Result<Book, StoreError> {
        let (mut promotions, mut coupons, mut orders) =
            (Distinct::default(), Distinct::default(), Distinct::default());
        for Call { context, input } in calls.iter().filter(|call| !call.input.redemptions.is_empty()) {
            orders.add((context.scope.tenant.clone(), input.order_id.clone()));
            for redemption in &input.redemptions {
                promotions.add(promotion_key(&context.scope, redemption));
                if let Some(key) = coupon_key(&context.scope, redemption) {
                    coupons.add(key);
                }
            }
        }
        let budgets = store::budgets(reader, promotions.keys()).await?;
        let limits = store::coupon_limits(reader, coupons.keys()).await?;
        let open = store::open_redemptions(reader, orders.keys()).await?;
        let mut book = Book {
            budgets: promotions.into_keys().into_iter().zip(budgets).collect(),
            coupons: coupons.into_keys().into_iter().zip(limits).collect(),
            totals: HashMap::new(),
            by_customer: HashMap::new(),
            redeemed: HashSet::new(),
            rows: Vec::new(),
            added: BTreeMap::new(),
        };
        for ((tenant, order), rows) in orders.into_keys().into_iter().zip(open) {
            let key = |row: LedgerRow| (tenant.clone(), order.clone(), row.promotion, row.coupon);
            book.redeemed.extend(rows.into_iter().map(key));
        }
        book.load_counters(reader, calls).await?;
        Ok(book)
    }

    async fn load_counters(
        &mut self,
        reader: &Reader<'_>,
        calls: &[Call<RedeemInput>],
    ) -> Result<(), StoreError> {
        let (mut totals, mut customers) = (Distinct::default(), Distinct::default());
        for call in calls {
            for redemption in &call.input.redemptions {
                for (total, customer) in
                    self.entry(call, redemption).map(|entry| entry.counters).unwrap_or_default()
                {
                    totals.add(total);
                    customers.add(customer);
                }
            }
        }
        let used = store::usage(reader, totals.keys()).await?;
        self.totals = totals.into_keys().into_iter().zip(used).collect();
        let used = store::usage_by_customer(reader, customers.keys()).await?;
        self.by_customer = customers.into_keys().into_iter().zip(used).collect();
        Ok(())
    }

    /// A redemption with its limits and what is used of them at this moment; or what of it does not exist any more.
    fn entry(&self, call: &Call<RedeemInput>, redemption: &Redemption) -> Result<Entry, ExhaustedWhat> {
        let Call { context, input } = call;
        let budget = self.budgets.get(&promotion_key(&context.scope, redemption)).and_then(Option::as_ref);
        let (line, limits) = budget.ok_or(ExhaustedWhat::Promotion)?;
        let key = |line: &str, coupon: &str| {
            let of = UsageKey {
                tenant: context.scope.tenant.clone(),
                line: line.to_owned(),
                promotion: redemption.promotion.clone(),
                coupon: coupon.to_owned(),
            };
            (of.clone(), CustomerKey { of, customer_id: input.customer_id.clone() })
        };
        let mut counters = vec![key(line, "")];
        let mut standing = Standing { limits: *limits, used: self.used(&counters[0]), ..Standing::default() };
        let mut row = LedgerRow {
            promotion: redemption.promotion.clone(),
            coupon: String::new(),
            line: line.clone(),
            coupon_line: String::new(),
            amount: redemption.amount,
        };
        if let Some(coupon) = coupon_key(&context.scope, redemption) {
            let known = self.coupons.get(&coupon).and_then(Option::as_ref);
            let known = known.filter(|(_, promotion, _)| *promotion == redemption.promotion);
            let (coupon_line, _, limits) = known.ok_or(ExhaustedWhat::Coupon)?;
            counters.push(key(coupon_line, &coupon.coupon));
            (standing.coupon, standing.coupon_used) = (*limits, self.used(&counters[1]));
            (row.coupon, row.coupon_line) = (coupon.coupon, coupon_line.clone());
        }
        Ok(Entry { row, version: redemption.version, counters, standing })
    }

    fn used(&self, (total, customer): &(UsageKey, CustomerKey)) -> Used {
        Used {
            all: self.totals.get(total).copied().unwrap_or_default(),
            customer: self.by_customer.get(customer).copied().unwrap_or_default(),
        }
    }

    /// Books all redemptions of an order, or none.
    fn redeem(&mut self, call: &Call<RedeemInput>) -> Result<Reply<Redeemed>, StoreError> {
        let Call { context, input } = call;
        let mut booked: Vec<Entry> = Vec::new();
        for redemption in &input.redemptions {
            let code = redemption.coupon.as_ref().map_or("", |coupon| coupon.as_str());
            let key = |row: &LedgerRow| row.promotion == redemption.promotion && row.coupon == code;
            let ledger_key = (
                context.scope.tenant.clone(),
                input.order_id.clone(),
                redemption.promotion.clone(),
                code.to_owned(),
            );
            if self.redeemed.contains(&ledger_key) || booked.iter().any(|entry| key(&entry.row)) {
                continue;
            }
            let entry = self.entry(call, redemption).and_then(|entry| {
                rules::exhausted(redemption.amount, &entry.standing).map_or(Ok(entry), Err)
            });
            match entry {
                Ok(entry) => {
                    self.count(&entry, 1)?;
                    booked.push(entry);
                }
                Err(limit) => {
                    for entry in &booked {
                        self.count(entry, -1)?;
                    }
                    return refusal(call, redemption, limit);
                }
            }
        }
        let redeemed = i64::try_from(booked.len()).unwrap_or(i64::MAX);
        for Entry { row, version, counters, .. } in booked {
            let (tenant, order) = (context.scope.tenant.clone(), input.order_id.clone());
            self.redeemed.insert((tenant.clone(), order.clone(), row.promotion.clone(), row.coupon.clone()));
            for (total, _) in counters {
                let sum = self.added.entry(total).or_default();
                *sum = plus(*sum, row.amount, 1)?;
            }
            self.rows.push((tenant, order, input.customer_id.clone(), version, context.now, row));
        }
        Ok(Reply::done(Redeemed { redeemed }))
    }

    fn count(&mut self, entry: &Entry, times: i64) -> Result<(), StoreError> {
        for (total, customer) in &entry.counters {
            let used = self.totals.entry(total.clone()).or_default();
            *used = plus(*used, entry.row.amount, times)?;
            let used = self.by_customer.entry(customer.clone()).or_default();
            *used = plus(*used, entry.row.amount, times)?;
        }
        Ok(())
    }
}

fn plus(used: Use, amount: Amount, times: i64) -> Result<Use, StoreError> {
    let add = || {
        let amount = used.amount.minor().checked_add(amount.minor().checked_mul(times)?)?;
        Some(Use { count: used.count.checked_add(times)?, amount: Amount(amount) })
    };
    add().ok_or_else(|| StoreError::Value("a promotion's usage: too large for 64 bits".to_owned()))
}

/// An automatic promotion ran out between quote and order: the trade asks again what it costs. A coupon is the
/// customer's own wish, and its end has to be told.
fn refusal(
    call: &Call<RedeemInput>,
    redemption: &Redemption,
    limit: ExhaustedWhat,
) -> Result<Reply<Redeemed>, StoreError> {
    if redemption.coupon.is_none() && call.context.staleness == Staleness::MayReply {
        return Ok(Reply::stale());
    }
    let detail =
        CouponExhausted { promotion: redemption.promotion.clone(), coupon: redemption.coupon.clone(), limit };
    Reply::rejected(COUPON_EXHAUSTED, &detail)
}

fn promotion_key(scope: &mortise_types::Scope, redemption: &Redemption) -> PromotionKey {
    PromotionKey {
        tenant: scope.tenant.clone(),
        line: scope.line.as_str().to_owned(),
        promotion: redemption.promotion.clone(),
    }
}

fn coupon_key(scope: &mortise_types::Scope, redemption: &Redemption) -> Option<CouponKey> {
    redemption.coupon.as_ref().map(|coupon| CouponKey {
        tenant: scope.tenant.clone(),
        line: scope.line.as_str().to_owned(),
        coupon: coupon.as_str().to_owned(),
    })
}

impl WriteOperation for Restore {
    type Input = RestoreInput;
    type Output = Restored;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<RestoreInput>],
    ) -> Result<Vec<Reply<Restored>>, StoreError> {
        let mut orders = Distinct::default();
        let places: Vec<usize> = calls
            .iter()
            .map(|call| orders.add((call.context.scope.tenant.clone(), call.input.order_id.clone())))
            .collect();
        let mut open = store::open_redemptions(tx, orders.keys()).await?;
        let mut taken: BTreeMap<UsageKey, Use> = BTreeMap::new();
        let mut restored = Vec::new();
        let mut replies = Vec::with_capacity(calls.len());
        for (call, place) in calls.iter().zip(places) {
            // A second call for the order finds nothing left.
            let rows = std::mem::take(&mut open[place]);
            let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
            if count > 0 {
                let (tenant, order) = orders.keys()[place].clone();
                restored.push((tenant, order, call.context.now));
            }
            for row in rows {
                take_back(&mut taken, &call.context.scope.tenant, &row)?;
            }
            replies.push(Reply::done(Restored { restored: count }));
        }
        store::restore(tx, &restored).await?;
        let taken: Vec<(UsageKey, Use)> = taken.into_iter().collect();
        store::add_usage(tx, &taken).await?;
        Ok(replies)
    }
}

fn take_back(
    taken: &mut BTreeMap<UsageKey, Use>,
    tenant: &TenantId,
    row: &LedgerRow,
) -> Result<(), StoreError> {
    let of = |line: &str, coupon: &str| UsageKey {
        tenant: tenant.clone(),
        line: line.to_owned(),
        promotion: row.promotion.clone(),
        coupon: coupon.to_owned(),
    };
    let coupon = (!row.coupon.is_empty()).then(|| of(&row.coupon_line, &row.coupon));
    for key in [Some(of(&row.line, "")), coupon].into_iter().flatten() {
        let sum = taken.entry(key).or_default();
        *sum = plus(*sum, row.amount, -1)?;
    }
    Ok(())
}
