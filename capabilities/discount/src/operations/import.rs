//! What sets discount up: promotions, sheets, coupons, facts. Rows are judged first, so that a call with a bad row stores
//! nothing; then one statement stores the rows of the whole batch.

use mortise_capability::import::{Rows, any_or, judge, line_of, name, period};
use mortise_capability::{Call, CallContext, Reply, StoreError, WriteOperation};
use mortise_store::Tx;
use mortise_types::LocationId;

use crate::contract::{
    CouponRow, DefineInput, EntryRow, ImportCouponsInput, ImportEntriesInput, ImportItemsInput, ItemRow,
    PROMOTION_INVALID, Promotion, PromotionInvalid,
};
use crate::rules::{self, CouponLimits};
use crate::store::{self, CouponRecord, EntryRecord, ItemRecord};

/// The code of `discount.define`.
pub(crate) struct Define;
/// The code of `discount.import_entries`.
pub(crate) struct ImportEntries;
/// The code of `discount.import_coupons`.
pub(crate) struct ImportCoupons;
/// The code of `discount.import_items`.
pub(crate) struct ImportItems;

impl WriteOperation for Define {
    type Input = DefineInput;
    type Output = Rows;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<DefineInput>],
    ) -> Result<Vec<Reply<Rows>>, StoreError> {
        let mut stored = Vec::new();
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let judged = call.input.promotions.iter().map(|promotion| {
                let problem = |problem| PromotionInvalid { promotion: promotion.promotion.clone(), problem };
                define(&call.context, promotion).map_err(problem)
            });
            match judged.collect::<Result<Vec<_>, PromotionInvalid>>() {
                Ok(rows) => {
                    replies.push(Reply::done(Rows::count(rows.len())));
                    stored.extend(rows);
                }
                Err(invalid) => replies.push(Reply::rejected(PROMOTION_INVALID, &invalid)?),
            }
        }
        store::put_promotions(tx, &stored).await?;
        Ok(replies)
    }
}

fn define(
    context: &CallContext,
    promotion: &Promotion,
) -> Result<(String, rules::Promotion, String), String> {
    let line = line_of(context, promotion.line.as_deref())?;
    let compiled = rules::compile(promotion, &line, 0)?;
    let document = serde_json::to_string(promotion).map_err(|error| error.to_string())?;
    Ok((context.scope.tenant.as_str().to_owned(), compiled, document))
}

impl WriteOperation for ImportEntries {
    type Input = ImportEntriesInput;
    type Output = Rows;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<ImportEntriesInput>],
    ) -> Result<Vec<Reply<Rows>>, StoreError> {
        let mut rows = Vec::with_capacity(calls.iter().map(|call| call.input.rows.len()).sum());
        let replies =
            calls.iter().map(|call| judge(&mut rows, &call.context, &call.input.rows, entry)).collect();
        store::put_entries(tx, &rows).await?;
        replies
    }
}

impl WriteOperation for ImportCoupons {
    type Input = ImportCouponsInput;
    type Output = Rows;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<ImportCouponsInput>],
    ) -> Result<Vec<Reply<Rows>>, StoreError> {
        let mut rows = Vec::with_capacity(calls.iter().map(|call| call.input.rows.len()).sum());
        let replies =
            calls.iter().map(|call| judge(&mut rows, &call.context, &call.input.rows, coupon)).collect();
        store::put_coupons(tx, &rows).await?;
        replies
    }
}

impl WriteOperation for ImportItems {
    type Input = ImportItemsInput;
    type Output = Rows;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<ImportItemsInput>],
    ) -> Result<Vec<Reply<Rows>>, StoreError> {
        let mut rows = Vec::with_capacity(calls.iter().map(|call| call.input.rows.len()).sum());
        let replies =
            calls.iter().map(|call| judge(&mut rows, &call.context, &call.input.rows, item)).collect();
        store::put_items(tx, &rows).await?;
        replies
    }
}

fn entry(context: &CallContext, row: &EntryRow) -> Result<EntryRecord, String> {
    let (valid_from, valid_until) = period(row.valid_from, row.valid_until)?;
    if row.amount_off.is_negative() || row.per.units() < 1 {
        return Err("amount_off is at least 0, per at least 1".to_owned());
    }
    Ok(EntryRecord {
        tenant: context.scope.tenant.as_str().to_owned(),
        line: line_of(context, row.line.as_deref())?,
        location: any_or(row.location.as_deref(), |text| LocationId::new(text).map(drop))?,
        sku: row.sku.clone(),
        currency: row.currency,
        valid_from,
        promotion: name("promotion", &row.promotion)?,
        valid_until,
        amount_off: row.amount_off,
        per: row.per,
    })
}

fn coupon(context: &CallContext, row: &CouponRow) -> Result<CouponRecord, String> {
    let (valid_from, valid_until) = period(row.valid_from, row.valid_until)?;
    let limits = CouponLimits { redemptions: row.max_redemptions, per_customer: row.max_per_customer };
    if [limits.redemptions, limits.per_customer].into_iter().flatten().any(|limit| limit < 0) {
        return Err("a limit is at least 0".to_owned());
    }
    Ok(CouponRecord {
        tenant: context.scope.tenant.as_str().to_owned(),
        line: line_of(context, row.line.as_deref())?,
        coupon: row.coupon.clone(),
        promotion: name("promotion", &row.promotion)?,
        valid_from,
        valid_until,
        limits,
    })
}

fn item(context: &CallContext, row: &ItemRow) -> Result<ItemRecord, String> {
    let (tenant, line) = (context.scope.tenant.as_str().to_owned(), line_of(context, row.line.as_deref())?);
    if row.name.contains('=') {
        return Err(format!("the name {:?} has an equals sign", row.name));
    }
    Ok((tenant, line, row.sku.clone(), name("name", &row.name)?, name("value", &row.value)?))
}
