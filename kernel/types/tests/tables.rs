//! The tables under `tests/cases`: how amounts are spread, rounded, extended and taxed. Amounts are in major units of
//! EUR. Where platforms differ, a case shows every rule, one a line.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test, a broken table is a failure")]

use mortise_testkit::table;
use mortise_types::allocate::{
    Overflow, ResidualRule, SpreadPolicy, ZeroWeights, spread, spread_with_floors,
};
use mortise_types::{Amount, Currency, IncludedTax, Price, Quantity, RateBp, Rounding};

const RULES: [(&str, ResidualRule); 4] = [
    ("round_then_from_left", ResidualRule::RoundThenFromLeft),
    ("largest_remainder", ResidualRule::LargestRemainder),
    ("first_takes_rest", ResidualRule::FirstTakesRest),
    ("last_takes_rest", ResidualRule::LastTakesRest),
];

const MODES: [(&str, Rounding); 7] = [
    ("half_up", Rounding::HalfUp),
    ("half_even", Rounding::HalfEven),
    ("half_down", Rounding::HalfDown),
    ("down", Rounding::Down),
    ("up", Rounding::Up),
    ("floor", Rounding::Floor),
    ("ceiling", Rounding::Ceiling),
];

fn eur() -> Currency {
    Currency::new("EUR").unwrap()
}

fn amount(text: &str) -> Amount {
    eur().parse_amount(text).unwrap_or_else(|error| panic!("{error}"))
}

fn amounts(text: &str) -> Vec<Amount> {
    text.split_whitespace().map(amount).collect()
}

fn show(amounts: &[Amount]) -> String {
    amounts.iter().map(|&amount| eur().format_amount(amount)).collect::<Vec<_>>().join(" ")
}

/// A line for each name, aligned; one line without names if all are the same.
fn compare<T: Copy>(choices: &[(&str, T)], answer: impl Fn(T) -> String) -> String {
    let answers: Vec<String> = choices.iter().map(|&(_, choice)| answer(choice)).collect();
    if answers.iter().all(|answer| *answer == answers[0]) {
        return answers[0].clone();
    }
    let width = choices.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = choices.iter().zip(&answers).map(|((name, _), answer)| format!("{name:width$}  {answer}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Splits `text` at `word`, both sides trimmed.
fn split<'a>(text: &'a str, word: &str) -> (&'a str, &'a str) {
    let (left, right) = text.split_once(word).unwrap_or_else(|| panic!("{text:?} has no {word:?}"));
    (left.trim(), right.trim())
}

fn zero_weights(name: &str) -> ZeroWeights {
    match name {
        "nothing" => ZeroWeights::Nothing,
        "equal" => ZeroWeights::Equal,
        "refuse" => ZeroWeights::Refuse,
        other => panic!("no rule for zero weights is called {other:?}"),
    }
}

/// `spread AMOUNT over WEIGHTS`, and optionally `zero weights: RULE` (refuse if not given).
#[test]
fn spreading() {
    table::run("tests/cases/spread", |input| {
        let (command, zero) =
            input.split_once("zero weights:").map_or((input, "refuse"), |(c, z)| (c, z.trim()));
        let (total, weights) = split(command.trim_start_matches("spread"), "over");
        let weights: Vec<i64> = amounts(weights).into_iter().map(Amount::minor).collect();
        compare(&RULES, |rule| match spread(amount(total), &weights, rule, zero_weights(zero)) {
            Ok(shares) => show(&shares),
            Err(error) => format!("refused: {error}"),
        })
    });
}

/// `reduce by AMOUNT: BASES` and `floors: FLOORS`, a line each; optionally `zero weights: RULE`.
#[test]
fn spreading_with_floors() {
    table::run("tests/cases/floors", |input| {
        let mut lines = input.lines();
        let (reduction, bases) = split(lines.next().unwrap().trim_start_matches("reduce by"), ":");
        let floors = lines.next().unwrap().trim_start_matches("floors:");
        let zero = lines.next().map_or("refuse", |line| line.trim_start_matches("zero weights:").trim());
        let choices = RULES.iter().flat_map(|&(name, rule)| {
            [("to_others", Overflow::ToOthers), ("lost", Overflow::Lost)]
                .map(|(overflow_name, overflow)| (format!("{name}, {overflow_name}"), rule, overflow))
        });
        let choices: Vec<_> = choices.collect();
        let named: Vec<(&str, (ResidualRule, Overflow))> =
            choices.iter().map(|(name, rule, overflow)| (name.as_str(), (*rule, *overflow))).collect();
        compare(&named, |(rule, overflow)| {
            let policy = SpreadPolicy { rule, zero_weights: zero_weights(zero), overflow };
            match spread_with_floors(amount(reduction), &amounts(bases), &amounts(floors), policy) {
                Ok(spread) if spread.lost.is_zero() => show(&spread.shares),
                Ok(spread) => format!("{}  lost {}", show(&spread.shares), show(&[spread.lost])),
                Err(error) => format!("refused: {error}"),
            }
        })
    });
}

/// `divide N by D`, whole numbers.
#[test]
fn rounding() {
    table::run("tests/cases/rounding", |input| {
        let (numerator, denominator) = split(input.trim_start_matches("divide"), "by");
        compare(&MODES, |mode| match mode.divide(numerator.parse().unwrap(), denominator.parse().unwrap()) {
            Ok(quotient) => quotient.to_string(),
            Err(error) => format!("refused: {error}"),
        })
    });
}

/// `Q units at AMOUNT per N`.
#[test]
fn prices() {
    table::run("tests/cases/price", |input| {
        let (quantity, price) = split(input, "units at");
        let (each, per) = split(price, "per");
        let price = match Price::new(amount(each), Quantity(per.parse().unwrap())) {
            Ok(price) => price,
            Err(error) => return format!("refused: {error}"),
        };
        compare(&MODES, |mode| match price.extend(Quantity(quantity.parse().unwrap()), mode) {
            Ok(amount) => show(&[amount]),
            Err(error) => format!("refused: {error}"),
        })
    });
}

/// `RATE_BP on NET` or `RATE_BP in GROSS`; the mode is half_up, and half_even where it differs.
#[test]
fn taxes() {
    let modes = [("half_up", Rounding::HalfUp), ("half_even", Rounding::HalfEven)];
    let included = [("round_the_tax", IncludedTax::RoundTheTax), ("round_the_net", IncludedTax::RoundTheNet)];
    let shown = |result: Result<Amount, _>| match result {
        Ok(amount) => show(&[amount]),
        Err(error) => format!("refused: {error}"),
    };
    table::run("tests/cases/tax", |input| {
        let rate = |text: &str| RateBp(text.trim_end_matches("bp").trim().parse().unwrap());
        if let Some((rate_bp, net)) = input.split_once(" on ") {
            return compare(&modes, |mode| shown(rate(rate_bp).of(amount(net), mode)));
        }
        let (rate_bp, gross) = split(input, " in ");
        compare(&included, |what| {
            compare(&modes, |mode| shown(rate(rate_bp).part_of_gross(amount(gross), what, mode)))
                .replace('\n', ", ")
        })
    });
}
