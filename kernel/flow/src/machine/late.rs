//! Late events: an acquiring event for which nobody will wait any more must find somebody who takes it back, also if its
//! wait never began. Which keys those are is worked out when a wait is given up, a part of the trade ends, or the trade does.

use std::sync::Arc;

use mortise_contract::Value;

use super::run::Run;
use super::state::{Doing, Fiber, OpenWait};
use super::{Command, WaitNo};
use crate::compile::{CallSite, Exports, Op, Pc, WaitSite};
use crate::eval::{Env, Frame};

/// An event and a key of it.
type Key = (Arc<str>, Value);

impl Run<'_> {
    /// The keys of a fiber's waits that have not come and never will, if the fiber ends here.
    pub(super) fn late_keys(&mut self, index: usize) {
        let fiber = &self.state.fibers[index];
        if !self.program.bodies[fiber.body].acquires() {
            return;
        }
        let keys = self.keys(&fiber.frame, fiber);
        self.emit_late(index, keys);
    }

    /// The keys of the waits in a fiber's body that may still begin, as they are with this frame.
    fn keys(&self, frame: &Arc<Frame>, fiber: &Fiber) -> Vec<Key> {
        let mut keys = Vec::new();
        self.keys_of_body(frame, fiber.body, Some(fiber), &mut keys);
        keys
    }

    fn keys_of_body(&self, frame: &Arc<Frame>, body: usize, running: Option<&Fiber>, keys: &mut Vec<Key>) {
        for &at in &self.program.bodies[body].waits {
            if let Some(Op::Wait(site)) = self.program.ops.get(at)
                && !is_over(frame, site)
                && let Some(key) = self.key(frame, site)
            {
                keys.push((site.event.clone(), key));
            }
        }
        for &at in &self.program.bodies[body].blocks {
            let doing = running.filter(|fiber| fiber.pc == at).map(|fiber| &fiber.doing);
            self.keys_of_block(frame, at, doing, keys);
        }
    }

    /// The keys of the parts of a block that have not begun.
    fn keys_of_block(&self, frame: &Arc<Frame>, at: Pc, doing: Option<&Doing>, keys: &mut Vec<Key>) {
        let over = |slot: Option<u16>| slot.is_some_and(|slot| is_true(frame, slot));
        match self.program.ops.get(at) {
            Some(Op::Foreach(site)) if !over(site.over) => {
                let elements = match doing {
                    Some(Doing::Rounds(rounds)) => {
                        rounds.list.get(rounds.next..).unwrap_or_default().to_vec()
                    }
                    _ => match site.list.evaluate(&self.env_on(frame)) {
                        Ok(list) => list.into_value().as_list().unwrap_or_default().to_vec(),
                        Err(_) => return,
                    },
                };
                let most = site.max.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX));
                for element in elements.into_iter().take(most) {
                    let round = Arc::new(self.inner_frame(frame, site.body, Some(element)));
                    self.keys_of_body(&round, site.body, None, keys);
                }
            }
            Some(Op::Repeat(site)) if !over(site.over) => {
                let next = match doing {
                    Some(Doing::Repeat(number)) => number.saturating_add(1),
                    _ => 1,
                };
                if next <= site.max {
                    let round = Arc::new(self.inner_frame(frame, site.body, Some(Value::Int(next.into()))));
                    self.keys_of_body(&round, site.body, None, keys);
                }
            }
            Some(Op::Parallel(site)) if !over(site.over) && !matches!(doing, Some(Doing::Branches(_))) => {
                for branch in &site.branches {
                    let inside = Arc::new(self.inner_frame(frame, branch.body, None));
                    self.keys_of_body(&inside, branch.body, None, keys);
                }
            }
            Some(Op::Scope(site)) if !over(site.over) && !matches!(doing, Some(Doing::Scope(_))) => {
                let inside = Arc::new(self.inner_frame(frame, site.body, None));
                self.keys_of_body(&inside, site.body, None, keys);
            }
            _ => {}
        }
    }

    /// A block is over: the rounds that it leaves out will never wait.
    pub(super) fn block_over(&mut self, index: usize, over: Option<u16>) {
        if over.is_none() {
            return;
        }
        let fiber = &self.state.fibers[index];
        let mut keys = Vec::new();
        self.keys_of_block(&fiber.frame, fiber.pc, Some(&fiber.doing), &mut keys);
        self.bind(index, over, Value::Bool(true));
        self.emit_late(index, keys);
    }

    /// The wait's key, if it has one by now.
    fn key(&self, frame: &Frame, site: &WaitSite) -> Option<Value> {
        let key = site.key.evaluate(&self.env_on(frame)).ok()?;
        (!matches!(key, Value::Null | Value::List(_) | Value::Record(_))).then_some(key)
    }

    fn env_on<'f>(&self, frame: &'f Frame) -> Env<'f> {
        Env { frame, now: self.now, started_at: self.state.started_at }
    }

    /// A wait has timed out.
    pub(super) fn timed_out(&mut self, index: usize, site: &WaitSite) {
        let Some(acquiring) = &site.acquiring else { return };
        let Doing::Waiting(OpenWait { event: Some((_, key)), .. }) = &self.state.fibers[index].doing else {
            return;
        };
        let key = key.clone();
        self.bind(index, Some(acquiring.over), Value::Bool(true));
        self.given_up(index, site, key);
    }

    /// A wait is over without its event: its key is late, unless a wait that may still come in the same body has the same.
    pub(super) fn given_up(&mut self, index: usize, site: &WaitSite, key: Value) {
        let Some(acquiring) = &site.acquiring else { return };
        let frame = &self.state.fibers[index].frame;
        let waited_for_again = acquiring.later.iter().any(|&at| match self.program.ops.get(at) {
            Some(Op::Wait(later)) => !is_over(frame, later) && self.key(frame, later).as_ref() == Some(&key),
            _ => false,
        });
        if !waited_for_again {
            self.emit_late(index, vec![(site.event.clone(), key)]);
        }
    }

    /// Which key an acquiring event came with: a later round does not wait for it in vain.
    pub(super) fn note_came(&mut self, index: usize, wait: WaitNo) {
        if !self.program.repeats {
            return;
        }
        let came = self.state.fibers[index].waits().find(|open| open.wait == wait);
        if let Some(key) = came.and_then(|open| open.event.clone()) {
            self.state.came.push(key);
        }
    }

    /// An unavailable call may have happened: what its ids bring would come late.
    pub(super) fn late_minted(&mut self, index: usize, site: &CallSite, minted: &Value) {
        let Some(slot) = site.slot else { return };
        let fiber = &self.state.fibers[index];
        let mut frame = (*fiber.frame).clone();
        if let Some(place) = frame.slots.get_mut(usize::from(slot)) {
            *place = minted.clone();
        }
        self.late_with(index, Arc::new(frame.clone()));
        self.late_around(index, frame);
    }

    /// A part of the trade is taken back: what the waits around it would have been given of its results comes late.
    pub(super) fn late_outside(&mut self, index: usize) {
        if self.state.fibers[index].parent.is_none() {
            return;
        }
        let frame = (*self.state.fibers[index].frame).clone();
        self.late_around(index, frame);
    }

    /// The keys that a fiber's waits would have with this frame, and have not with its own.
    fn late_with(&mut self, index: usize, frame: Arc<Frame>) {
        let fiber = &self.state.fibers[index];
        if !self.program.bodies[fiber.body].acquires() {
            return;
        }
        let known = self.keys(&fiber.frame, fiber);
        let mut keys = self.keys(&frame, fiber);
        keys.retain(|key| !known.contains(key));
        self.emit_late(index, keys);
    }

    /// The keys that waits around a fiber would have if it ended with this frame.
    fn late_around(&mut self, index: usize, mut frame: Frame) {
        let mut at = index;
        while let Some(parent) = self.state.fibers[at].parent.and_then(|id| self.index(id)) {
            if !self.around_acquires(parent) {
                return;
            }
            frame = self.ended_with(at, parent, &frame);
            self.late_with(parent, Arc::new(frame.clone()));
            at = parent;
        }
    }

    /// Whether an acquiring event is waited for in a fiber's body or around it.
    fn around_acquires(&self, index: usize) -> bool {
        let mut at = Some(index);
        while let Some(fiber) = at.map(|index| &self.state.fibers[index]) {
            if self.program.bodies[fiber.body].acquires() {
                return true;
            }
            at = fiber.parent.and_then(|id| self.index(id));
        }
        false
    }

    /// The frame around a part of a block, if that part ended with this frame and was the block's last.
    fn ended_with(&self, index: usize, parent: usize, inner: &Frame) -> Frame {
        let holder = &self.state.fibers[parent];
        let mut frame = (*holder.frame).clone();
        let set = |frame: &mut Frame, slot: u16, value: Value| {
            if let Some(place) = frame.slots.get_mut(usize::from(slot)) {
                *place = value;
            }
        };
        let export = |frame: &mut Frame, exports: &Exports| {
            for (from, to) in exports {
                let value = inner.slots.get(usize::from(*from)).cloned();
                set(frame, *to, value.unwrap_or_else(|| self.program.nothing.clone()));
            }
        };
        let (result, slot, then) = match self.program.ops.get(holder.pc) {
            Some(Op::Scope(site)) => {
                export(&mut frame, &site.exports);
                (None, None, site.then)
            }
            Some(Op::Parallel(site)) => {
                if let Some(branch) = site.branches.get(self.state.fibers[index].round) {
                    export(&mut frame, &branch.exports);
                }
                (None, None, site.then)
            }
            Some(Op::Repeat(site)) => (site.result.as_ref(), site.slot, site.then),
            Some(Op::Foreach(site)) => (site.result.as_ref(), site.slot, site.then),
            _ => return frame,
        };
        if let (Some(slot), Some(result)) = (slot, result)
            && let Ok(result) = result.evaluate(&self.env_on(inner))
        {
            let result = match &holder.doing {
                Doing::Rounds(rounds) => {
                    let mut results = rounds.results.clone();
                    if let Some(place) = results.get_mut(self.state.fibers[index].round) {
                        *place = result;
                    }
                    Value::list(results)
                }
                _ => result,
            };
            set(&mut frame, slot, result);
        }
        self.bind_on(frame, then)
    }

    /// What is bound at once behind a block, such as its result.
    fn bind_on(&self, mut frame: Frame, mut at: Pc) -> Frame {
        for _ in 0..self.program.ops.len() {
            match self.program.ops.get(at) {
                Some(Op::Jump(to)) => at = *to,
                Some(Op::Bind { slot, value }) => {
                    let Ok(value) = value.evaluate(&self.env_on(&frame)) else { break };
                    if let Some(place) = frame.slots.get_mut(usize::from(*slot)) {
                        *place = value;
                    }
                    at += 1;
                }
                _ => break,
            }
        }
        frame
    }

    /// These keys are late, but for those that a block around the fiber may still wait for: they are late when it is over.
    fn emit_late(&mut self, index: usize, keys: Vec<Key>) {
        if keys.is_empty() {
            return;
        }
        let mut awaited = Vec::new();
        let mut at = self.state.fibers[index].parent;
        while let Some(around) = at.and_then(|id| self.index(id)) {
            let fiber = &self.state.fibers[around];
            awaited.extend(self.keys(&fiber.frame, fiber));
            at = fiber.parent;
        }
        for (event, key) in keys {
            let key = (event, key);
            if awaited.contains(&key) || self.state.came.contains(&key) || self.state.late.contains(&key) {
                continue;
            }
            Arc::make_mut(&mut self.state.late).push(key.clone());
            let (event, key) = key;
            self.out.push(Command::LateKey { event, key });
        }
    }
}

fn is_over(frame: &Frame, site: &WaitSite) -> bool {
    site.acquiring.as_ref().is_none_or(|acquiring| is_true(frame, acquiring.over))
}

fn is_true(frame: &Frame, slot: u16) -> bool {
    matches!(frame.slots.get(usize::from(slot)), Some(Value::Bool(true)))
}
