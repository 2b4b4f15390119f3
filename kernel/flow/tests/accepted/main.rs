//! What the checker promises, as a property: a flow that it accepts never fails for want of a value, is never held, calls
//! with what contracts ask for, fails with the codes and answers with the type that the checker said. Random flows over
//! random contracts, driven through random worlds.

mod choices;
mod contracts;
mod flows;
mod world;

use mortise_contract::Contracts;
use mortise_flow::{Checked, Program, ast, check, check_contracts, parse};
use proptest::prelude::*;

use choices::Choices;
use world::World;

/// A flow and its contracts out of random numbers, and what the checker says of it.
fn flow(numbers: &[u16]) -> (Contracts, String, ast::Flow, Checked) {
    let mut choices = Choices::new(numbers);
    let contracts = contracts::random(&mut choices);
    assert_eq!(check_contracts(&contracts), Vec::<String>::new());
    let text = flows::random(&mut choices, &contracts);
    let flow = parse(&text).unwrap_or_else(|found| panic!("{found:#?}\n{text}"));
    let checked = check(&flow, &contracts);
    (contracts, text, flow, checked)
}

fn numbers(most: usize) -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(any::<u16>(), 60..most)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_accepted_never_fails_on_the_machine(
        numbers in numbers(500), worlds in prop::collection::vec(any::<u16>(), 1..80),
    ) {
        let (contracts, text, flow, checked) = flow(&numbers);
        if checked.is_accepted() {
            let program = Program::compile(&flow, &contracts, &text);
            let program = program.unwrap_or_else(|error| panic!("{error}\n{text}"));
            for start in 0..4 {
                let mut choices = Choices::new(&worlds[start.min(worlds.len() - 1)..]);
                World::new(&program, &contracts, &checked, &text).run(&flow, &mut choices);
            }
        }
    }
}

/// The property above says something only if enough is accepted, and the generator is careless only if enough is not.
#[test]
fn many_random_flows_are_accepted_and_many_are_not() {
    let mut seed: u64 = 7;
    let mut accepted = 0;
    let mut steps = std::collections::BTreeMap::<&str, u32>::new();
    for _ in 0..400 {
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 40) as u16
        };
        let numbers: Vec<u16> = (0..300).map(|_| next()).collect();
        let (_, text, _, checked) = flow(&numbers);
        if checked.is_accepted() {
            accepted += 1;
            for word in ["tcc", "parallel", "race", "foreach", "repeat", "attempt", "start", "pivot", "wait"]
            {
                *steps.entry(word).or_default() += u32::from(text.contains(&format!("\"{word}\":")));
            }
        }
    }
    assert!((120..360).contains(&accepted), "{accepted} of 400");
    assert!(steps.values().all(|count| *count > 15), "{steps:?}");
}
