//! How many steps the worst way takes, against the budget of a trade.

use super::Checker;
use crate::ast::{At, Flow, Place, Step, StepKind};
use crate::walk;

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
    let inner = walk::inner(step);
    let worst = |lists: &[&[Step]]| lists.iter().map(|steps| list(steps)).fold(none, Cost::or);
    let inner = match &step.kind {
        StepKind::Foreach(foreach) => rounds(foreach.max.as_ref(), step.place, list(&foreach.steps)),
        StepKind::Repeat(repeat) => rounds(repeat.max.as_ref(), step.place, list(&repeat.steps)),
        StepKind::Parallel(_) => inner.into_iter().map(list).fold(none, Cost::and),
        // The worst way fails at the end of the scope, and goes through a handler.
        StepKind::Attempt(_) => list(inner[0]).and(worst(&inner[1..])),
        StepKind::Tcc(tcc) => {
            let tries = Cost { steps: tcc.calls.len() as u64, heaviest: None };
            tries.and(worst(&inner))
        }
        _ => worst(&inner),
    };
    Cost::ONE.and(inner)
}

fn rounds(max: Option<&At<u32>>, place: Place, round: Cost) -> Cost {
    let times = max.map_or(1, |max| u64::from(max.value));
    let steps = round.steps.saturating_mul(times);
    let inside = round.heaviest.map(|(steps, place)| (steps.saturating_mul(times), place));
    Cost { steps, heaviest: heavier(Some((steps, max.map_or(place, |max| max.place))), inside) }
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
