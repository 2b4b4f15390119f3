//! What holds for every input: sums are conserved, floors respected, roundings near, and no input panics.

use mortise_types::allocate::{
    AllocationError, Overflow, ResidualRule, SpreadPolicy, ZeroWeights, first_shares, spread,
    spread_with_floors,
};
use mortise_types::{Amount, ArithmeticError, IncludedTax, Price, Quantity, RateBp, Rounding};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::FileFailurePersistence;

fn any_rule() -> impl Strategy<Value = ResidualRule> {
    use ResidualRule::*;
    select(vec![RoundThenFromLeft, LargestRemainder, FirstTakesRest, LastTakesRest])
}

fn any_zero() -> impl Strategy<Value = ZeroWeights> {
    select(vec![ZeroWeights::Nothing, ZeroWeights::Equal, ZeroWeights::Refuse])
}

fn any_rounding() -> impl Strategy<Value = Rounding> {
    use Rounding::*;
    select(vec![HalfUp, HalfEven, HalfDown, Down, Up, Floor, Ceiling])
}

/// Small, huge and extreme figures; small ones make ties and zero weights common.
fn any_figure() -> impl Strategy<Value = i64> {
    prop_oneof![5 => -50_i64..50, 2 => any::<i64>(), 1 => select(vec![i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX])]
}

fn any_weight() -> impl Strategy<Value = i64> {
    any_figure().prop_map(|figure| figure.checked_abs().unwrap_or(i64::MAX))
}

fn wide_sum(amounts: &[Amount]) -> i128 {
    amounts.iter().map(|amount| i128::from(amount.minor())).sum()
}

/// `share × total - amount × weight`: how far a share is off, in parts of `total`.
fn off(share: Amount, amount: Amount, weight: i64, total: i128) -> i128 {
    i128::from(share.minor()) * total - i128::from(amount.minor()) * i128::from(weight)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn shares_add_up(
        amount in any_figure().prop_map(Amount), weights in vec(any_weight(), 0..9), rule in any_rule(), zero in any_zero(),
    ) {
        let all_zero = weights.iter().all(|&weight| weight == 0);
        match spread(amount, &weights, rule, zero) {
            Ok(shares) => {
                prop_assert_eq!(shares.len(), weights.len());
                let nothing = all_zero && zero == ZeroWeights::Nothing;
                prop_assert_eq!(wide_sum(&shares), if nothing { 0 } else { i128::from(amount.minor()) });
            }
            Err(error) => {
                prop_assert_eq!(error, AllocationError::AllWeightsZero);
                prop_assert!(all_zero && zero != ZeroWeights::Nothing && !amount.is_zero());
            }
        }
    }

    #[test]
    fn the_first_shares_are_those_of_a_spread(
        amount in (-5_000_i64..5_000).prop_map(Amount), of in 1_usize..60, taken in 0_usize..61, rule in any_rule(),
    ) {
        let shares = spread(amount, &vec![1; of], rule, ZeroWeights::Refuse).unwrap();
        let some = wide_sum(&shares[..taken.min(of)]);
        prop_assert_eq!(i128::from(first_shares(amount, taken as i64, of as i64, rule).unwrap().minor()), some);
    }

    #[test]
    fn first_shares_of_anything_are_worked_out(
        amount in any_figure().prop_map(Amount), of in any_figure(), taken in any_figure(), rule in any_rule(),
    ) {
        let first = first_shares(amount, taken, of, rule);
        prop_assert!(first.is_ok() || rule == ResidualRule::LastTakesRest, "{first:?}");
    }

    #[test]
    fn a_negative_weight_is_named(
        amount in any_figure().prop_map(Amount), mut weights in vec(any_weight(), 1..9), at: prop::sample::Index,
        rule in any_rule(), zero in any_zero(),
    ) {
        let index = at.index(weights.len());
        weights[index] = -weights[index] - 1;
        prop_assert_eq!(spread(amount, &weights, rule, zero), Err(AllocationError::NegativeWeight { index }));
    }

    #[test]
    fn shares_are_fair(
        amount in (-5_000_i64..5_000).prop_map(Amount), weights in vec(0_i64..5_000, 1..9), rule in any_rule(),
    ) {
        let total: i128 = weights.iter().map(|&weight| i128::from(weight)).sum();
        prop_assume!(total > 0);
        let shares = spread(amount, &weights, rule, ZeroWeights::Refuse).unwrap();
        for (index, (&share, &weight)) in shares.iter().zip(&weights).enumerate() {
            let off = off(share, amount, weight, total).abs();
            match rule {
                ResidualRule::LargestRemainder => prop_assert!(off < total, "more than rounding: {shares:?}"),
                ResidualRule::RoundThenFromLeft => prop_assert!(2 * off <= 3 * total, "{shares:?}"),
                ResidualRule::LastTakesRest if index + 1 < shares.len() => prop_assert!(2 * off <= total, "{shares:?}"),
                ResidualRule::LastTakesRest => prop_assert!(2 * off <= total * weights.len() as i128, "{shares:?}"),
                // Each step cuts less than one off what it takes and passes that on.
                ResidualRule::FirstTakesRest => prop_assert!(off < total * weights.len() as i128, "{shares:?}"),
            }
            if weight == 0 && matches!(rule, ResidualRule::LargestRemainder | ResidualRule::FirstTakesRest) {
                prop_assert_eq!(share, Amount::ZERO);
            }
        }
    }

    #[test]
    fn the_order_of_the_weights_moves_only_the_residual(
        amount in (-5_000_i64..5_000).prop_map(Amount),
        (weights, order) in vec(0_i64..5_000, 1..9).prop_flat_map(|weights| {
            let order: Vec<usize> = (0..weights.len()).collect();
            (Just(weights), Just(order).prop_shuffle())
        }),
        rule in select(vec![ResidualRule::RoundThenFromLeft, ResidualRule::LargestRemainder]),
    ) {
        prop_assume!(weights.iter().any(|&weight| weight > 0));
        let shares = spread(amount, &weights, rule, ZeroWeights::Refuse).unwrap();
        let permuted: Vec<i64> = order.iter().map(|&index| weights[index]).collect();
        let permuted_shares = spread(amount, &permuted, rule, ZeroWeights::Refuse).unwrap();
        for (place, &index) in order.iter().enumerate() {
            prop_assert!((shares[index].minor() - permuted_shares[place].minor()).abs() <= 1);
        }
    }

    #[test]
    fn a_surcharge_mirrors_a_reduction(
        amount in any_figure().prop_map(|figure| figure.max(-i64::MAX)), weights in vec(any_weight(), 0..9), zero in any_zero(),
        rule in select(vec![ResidualRule::RoundThenFromLeft, ResidualRule::FirstTakesRest, ResidualRule::LastTakesRest]),
    ) {
        let mirrored = spread(Amount(-amount), &weights, rule, zero)
            .map(|shares| shares.into_iter().map(|share| Amount(-share.minor())).collect::<Vec<_>>());
        prop_assert_eq!(spread(Amount(amount), &weights, rule, zero), mirrored);
    }

    #[test]
    fn floors_hold_and_nothing_vanishes(
        reduction in any_weight().prop_map(Amount),
        lines in vec((any_weight().prop_map(Amount), any_figure().prop_map(Amount)), 0..9),
        rule in any_rule(), zero_weights in any_zero(), overflow in select(vec![Overflow::ToOthers, Overflow::Lost]),
    ) {
        let (bases, floors): (Vec<Amount>, Vec<Amount>) = lines.iter().copied().unzip();
        let policy = SpreadPolicy { rule, zero_weights, overflow };
        let spread = match spread_with_floors(reduction, &bases, &floors, policy) {
            Ok(spread) => spread,
            Err(error) => {
                prop_assert_eq!(error, AllocationError::AllWeightsZero);
                prop_assert!(bases.iter().all(|base| base.is_zero()));
                return Ok(());
            }
        };
        prop_assert_eq!(wide_sum(&spread.shares) + i128::from(spread.lost.minor()), i128::from(reduction.minor()));
        prop_assert!(spread.lost >= Amount::ZERO);
        let room = |(base, floor): &(Amount, Amount)| (i128::from(base.minor()) - i128::from(floor.minor())).max(0);
        for (share, line) in spread.shares.iter().zip(&lines) {
            prop_assert!((0..=room(line)).contains(&i128::from(share.minor())), "{spread:?}");
        }
        if overflow == Overflow::ToOthers && zero_weights != ZeroWeights::Equal {
            let weighed: i128 = lines.iter().filter(|(base, _)| *base > Amount::ZERO).map(room).sum();
            let needed = i128::from(reduction.minor());
            prop_assert!(i128::from(spread.lost.minor()) <= (needed - weighed).max(0), "lost though there was room");
        }
        if overflow == Overflow::ToOthers && zero_weights == ZeroWeights::Equal {
            let all: i128 = lines.iter().map(room).sum();
            let needed = i128::from(reduction.minor());
            prop_assert_eq!(i128::from(spread.lost.minor()), (needed - all).max(0), "lost though there was room");
        }
    }

    #[test]
    fn a_discount_within_the_goods_is_never_lost(
        bases in vec(0_i64..5_000, 1..9), percent in 0_i64..=100, rule in any_rule(),
        overflow in select(vec![Overflow::ToOthers, Overflow::Lost]),
    ) {
        let total: i64 = bases.iter().sum();
        let reduction = Amount(total * percent / 100);
        let policy = SpreadPolicy { rule, zero_weights: ZeroWeights::Nothing, overflow };
        let floors = vec![Amount::ZERO; bases.len()];
        let amounts: Vec<Amount> = bases.into_iter().map(Amount).collect();
        let spread = spread_with_floors(reduction, &amounts, &floors, policy).unwrap();
        prop_assert_eq!(spread.lost, Amount::ZERO, "{:?}", spread);
    }

    #[test]
    fn floors_that_nobody_meets_change_nothing(
        reduction in (0_i64..5_000).prop_map(Amount), bases in vec(1_i64..5_000, 1..9), rule in any_rule(),
        overflow in select(vec![Overflow::ToOthers, Overflow::Lost]),
    ) {
        let plain = spread(reduction, &bases, rule, ZeroWeights::Refuse).unwrap();
        prop_assume!(plain.iter().all(|share| *share >= Amount::ZERO));
        let policy = SpreadPolicy { rule, zero_weights: ZeroWeights::Refuse, overflow };
        let amounts: Vec<Amount> = bases.into_iter().map(Amount).collect();
        let floors = vec![Amount(i64::MIN); amounts.len()];
        let spread = spread_with_floors(reduction, &amounts, &floors, policy).unwrap();
        prop_assert_eq!((spread.shares, spread.lost), (plain, Amount::ZERO));
    }

    #[test]
    fn a_quotient_is_rounded_to_a_neighbour(
        numerator in any_figure(), factor in any_figure(), denominator in any_figure(), mode in any_rounding(),
    ) {
        let (numerator, denominator) = (i128::from(numerator) * i128::from(factor), i128::from(denominator));
        let rounded = match mode.divide(numerator, denominator) {
            Ok(rounded) => i128::from(rounded),
            Err(ArithmeticError::DivisionByZero) => {
                prop_assert_eq!(denominator, 0);
                return Ok(());
            }
            Err(ArithmeticError::Overflow) => {
                let near = numerator / denominator;
                prop_assert!(near <= i128::from(i64::MIN) || near >= i128::from(i64::MAX));
                return Ok(());
            }
        };
        // In parts of |denominator|: how far the rounded value lies above the exact one.
        let above = (rounded * denominator - numerator) * denominator.signum();
        let whole = denominator.abs();
        prop_assert!(above.abs() < whole);
        let away_from_zero = above * if rounded < 0 || (rounded == 0 && above > 0) { -1 } else { 1 };
        match mode {
            Rounding::Floor => prop_assert!(above <= 0),
            Rounding::Ceiling => prop_assert!(above >= 0),
            Rounding::Down => prop_assert!(rounded == 0 || away_from_zero <= 0),
            Rounding::Up => prop_assert!(above == 0 || (rounded != 0 && away_from_zero > 0)),
            Rounding::HalfUp | Rounding::HalfEven | Rounding::HalfDown => prop_assert!(2 * above.abs() <= whole),
        }
        if 2 * above.abs() == whole {
            match mode {
                Rounding::HalfUp => prop_assert!(rounded != 0 && away_from_zero > 0),
                Rounding::HalfDown => prop_assert!(rounded == 0 || away_from_zero < 0),
                Rounding::HalfEven => prop_assert_eq!(rounded % 2, 0),
                _ => {}
            }
        }
    }

    #[test]
    fn a_whole_number_of_packs_costs_exactly_that(amount in -1_000_000_i64..1_000_000, per in 1_i64..1_000, packs in -1_000_i64..1_000, mode in any_rounding()) {
        let price = Price::new(Amount(amount), Quantity(per)).unwrap();
        prop_assert_eq!(price.extend(Quantity(per * packs), mode), Ok(Amount(amount * packs)));
    }

    #[test]
    fn the_better_price_is_never_dearer(
        a in any_figure(), a_per in 1_i64.., b in any_figure(), b_per in 1_i64.., quantity in 0_i64.., mode in any_rounding(),
    ) {
        let price = |amount, per| Price::new(Amount(amount), Quantity(per)).unwrap();
        let (a, b) = (price(a, a_per), price(b, b_per));
        prop_assert_eq!(a.compare_value(b), b.compare_value(a).reverse());
        if let (Ok(a_cost), Ok(b_cost)) = (a.extend(Quantity(quantity), mode), b.extend(Quantity(quantity), mode)) {
            prop_assert!(a.compare_value(b).is_gt() || a_cost <= b_cost);
            prop_assert!(a.compare_value(b).is_lt() || a_cost >= b_cost);
        }
    }

    #[test]
    fn a_price_is_for_at_least_one_unit_also_in_json(amount in any_figure(), per in any_figure()) {
        let json = format!(r#"{{"amount":{amount},"per":{per}}}"#);
        let read = serde_json::from_str::<Price>(&json);
        prop_assert_eq!(read.is_ok(), per >= 1);
        if let Ok(price) = read {
            prop_assert_eq!(serde_json::to_string(&price).unwrap(), json);
        }
    }

    #[test]
    fn included_tax_is_near_the_tax_on_the_net(gross in -1_000_000_i64..1_000_000, rate in 0_i64..5_000) {
        let (gross, rate) = (Amount(gross), RateBp(rate));
        for what in [IncludedTax::RoundTheTax, IncludedTax::RoundTheNet] {
            let tax = rate.part_of_gross(gross, what, Rounding::HalfUp).unwrap();
            let net = gross.checked_sub(tax).unwrap();
            let tax_on_net = rate.of(net, Rounding::HalfUp).unwrap();
            prop_assert!((tax.minor() - tax_on_net.minor()).abs() <= 1, "{what:?}: {tax} of {gross}");
        }
    }

    #[test]
    fn no_rate_panics(amount in any_figure(), rate in any_figure(), mode in any_rounding()) {
        let _ = RateBp(rate).of(Amount(amount), mode);
        for what in [IncludedTax::RoundTheTax, IncludedTax::RoundTheNet] {
            let tax = RateBp(rate).part_of_gross(Amount(amount), what, mode);
            prop_assert!(rate > -10_000 || tax == Err(ArithmeticError::DivisionByZero));
        }
        let _ = RateBp(rate).to_string();
    }
}
