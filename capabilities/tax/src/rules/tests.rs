//! The rules of tax against tables of text. A case's input is a line each: `policy {json}`, `rate CLASS CODE BP [region=..]
//! [line=..] [day=..]`, `part AMOUNT [QUANTITY] [class=..]`.

use mortise_testkit::table;
use mortise_types::Rounding;
use mortise_types::allocate::ResidualRule;
use proptest::prelude::*;

use super::*;

#[test]
fn tables() {
    table::run("tests/cases", answer);
}

fn answer(input: &str) -> String {
    let mut policy = TaxPolicy::default();
    let (mut rates, mut parts) = (Vec::new(), Vec::new());
    for line in input.lines() {
        let (word, rest) = line.split_once(' ').expect("a word and its fields");
        let words: Vec<&str> = rest.split(' ').collect();
        let named = |name: &str| words.iter().find_map(|word| word.strip_prefix(name)).map(str::to_owned);
        match word {
            "policy" => policy = serde_json::from_str(rest).expect("a policy"),
            "rate" => rates.push(Rate {
                line: named("line=").unwrap_or_default(),
                region: named("region=").unwrap_or_default(),
                tax_class: words[0].to_owned(),
                code: words[1].to_owned(),
                valid_from: Timestamp::from_millis(named("day=").map_or(0, |day| day.parse().unwrap())),
                rate_bp: RateBp(words[2].parse().unwrap()),
            }),
            "part" => {
                let quantity = words.get(1).and_then(|word| word.parse().ok()).unwrap_or(1);
                parts.push((
                    words[0].parse().unwrap(),
                    quantity,
                    named("class=").unwrap_or("standard".to_owned()),
                ));
            }
            other => panic!("no word {other}"),
        }
    }
    let parts: Vec<Part<'_>> = parts
        .iter()
        .map(|(amount, quantity, class)| Part {
            amount: Amount(*amount),
            quantity: Quantity(*quantity),
            taxes: taxes_of(&rates, class, &policy),
        })
        .collect();
    let assessed = assess(&parts, &policy).expect("small figures");
    let shown = parts.iter().zip(assessed).map(|(part, taxes)| {
        let taxes =
            taxes.iter().map(|tax| format!(" {} {} of {}: {};", tax.code, tax.rate_bp, tax.base, tax.tax));
        format!("{}:{}", part.amount, taxes.collect::<String>())
    });
    shown.collect::<Vec<_>>().join("\n")
}

proptest! {
    /// By whatever policy: every part's net amount and included taxes add up to it; a tax on the whole order is, over its
    /// lines, what the whole order's amount owes; no tax lies a minor unit or more from its exact value by line.
    #[test]
    fn taxes_conserve(
        amounts in prop::collection::vec((0..1_000_000_i64, 1..20_i64), 1..8),
        rates in prop::collection::vec(0..4_000_i64, 1..4),
        switches in any::<[bool; 3]>(),
        level in 0..3_usize,
        residual in 0..4_usize,
        rounding in 0..3_usize,
    ) {
        let policy = TaxPolicy {
            treatment: if switches[0] { TaxTreatment::Added } else { TaxTreatment::Included },
            included: if switches[1] { IncludedTax::RoundTheTax } else { IncludedTax::RoundTheNet },
            several: if switches[2] { Several::Summed } else { Several::OneByOne },
            level: [RoundingLevel::Unit, RoundingLevel::Line, RoundingLevel::Order][level],
            residual: [ResidualRule::RoundThenFromLeft, ResidualRule::LargestRemainder, ResidualRule::FirstTakesRest, ResidualRule::LastTakesRest][residual],
            rounding: [Rounding::HalfUp, Rounding::HalfEven, Rounding::Down][rounding],
            ..TaxPolicy::default()
        };
        let rates: Vec<Rate> = rates.iter().enumerate().map(|(index, bp)| Rate {
            line: String::new(),
            region: String::new(),
            tax_class: "standard".to_owned(),
            code: format!("t{index}"),
            valid_from: Timestamp::EPOCH,
            rate_bp: RateBp(*bp),
        }).collect();
        let parts: Vec<Part<'_>> = amounts.iter().map(|&(amount, quantity)| Part {
            amount: Amount(amount),
            quantity: Quantity(quantity),
            taxes: taxes_of(&rates, "standard", &policy),
        }).collect();
        let assessed = assess(&parts, &policy).unwrap();
        let sum_bp: i64 = rates.iter().map(|rate| rate.rate_bp.basis_points()).sum();
        let whole = if switches[0] { 10_000 } else { 10_000 + sum_bp };
        for (part, taxes) in parts.iter().zip(&assessed) {
            let tax = Amount::sum(taxes.iter().map(|tax| tax.tax)).unwrap();
            prop_assert_eq!(taxes.len(), rates.len());
            let base = if switches[0] { part.amount } else { part.amount.checked_sub(tax).unwrap() };
            prop_assert!(taxes.iter().all(|tax| tax.base == base));
            if policy.level == RoundingLevel::Line {
                let off = tax.minor() * whole - part.amount.minor() * sum_bp;
                prop_assert!(off.abs() < whole * i64::try_from(rates.len()).unwrap(), "{tax:?} of {part:?}");
            }
        }
        if policy.level == RoundingLevel::Order {
            let order = Part {
                amount: Amount::sum(parts.iter().map(|part| part.amount)).unwrap(),
                quantity: Quantity::ONE,
                taxes: parts[0].taxes.clone(),
            };
            let once = assess(&[order], &TaxPolicy { level: RoundingLevel::Line, ..policy.clone() }).unwrap();
            for (index, tax) in once[0].iter().enumerate() {
                let over_lines = Amount::sum(assessed.iter().map(|taxes| taxes[index].tax)).unwrap();
                prop_assert_eq!(over_lines, tax.tax);
            }
        }
    }
}
