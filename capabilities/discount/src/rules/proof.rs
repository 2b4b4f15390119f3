//! Writes what was decided into the price proof: an adjustment for each line and fee that a discount touches.

use mortise_types::{Adjustment, AdjustmentKind, Amount, PriceProof, ProofFee, ProofLine};

use super::effect::sheet_entry;
use super::promotion::Benefit;
use super::{Applied, Order, Source, TooLarge};

/// The proof of an order with its discounts.
pub(crate) fn build(
    order: &Order<'_>,
    applied: &[Applied<'_>],
    policy_version: &str,
) -> Result<PriceProof, TooLarge> {
    let mut lines: Vec<ProofLine> = order.lines.to_vec();
    let mut fees: Vec<ProofFee> = order.fees.to_vec();
    for applied in applied {
        for (part, &share) in applied.shares.iter().enumerate().filter(|(_, share)| !share.is_zero()) {
            let adjustment = adjustment(applied.source, order, part, share)?;
            let (adjustments, payable) = if part < lines.len() {
                let line = &mut lines[part];
                (&mut line.adjustments, &mut line.payable)
            } else {
                let fee = &mut fees[part - order.lines.len()];
                (&mut fee.adjustments, &mut fee.payable)
            };
            *payable = payable.checked_add(adjustment.amount)?;
            adjustments.push(adjustment);
        }
    }
    let payables = lines.iter().map(|line| line.payable).chain(fees.iter().map(|fee| fee.payable));
    let payable = Amount::sum(payables)?;
    let taxes = lines.iter().flat_map(|line| &line.taxes).chain(fees.iter().flat_map(|fee| &fee.taxes));
    let tax = Amount::sum(taxes.map(|part| part.tax))?;
    Ok(PriceProof { policy_version: policy_version.to_owned(), lines, fees, payable, tax })
}

fn adjustment(
    source: Source<'_>,
    order: &Order<'_>,
    part: usize,
    share: Amount,
) -> Result<Adjustment, TooLarge> {
    let amount = share.checked_neg()?;
    Ok(match source {
        Source::Promotion(promotion, coupon) => {
            let mut reason = promotion.title.clone();
            if promotion.benefit == Benefit::Sheet
                && let Some(entry) = sheet_entry(promotion, order, part)
            {
                reason.push_str(&format!(": {} off per {}", entry.off.amount(), entry.off.per()));
            }
            if let Some(coupon) = coupon {
                reason.push_str(&format!(" (coupon {coupon})"));
            }
            Adjustment {
                kind: if coupon.is_some() { AdjustmentKind::Coupon } else { AdjustmentKind::Promotion },
                source: promotion.id.clone(),
                version: promotion.version.to_string(),
                lane: Some(promotion.lane.clone()),
                amount,
                reason,
            }
        }
        Source::Extension(proposed) => {
            let id = proposed.extension.as_str();
            let (name, version) = id.split_once('@').unwrap_or((id, ""));
            Adjustment {
                kind: AdjustmentKind::Extension,
                source: name.to_owned(),
                version: version.to_owned(),
                lane: Some(proposed.candidate.lane.to_string()),
                amount,
                reason: proposed.candidate.reason.clone(),
            }
        }
    })
}
