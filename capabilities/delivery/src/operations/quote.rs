//! `delivery.quote`: one look-up of fee tables for each distinct scope and country of the batch, and of weights only
//! where a fee depends on them or an extension is asked for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use mortise_capability::{Call, Chosen, Policies, ReadOperation, Reply};
use mortise_points::delivery_fee::Won;
use mortise_points::{DeliveryFee, Opened, Points};
use mortise_store::{Reader, StoreError};
use mortise_types::{Amount, ArithmeticError, FeeId, Parcel, Sku, TenantId};

use super::{asked, too_large};
use crate::contract::{NotDeliveredThere, QuoteInput, Quoted};
use crate::policy::{DeliveryPolicy, FeePer};
use crate::rules::{NoFee, Table, parcel_grams, proof};
use crate::store::{FeeKey, fees, weights};

pub(crate) struct Quote {
    pub(crate) policies: Arc<Policies>,
    pub(crate) points: Arc<dyn Points>,
}

/// What one fee is for: a parcel, or the whole order.
pub(super) struct Consignment<'a> {
    pub(super) fee_id: FeeId,
    /// None for the whole order.
    pub(super) parcel: Option<&'a Parcel>,
    /// All that is in it.
    pub(super) parcels: &'a [Parcel],
    pub(super) grams: i64,
    /// The fee of the shop's table.
    pub(super) table: Result<Amount, NoFee>,
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
        let opened: Vec<Option<Opened<DeliveryFee>>> =
            calls.iter().map(|call| self.points.open(&call.context.scope)).collect();
        let weighed = weigh(reader, calls, &opened, &tables).await?;
        let none = HashMap::new();
        calls
            .iter()
            .zip(opened)
            .map(|(call, opened)| {
                let table = tables.get(&fee_key(call)).and_then(Option::as_ref);
                let chosen = self.policies.get::<DeliveryPolicy>(&call.context.scope);
                let grams = weighed.get(&call.context.scope.tenant).unwrap_or(&none);
                price(call, table, opened.as_ref(), &consignments(call, table, &chosen, grams)?)
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

/// The weights of the items whose fee depends on them, or may, by tenant.
async fn weigh(
    reader: &Reader<'_>,
    calls: &[Call<QuoteInput>],
    opened: &[Option<Opened<DeliveryFee>>],
    tables: &BTreeMap<FeeKey, Option<Table>>,
) -> Result<BTreeMap<TenantId, Weights>, StoreError> {
    let depends = |call: &Call<QuoteInput>| {
        tables.get(&fee_key(call)).and_then(Option::as_ref).is_some_and(|table| !table.is_flat())
    };
    let asked: BTreeSet<(TenantId, Sku)> = calls
        .iter()
        .zip(opened)
        .filter(|(call, opened)| opened.is_some() || depends(call))
        .flat_map(|(call, _)| call.input.parcels.iter().map(move |parcel| (call, parcel)))
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

/// What fees are asked for: one for each parcel, or one for the order, by policy.
fn consignments<'a>(
    call: &'a Call<QuoteInput>,
    table: Option<&Table>,
    chosen: &Chosen<DeliveryPolicy>,
    grams: &Weights,
) -> Result<Vec<Consignment<'a>>, StoreError> {
    let default_grams = i64::from(chosen.policy.default_weight_grams);
    let consignment = |fee_id: &str,
                       parcel: Option<&'a Parcel>,
                       parcels: &'a [Parcel]|
     -> Result<Consignment<'a>, StoreError> {
        let weigh = |sum: i64, parcel: &Parcel| {
            let grams = parcel_grams(parcel, grams, default_grams)?;
            sum.checked_add(grams).ok_or(ArithmeticError::Overflow)
        };
        let grams = parcels.iter().try_fold(0_i64, weigh).map_err(too_large)?;
        Ok(Consignment {
            fee_id: FeeId::new(fee_id).map_err(|error| StoreError::Value(error.to_string()))?,
            parcel,
            parcels,
            grams,
            table: table.map_or(Err(NoFee::NotThere), |table| table.fee(grams)),
        })
    };
    let parcels = call.input.parcels.as_slice();
    match chosen.policy.fee_per {
        FeePer::Parcel => {
            let each = parcels.chunks(1).zip(parcels).enumerate();
            each.map(|(index, (alone, parcel))| {
                consignment(&format!("delivery-{}", index + 1), Some(parcel), alone)
            })
            .collect()
        }
        FeePer::Order if parcels.is_empty() => Ok(Vec::new()),
        FeePer::Order => Ok(vec![consignment("delivery", None, parcels)?]),
    }
}

fn price(
    call: &Call<QuoteInput>,
    table: Option<&Table>,
    opened: Option<&Opened<DeliveryFee>>,
    consignments: &[Consignment<'_>],
) -> Result<Reply<Quoted>, StoreError> {
    if table.is_none() && (opened.is_none() || consignments.is_empty()) {
        return not_there(call, NoFee::NotThere, None, None);
    }
    let (won, calls) = match opened {
        Some(opened) => match asked::ask(opened, call, consignments) {
            Ok(asked) => (asked.reduced, asked.calls),
            Err(refusal) => return refusal.reply(),
        },
        None => (Vec::new(), Vec::new()),
    };
    let mut fees = Vec::with_capacity(consignments.len());
    for (index, consignment) in consignments.iter().enumerate() {
        let Consignment { fee_id, parcel, table: listed, .. } = consignment;
        let won: Option<&Won> = won.get(index).and_then(Option::as_ref);
        match (listed, won) {
            (Err(no_fee), None) => {
                return Ok(not_there(call, *no_fee, table, table.and(*parcel))?.asked(calls));
            }
            (listed, won) => {
                let listed = listed.unwrap_or(Amount::ZERO);
                fees.extend(proof(fee_id, *parcel, listed, won).map_err(too_large)?);
            }
        }
    }
    Ok(Reply::done(Quoted { fees }).asked(calls))
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
