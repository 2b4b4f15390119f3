//! The imports of delivery: rows are judged first, so that a call with a bad row stores nothing; then one statement stores
//! the rows of the whole batch.

use mortise_capability::import::{Rows, any_or, judge, line_of, name};
use mortise_capability::{Call, CallContext, Reply, WriteOperation};
use mortise_store::{StoreError, Tx};
use mortise_types::{Address, CountryCode, LocationId, Sku, TenantId};

use crate::contract::{
    FeeRow, ImportFeesInput, ImportOriginsInput, ImportWeightsInput, OriginRow, WeightRow,
};
use crate::rules::{Bracket, UNLIMITED_GRAMS};
use crate::store::{FeeToPut, put_fees, put_origins, put_weights};

pub(crate) struct ImportFees;

pub(crate) struct ImportWeights;

pub(crate) struct ImportOrigins;

type Replies = Result<Vec<Reply<Rows>>, StoreError>;

impl WriteOperation for ImportFees {
    type Input = ImportFeesInput;
    type Output = Rows;

    async fn run(&self, tx: &mut Tx<'_>, calls: &[Call<ImportFeesInput>]) -> Replies {
        let mut rows = Vec::new();
        let replies: Replies =
            calls.iter().map(|call| judge(&mut rows, &call.context, &call.input.rows, fee_row)).collect();
        put_fees(tx, &rows).await?;
        replies
    }
}

impl WriteOperation for ImportWeights {
    type Input = ImportWeightsInput;
    type Output = Rows;

    async fn run(&self, tx: &mut Tx<'_>, calls: &[Call<ImportWeightsInput>]) -> Replies {
        let mut rows = Vec::new();
        let replies: Replies =
            calls.iter().map(|call| judge(&mut rows, &call.context, &call.input.rows, weight_row)).collect();
        put_weights(tx, &rows).await?;
        replies
    }
}

impl WriteOperation for ImportOrigins {
    type Input = ImportOriginsInput;
    type Output = Rows;

    async fn run(&self, tx: &mut Tx<'_>, calls: &[Call<ImportOriginsInput>]) -> Replies {
        let mut rows = Vec::new();
        let replies: Replies =
            calls.iter().map(|call| judge(&mut rows, &call.context, &call.input.rows, origin_row)).collect();
        put_origins(tx, &rows).await?;
        replies
    }
}

fn fee_row(context: &CallContext, row: &FeeRow) -> Result<FeeToPut, String> {
    if row.amount.is_negative() {
        return Err(format!("amount {} is below 0", row.amount));
    }
    let up_to_grams = row.up_to_grams.unwrap_or(UNLIMITED_GRAMS);
    if up_to_grams < 1 {
        return Err("up_to_grams is at least 1".to_owned());
    }
    let bracket = Bracket {
        line: line_of(context, row.line.as_deref())?,
        country: any_or(row.country.as_deref(), |code| CountryCode::new(code).map(drop))?,
        up_to_grams,
        amount: row.amount,
    };
    Ok(FeeToPut { tenant: context.scope.tenant.clone(), currency: row.currency, bracket })
}

fn weight_row(context: &CallContext, row: &WeightRow) -> Result<(TenantId, Sku, i64), String> {
    if row.grams < 0 {
        return Err(format!("grams {} are below 0", row.grams));
    }
    Ok((context.scope.tenant.clone(), row.sku.clone(), row.grams))
}

fn origin_row(context: &CallContext, row: &OriginRow) -> Result<(TenantId, LocationId, String), String> {
    let address = Address {
        name: name("name", &row.name)?,
        street: vec![name("street", &row.street)?],
        city: name("city", &row.city)?,
        postal_code: row.postal_code.clone(),
        region: None,
        country: row.country,
        phone: None,
        email: None,
    };
    let text = serde_json::to_string(&address).map_err(|error| error.to_string())?;
    Ok((context.scope.tenant.clone(), row.location.clone(), text))
}
