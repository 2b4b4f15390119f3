//! `delivery.quote`: one look-up of fee tables for each distinct scope and country of the batch, and of weights only
//! where a fee depends on them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use mortise_capability::{Call, Chosen, Policies, ReadOperation, Reply};
use mortise_store::{Reader, StoreError};
use mortise_types::{Amount, ArithmeticError, FeeId, FeeKind, Parcel, ProofFee, Sku, TenantId};

use super::too_large;
use crate::contract::{NotDeliveredThere, QuoteInput, Quoted};
use crate::policy::{DeliveryPolicy, FeePer};
use crate::rules::{NoFee, Table, parcel_grams};
use crate::store::{FeeKey, fees, weights};

pub(crate) struct Quote {
    pub(crate) policies: Arc<Policies>,
}

impl ReadOperation for Quote {
    type Input = QuoteInput;
    type Output = Quoted;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<QuoteInput>],
    ) -> Result<Vec<Reply<Quoted>>, StoreError> {
        let keys: Vec<FeeKey> = calls.iter().map(fee_key).collect::<BTreeSet<_>>().into_iter().collect();
        let brackets = fees(reader, &keys).await?;
        let tables: BTreeMap<FeeKey, Option<Table>> =
            keys.into_iter().zip(brackets.iter().map(|brackets| Table::choose(brackets))).collect();
        let weighed = weigh(reader, calls, &tables).await?;
        calls
            .iter()
            .map(|call| {
                let table = tables.get(&fee_key(call)).and_then(Option::as_ref);
                let Some(table) = table else {
                    return not_there(call, NoFee::NotThere, None, None);
                };
                let chosen = self.policies.get::<DeliveryPolicy>(&call.context.scope);
                let none = HashMap::new();
                price(call, table, &chosen, weighed.get(&call.context.scope.tenant).unwrap_or(&none))
            })
            .collect()
    }
}

/// Grams of a unit, by item.
type Weights = HashMap<Sku, i64>;

fn fee_key(call: &Call<QuoteInput>) -> FeeKey {
    let scope = &call.context.scope;
    let line = scope.line.as_str().to_owned();
    FeeKey {
        tenant: scope.tenant.clone(),
        currency: call.input.currency,
        line,
        country: call.input.ship_to.country,
    }
}

/// The weights of the items whose fee depends on them, by tenant.
async fn weigh(
    reader: &Reader<'_>,
    calls: &[Call<QuoteInput>],
    tables: &BTreeMap<FeeKey, Option<Table>>,
) -> Result<BTreeMap<TenantId, Weights>, StoreError> {
    let depends = |call: &&Call<QuoteInput>| {
        tables.get(&fee_key(call)).and_then(Option::as_ref).is_some_and(|table| !table.is_flat())
    };
    let asked: BTreeSet<(TenantId, Sku)> = calls
        .iter()
        .filter(depends)
        .flat_map(|call| call.input.parcels.iter().map(move |parcel| (call, parcel)))
        .flat_map(|(call, parcel)| {
            let tenant = &call.context.scope.tenant;
            parcel.items.iter().map(move |item| (tenant.clone(), item.sku.clone()))
        })
        .collect();
    let asked: Vec<(TenantId, Sku)> = asked.into_iter().collect();
    let found = weights(reader, &asked).await?;
    let mut by_tenant: BTreeMap<TenantId, Weights> = BTreeMap::new();
    for ((tenant, sku), grams) in asked.into_iter().zip(found) {
        let of_tenant = by_tenant.entry(tenant).or_default();
        of_tenant.extend(grams.map(|grams| (sku, grams)));
    }
    Ok(by_tenant)
}

fn price(
    call: &Call<QuoteInput>,
    table: &Table,
    chosen: &Chosen<DeliveryPolicy>,
    grams: &Weights,
) -> Result<Reply<Quoted>, StoreError> {
    let default_grams = i64::from(chosen.policy.default_weight_grams);
    let weigh = |parcel: &Parcel| parcel_grams(parcel, grams, default_grams);
    let mut fees = Vec::new();
    match chosen.policy.fee_per {
        FeePer::Parcel => {
            for (index, parcel) in call.input.parcels.iter().enumerate() {
                match table.fee(weigh(parcel).map_err(too_large)?) {
                    Ok(amount) => fees.extend(fee(&format!("delivery-{}", index + 1), Some(parcel), amount)?),
                    Err(no_fee) => return not_there(call, no_fee, Some(table), Some(parcel)),
                }
            }
        }
        FeePer::Order if call.input.parcels.is_empty() => {}
        FeePer::Order => {
            let sum = call.input.parcels.iter().try_fold(0_i64, |sum, parcel| {
                sum.checked_add(weigh(parcel)?).ok_or(ArithmeticError::Overflow)
            });
            match table.fee(sum.map_err(too_large)?) {
                Ok(amount) => fees.extend(fee("delivery", None, amount)?),
                Err(no_fee) => return not_there(call, no_fee, Some(table), None),
            }
        }
    }
    Ok(Reply::done(Quoted { fees }))
}

/// The fee's proof; none where it is 0.
fn fee(id: &str, parcel: Option<&Parcel>, amount: Amount) -> Result<Option<ProofFee>, StoreError> {
    if amount.is_zero() {
        return Ok(None);
    }
    Ok(Some(ProofFee {
        fee_id: FeeId::new(id).map_err(|error| StoreError::Value(error.to_string()))?,
        kind: FeeKind::Delivery,
        parcel_id: parcel.map(|parcel| parcel.parcel_id.clone()),
        list: amount,
        adjustments: Vec::new(),
        taxes: Vec::new(),
        payable: amount,
    }))
}

fn not_there(
    call: &Call<QuoteInput>,
    no_fee: NoFee,
    table: Option<&Table>,
    parcel: Option<&Parcel>,
) -> Result<Reply<Quoted>, StoreError> {
    let detail = NotDeliveredThere {
        country: call.input.ship_to.country,
        reason: no_fee.word().to_owned(),
        table: table.map(|table| table.name.clone()),
        parcel_id: parcel.map(|parcel| parcel.parcel_id.clone()),
    };
    Reply::rejected("not_delivered_there", &detail)
}
