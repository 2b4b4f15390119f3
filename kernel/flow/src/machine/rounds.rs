//! Loops and parallel branches: a round or a branch is a fiber of its own, with a frame on that of the body around it.

use std::sync::Arc;

use mortise_contract::Value;

use super::run::{Run, Then};
use super::state::{Doing, Rounds};
use crate::compile::{Exports, ForeachSite, Op, ParallelSite, Pc, RepeatSite};
use crate::eval::{EvalError, Item};

impl Run<'_> {
    pub(super) fn foreach(&mut self, index: usize, pc: Pc, site: &ForeachSite) -> Result<Then, EvalError> {
        if !matches!(self.state.fibers[index].doing, Doing::Rounds(_)) {
            let list = match site.list.evaluate(&self.env(index))? {
                Item::Value(Value::List(list)) => list,
                other => return Err(EvalError::wrong("foreach", &other)),
            };
            if let Some(max) = site.max.filter(|max| list.len() > usize::try_from(*max).unwrap_or(usize::MAX))
            {
                return Err(EvalError::TooLong { max, length: list.len() });
            }
            let results = vec![self.program.nothing.clone(); list.len()];
            self.state.fibers[index].doing =
                Doing::Rounds(Rounds { list, next: 0, running: 0, results, stopped: false });
        }
        while let Some((round, element)) = self.next_round(index, site) {
            let prefix = format!("{}[{round}]", self.path(index, pc)).into();
            self.begin_part(index, round, site.body, Some(element), Some(prefix));
        }
        Ok(self.end_loop(index, site))
    }

    /// The next round's number and element, if one may begin now.
    fn next_round(&mut self, index: usize, site: &ForeachSite) -> Option<(usize, Value)> {
        let Doing::Rounds(rounds) = &mut self.state.fibers[index].doing else {
            return None;
        };
        if rounds.stopped || rounds.running >= site.at_once {
            return None;
        }
        let element = rounds.list.get(rounds.next)?.clone();
        let round = rounds.next;
        rounds.next += 1;
        rounds.running += 1;
        Some((round, element))
    }

    /// Goes on behind the loop if no round runs any more.
    fn end_loop(&mut self, index: usize, site: &ForeachSite) -> Then {
        let Doing::Rounds(rounds) = &mut self.state.fibers[index].doing else {
            return Then::Park;
        };
        if rounds.running > 0 {
            return Then::Park;
        }
        let mut results = std::mem::take(&mut rounds.results);
        results.truncate(rounds.next);
        self.block_over(index, site.over);
        self.state.fibers[index].doing = Doing::Ready;
        self.bind(index, site.slot, Value::List(Arc::new(results)));
        Then::Go(site.then)
    }

    pub(super) fn repeat(&mut self, index: usize, pc: Pc, site: &RepeatSite) -> Then {
        if site.max == 0 {
            return Then::Go(site.then);
        }
        self.begin_repeat(index, pc, site, 1);
        Then::Park
    }

    fn begin_repeat(&mut self, index: usize, pc: Pc, site: &RepeatSite, number: u32) {
        let prefix = format!("{}[{number}]", self.path(index, pc)).into();
        self.state.fibers[index].doing = Doing::Repeat(number);
        let round = usize::try_from(number).unwrap_or(usize::MAX);
        self.begin_part(index, round, site.body, Some(Value::Int(number.into())), Some(prefix));
    }

    pub(super) fn parallel(&mut self, index: usize, site: &ParallelSite) -> Then {
        if site.branches.is_empty() {
            return Then::Go(site.then);
        }
        self.state.fibers[index].doing = Doing::Branches(site.branches.len());
        for (number, branch) in site.branches.iter().enumerate() {
            let prefix = match &self.state.fibers[index].prefix {
                None => branch.name.clone(),
                Some(prefix) => format!("{prefix}.{}", branch.name).into(),
            };
            self.begin_part(index, number, branch.body, None, Some(prefix));
        }
        Then::Park
    }

    /// The last operation of a round, a branch, or a scope: what its block makes of it.
    pub(super) fn body_end(&mut self, index: usize) -> Result<Then, EvalError> {
        let fiber = &self.state.fibers[index];
        let Some(parent) = fiber.parent.and_then(|id| self.index(id)) else {
            return Ok(Then::Park);
        };
        let at = self.state.fibers[parent].pc;
        match self.program.ops.get(at) {
            Some(Op::Foreach(site)) => self.round_end(index, parent, site)?,
            Some(Op::Repeat(site)) => self.repeat_end(index, parent, at, site)?,
            Some(Op::Parallel(site)) => self.branch_end(index, parent, site),
            Some(Op::Scope(site)) => self.scope_end(index, parent, site),
            _ => {}
        }
        Ok(Then::Park)
    }

    fn round_end(&mut self, index: usize, parent: usize, site: &ForeachSite) -> Result<(), EvalError> {
        let stop = match &site.until {
            None => false,
            Some(until) => until.holds(&self.env(index))?,
        };
        let result = match &site.result {
            None => self.program.nothing.clone(),
            Some(result) => result.evaluate(&self.env(index))?,
        };
        let round = self.state.fibers[index].round;
        self.end_part(index);
        let parent = &mut self.state.fibers[parent];
        if let Doing::Rounds(rounds) = &mut parent.doing {
            rounds.running = rounds.running.saturating_sub(1);
            rounds.stopped |= stop;
            if let Some(place) = rounds.results.get_mut(round) {
                *place = result;
            }
        }
        self.ready.push_back(parent.id);
        Ok(())
    }

    fn repeat_end(
        &mut self,
        index: usize,
        parent: usize,
        at: Pc,
        site: &RepeatSite,
    ) -> Result<(), EvalError> {
        let Doing::Repeat(number) = self.state.fibers[parent].doing else {
            return Ok(());
        };
        let stop = number >= site.max
            || match &site.until {
                None => false,
                Some(until) => until.holds(&self.env(index))?,
            };
        if !stop {
            self.end_part(index);
            self.begin_repeat(parent, at, site, number + 1);
            return Ok(());
        }
        let result = match &site.result {
            None => self.program.nothing.clone(),
            Some(result) => result.evaluate(&self.env(index))?,
        };
        self.end_part(index);
        self.block_over(parent, site.over);
        self.bind(parent, site.slot, result);
        self.wake(parent, site.then);
        Ok(())
    }

    fn branch_end(&mut self, index: usize, parent: usize, site: &ParallelSite) {
        let branch = self.state.fibers[index].round;
        if let Some(branch) = site.branches.get(branch) {
            self.export(index, parent, &branch.exports);
        }
        self.end_part(index);
        let Doing::Branches(running) = &mut self.state.fibers[parent].doing else {
            return;
        };
        *running = running.saturating_sub(1);
        if *running == 0 {
            self.block_over(parent, site.over);
            self.wake(parent, site.then);
        }
    }

    /// What the block's result sees of a body that has ended.
    pub(super) fn export(&mut self, index: usize, parent: usize, exports: &Exports) {
        for (from, to) in exports {
            let value = self.state.fibers[index].frame.slots.get(usize::from(*from)).cloned();
            self.bind(parent, Some(*to), value.unwrap_or_else(|| self.program.nothing.clone()));
        }
    }

    /// A part of a block has ended forward.
    pub(super) fn end_part(&mut self, index: usize) {
        self.late_keys(index);
        self.state.fibers.remove(index);
    }
}
