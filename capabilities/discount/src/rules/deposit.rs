//! What an order costs less because a part of it is paid early. The customer pays the deposit and the balance, and what
//! the deposit counts for beyond itself is a discount like any other: it is spread over the lines and stands in the proof.

use mortise_types::allocate::{Overflow, SpreadPolicy, ZeroWeights, spread_with_floors};
use mortise_types::{Adjustment, AdjustmentKind, Amount, ArithmeticError, PriceProof};

use super::TooLarge;
use crate::contract::{DepositCoversPrice, GrantForDepositInput, GrantedForDeposit};
use crate::policy::DiscountPolicy;

/// The lane in which it stands in the proof.
const LANE: &str = "deposit";
/// Basis points in one whole.
const WHOLE_BP: i128 = 10_000;

/// The deposit of an order and what is granted for it, or why there can be none.
pub(crate) fn grant(
    input: &GrantForDepositInput,
    policy: &DiscountPolicy,
) -> Result<Result<GrantedForDeposit, DepositCoversPrice>, TooLarge> {
    let goods = Amount::sum(input.proof.lines.iter().map(|line| line.payable))?;
    let deposit = input.deposit_bp.of(goods, policy.rounding)?.max(Amount(1));
    let counts_for = counts_for(deposit, input, policy)?;
    if counts_for >= goods {
        return Ok(Err(DepositCoversPrice { deposit, counts_for, goods }));
    }
    let granted = counts_for.checked_sub(deposit)?;
    let proof = with_grant(input, granted, policy)?;
    Ok(Ok(GrantedForDeposit { proof, deposit, granted }))
}

fn counts_for(
    deposit: Amount,
    input: &GrantForDepositInput,
    policy: &DiscountPolicy,
) -> Result<Amount, ArithmeticError> {
    let wide = i128::from(deposit.minor()) * i128::from(input.counts_bp.basis_points());
    policy.rounding.divide(wide, WHOLE_BP).map(Amount)
}

fn with_grant(
    input: &GrantForDepositInput,
    granted: Amount,
    policy: &DiscountPolicy,
) -> Result<PriceProof, TooLarge> {
    let mut proof = input.proof.clone();
    let bases: Vec<Amount> = proof.lines.iter().map(|line| line.payable.max(Amount::ZERO)).collect();
    let floors = vec![Amount::ZERO; bases.len()];
    let by = SpreadPolicy {
        rule: policy.residual,
        zero_weights: ZeroWeights::Nothing,
        overflow: Overflow::ToOthers,
    };
    let shares = spread_with_floors(granted, &bases, &floors, by)?.shares;
    for (line, share) in proof.lines.iter_mut().zip(shares).filter(|(_, share)| !share.is_zero()) {
        let amount = share.checked_neg()?;
        line.payable = line.payable.checked_add(amount)?;
        line.adjustments.push(Adjustment {
            kind: AdjustmentKind::Promotion,
            source: input.source.clone(),
            version: input.version.clone(),
            lane: Some(LANE.to_owned()),
            amount,
            reason: format!("the deposit of {} counts {}", input.deposit_bp, input.counts_bp),
        });
    }
    proof.payable = proof.payable.checked_sub(granted)?;
    Ok(proof)
}

#[cfg(test)]
mod tests {
    use mortise_testkit::table;
    use mortise_types::{LineId, Price, ProofLine, Quantity, RateBp, Sku};
    use proptest::prelude::*;

    use super::*;

    fn input(amounts: &[i64], deposit_bp: i64, counts_bp: i64) -> GrantForDepositInput {
        let line = |(number, &amount): (usize, &i64)| ProofLine {
            line_id: LineId::nth(number),
            sku: Sku::new("kettle").unwrap(),
            quantity: Quantity(1),
            location: None,
            list_price: Price::each(Amount(amount)),
            list: Amount(amount),
            adjustments: Vec::new(),
            taxes: Vec::new(),
            payable: Amount(amount),
        };
        let payable = Amount(amounts.iter().sum());
        let lines = amounts.iter().enumerate().map(line).collect();
        let proof =
            PriceProof { policy_version: "v".into(), lines, fees: Vec::new(), payable, tax: Amount::ZERO };
        GrantForDepositInput {
            proof,
            source: "spring".into(),
            version: "1".into(),
            deposit_bp: RateBp(deposit_bp),
            counts_bp: RateBp(counts_bp),
        }
    }

    /// `AMOUNT... at DEPOSIT_BP counts COUNTS_BP` to what is paid when, and what each line costs.
    fn case(text: &str) -> String {
        let (amounts, terms) = text.split_once(" at ").unwrap();
        let (deposit_bp, counts_bp) = terms.split_once(" counts ").unwrap();
        let amounts: Vec<i64> = amounts.split(' ').map(|amount| amount.parse().unwrap()).collect();
        let input = input(&amounts, deposit_bp.parse().unwrap(), counts_bp.parse().unwrap());
        match grant(&input, &DiscountPolicy::default()).unwrap() {
            Err(DepositCoversPrice { deposit, counts_for, goods }) => {
                format!("refused: {deposit} counts for {counts_for} of {goods}")
            }
            Ok(GrantedForDeposit { proof, deposit, granted }) => {
                proof.check().unwrap();
                let balance = proof.payable.checked_sub(deposit).unwrap();
                let lines: Vec<String> = proof.lines.iter().map(|line| line.payable.to_string()).collect();
                let reason = proof.lines.iter().find_map(|line| line.adjustments.first());
                let reason =
                    reason.map_or_else(String::new, |adjustment| format!(" ({})", adjustment.reason));
                format!(
                    "deposit {deposit}, balance {balance}, granted {granted}: lines {}{reason}",
                    lines.join(" ")
                )
            }
        }
    }

    #[test]
    fn tables() {
        table::run("tests/cases/deposit", case);
    }

    proptest! {
        #[test]
        fn deposit_balance_and_grant_are_the_price(
            amounts in prop::collection::vec(0_i64..100_000, 1..8), deposit_bp in 1_i64..=10_000, counts_bp in 10_000_i64..=100_000,
        ) {
            let input = input(&amounts, deposit_bp, counts_bp);
            if let Ok(granted) = grant(&input, &DiscountPolicy::default()).unwrap() {
                granted.proof.check().unwrap();
                let balance = granted.proof.payable.minor() - granted.deposit.minor();
                prop_assert!(balance >= 1 && granted.deposit.minor() >= 1);
                prop_assert_eq!(balance + granted.deposit.minor() + granted.granted.minor(), amounts.iter().sum::<i64>());
                prop_assert!(granted.proof.lines.iter().all(|line| !line.payable.is_negative()));
            }
        }
    }
}
