//! Loops: a round is a fiber of its own, with a frame on that of the body around it.

use std::sync::Arc;

use mortise_contract::Value;

use super::run::{Run, Then};
use super::state::{Doing, Rounds};
use crate::compile::{ForeachSite, Op, Pc};
use crate::eval::{EvalError, Frame, Item};

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
            self.begin_round(index, pc, site, round, element);
        }
        Ok(self.end_loop(index, pc, site))
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

    fn begin_round(&mut self, index: usize, pc: Pc, site: &ForeachSite, round: usize, element: Value) {
        let body = &self.program.bodies[site.body];
        let parent = &self.state.fibers[index];
        let frame = self.round_frame(&parent.frame, site.body, element);
        let prefix: Arc<str> = format!("{}[{round}]", self.path(index, pc)).into();
        let parent = parent.id;
        let id = self.new_fiber(Some(parent), round, site.body, body.start, Arc::new(frame), Some(prefix));
        self.ready.push_back(id);
    }

    /// A round's frame, its element bound.
    pub(super) fn round_frame(&self, parent: &Arc<Frame>, body: usize, element: Value) -> Frame {
        let mut slots = vec![self.program.nothing.clone(); self.program.bodies[body].slots];
        if let Some(first) = slots.first_mut() {
            *first = element;
        }
        Frame { parent: Some(parent.clone()), slots }
    }

    /// Goes on behind the loop if no round runs any more.
    fn end_loop(&mut self, index: usize, pc: Pc, site: &ForeachSite) -> Then {
        let Doing::Rounds(rounds) = &mut self.state.fibers[index].doing else {
            return Then::Park;
        };
        if rounds.running > 0 {
            return Then::Park;
        }
        let mut results = std::mem::take(&mut rounds.results);
        results.truncate(rounds.next);
        if let Some(over) = site.over {
            self.late_rounds(index, pc, site);
            self.bind(index, Some(over), Value::Bool(true));
        }
        self.state.fibers[index].doing = Doing::Ready;
        self.bind(index, site.slot, Value::List(Arc::new(results)));
        Then::Go(site.then)
    }

    pub(super) fn round_end(&mut self, index: usize) -> Result<Then, EvalError> {
        let fiber = &self.state.fibers[index];
        let round = fiber.round;
        let Some(parent) = fiber.parent.and_then(|id| self.index(id)) else {
            return Ok(Then::Park);
        };
        let Some(Op::Foreach(site)) = self.program.ops.get(self.state.fibers[parent].pc) else {
            return Ok(Then::Park);
        };
        let stop = match &site.until {
            None => false,
            Some(until) => until.holds(&self.env(index))?,
        };
        let result = match &site.result {
            None => self.program.nothing.clone(),
            Some(result) => result.evaluate(&self.env(index))?,
        };
        self.late_keys(index);
        self.state.fibers.remove(index);
        let parent = &mut self.state.fibers[parent];
        if let Doing::Rounds(rounds) = &mut parent.doing {
            rounds.running = rounds.running.saturating_sub(1);
            rounds.stopped |= stop;
            if let Some(place) = rounds.results.get_mut(round) {
                *place = result;
            }
        }
        self.ready.push_back(parent.id);
        Ok(Then::Park)
    }
}
