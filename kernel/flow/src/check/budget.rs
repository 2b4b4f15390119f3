//! How many steps the worst way takes, against the budget of a trade.

use super::Checker;
use crate::ast::{Flow, Place, Step, StepKind};

/// Steps of the worst way, and the loop that has most of them.
#[derive(Clone, Copy)]
struct Cost {
    steps: u64,
    heaviest: Option<(u64, Place)>,
}

impl Cost {
    const ONE: Self = Self { steps: 1, heaviest: None };

    fn and(self, other: Self) -> Self {
        Self {
            steps: self.steps.saturating_add(other.steps),
            heaviest: heavier(self.heaviest, other.heaviest),
        }
    }

    fn or(self, other: Self) -> Self {
        Self { steps: self.steps.max(other.steps), heaviest: heavier(self.heaviest, other.heaviest) }
    }
}

fn heavier(one: Option<(u64, Place)>, other: Option<(u64, Place)>) -> Option<(u64, Place)> {
    one.into_iter().chain(other).max_by_key(|(steps, _)| *steps)
}

fn list(steps: &[Step]) -> Cost {
    steps.iter().map(step).fold(Cost { steps: 0, heaviest: None }, Cost::and)
}

fn step(step: &Step) -> Cost {
    let none = Cost { steps: 0, heaviest: None };
    let inner = match &step.kind {
        StepKind::Call(call) => call.on.iter().map(|handler| list(&handler.steps)).fold(none, Cost::or),
        StepKind::Wait(wait) => list(&wait.on_timeout),
        StepKind::Switch(switch) => {
            let cases = switch.cases.iter().map(|case| list(&case.steps));
            let otherwise = switch.otherwise.iter().map(|steps| list(&steps.value));
            cases.chain(otherwise).fold(none, Cost::or)
        }
        StepKind::Foreach(foreach) => {
            let round = list(&foreach.steps);
            let rounds = foreach.max.as_ref().map_or(1, |max| u64::from(max.value));
            let steps = round.steps.saturating_mul(rounds);
            let place = foreach.max.as_ref().map_or(step.place, |max| max.place);
            Cost {
                steps,
                heaviest: heavier(
                    Some((steps, place)),
                    round.heaviest.map(|(steps, place)| (steps.saturating_mul(rounds), place)),
                ),
            }
        }
        _ => none,
    };
    Cost::ONE.and(inner)
}

impl Checker<'_> {
    pub(super) fn budget(&mut self, flow: &Flow) {
        let cost = list(&flow.steps);
        let budget = self.contracts.budget.steps;
        if cost.steps > budget {
            let place = cost.heaviest.map_or(flow.name.place, |(_, place)| place);
            let message =
                format!("the worst way takes {} steps, the budget of a trade is {budget}", cost.steps);
            self.refuse("over-budget", place, message, "lower the `max` of the loop, or do less in a round");
        }
    }
}
