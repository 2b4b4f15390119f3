//! `tax.rates`: the taxes that hold at a place now, as `tax.assess` would choose them.

use std::collections::BTreeSet;
use std::sync::Arc;

use mortise_capability::{Call, Policies, ReadOperation, Reply, StoreError};
use mortise_store::Reader;

use crate::contract::{RatesInput, RatesOutput, ShownRate};
use crate::policy::TaxPolicy;
use crate::rules::{self, Rate};
use crate::store::{self, PlaceKey};

/// The most taxes in an answer.
const MOST: usize = 1_000;

/// The code of `tax.rates`.
pub(crate) struct Rates {
    pub(crate) policies: Arc<Policies>,
}

impl ReadOperation for Rates {
    type Input = RatesInput;
    type Output = RatesOutput;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<RatesInput>],
    ) -> Result<Vec<Reply<RatesOutput>>, StoreError> {
        let keys: Vec<PlaceKey> = calls.iter().map(key).collect();
        let found = store::rates(reader, &keys).await?;
        let shown = |(call, rates): (&Call<RatesInput>, Vec<Rate>)| {
            let chosen = self.policies.get::<TaxPolicy>(&call.context.scope);
            let classes: BTreeSet<&str> = rates.iter().map(|rate| rate.tax_class.as_str()).collect();
            let taxes = classes.into_iter().flat_map(|class| rules::taxes_of(&rates, class, &chosen.policy));
            let rates = taxes.take(MOST).map(show).collect();
            Reply::done(RatesOutput { rates, policy_version: chosen.version.to_string() })
        };
        Ok(calls.iter().zip(found).map(shown).collect())
    }
}

fn key(call: &Call<RatesInput>) -> PlaceKey {
    PlaceKey {
        scope: call.context.scope.clone(),
        country: call.input.country,
        region: call.input.region.clone().unwrap_or_default(),
        now: call.context.now,
    }
}

fn show(rate: &Rate) -> ShownRate {
    ShownRate {
        tax_class: rate.tax_class.clone(),
        code: rate.code.clone(),
        rate_bp: rate.rate_bp,
        region: rate.region.clone(),
    }
}
