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
use flows::Care;
use world::World;

/// How careful random flows are as a rule.
const CARE: Care = Care { reads: 70, steps: 70 };

/// A flow and its contracts out of random numbers, and what the checker says of it.
fn flow(numbers: &[u16], care: Care) -> (Contracts, String, ast::Flow, Checked) {
    let mut choices = Choices::new(numbers);
    let contracts = contracts::random(&mut choices);
    assert_eq!(check_contracts(&contracts), Vec::<String>::new());
    let text = flows::random(&mut choices, &contracts, care);
    let flow = parse(&text).unwrap_or_else(|found| panic!("{found:#?}\n{text}"));
    let checked = check(&flow, &contracts);
    (contracts, text, flow, checked)
}

fn numbers(most: usize) -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(any::<u16>(), 150..most)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 768, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_accepted_never_fails_on_the_machine(
        numbers in numbers(700), worlds in prop::collection::vec(any::<u16>(), 1..80),
    ) {
        let (contracts, text, flow, checked) = flow(&numbers, CARE);
        if checked.is_accepted() {
            let program = Program::compile(&flow, &contracts, &text);
            let program = program.unwrap_or_else(|error| panic!("{error}\n{text}"));
            for start in 0..4 {
                let mut choices = Choices::new(&worlds[start.min(worlds.len() - 1)..]);
                let ended = World::new(&program, &contracts, &checked, &text).run(&flow, &mut choices);
                prop_assert!(ended.is_ok(), "{}\n{:#?}", ended.unwrap_err(), contracts.operations);
            }
        }
    }
}

/// Random numbers that are the same each time.
struct Seeded(u64);

impl Seeded {
    fn numbers(&mut self, count: usize) -> Vec<u16> {
        let mut next = || {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 40) as u16
        };
        (0..count).map(|_| next()).collect()
    }
}

/// The property above says something only if enough is accepted, and the generator is careless only if enough is not.
#[test]
fn many_random_flows_are_accepted_and_many_are_not() {
    let mut seeded = Seeded(7);
    let mut accepted = 0;
    let mut steps = std::collections::BTreeMap::<&str, u32>::new();
    for _ in 0..400 {
        let (_, text, _, checked) = flow(&seeded.numbers(300), CARE);
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

/// What is refused because something may be absent goes wrong in some world, as the message says. Random worlds do not come by
/// every way, so not each of them is met; but if the checker cried wolf, most would not be.
#[test]
fn what_is_refused_goes_wrong_on_the_machine() {
    let mut seeded = Seeded(11);
    let (mut refused, mut wrong) = (0, Vec::new());
    for _ in 0..1_500 {
        if refused == 25 {
            break;
        }
        let (contracts, text, flow, checked) =
            flow(&seeded.numbers(400), Care { reads: 12, steps: usize::MAX });
        let mut errors = checked.diagnostics.iter().filter(|finding| finding.is_error()).peekable();
        if errors.peek().is_none() || !errors.all(|finding| finding.code == "maybe-absent") {
            continue;
        }
        let Ok(program) = Program::compile(&flow, &contracts, &text) else { continue };
        refused += 1;
        let goes_wrong = (0..1_000).any(|_| {
            let numbers = seeded.numbers(40);
            let world = World::new(&program, &contracts, &checked, &text);
            world.run(&flow, &mut Choices::new(&numbers)).is_err()
        });
        if !goes_wrong {
            wrong.push(format!("{:#?}\n{text}", checked.diagnostics));
        }
    }
    assert!(refused == 25, "only {refused} are refused for this reason alone");
    assert!(wrong.len() <= refused / 2, "{} of {refused}, such as {}", wrong.len(), wrong[0]);
}
