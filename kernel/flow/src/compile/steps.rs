//! Steps turned into operations: blocks become jumps, names become slots, contracts are looked up.

mod blocks;
mod scopes;
mod sites;

use std::collections::BTreeMap;
use std::sync::Arc;

use mortise_contract::{Contracts, Schema};

use super::CompileError;
use super::expression::Expressions;
use super::names::{Bound, Names, Shape};
use super::program::{Body, CancelSite, Exports, Op, Pc};
use crate::ast::{self, Step, StepKind, Template};
use crate::eval::{Mapping, Node};
use crate::label::Labels;

/// Slots of the whole flow's frame that every flow has.
pub(crate) const INPUT: u16 = 0;
pub(crate) const SCOPE: u16 = 1;

/// Nesting of blocks that no person writes.
const DEPTH: usize = 100;

/// What the steps of a flow turn into.
#[derive(Debug, Default)]
pub(super) struct Compiled {
    pub(super) ops: Vec<Op>,
    /// The last part of the path of each operation.
    pub(super) labels: Vec<Arc<str>>,
    pub(super) bodies: Vec<Body>,
    /// The operations and events that are named.
    pub(super) used: BTreeMap<String, String>,
    /// The flows that are started, each with its contract's hash.
    pub(super) started: BTreeMap<String, String>,
}

/// A body that is being compiled, and what is put back when it is done.
struct Entered {
    body: usize,
    mark: usize,
    label: Arc<str>,
    rejections: Vec<u16>,
}

/// Turns the steps of one flow into operations.
pub(super) struct Steps<'a> {
    contracts: &'a Contracts,
    names: Names<'a>,
    /// The bodies around the place, outermost first.
    levels: Vec<usize>,
    out: Compiled,
    label: Arc<str>,
    labels: Labels,
    rejections: Vec<u16>,
    depth: usize,
}

impl<'a> Steps<'a> {
    /// `input` is the schema of the name that slot 0 is bound to.
    pub(super) fn new(contracts: &'a Contracts, input_name: &str, input: &'a Schema) -> Self {
        let mut names = Names::default();
        names.bind(input_name, Bound::Slot { level: 0, slot: INPUT }, Shape::Schema(input));
        names.bind("scope", Bound::Slot { level: 0, slot: SCOPE }, Shape::Unknown);
        names.bind("now", Bound::Now, Shape::Moment);
        names.bind("started_at", Bound::StartedAt, Shape::Moment);
        let main = Body { slots: 2, names: vec![input_name.into(), "scope".into()], ..Body::default() };
        Self {
            contracts,
            names,
            levels: vec![0],
            out: Compiled { bodies: vec![main], ..Compiled::default() },
            label: "start".into(),
            labels: Labels::default(),
            rejections: Vec::new(),
            depth: 0,
        }
    }

    /// A template of the head.
    pub(super) fn head(&mut self, template: &Template) -> Result<Mapping, CompileError> {
        self.mapping(template).map(|(mapping, _)| mapping)
    }

    pub(super) fn cancel_on(&mut self, cancel: &ast::CancelOn) -> Result<CancelSite, CompileError> {
        self.uses_event(&cancel.event.value)?;
        Ok(CancelSite {
            event: cancel.event.value.as_str().into(),
            key: self.head(&cancel.key)?,
            code: cancel.code.value.as_str().into(),
        })
    }

    /// The whole flow.
    pub(super) fn finish(mut self, steps: &[Step]) -> Result<Compiled, CompileError> {
        self.block(steps)?;
        self.end()
    }

    /// The same, with a label for the next operations.
    pub(super) fn labelled(&mut self, label: &str) -> &mut Self {
        self.label = label.into();
        self
    }

    /// Gives the output of the call at `at` a slot.
    pub(super) fn output_of(&mut self, at: Pc) -> Result<u16, CompileError> {
        let slot = self.new_slot()?;
        if let Some(Op::Call(site)) = self.out.ops.get_mut(at) {
            site.slot = Some(slot);
        }
        Ok(slot)
    }

    /// Its tail, where the steps were added otherwise.
    pub(super) fn end(mut self) -> Result<Compiled, CompileError> {
        self.label = "end".into();
        self.push(Op::Finish);
        super::reach::connect(&mut self.out);
        Ok(self.out)
    }

    pub(super) fn push(&mut self, op: Op) -> Pc {
        self.out.ops.push(op);
        self.out.labels.push(self.label.clone());
        self.out.ops.len() - 1
    }

    fn here(&self) -> Pc {
        self.out.ops.len()
    }

    fn level(&self) -> usize {
        self.levels.len() - 1
    }

    fn body(&mut self) -> &mut Body {
        let index = self.levels.last().copied().unwrap_or_default();
        &mut self.out.bodies[index]
    }

    fn new_slot(&mut self) -> Result<u16, CompileError> {
        let unnamed = format!("~{}", self.label).into();
        let body = self.body();
        let slot = u16::try_from(body.slots).map_err(|_| CompileError::TooLarge("too many names"))?;
        body.slots += 1;
        body.names.push(unnamed);
        Ok(slot)
    }

    fn bind(&mut self, name: &str, shape: Shape<'a>) -> Result<u16, CompileError> {
        let slot = self.new_slot()?;
        self.bind_slot(name, slot, shape);
        Ok(slot)
    }

    fn bind_slot(&mut self, name: &str, slot: u16, shape: Shape<'a>) {
        let level = self.level();
        if let Some(of) = self.body().names.get_mut(usize::from(slot)) {
            *of = name.into();
        }
        self.names.bind(name, Bound::Slot { level, slot }, shape);
    }

    fn bind_id(&mut self, step: &Step, shape: Shape<'a>) -> Result<Option<u16>, CompileError> {
        step.id.as_ref().map(|id| self.bind(&id.value, shape)).transpose()
    }

    fn expressions(&mut self) -> Expressions<'_, 'a> {
        let level = self.level();
        Expressions::new(self.contracts, &mut self.names, level)
    }

    fn mapping(&mut self, template: &Template) -> Result<(Mapping, Shape<'a>), CompileError> {
        self.expressions().template(template)
    }

    fn node(&mut self, expr: &ast::Expr) -> Result<(Node, Shape<'a>), CompileError> {
        self.expressions().expr(expr)
    }

    /// Steps whose names are seen no more behind them; they are given back for the block's result.
    fn block(&mut self, steps: &[Step]) -> Result<Names<'a>, CompileError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(CompileError::TooLarge("blocks are nested too deep"));
        }
        let mark = self.names.mark();
        for step in steps {
            self.step(step)?;
        }
        self.depth -= 1;
        Ok(self.names.close(mark))
    }

    fn step(&mut self, step: &Step) -> Result<(), CompileError> {
        self.label = self.labels.of_step(step);
        let label = self.label.clone();
        let skip = match &step.when {
            None => None,
            Some(when) => {
                let condition = self.node(when)?.0;
                Some(self.push(Op::Branch { condition, otherwise: 0 }))
            }
        };
        match &step.kind {
            StepKind::Call(call) => self.call(step, call)?,
            StepKind::Wait(wait) => self.wait(step, wait)?,
            StepKind::Sleep(clock) => {
                let clock = self.clock(clock)?;
                self.push(Op::Sleep(clock));
            }
            StepKind::Switch(switch) => self.switch(step, switch, &label)?,
            StepKind::Foreach(foreach) => self.foreach(step, foreach)?,
            StepKind::Tcc(tcc) => self.tcc(step, tcc, &label)?,
            StepKind::Parallel(branches) => self.parallel(step, branches, &label)?,
            StepKind::Race(racers) => self.race(step, racers, &label)?,
            StepKind::Repeat(repeat) => self.repeat(step, repeat)?,
            StepKind::Attempt(attempt) => self.attempt(step, attempt, &label)?,
            StepKind::Start(start) => self.start(step, start)?,
            StepKind::Emit { event, with } => {
                self.uses_event(&event.value)?;
                let payload = self.mapping(with)?.0;
                self.push(Op::Emit { event: event.value.as_str().into(), payload });
            }
            StepKind::Answer(with) => {
                let answer = self.mapping(with)?.0;
                self.push(Op::Answer(answer));
            }
            StepKind::Let(names) => {
                for (name, template) in names {
                    let (value, shape) = self.mapping(template)?;
                    let slot = self.bind(&name.value, shape)?;
                    self.push(Op::Bind { slot, value });
                }
            }
            StepKind::Pivot(_) => {
                self.push(Op::Pivot);
            }
            StepKind::Fail(code) => {
                let rejection = self.rejections.last().copied();
                self.push(Op::Fail { code: code.value.as_str().into(), rejection });
            }
            StepKind::End(outcome) => {
                self.push(Op::End(outcome.value.as_str().into()));
            }
            StepKind::Attention(text) => {
                let text = self.mapping(text)?.0;
                self.push(Op::Attention(text));
            }
        }
        let behind = self.here();
        if let Some(Op::Branch { otherwise, .. }) = skip.and_then(|at| self.out.ops.get_mut(at)) {
            *otherwise = behind;
        }
        self.label = label;
        Ok(())
    }

    /// A block's `result:`, which sees the names directly inside.
    fn result(
        &mut self,
        step: &Step,
        inside: Vec<Names<'a>>,
    ) -> Result<Option<(Mapping, Shape<'a>)>, CompileError> {
        let Some(result) = &step.result else {
            return Ok(None);
        };
        let mark = self.names.mark();
        for names in inside {
            self.names.reopen(names);
        }
        let compiled = self.mapping(result)?;
        let _ = self.names.close(mark);
        Ok(Some(compiled))
    }

    /// The end of a block: its result is worked out and bound to its id.
    fn closing(&mut self, step: &Step, inside: Vec<Names<'a>>, label: &Arc<str>) -> Result<(), CompileError> {
        self.label = label.clone();
        let result = self.result(step, inside)?;
        let shape = result.as_ref().map_or(Shape::Unknown, |(_, shape)| shape.clone());
        let slot = self.bind_id(step, shape)?;
        if let (Some(slot), Some((value, _))) = (slot, result) {
            self.push(Op::Bind { slot, value });
        }
        Ok(())
    }

    /// What follows runs in a frame of its own, on that of the body around.
    fn enter(&mut self) -> Result<Entered, CompileError> {
        let body = self.out.bodies.len();
        self.out.bodies.push(Body { start: self.here(), ..Body::default() });
        self.levels.push(body);
        if self.levels.len() > usize::from(u8::MAX) {
            return Err(CompileError::TooLarge("blocks are nested too deep"));
        }
        let (mark, label) = (self.names.mark(), self.label.clone());
        Ok(Entered { body, mark, label, rejections: std::mem::take(&mut self.rejections) })
    }

    /// The body's end. Gives back the names that were bound in it.
    fn leave(&mut self, entered: Entered) -> Names<'a> {
        self.label = entered.label;
        self.push(Op::BodyEnd);
        self.levels.pop();
        self.rejections = entered.rejections;
        self.names.close(entered.mark)
    }

    /// Slots outside for the names of a body that was left, and the names as they are bound there.
    fn export(&mut self, inside: Names<'a>) -> Result<(Exports, Names<'a>), CompileError> {
        let level = self.level();
        let (mut exports, mut outside) = (Vec::new(), Names::default());
        for (name, bound, shape) in inside {
            if let Bound::Slot { level: of, slot } = bound
                && of == level + 1
            {
                let to = self.new_slot()?;
                if let Some(of) = self.body().names.get_mut(usize::from(to)) {
                    *of = name.as_str().into();
                }
                exports.push((slot, to));
                outside.bind(name, Bound::Slot { level, slot: to }, shape);
            }
        }
        Ok((exports.into(), outside))
    }

    /// A slot that says that the block at `at` is over, if an acquiring event is waited for in its bodies.
    fn over(&mut self, at: Pc, bodies: &[usize]) -> Result<Option<u16>, CompileError> {
        if !bodies.iter().any(|body| self.out.bodies[*body].acquires()) {
            return Ok(None);
        }
        self.body().blocks.push(at);
        self.new_slot().map(Some)
    }
}
