//! The imports of tax: rows are judged first, so that a call with a bad row stores nothing; then one statement stores the
//! rows of the whole batch.

use mortise_capability::import::{Rows, any_or, judge, line_of, name, period};
use mortise_capability::{Call, CallContext, Reply, StoreError, WriteOperation};
use mortise_store::Tx;

use crate::contract::{ImportItemsInput, ImportRatesInput, ItemRow, RateRow};
use crate::store::{self, ItemRecord, RateRecord};

/// The code of `tax.import_rates`.
pub(crate) struct ImportRates;
/// The code of `tax.import_items`.
pub(crate) struct ImportItems;

impl WriteOperation for ImportRates {
    type Input = ImportRatesInput;
    type Output = Rows;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<ImportRatesInput>],
    ) -> Result<Vec<Reply<Rows>>, StoreError> {
        let mut rows = Vec::with_capacity(calls.iter().map(|call| call.input.rows.len()).sum());
        let replies =
            calls.iter().map(|call| judge(&mut rows, &call.context, &call.input.rows, rate)).collect();
        store::put_rates(tx, &rows).await?;
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

fn rate(context: &CallContext, row: &RateRow) -> Result<RateRecord, String> {
    let (valid_from, valid_until) = period(row.valid_from, row.valid_until)?;
    if !(0..=100_000).contains(&row.rate_bp.basis_points()) {
        return Err(format!("rate_bp {} is not within 0 to 100,000", row.rate_bp.basis_points()));
    }
    let region = any_or(row.region.as_deref(), |region| name("region", region).map(drop))?;
    Ok(RateRecord {
        tenant: context.scope.tenant.as_str().to_owned(),
        line: line_of(context, row.line.as_deref())?,
        country: row.country,
        region,
        tax_class: name("tax_class", &row.tax_class)?,
        code: name("code", &row.code)?,
        valid_from,
        valid_until,
        rate_bp: row.rate_bp,
    })
}

fn item(context: &CallContext, row: &ItemRow) -> Result<ItemRecord, String> {
    let (tenant, line) = (context.scope.tenant.as_str().to_owned(), line_of(context, row.line.as_deref())?);
    Ok((tenant, line, row.sku.clone(), name("tax_class", &row.tax_class)?))
}
