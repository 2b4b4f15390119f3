//! Blocks: `switch`, the loops, `parallel` and `race`. A switch and a race stay in the body around them; rounds and branches
//! have bodies of their own.

use std::sync::Arc;

use super::Steps;
use crate::ast::{self, Contest, Foreach, Repeat, Rounds, Step};
use crate::compile::CompileError;
use crate::compile::names::Shape;
use crate::compile::program::{BranchSite, ForeachSite, Op, ParallelSite, Pc, RepeatSite};
use crate::eval::{Mapping, Node};

/// A loop's body, compiled.
struct Round<'a> {
    body: usize,
    until: Option<Node>,
    result: Option<(Mapping, Shape<'a>)>,
}

impl<'a> Steps<'a> {
    pub(super) fn switch(
        &mut self,
        step: &Step,
        switch: &ast::Switch,
        label: &Arc<str>,
    ) -> Result<(), CompileError> {
        let mut ends = Vec::with_capacity(switch.cases.len());
        let mut inside = Vec::with_capacity(switch.cases.len() + 1);
        for case in &switch.cases {
            self.label = label.clone();
            let condition = self.node(&case.condition)?.0;
            let branch = self.push(Op::Branch { condition, otherwise: 0 });
            inside.push(self.block(&case.steps)?);
            ends.push(self.push(Op::Jump(0)));
            let next = self.here();
            if let Some(Op::Branch { otherwise, .. }) = self.out.ops.get_mut(branch) {
                *otherwise = next;
            }
        }
        if let Some(steps) = &switch.otherwise {
            inside.push(self.block(&steps.value)?);
        }
        self.land_all(ends);
        self.closing(step, inside, label)
    }

    pub(super) fn foreach(&mut self, step: &Step, foreach: &Foreach) -> Result<(), CompileError> {
        let (list, list_shape) = self.node(&foreach.list)?;
        let (at_once, until) = match &foreach.mode {
            Rounds::InOrder { until } => (1, until.as_ref()),
            Rounds::AtOnce(most) => (usize::try_from(most.value).unwrap_or(1).max(1), None),
        };
        let at = self.push(Op::Jump(0));
        let element = list_shape.element(self.contracts);
        let Round { body, until, result } =
            self.round(step, &foreach.name.value, element, &foreach.steps, until)?;
        let (result, shape) = result.map_or((None, Shape::Unknown), |(result, shape)| (Some(result), shape));
        let over = self.over(at, &[body])?;
        let slot = self.bind_id(step, Shape::list(shape))?;
        let max = foreach.max.as_ref().map(|max| max.value);
        let then = self.here();
        let site = ForeachSite { list, body, then, slot, at_once, max, until, result, over };
        self.out.ops[at] = Op::Foreach(Box::new(site));
        Ok(())
    }

    pub(super) fn repeat(&mut self, step: &Step, repeat: &Repeat) -> Result<(), CompileError> {
        let max = repeat.max.as_ref().ok_or(CompileError::TooLarge("a `repeat` without `max`"))?.value;
        let at = self.push(Op::Jump(0));
        let Round { body, until, result } =
            self.round(step, &repeat.name.value, Shape::Unknown, &repeat.steps, repeat.until.as_ref())?;
        let (result, shape) = result.map_or((None, Shape::Unknown), |(result, shape)| (Some(result), shape));
        let over = self.over(at, &[body])?;
        let slot = self.bind_id(step, shape)?;
        let then = self.here();
        let site = RepeatSite { body, then, slot, max, until, result, over };
        self.out.ops[at] = Op::Repeat(Box::new(site));
        Ok(())
    }

    /// The body of a loop; its element or number is the first slot. What ends it and what it gives are worked out in it.
    fn round(
        &mut self,
        step: &Step,
        name: &str,
        shape: Shape<'a>,
        steps: &[Step],
        until: Option<&ast::Expr>,
    ) -> Result<Round<'a>, CompileError> {
        let entered = self.enter()?;
        let body = entered.body;
        self.bind(name, shape)?;
        let inside = self.block(steps)?;
        self.label = entered.label.clone();
        self.names.reopen(inside);
        let until = until.map(|until| self.node(until)).transpose()?.map(|(node, _)| node);
        let result = step.result.as_ref().map(|result| self.mapping(result)).transpose()?;
        let _ = self.leave(entered);
        Ok(Round { body, until, result })
    }

    pub(super) fn parallel(
        &mut self,
        step: &Step,
        branches: &[ast::Branch],
        label: &Arc<str>,
    ) -> Result<(), CompileError> {
        let at = self.push(Op::Jump(0));
        let mut sites = Vec::with_capacity(branches.len());
        let mut inside = Vec::with_capacity(branches.len());
        for branch in branches {
            self.label = label.clone();
            let entered = self.enter()?;
            let body = entered.body;
            let names = self.block(&branch.steps)?;
            let _ = self.leave(entered);
            let (exports, outside) = self.exported(step, names)?;
            inside.push(outside);
            sites.push(BranchSite { name: branch.name.value.as_str().into(), body, exports });
        }
        let bodies: Vec<usize> = sites.iter().map(|site| site.body).collect();
        let over = self.over(at, &bodies)?;
        let then = self.here();
        let site = ParallelSite { branches: sites.into(), then, over };
        self.out.ops[at] = Op::Parallel(Box::new(site));
        self.closing(step, inside, label)
    }

    /// Racers stand in the body of their race: the one that wins goes on at its own steps.
    pub(super) fn race(
        &mut self,
        step: &Step,
        racers: &[ast::Racer],
        label: &Arc<str>,
    ) -> Result<(), CompileError> {
        let at = self.push(Op::Jump(0));
        let (mut starts, mut ends, mut inside) = (Vec::new(), Vec::new(), Vec::new());
        for racer in racers {
            self.label = format!("{label}.{}", racer.name.value).into();
            let mark = self.names.mark();
            starts.push(match &racer.until {
                Contest::Event { event, key } => {
                    let (start, payload) = self.push_wait(&event.value, key, None, at)?;
                    let slot = self.bind(&racer.name.value, Shape::Schema(payload))?;
                    self.receives(start, Some(slot));
                    start
                }
                Contest::Clock(clock) => {
                    let clock = self.clock(clock)?;
                    self.bind(&racer.name.value, Shape::Unknown)?;
                    self.push(Op::Sleep(clock))
                }
            });
            let names = self.block(&racer.steps)?;
            self.names.reopen(names);
            inside.push(self.names.close(mark));
            self.label = label.clone();
            ends.push(self.push(Op::Jump(0)));
        }
        self.land_all(ends);
        self.out.ops[at] = Op::Race(starts.into());
        self.closing(step, inside, label)
    }

    /// Lets jumps lead to the next operation.
    pub(super) fn land_all(&mut self, jumps: Vec<Pc>) {
        let behind = self.here();
        for jump in jumps {
            if let Some(Op::Jump(to)) = self.out.ops.get_mut(jump) {
                *to = behind;
            }
        }
    }
}
