//! What each parcel of an order costs. Lines are split by their units, a fee for a parcel is that parcel's, other fees follow
//! what the parcels cost; nothing is lost and nothing is counted twice.

use mortise_types::allocate::{AllocationError, ResidualRule, ZeroWeights, spread};
use mortise_types::{Amount, LineId, Parcel, PriceProof, ProofFee};

use crate::contract::{NotOfThisPrice, ParcelMoney, SplitMoneyOutput};

/// Splits what is payable over the parcels, or names the line that is not where it should be.
pub(crate) fn split_money(
    proof: &PriceProof,
    parcels: &[Parcel],
) -> Result<Result<SplitMoneyOutput, NotOfThisPrice>, AllocationError> {
    if let Some(strange) = strange(proof, parcels) {
        return Ok(Err(strange));
    }
    let mut amounts = vec![Amount::ZERO; parcels.len()];
    for line in &proof.lines {
        add(&mut amounts, line.payable, &units(&line.line_id, parcels))?;
    }
    let (own, shared): (Vec<_>, Vec<_>) = proof.fees.iter().partition(|fee| position(fee, parcels).is_some());
    for fee in own {
        if let Some(amount) = position(fee, parcels).and_then(|at| amounts.get_mut(at)) {
            *amount = amount.checked_add(fee.payable)?;
        }
    }
    let weights: Vec<i64> = amounts.iter().map(|amount| amount.minor().max(0)).collect();
    for fee in shared {
        add(&mut amounts, fee.payable, &weights)?;
    }
    let part = |(parcel, amount): (&Parcel, Amount)| ParcelMoney { parcel: parcel.clone(), amount };
    Ok(Ok(SplitMoneyOutput { parts: parcels.iter().zip(amounts).map(part).collect() }))
}

fn add(amounts: &mut [Amount], amount: Amount, weights: &[i64]) -> Result<(), AllocationError> {
    let shares = spread(amount, weights, ResidualRule::LargestRemainder, ZeroWeights::Equal)?;
    for (amount, share) in amounts.iter_mut().zip(shares) {
        *amount = amount.checked_add(share)?;
    }
    Ok(())
}

/// How many units of a line each parcel carries.
fn units(line: &LineId, parcels: &[Parcel]) -> Vec<i64> {
    let of = |parcel: &Parcel| {
        let items = parcel.items.iter().filter(|item| item.line_id == *line);
        items.fold(0_i64, |sum, item| sum.saturating_add(item.quantity.units()))
    };
    parcels.iter().map(of).collect()
}

fn position(fee: &ProofFee, parcels: &[Parcel]) -> Option<usize> {
    let id = fee.parcel_id.as_ref()?;
    parcels.iter().position(|parcel| parcel.parcel_id == *id)
}

fn strange(proof: &PriceProof, parcels: &[Parcel]) -> Option<NotOfThisPrice> {
    for parcel in parcels {
        let unknown =
            parcel.items.iter().find(|item| !proof.lines.iter().any(|line| line.line_id == item.line_id));
        if let Some(item) = unknown {
            let (parcel_id, line_id) = (Some(parcel.parcel_id.clone()), item.line_id.clone());
            return Some(NotOfThisPrice { parcel_id, line_id });
        }
    }
    let carried =
        |id: &LineId| parcels.iter().any(|parcel| parcel.items.iter().any(|item| item.line_id == *id));
    let left = proof.lines.iter().find(|line| !carried(&line.line_id))?;
    Some(NotOfThisPrice { parcel_id: None, line_id: left.line_id.clone() })
}

#[cfg(test)]
mod tests {
    use mortise_testkit::table;
    use mortise_types::{FeeId, FeeKind, LocationId, ParcelId, ParcelItem, Price, ProofLine, Quantity, Sku};
    use proptest::prelude::*;

    use super::*;

    fn proof(lines: &[(i64, i64)], fees: &[(Option<&str>, i64)]) -> PriceProof {
        let line = |(number, &(units, payable)): (usize, &(i64, i64))| ProofLine {
            line_id: LineId::nth(number),
            sku: Sku::new("tea").unwrap(),
            quantity: Quantity(units),
            location: None,
            list_price: Price::each(Amount(payable)),
            list: Amount(payable),
            adjustments: Vec::new(),
            taxes: Vec::new(),
            payable: Amount(payable),
        };
        let fee = |(number, (parcel, payable)): (usize, &(Option<&str>, i64))| ProofFee {
            fee_id: FeeId::new(format!("fee-{number}")).unwrap(),
            kind: FeeKind::Delivery,
            parcel_id: parcel.map(|id| ParcelId::new(id).unwrap()),
            list: Amount(*payable),
            adjustments: Vec::new(),
            taxes: Vec::new(),
            payable: Amount(*payable),
        };
        let payable = lines.iter().map(|line| line.1).chain(fees.iter().map(|fee| fee.1)).sum();
        PriceProof {
            policy_version: "v".into(),
            lines: lines.iter().enumerate().map(line).collect(),
            fees: fees.iter().enumerate().map(fee).collect(),
            payable: Amount(payable),
            tax: Amount::ZERO,
        }
    }

    fn parcel(id: &str, items: &[(usize, i64)]) -> Parcel {
        let item = |&(line, units): &(usize, i64)| ParcelItem {
            line_id: LineId::nth(line),
            sku: Sku::new("tea").unwrap(),
            quantity: Quantity(units),
        };
        Parcel {
            parcel_id: ParcelId::new(id).unwrap(),
            location: LocationId::new("west").unwrap(),
            items: items.iter().map(item).collect(),
        }
    }

    /// `line UNITS PAYABLE`, `fee PAYABLE [PARCEL]`, `parcel ID LINE=UNITS ...`, a line each, to what each parcel costs.
    fn case(input: &str) -> String {
        let (mut lines, mut fees, mut parcels) = (Vec::new(), Vec::new(), Vec::new());
        for line in input.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["line", units, payable] => lines.push((units.parse().unwrap(), payable.parse().unwrap())),
                ["fee", payable] => fees.push((None, payable.parse().unwrap())),
                ["fee", payable, parcel] => fees.push((Some(parcel), payable.parse().unwrap())),
                ["parcel", id, ref items @ ..] => {
                    let item = |item: &&str| {
                        let (line, units) = item.split_once('=').unwrap();
                        (line.parse::<usize>().unwrap() - 1, units.parse().unwrap())
                    };
                    parcels.push(parcel(id, &items.iter().map(item).collect::<Vec<_>>()));
                }
                _ => panic!("`{line}` means nothing"),
            }
        }
        match split_money(&proof(&lines, &fees), &parcels).unwrap() {
            Ok(output) => {
                let part = |part: &ParcelMoney| format!("{} {}", part.parcel.parcel_id, part.amount);
                output.parts.iter().map(part).collect::<Vec<_>>().join(", ")
            }
            Err(NotOfThisPrice { parcel_id, line_id }) => format!("refused: line {line_id}, {parcel_id:?}"),
        }
    }

    #[test]
    fn money_tables() {
        table::run("tests/cases/money", case);
    }

    proptest! {
        #[test]
        fn the_parts_are_what_is_payable(
            lines in prop::collection::vec((prop::collection::vec(0_i64..5, 3), 0_i64..100_000), 1..6),
            fees in prop::collection::vec((0_usize..4, 0_i64..2_000), 0..4),
        ) {
            let lines: Vec<_> = lines.into_iter().filter(|(units, _)| units.iter().sum::<i64>() > 0).collect();
            let ids = ["a", "b", "c"];
            let of = |at: usize| -> Vec<(usize, i64)> {
                lines.iter().enumerate().map(|(line, (units, _))| (line, units[at])).filter(|(_, units)| *units > 0).collect()
            };
            let parcels: Vec<Parcel> = ids.iter().enumerate().map(|(at, id)| parcel(id, &of(at))).collect();
            let priced: Vec<(i64, i64)> = lines.iter().map(|(units, payable)| (units.iter().sum(), *payable)).collect();
            let fees: Vec<_> = fees.iter().map(|(at, payable)| (ids.get(*at).copied(), *payable)).collect();
            let proof = proof(&priced, &fees);
            let parts = split_money(&proof, &parcels).unwrap().unwrap().parts;
            prop_assert_eq!(parts.iter().map(|part| part.amount.minor()).sum::<i64>(), proof.payable.minor());
            prop_assert!(parts.iter().all(|part| !part.amount.is_negative()));
        }
    }
}
