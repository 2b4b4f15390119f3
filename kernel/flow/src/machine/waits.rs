//! Waits and sleeps, alone or as racers of a race, of which the first one wins.

use std::sync::Arc;

use mortise_contract::Value;
use mortise_types::{Span, Timestamp};

use super::run::{Run, Then};
use super::state::{Doing, Effect, Finished, OpenWait};
use super::{Command, WaitNo};
use crate::compile::{Clock, Op, Pc, WaitSite};
use crate::eval::{EvalError, Item, moment_of};

impl Run<'_> {
    pub(super) fn wait(&mut self, index: usize, pc: Pc) -> Result<Then, EvalError> {
        let open = self.asked(index, pc)?;
        let open = self.open(open);
        self.state.fibers[index].doing = Doing::Waiting(open);
        Ok(Then::Park)
    }

    /// All are worked out before the first is open: a race without a value begins none.
    pub(super) fn race(&mut self, index: usize, racers: &[Pc]) -> Result<Then, EvalError> {
        let asked: Result<Vec<_>, _> =
            racers.iter().map(|pc| self.asked(index, *pc).map(|open| (*pc, open))).collect();
        let open = asked?.into_iter().map(|(pc, open)| (pc, self.open(open))).collect();
        self.state.fibers[index].doing = Doing::Racing(open);
        Ok(Then::Park)
    }

    /// What the wait or sleep at `pc` waits for; it has no number yet.
    fn asked(&self, index: usize, pc: Pc) -> Result<OpenWait, EvalError> {
        let (event, clock) = match self.program.ops.get(pc) {
            Some(Op::Wait(site)) => {
                let key = site.key.evaluate(&self.env(index))?;
                (Some((site.event.clone(), key)), site.clock.as_ref())
            }
            Some(Op::Sleep(clock)) => (None, Some(clock)),
            _ => (None, None),
        };
        let due = clock.map(|clock| self.when(index, clock)).transpose()?;
        Ok(OpenWait { wait: WaitNo(0), event, due, path: self.path(index, pc) })
    }

    fn open(&mut self, mut open: OpenWait) -> OpenWait {
        self.state.waits += 1;
        open.wait = WaitNo(self.state.waits);
        self.out.push(open.command());
        open
    }

    fn when(&self, index: usize, clock: &Clock) -> Result<Timestamp, EvalError> {
        let node = match clock {
            Clock::AfterMs(millis) => return Ok(self.now.saturating_add(Span::from_millis(*millis))),
            Clock::At(node) => node,
        };
        match node.evaluate(&self.env(index))? {
            Item::Duration(millis) => {
                Ok(Timestamp::from_millis(self.now.as_millis().saturating_add(millis.max(0))))
            }
            other => moment_of(other),
        }
    }

    pub(super) fn event(&mut self, wait: WaitNo, payload: Value) {
        let Some((index, pc)) = self.waiting(wait) else { return };
        let Some(Op::Wait(site)) = self.program.ops.get(pc) else {
            return;
        };
        if let Some(acquiring) = &site.acquiring {
            self.bind(index, Some(acquiring.over), Value::Bool(true));
            self.note_came(index, wait);
            let fiber = &self.state.fibers[index];
            if !self.state.passed_pivot || fiber.scope != 0 {
                let (scope, path) = (fiber.scope, self.path(index, pc));
                let what = Effect::Event { wait, payload: payload.clone() };
                Arc::make_mut(&mut self.state.finished).push(Finished { scope, path, pc, what });
            }
        }
        self.bind(index, site.slot, payload);
        self.withdraw_others(index, wait);
        self.wake(index, site.then);
    }

    pub(super) fn due(&mut self, wait: WaitNo) {
        let Some((index, pc)) = self.waiting(wait) else { return };
        match self.program.ops.get(pc) {
            Some(Op::Wait(site)) if site.clock.is_some() => {
                self.timed_out(index, site);
                self.wake(index, site.on_timeout);
            }
            Some(Op::Sleep(_)) => {
                self.withdraw_others(index, wait);
                self.wake(index, pc + 1);
            }
            _ => {}
        }
    }

    /// The other racers are over: nobody waits for their events any more.
    fn withdraw_others(&mut self, index: usize, winner: WaitNo) {
        let Doing::Racing(open) = &self.state.fibers[index].doing else {
            return;
        };
        let losers: Vec<(Pc, OpenWait)> =
            open.iter().filter(|(_, open)| open.wait != winner).cloned().collect();
        let program = self.program;
        let site = |pc: Pc| -> Option<&WaitSite> {
            match program.ops.get(pc) {
                Some(Op::Wait(site)) => Some(site),
                _ => None,
            }
        };
        for (pc, open) in &losers {
            self.out.push(Command::Unwait { wait: open.wait });
            let over = site(*pc).and_then(|site| site.acquiring.as_ref()).map(|acquiring| acquiring.over);
            self.bind(index, over, Value::Bool(true));
        }
        for (pc, open) in losers {
            if let (Some(site), Some((_, key))) = (site(pc), open.event) {
                self.given_up(index, site, key);
            }
        }
    }

    /// The fiber that has it open, and where it stands.
    fn waiting(&self, wait: WaitNo) -> Option<(usize, Pc)> {
        self.state.fibers.iter().enumerate().find_map(|(index, fiber)| match &fiber.doing {
            Doing::Waiting(open) if open.wait == wait => Some((index, fiber.pc)),
            Doing::Racing(open) => {
                open.iter().find(|(_, open)| open.wait == wait).map(|(pc, _)| (index, *pc))
            }
            _ => None,
        })
    }
}
