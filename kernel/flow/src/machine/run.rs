//! Going forward: inputs wake fibers, fibers run until they have to wait for the world.

use std::collections::VecDeque;
use std::sync::Arc;

use mortise_contract::Value;
use mortise_contract::value::Text;
use mortise_types::Timestamp;

use super::state::{Again, Course, Doing, Fiber, Held, Outcome, Pending, Phase};
use super::{Answer, Begin, CallKind, CallNo, Command, Ended, Input, Persistence, State, WaitNo};
use crate::compile::{CallSite, INPUT, Op, Pc, Program, SCOPE, Target};
use crate::eval::{Env, EvalError, Frame};

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
            Input::CancelAttempt { wait } => self.cancel_attempt(wait),
            Input::TakeBack => self.take_back_trade(),
            Input::Resume => self.resume(),
            Input::Skip => self.skip(),
            Input::Compensate => self.compensate(),
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
        self.state.fibers.push(Fiber::new(self.state.fibers_ever, None, 0, 0, Arc::new(frame)));
        self.state.fibers_ever += 1;
        self.ready.push_back(0);
        if let Some(cancel) = &self.program.cancel_on {
            match cancel.key.evaluate(&self.env(0)) {
                Ok(key) => {
                    self.state.cancellable = Some((cancel.event.clone(), key.clone()));
                    let event = cancel.event.clone();
                    self.out.push(Command::Cancellable { wait: WaitNo(0), event, key });
                }
                Err(error) => self.problem(0, &error.to_string()),
            }
        }
    }

    /// A fiber for a part of what `parent` does, on its frame; it can go on at once.
    pub(super) fn begin_part(
        &mut self,
        parent: usize,
        round: usize,
        body: usize,
        first: Option<Value>,
        prefix: Option<Arc<str>>,
    ) -> u32 {
        let of = &self.state.fibers[parent];
        let frame = self.inner_frame(&of.frame, body, first);
        let (parent, scope) = (of.id, of.scope);
        let id = self.state.fibers_ever;
        self.state.fibers_ever += 1;
        let fiber = Fiber::new(id, Some(parent), body, self.program.bodies[body].start, Arc::new(frame));
        self.state.fibers.push(Fiber { round, scope, prefix, ..fiber });
        self.ready.push_back(id);
        id
    }

    /// A frame of a body on that of the body around it; `first` is a round's element or number.
    pub(super) fn inner_frame(&self, parent: &Arc<Frame>, body: usize, first: Option<Value>) -> Frame {
        let mut slots = vec![self.program.nothing.clone(); self.program.bodies[body].slots];
        if let (Some(place), Some(first)) = (slots.first_mut(), first) {
            *place = first;
        }
        Frame { parent: Some(parent.clone()), slots }
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
                if fiber.course != Course::Forward || !matches!(fiber.doing, Doing::Ready | Doing::Rounds(_))
                {
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
            Op::Wait(_) | Op::Sleep(_) => return self.wait(index, pc),
            Op::Race(racers) => return self.race(index, racers),
            Op::Branch { condition, otherwise } => {
                let holds = condition.holds(&self.env(index))?;
                return Ok(Then::Go(if holds { pc + 1 } else { *otherwise }));
            }
            Op::Jump(to) => return Ok(Then::Go(*to)),
            Op::Foreach(site) => return self.foreach(index, pc, site),
            Op::Repeat(site) => return Ok(self.repeat(index, pc, site)),
            Op::Parallel(site) => return Ok(self.parallel(index, site)),
            Op::Scope(site) => return self.scope(index, site),
            Op::BodyEnd => return self.body_end(index),
            Op::Confirm => return Ok(self.confirm(index, pc)),
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
            self.out.push(Command::NotCancellable { wait: WaitNo(0) });
        }
    }

    pub(super) fn next_call(&mut self) -> CallNo {
        self.state.calls += 1;
        CallNo(self.state.calls)
    }

    fn call(&mut self, index: usize, pc: Pc, site: &CallSite, input: Value) {
        let (call, path) = (self.next_call(), self.path(index, pc));
        let command = match site.target {
            Target::Flow => Command::Start { call, flow: site.operation.clone(), path, input },
            Target::Operation => Command::Call {
                call,
                kind: CallKind::Forward,
                operation: site.operation.clone(),
                path,
                input,
                timeout_ms: site.timeout_ms,
                persistence: if self.state.passed_pivot { Persistence::WithoutEnd } else { site.persistence },
            },
        };
        self.out.push(command.clone());
        self.state.fibers[index].doing = Doing::Calling(Pending { call, command });
    }

    fn fail_step(&mut self, index: usize, code: &Arc<str>, rejection: Option<u16>) {
        let rejection =
            rejection.and_then(|slot| self.state.fibers[index].frame.slots.get(usize::from(slot)));
        let same = |rejection: &&Value| rejection.get("code").and_then(Value::as_str) == Some(code);
        let detail = rejection.filter(same).and_then(|rejection| rejection.get("detail")).cloned();
        let detail = detail.unwrap_or_else(|| self.program.nothing.clone());
        self.raise(index, code.clone(), detail, |code| format!("`fail: {code}` behind the pivot"));
    }

    /// An expression without a value: what it stands in fails, or past the pivot its step is held for a person.
    pub(super) fn problem(&mut self, index: usize, problem: &str) {
        let step = self.path(index, self.state.fibers[index].pc);
        let detail = Value::record([
            (Text::Static("step"), Value::text(step.as_ref())),
            (Text::Static("problem"), Value::text(problem)),
        ]);
        self.raise(index, EVALUATION_FAILED.into(), detail, |_| problem.to_owned());
    }

    pub(super) fn hold(&mut self, index: usize, problem: &str, again: Again) {
        let held = Held { path: self.path(index, self.state.fibers[index].pc), problem: problem.into() };
        self.out.push(Command::Stuck { path: held.path.clone(), problem: held.problem.clone() });
        self.state.fibers[index].doing = Doing::Stuck { held, again };
    }

    fn cancel(&mut self) {
        if self.state.phase == Phase::Forward
            && self.state.cancellable.is_some()
            && let Some(cancel) = &self.program.cancel_on
        {
            self.fail(cancel.code.clone(), self.program.nothing.clone());
        }
    }
}
