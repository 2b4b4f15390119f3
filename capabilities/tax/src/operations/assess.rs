//! `tax.assess`: one look-up of rates a place, one of classes an item where there is any rate, then a pure decision an
//! order. Taxes that a proof has already are worked out again, not added to.

use std::sync::Arc;

use mortise_capability::{Call, Chosen, Distinct, Policies, ReadOperation, Reply, StoreError};
use mortise_store::Reader;
use mortise_types::{
    Adjustment, AdjustmentKind, Amount, ArithmeticError, FeeKind, PriceProof, Quantity, TaxPart, TaxTreatment,
};

use crate::contract::{AssessInput, AssessOutput, TAX_UNKNOWN, TaxUnknown};
use crate::policy::{TaxPolicy, Unknown};
use crate::rules::{self, Part, Rate};
use crate::store::{self, PlaceKey};

/// The code of `tax.assess`.
pub(crate) struct Assess {
    pub(crate) policies: Arc<Policies>,
}

impl ReadOperation for Assess {
    type Input = AssessInput;
    type Output = AssessOutput;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<AssessInput>],
    ) -> Result<Vec<Reply<AssessOutput>>, StoreError> {
        let mut places = Distinct::default();
        let of_call: Vec<usize> = calls.iter().map(|call| places.add(place_key(call))).collect();
        let rates = store::rates(reader, places.keys()).await?;
        let mut items = Distinct::default();
        let mut of_line = Vec::new();
        for (call, &place) in calls.iter().zip(&of_call) {
            let scope = &call.context.scope;
            let taxed = call.input.proof.lines.iter().filter(|_| !rates[place].is_empty());
            of_line
                .push(taxed.map(|line| items.add((scope.clone(), line.sku.clone()))).collect::<Vec<usize>>());
        }
        let classes =
            if items.is_empty() { Vec::new() } else { store::classes(reader, items.keys()).await? };
        let assess = |(call, (place, items)): (&Call<AssessInput>, (usize, Vec<usize>))| {
            let chosen = self.policies.get::<TaxPolicy>(&call.context.scope);
            let own: Vec<Option<&str>> = items.into_iter().map(|item| classes[item].as_deref()).collect();
            assess(call, &rates[place], &own, &chosen)
        };
        calls.iter().zip(of_call.into_iter().zip(of_line)).map(assess).collect()
    }
}

fn place_key(call: &Call<AssessInput>) -> PlaceKey {
    PlaceKey {
        scope: call.context.scope.clone(),
        country: call.input.ship_to.country,
        region: call.input.ship_to.region.clone().unwrap_or_default(),
        now: call.context.now,
    }
}

/// A line or fee of the proof, as the taxes of both are worked out.
struct Place<'p> {
    name: String,
    class: &'p str,
    quantity: Quantity,
    adjustments: &'p mut Vec<Adjustment>,
    taxes: &'p mut Vec<TaxPart>,
    payable: &'p mut Amount,
}

fn assess(
    call: &Call<AssessInput>,
    rates: &[Rate],
    own_classes: &[Option<&str>],
    chosen: &Chosen<TaxPolicy>,
) -> Result<Reply<AssessOutput>, StoreError> {
    let policy = &chosen.policy;
    let mut proof = call.input.proof.clone();
    let mut places = places(&mut proof, own_classes, policy);
    let mut parts = Vec::with_capacity(places.len());
    for place in &mut places {
        place.forget_taxes().map_err(too_large)?;
        let taxes = rules::taxes_of(rates, place.class, policy);
        if taxes.is_empty() && policy.unknown == Unknown::Refuse {
            let (class, name) = (place.class.to_owned(), place.name.clone());
            return unknown(call, class, name);
        }
        parts.push(Part { amount: *place.payable, quantity: place.quantity, taxes });
    }
    let assessed = rules::assess(&parts, policy)
        .map_err(|error| StoreError::Value(format!("the taxes of an order: {error}")))?;
    for (place, taxes) in places.into_iter().zip(assessed) {
        place.take(taxes, &chosen.version).map_err(too_large)?;
    }
    total(&mut proof).map_err(too_large)?;
    proof.policy_version = versions(&proof.policy_version, &chosen.version);
    // What came in may have been off already; nothing wrong goes out.
    proof.check().map_err(|error| StoreError::Contradiction(format!("the price proof: {error}")))?;
    Ok(Reply::done(AssessOutput { payable: proof.payable, proof }))
}

fn too_large(error: ArithmeticError) -> StoreError {
    StoreError::Value(format!("the taxes of an order: {error}"))
}

fn unknown(
    call: &Call<AssessInput>,
    tax_class: String,
    place: String,
) -> Result<Reply<AssessOutput>, StoreError> {
    let ship_to = &call.input.ship_to;
    let region = ship_to.region.clone().unwrap_or_default();
    Reply::rejected(TAX_UNKNOWN, &TaxUnknown { country: ship_to.country, region, tax_class, place })
}

fn places<'p>(proof: &'p mut PriceProof, own: &[Option<&'p str>], policy: &'p TaxPolicy) -> Vec<Place<'p>> {
    let lines = proof.lines.iter_mut().enumerate().map(|(index, line)| Place {
        name: format!("line {}", line.line_id),
        class: own.get(index).copied().flatten().unwrap_or(&policy.default_class),
        quantity: line.quantity,
        adjustments: &mut line.adjustments,
        taxes: &mut line.taxes,
        payable: &mut line.payable,
    });
    let fees = proof.fees.iter_mut().map(|fee| Place {
        name: format!("fee {}", fee.fee_id),
        class: match fee.kind {
            FeeKind::Delivery => &policy.delivery_class,
            FeeKind::Handling => &policy.handling_class,
            FeeKind::Payment => &policy.payment_class,
        },
        quantity: Quantity::ONE,
        adjustments: &mut fee.adjustments,
        taxes: &mut fee.taxes,
        payable: &mut fee.payable,
    });
    lines.chain(fees).collect()
}

impl Place<'_> {
    /// Takes taxes on top out again that an earlier assessment put in.
    fn forget_taxes(&mut self) -> Result<(), ArithmeticError> {
        let added = self.adjustments.iter().filter(|adjustment| adjustment.kind == AdjustmentKind::TaxAdded);
        let added = Amount::sum(added.map(|adjustment| adjustment.amount))?;
        *self.payable = self.payable.checked_sub(added)?;
        self.adjustments.retain(|adjustment| adjustment.kind != AdjustmentKind::TaxAdded);
        self.taxes.clear();
        Ok(())
    }

    fn take(self, taxes: Vec<TaxPart>, version: &str) -> Result<(), ArithmeticError> {
        for part in taxes.iter().filter(|part| part.treatment == TaxTreatment::Added && !part.tax.is_zero()) {
            self.adjustments.push(Adjustment {
                kind: AdjustmentKind::TaxAdded,
                source: part.code.clone(),
                version: version.to_owned(),
                lane: None,
                amount: part.tax,
                reason: format!("{} {}", part.code, part.rate_bp),
            });
            *self.payable = self.payable.checked_add(part.tax)?;
        }
        *self.taxes = taxes;
        Ok(())
    }
}

fn total(proof: &mut PriceProof) -> Result<(), ArithmeticError> {
    let payables =
        proof.lines.iter().map(|line| line.payable).chain(proof.fees.iter().map(|fee| fee.payable));
    proof.payable = Amount::sum(payables)?;
    let taxes =
        proof.lines.iter().flat_map(|line| &line.taxes).chain(proof.fees.iter().flat_map(|fee| &fee.taxes));
    proof.tax = Amount::sum(taxes.map(|part| part.tax))?;
    Ok(())
}

/// The versions that a proof names, with this one of tax.
fn versions(before: &str, tax: &str) -> String {
    let others = before.split(' ').filter(|version| !version.is_empty() && !version.starts_with("tax:"));
    others.chain([tax]).collect::<Vec<&str>>().join(" ")
}
