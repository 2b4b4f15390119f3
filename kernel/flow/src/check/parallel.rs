//! Branches that run side by side: `parallel`, of which all have to finish, and `race`, of which one wins.

use super::Checker;
use super::scope::Binding;
use super::steps::{Level, Outcome, title};
use super::ways::Ways;
use crate::ast::{Branch, Contest, Racer, Step};
use crate::typing::Ty;

impl<'c> Checker<'c> {
    pub(super) fn parallel(&mut self, step: &Step, branches: &[Branch], ways: Ways) -> Outcome<'c> {
        self.around.push("`parallel`");
        let mut inner = Vec::new();
        let mut parts = Vec::new();
        let mut done: Option<Ways> = None;
        for branch in branches {
            let part = self.part();
            let out = self.case(&branch.steps, ways.clone(), Level::Inside, &mut inner);
            parts.push(self.part_ends(&part));
            done = Some(match done {
                None => out,
                Some(before) => before.both(out, self.limit),
            });
        }
        self.other_parts_fail(&parts);
        self.around.pop();
        self.closing(step, inner, done.unwrap_or(ways))
    }

    pub(super) fn race(&mut self, step: &Step, racers: &[Racer], ways: Ways) -> Outcome<'c> {
        let mut ways = self.must_have_answered(ways, step.place, &format!("{} begins", title(step)));
        if !racers.iter().any(|racer| matches!(racer.until, Contest::Clock(_))) {
            let help = "add a branch such as `late: { timeout: 30m, do: [...] }`";
            self.refuse("no-timeout", step.place, "a race without a clock", help);
        }
        let level = if step.result.is_some() { Level::Apart } else { Level::Inside };
        if level == Level::Apart {
            self.none_ran(step, &mut ways);
            for racer in racers {
                let ran = self.ran(&racer.name);
                ways.set(ran, false);
            }
        }
        self.between_stretches(&ways);
        self.around.push("`race`");
        let mut inner = Vec::new();
        let mut done = Ways::default();
        for racer in racers {
            let out = self.racer(racer, ways.clone(), level, &mut inner);
            done.add(out, self.limit);
        }
        self.around.pop();
        let done = done.union(Ways::default(), self.limit);
        self.closing(step, inner, done)
    }

    fn racer(&mut self, racer: &Racer, mut ways: Ways, level: Level, inner: &mut Vec<Binding<'c>>) -> Ways {
        let ty = self.contest(&racer.until, &ways);
        self.introduce(&racer.name, "the branch's name");
        let word = match &racer.until {
            Contest::Event { event, .. } => format!("`{}` comes first", event.value),
            Contest::Clock(_) => format!("the clock of `{}` is over first", racer.name.value),
        };
        self.points.mark(&mut ways, racer.name.place, word);
        let mark = self.scope.mark();
        let (key, line) = (racer.name.place.offset, racer.name.place.line);
        let ran = match level {
            Level::Apart => {
                let ran = self.ran(&racer.name);
                ways.set(ran, true);
                Some(ran)
            }
            _ => None,
        };
        self.scope.bind(Binding { name: racer.name.value.clone(), ty, ran, key, line });
        let ways = self.list(&racer.steps, ways, level);
        inner.extend(self.scope.close(mark));
        ways
    }

    /// What a branch waits for, and the type of what it brings.
    fn contest(&mut self, until: &Contest, ways: &Ways) -> Ty<'c> {
        match until {
            Contest::Event { event, key } => self.awaited(event, key, ways),
            Contest::Clock(clock) => {
                self.clock(clock, ways);
                Ty::record(Vec::new())
            }
        }
    }
}
