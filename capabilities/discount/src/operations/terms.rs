//! `discount.terms`: what the promotions of a price proof asked for. It tells what is stored now: of a promotion that was
//! changed since, nobody knows any more.

use std::collections::BTreeSet;

use mortise_capability::{Call, ReadOperation, Reply, StoreError};
use mortise_store::Reader;
use mortise_types::{AdjustmentKind, PriceProof, PromotionTerms};

use crate::contract::{Target, TermsInput, TermsOutput};
use crate::rules::{Benefit, Promotion};
use crate::store;

/// The code of `discount.terms`.
pub(crate) struct Terms;

impl ReadOperation for Terms {
    type Input = TermsInput;
    type Output = TermsOutput;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<TermsInput>],
    ) -> Result<Vec<Reply<TermsOutput>>, StoreError> {
        let scopes: Vec<_> = calls.iter().map(|call| &call.context.scope).collect();
        let promotions = store::promotions(reader, &scopes).await?;
        let replies = calls.iter().zip(promotions).map(|(call, known)| {
            let named = named(&call.input.proof);
            let terms =
                known.iter().map(terms).filter(|terms| named.contains(&(&terms.source, &terms.version)));
            Reply::done(TermsOutput { terms: terms.collect() })
        });
        Ok(replies.collect())
    }
}

/// The promotions of a proof, by id and version.
fn named(proof: &PriceProof) -> BTreeSet<(&String, &String)> {
    let lines = proof.lines.iter().flat_map(|line| &line.adjustments);
    let all = lines.chain(proof.fees.iter().flat_map(|fee| &fee.adjustments));
    let promotional = all.filter(|a| matches!(a.kind, AdjustmentKind::Promotion | AdjustmentKind::Coupon));
    promotional.map(|adjustment| (&adjustment.source, &adjustment.version)).collect()
}

fn terms(promotion: &Promotion) -> PromotionTerms {
    PromotionTerms {
        source: promotion.id.clone(),
        version: promotion.version.to_string(),
        min_subtotal: promotion.min_subtotal,
        min_quantity: promotion.min_quantity,
        bundle: promotion.target == Target::Order && matches!(promotion.benefit, Benefit::Fixed(_)),
    }
}
