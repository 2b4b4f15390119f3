//! Late events: an acquiring event for which nobody will wait any more must find somebody who takes it back, also if its
//! wait never began. Which keys those are is worked out when a wait times out, a round ends, or the trade does.

use std::sync::Arc;

use mortise_contract::Value;

use super::Command;
use super::run::Run;
use super::state::{Doing, Rounds};
use crate::compile::{CallSite, ForeachSite, Op, Pc, WaitSite};
use crate::eval::{Env, Frame};

impl<'p> Run<'p> {
    /// The keys of a fiber's waits that have not come and never will.
    pub(super) fn late_keys(&mut self, index: usize) {
        let fiber = &self.state.fibers[index];
        let body = &self.program.bodies[fiber.body];
        if body.waits.is_empty() && body.loops.is_empty() {
            return;
        }
        let rounds = match &fiber.doing {
            Doing::Rounds(rounds) => Some((fiber.pc, rounds.clone())),
            _ => None,
        };
        let (frame, body) = (fiber.frame.clone(), fiber.body);
        self.late_of_frame(&frame, body, rounds);
    }

    fn late_of_frame(&mut self, frame: &Arc<Frame>, body: usize, running: Option<(Pc, Rounds)>) {
        let program = self.program;
        for &at in &program.bodies[body].waits {
            if let Some(Op::Wait(site)) = program.ops.get(at) {
                self.late_wait(frame, site);
            }
        }
        for &at in &program.bodies[body].loops {
            let Some(Op::Foreach(site)) = program.ops.get(at) else {
                continue;
            };
            if site.over.is_some_and(|over| is_true(frame, over)) {
                continue;
            }
            let begun = running.as_ref().filter(|(pc, _)| *pc == at).map(|(_, rounds)| rounds);
            let elements = match begun {
                Some(rounds) => rounds.list.get(rounds.next..).unwrap_or_default().to_vec(),
                None => match site.list.evaluate(&self.env_on(frame)) {
                    Ok(list) => list.into_value().as_list().unwrap_or_default().to_vec(),
                    Err(_) => continue,
                },
            };
            self.late_elements(frame, site, elements);
        }
    }

    /// The keys of rounds that never began.
    fn late_elements(&mut self, frame: &Arc<Frame>, site: &'p ForeachSite, elements: Vec<Value>) {
        let most = site.max.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX));
        for element in elements.into_iter().take(most) {
            let round = Arc::new(self.round_frame(frame, site.body, element));
            self.late_of_frame(&round, site.body, None);
        }
    }

    /// The keys of the rounds that a loop leaves out by its `until`.
    pub(super) fn late_rounds(&mut self, index: usize, pc: Pc, site: &ForeachSite) {
        let fiber = &self.state.fibers[index];
        let Doing::Rounds(rounds) = &fiber.doing else {
            return;
        };
        let left = rounds.list.get(rounds.next..).unwrap_or_default().to_vec();
        let frame = fiber.frame.clone();
        let Some(Op::Foreach(known)) = self.program.ops.get(pc) else {
            return;
        };
        debug_assert_eq!(known.body, site.body);
        self.late_elements(&frame, known, left);
    }

    fn late_wait(&mut self, frame: &Frame, site: &WaitSite) {
        if !is_over(frame, site)
            && let Some(key) = self.key(frame, site)
        {
            self.late_key(&site.event, key);
        }
    }

    /// The wait's key, if it has one by now.
    fn key(&self, frame: &Frame, site: &WaitSite) -> Option<Value> {
        let key = site.key.evaluate(&self.env_on(frame)).ok()?;
        (!matches!(key, Value::Null | Value::List(_) | Value::Record(_))).then_some(key)
    }

    fn env_on<'f>(&self, frame: &'f Frame) -> Env<'f> {
        Env { frame, now: self.now, started_at: self.state.started_at }
    }

    /// A wait has timed out: its key is late, unless a wait that may still come has the same.
    pub(super) fn timed_out(&mut self, index: usize, site: &WaitSite) {
        let Some(acquiring) = &site.acquiring else { return };
        let Doing::Waiting(open) = &self.state.fibers[index].doing else {
            return;
        };
        let Some((_, key)) = open.event.clone() else {
            return;
        };
        self.bind(index, Some(acquiring.over), Value::Bool(true));
        let frame = self.state.fibers[index].frame.clone();
        let waited_for_again = acquiring.later.iter().any(|&at| match self.program.ops.get(at) {
            Some(Op::Wait(later)) => {
                !is_over(&frame, later) && self.key(&frame, later).as_ref() == Some(&key)
            }
            _ => false,
        });
        if !waited_for_again {
            self.late_key(&site.event, key);
        }
    }

    /// An unavailable call may have happened: what its ids bring would come late.
    pub(super) fn late_minted(&mut self, index: usize, site: &CallSite, minted: &Value) {
        let Some(slot) = site.slot.filter(|_| !site.keyed_by.is_empty()) else {
            return;
        };
        let mut frame = (*self.state.fibers[index].frame).clone();
        if let Some(place) = frame.slots.get_mut(usize::from(slot)) {
            *place = minted.clone();
        }
        for &at in &site.keyed_by {
            if let Some(Op::Wait(wait)) = self.program.ops.get(at) {
                self.late_wait(&frame, wait);
            }
        }
    }

    fn late_key(&mut self, event: &Arc<str>, key: Value) {
        if self.state.late.iter().any(|(known, of)| known == event && *of == key) {
            return;
        }
        Arc::make_mut(&mut self.state.late).push((event.clone(), key.clone()));
        self.out.push(Command::LateKey { event: event.clone(), key });
    }
}

fn is_over(frame: &Frame, site: &WaitSite) -> bool {
    site.acquiring.as_ref().is_none_or(|acquiring| is_true(frame, acquiring.over))
}

fn is_true(frame: &Frame, slot: u16) -> bool {
    matches!(frame.slots.get(usize::from(slot)), Some(Value::Bool(true)))
}
