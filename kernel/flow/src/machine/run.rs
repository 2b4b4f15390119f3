//! Going forward: inputs wake fibers, fibers run until they have to wait for the world.

use std::collections::VecDeque;
use std::sync::Arc;

use mortise_contract::Value;
use mortise_contract::value::Text;
use mortise_types::{Span, Timestamp};

use super::state::{Again, Doing, Effect, Fiber, Finished, Held, OpenWait, Outcome, Pending, Phase};
use super::{Answer, Begin, CallKind, CallNo, Command, Ended, Input, Persistence, State, WaitNo};
use crate::compile::{CallSite, Clock, INPUT, Op, Pc, Program, SCOPE};
use crate::eval::{Env, EvalError, Frame, Item, moment_of};

/// The code of a trade that failed because an expression had no value.
pub const EVALUATION_FAILED: &str = "evaluation_failed";
/// The code of a remote call that never answered.
pub const UNAVAILABLE: &str = "unavailable";

/// One input being worked on.
pub(super) struct Run<'p> {
    pub(super) program: &'p Program,
    pub(super) state: State,
    pub(super) now: Timestamp,
    pub(super) out: Vec<Command>,
    /// Fibers that can go on.
    pub(super) ready: VecDeque<u32>,
}

/// What a fiber does behind an operation.
pub(super) enum Then {
    Go(Pc),
    Park,
}

impl<'p> Run<'p> {
    pub(super) fn new(program: &'p Program, state: State, now: Timestamp) -> Self {
        Self { program, state, now, out: Vec::new(), ready: VecDeque::new() }
    }

    pub(super) fn take(mut self, input: Input) -> (State, Vec<Command>) {
        match input {
            Input::Begin(begin) => self.begin(begin),
            Input::Replied { call, outcome } => self.replied(call, outcome),
            Input::Event { wait, payload } => self.event(wait, payload),
            Input::Due { wait } => self.due(wait),
            Input::Cancel => self.cancel(),
            Input::Resume => self.resume(),
        }
        self.run();
        (self.state, self.out)
    }

    fn begin(&mut self, begin: Begin) {
        if self.state.phase != Phase::New {
            return;
        }
        let slots = self.program.bodies.first().map_or(2, |body| body.slots);
        let mut frame = Frame::root(vec![self.program.nothing.clone(); slots]);
        for (slot, value) in [(INPUT, begin.input), (SCOPE, begin.scope)] {
            if let Some(place) = frame.slots.get_mut(usize::from(slot)) {
                *place = value;
            }
        }
        self.state.phase = Phase::Forward;
        self.state.started_at = self.now;
        let id = self.new_fiber(None, 0, 0, 0, Arc::new(frame), None);
        self.ready.push_back(id);
        if let Some(cancel) = &self.program.cancel_on {
            match cancel.key.evaluate(&self.env(0)) {
                Ok(key) => {
                    self.state.cancellable = Some((cancel.event.clone(), key.clone()));
                    self.out.push(Command::Cancellable { event: cancel.event.clone(), key });
                }
                Err(error) => self.problem(0, &error.to_string()),
            }
        }
    }

    pub(super) fn new_fiber(
        &mut self,
        parent: Option<u32>,
        round: usize,
        body: usize,
        pc: Pc,
        frame: Arc<Frame>,
        prefix: Option<Arc<str>>,
    ) -> u32 {
        let id = self.state.fibers_ever;
        self.state.fibers_ever += 1;
        self.state.fibers.push(Fiber { id, parent, round, body, pc, frame, prefix, doing: Doing::Ready });
        id
    }

    pub(super) fn index(&self, id: u32) -> Option<usize> {
        self.state.fibers.binary_search_by_key(&id, |fiber| fiber.id).ok()
    }

    pub(super) fn env(&self, index: usize) -> Env<'_> {
        Env { frame: &self.state.fibers[index].frame, now: self.now, started_at: self.state.started_at }
    }

    /// `shipping[2].picking`; shared where there is no round.
    pub(super) fn path(&self, index: usize, pc: Pc) -> Arc<str> {
        let label = &self.program.labels[pc];
        match &self.state.fibers[index].prefix {
            None => label.clone(),
            Some(prefix) => format!("{prefix}.{label}").into(),
        }
    }

    pub(super) fn bind(&mut self, index: usize, slot: Option<u16>, value: Value) {
        let Some(slot) = slot else { return };
        let frame = Arc::make_mut(&mut self.state.fibers[index].frame);
        if let Some(place) = frame.slots.get_mut(usize::from(slot)) {
            *place = value;
        }
    }

    /// Makes a fiber go on at `pc`.
    pub(super) fn wake(&mut self, index: usize, pc: Pc) {
        let fiber = &mut self.state.fibers[index];
        fiber.pc = pc;
        fiber.doing = Doing::Ready;
        self.ready.push_back(fiber.id);
    }

    fn run(&mut self) {
        while self.state.phase == Phase::Forward
            && let Some(id) = self.ready.pop_front()
        {
            while let Some(index) = self.index(id) {
                let fiber = &self.state.fibers[index];
                let pc = fiber.pc;
                // Every round that ends wakes its loop; by then the loop may be over and its fiber elsewhere.
                if !matches!(fiber.doing, Doing::Ready | Doing::Rounds(_)) {
                    break;
                }
                let Some(op) = self.program.ops.get(pc) else { break };
                match self.execute(index, pc, op) {
                    Ok(Then::Go(pc)) => self.state.fibers[index].pc = pc,
                    Ok(Then::Park) => break,
                    Err(error) => {
                        self.problem(index, &error.to_string());
                        break;
                    }
                }
            }
        }
    }

    fn execute(&mut self, index: usize, pc: Pc, op: &'p Op) -> Result<Then, EvalError> {
        match op {
            Op::Call(site) => {
                let input = site.with.evaluate(&self.env(index))?;
                self.call(index, pc, site, input);
                return Ok(Then::Park);
            }
            Op::Wait(site) => {
                let key = site.key.evaluate(&self.env(index))?;
                self.wait(index, pc, Some((site.event.clone(), key)), &site.clock)?;
                return Ok(Then::Park);
            }
            Op::Sleep(clock) => {
                self.wait(index, pc, None, clock)?;
                return Ok(Then::Park);
            }
            Op::Branch { condition, otherwise } => {
                let holds = condition.holds(&self.env(index))?;
                return Ok(Then::Go(if holds { pc + 1 } else { *otherwise }));
            }
            Op::Jump(to) => return Ok(Then::Go(*to)),
            Op::Foreach(site) => return self.foreach(index, pc, site),
            Op::RoundEnd => return self.round_end(index),
            Op::Fail { code, rejection } => {
                self.fail_step(index, code, *rejection);
                return Ok(Then::Park);
            }
            Op::End(outcome) => {
                self.drain(Outcome::End(Ended::Early(outcome.as_ref().to_owned())));
                return Ok(Then::Park);
            }
            Op::Finish => {
                self.drain(Outcome::End(Ended::Completed));
                return Ok(Then::Park);
            }
            Op::Bind { slot, value } => {
                let value = value.evaluate(&self.env(index))?;
                self.bind(index, Some(*slot), value);
            }
            Op::Emit { event, payload } => {
                let payload = payload.evaluate(&self.env(index))?;
                self.out.push(Command::Emit { event: event.clone(), payload });
            }
            Op::Answer(answer) => {
                let answer = answer.evaluate(&self.env(index))?;
                self.answer(Answer::Ok(answer));
            }
            Op::Pivot => self.pivot(),
            Op::Attention(text) => {
                let text = match text.evaluate(&self.env(index))? {
                    Value::Text(text) => text.as_str().to_owned(),
                    other => other.to_json(),
                };
                let path = self.path(index, pc);
                self.out.push(Command::Attention { text, path });
            }
        }
        Ok(Then::Go(pc + 1))
    }

    pub(super) fn answer(&mut self, answer: Answer) {
        if !self.state.answered {
            self.state.answered = true;
            self.out.push(Command::Answer(answer));
        }
    }

    fn pivot(&mut self) {
        if self.state.passed_pivot {
            return;
        }
        self.state.passed_pivot = true;
        self.state.finished = Arc::default();
        self.no_longer_cancellable();
        self.out.push(Command::PivotPassed);
    }

    pub(super) fn no_longer_cancellable(&mut self) {
        if self.state.cancellable.take().is_some() {
            self.out.push(Command::NotCancellable);
        }
    }

    pub(super) fn next_call(&mut self) -> CallNo {
        self.state.calls += 1;
        CallNo(self.state.calls)
    }

    fn call(&mut self, index: usize, pc: Pc, site: &CallSite, input: Value) {
        let call = self.next_call();
        let command = Command::Call {
            call,
            kind: CallKind::Forward,
            operation: site.operation.clone(),
            path: self.path(index, pc),
            input,
            timeout_ms: site.timeout_ms,
            persistence: if self.state.passed_pivot { Persistence::WithoutEnd } else { site.persistence },
        };
        self.out.push(command.clone());
        self.state.fibers[index].doing = Doing::Calling(Pending { call, command });
    }

    fn wait(
        &mut self,
        index: usize,
        pc: Pc,
        event: Option<(Arc<str>, Value)>,
        clock: &Clock,
    ) -> Result<(), EvalError> {
        let due = self.when(index, clock)?;
        self.state.waits += 1;
        let open = OpenWait { wait: WaitNo(self.state.waits), event, due, path: self.path(index, pc) };
        self.out.push(open.command());
        self.state.fibers[index].doing = Doing::Waiting(open);
        Ok(())
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

    fn fail_step(&mut self, index: usize, code: &Arc<str>, rejection: Option<u16>) {
        if self.state.passed_pivot {
            return self.hold(index, &format!("`fail: {code}` behind the pivot"), Again::Step);
        }
        let rejection =
            rejection.and_then(|slot| self.state.fibers[index].frame.slots.get(usize::from(slot)));
        let same = |rejection: &&Value| rejection.get("code").and_then(Value::as_str) == Some(code);
        let detail = rejection.filter(same).and_then(|rejection| rejection.get("detail")).cloned();
        self.fail(code.clone(), detail.unwrap_or_else(|| self.program.nothing.clone()));
    }

    /// An expression without a value: the trade fails, or past the pivot its step is held for a person.
    fn problem(&mut self, index: usize, problem: &str) {
        if self.state.passed_pivot {
            return self.hold(index, problem, Again::Step);
        }
        let step = self.path(index, self.state.fibers[index].pc);
        let detail = Value::record([
            (Text::Static("step"), Value::text(step.as_ref())),
            (Text::Static("problem"), Value::text(problem)),
        ]);
        self.fail(EVALUATION_FAILED.into(), detail);
    }

    pub(super) fn hold(&mut self, index: usize, problem: &str, again: Again) {
        let held = Held { path: self.path(index, self.state.fibers[index].pc), problem: problem.into() };
        self.out.push(Command::Stuck { path: held.path.clone(), problem: held.problem.clone() });
        self.state.fibers[index].doing = Doing::Stuck { held, again };
    }

    fn event(&mut self, wait: WaitNo, payload: Value) {
        let Some(index) = self.waiting(wait) else { return };
        let pc = self.state.fibers[index].pc;
        let Some(Op::Wait(site)) = self.program.ops.get(pc) else {
            return;
        };
        if let Some(acquiring) = &site.acquiring {
            self.bind(index, Some(acquiring.over), Value::Bool(true));
            if !self.state.passed_pivot {
                let path = self.path(index, pc);
                let what = Effect::Event { wait, payload: payload.clone() };
                Arc::make_mut(&mut self.state.finished).push(Finished { path, pc, what });
            }
        }
        self.bind(index, site.slot, payload);
        self.wake(index, site.then);
    }

    fn due(&mut self, wait: WaitNo) {
        let Some(index) = self.waiting(wait) else { return };
        let pc = self.state.fibers[index].pc;
        match self.program.ops.get(pc) {
            Some(Op::Wait(site)) => {
                self.timed_out(index, site);
                self.wake(index, site.on_timeout);
            }
            _ => self.wake(index, pc + 1),
        }
    }

    fn waiting(&self, wait: WaitNo) -> Option<usize> {
        self.state
            .fibers
            .iter()
            .position(|fiber| matches!(&fiber.doing, Doing::Waiting(open) if open.wait == wait))
    }

    fn cancel(&mut self) {
        if self.state.phase == Phase::Forward
            && self.state.cancellable.is_some()
            && let Some(cancel) = &self.program.cancel_on
        {
            self.fail(cancel.code.clone(), self.program.nothing.clone());
        }
    }

    fn resume(&mut self) {
        if self.undo_again() {
            return;
        }
        let ids: Vec<u32> = self.state.fibers.iter().map(|fiber| fiber.id).collect();
        for id in ids {
            let Some(index) = self.index(id) else { continue };
            let Doing::Stuck { again, .. } = &self.state.fibers[index].doing else {
                continue;
            };
            match again.clone() {
                Again::Step => self.wake(index, self.state.fibers[index].pc),
                Again::TakeBack(called) => self.take_back(index, called),
            }
        }
    }
}
