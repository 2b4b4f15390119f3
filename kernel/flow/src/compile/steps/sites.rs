//! Calls and waits: what the step says joined with what its contract says.

use mortise_contract::{Effect, EventContract, OperationContract};

use super::Steps;
use crate::ast::{self, Step};
use crate::compile::CompileError;
use crate::compile::contract::{self, handles};
use crate::compile::names::Shape;
use crate::compile::program::{Acquiring, CallSite, Clock, Handler, Op, Pc, Taking, Undo, WaitSite};
use crate::eval::Mapping;
use crate::machine::Persistence;

impl<'a> Steps<'a> {
    pub(super) fn uses_event(&mut self, event: &str) -> Result<&'a EventContract, CompileError> {
        let contract =
            self.contracts.events.get(event).ok_or_else(|| CompileError::UnknownEvent(event.to_owned()))?;
        if !self.out.used.contains_key(event) {
            let hash = self.contracts.event_hash(event).unwrap_or_default();
            self.out.used.insert(event.to_owned(), hash);
        }
        if let Some(late) = &contract.late {
            self.uses_operation(&late.call)?;
        }
        Ok(contract)
    }

    fn uses_operation(&mut self, name: &str) -> Result<&'a OperationContract, CompileError> {
        let contract = self
            .contracts
            .operations
            .get(name)
            .ok_or_else(|| CompileError::UnknownOperation(name.to_owned()))?;
        if !self.out.used.contains_key(name) {
            let hash = self.contracts.operation_hash(name).unwrap_or_default();
            self.out.used.insert(name.to_owned(), hash);
        }
        Ok(contract)
    }

    pub(super) fn call(&mut self, step: &Step, call: &ast::Call) -> Result<(), CompileError> {
        let with = self.mapping(&call.with)?.0;
        let own_undo = call.undo.as_ref();
        let site = self.push_call(&call.operation.value, with)?;
        let contract = self.uses_operation(&call.operation.value)?;

        let slot = self.bind_id(step, Shape::Schema(&contract.output))?;
        let own = match own_undo {
            None => None,
            Some(own) => {
                self.uses_operation(&own.operation.value)?;
                let with = self.mapping(&own.with)?.0;
                Some(Undo::Own(Taking { operation: own.operation.value.as_str().into(), with }))
            }
        };
        let mut handlers = Vec::with_capacity(call.on.len());
        let mut any = None;
        let mut ends = Vec::with_capacity(call.on.len());
        for handler in &call.on {
            let (start, end) = self.handler(handler, contract)?;
            ends.push(end);
            if handler.code.value == "any" {
                any = Some(start);
            } else {
                handlers.push((handler.code.value.as_str().into(), start));
            }
        }
        let then = self.here();
        for end in ends {
            self.land(end, then);
        }
        if let Some(Op::Call(site)) = self.out.ops.get_mut(site) {
            site.slot = slot;
            site.timeout_ms = call.timeout.as_ref().map(|timeout| timeout.value.as_millis().unsigned_abs());
            site.handlers = handlers;
            site.any = any;
            site.then = then;
            if let Some(own) = own {
                site.undo = own;
                site.settles.clear();
            }
            site.persistence = persistence(contract.effect, &site.undo);
        }
        Ok(())
    }

    /// A call with all that its contract says; the caller adds what the step says.
    pub(in crate::compile) fn push_call(
        &mut self,
        operation: &str,
        with: Mapping,
    ) -> Result<Pc, CompileError> {
        let contract = self.uses_operation(operation)?;
        let undo = match &contract.undo {
            None => Undo::Impossible,
            Some(mortise_contract::Undo::Nothing) => Undo::Nothing,
            Some(mortise_contract::Undo::Call(template)) => {
                self.uses_operation(&template.call)?;
                let seen = [("input", &contract.input), ("output", &contract.output)];
                Undo::Contract(contract::taking(self.contracts, operation, template, &seen)?)
            }
        };
        let settles = match undo {
            Undo::Nothing => {
                contract.settles.iter().map(|settles| handles(&settles.resource, &settles.handle)).collect()
            }
            _ => Vec::new(),
        };
        let acquires =
            contract.acquires.iter().map(|acquires| handles(&acquires.resource, &acquires.handle)).collect();
        let then = self.here() + 1;
        let persistence = persistence(contract.effect, &undo);
        let site = CallSite {
            operation: operation.into(),
            with,
            slot: None,
            timeout_ms: None,
            handlers: Vec::new(),
            any: None,
            then,
            undo,
            acquires,
            settles,
            persistence,
            keyed_by: Vec::new(),
        };
        Ok(self.push(Op::Call(Box::new(site))))
    }

    fn handler(
        &mut self,
        handler: &ast::Handler,
        contract: &'a OperationContract,
    ) -> Result<(Handler, Pc), CompileError> {
        let mark = self.names.mark();
        let detail = contract.rejections.get(&handler.code.value).map_or(Shape::Unknown, Shape::Schema);
        let shape = Shape::record([("detail".to_owned(), detail)]);
        let rejection = self.bind("rejection", shape)?;
        self.rejections.push(rejection);
        let start = self.here();
        self.block(&handler.steps)?;
        let end = self.push(Op::Jump(0));
        self.rejections.pop();
        let _ = self.names.close(mark);
        Ok((Handler { start, rejection }, end))
    }

    pub(super) fn land(&mut self, jump: Pc, at: Pc) {
        if let Some(Op::Jump(to)) = self.out.ops.get_mut(jump) {
            *to = at;
        }
    }

    pub(super) fn clock(&mut self, clock: &ast::Clock) -> Result<Clock, CompileError> {
        match clock {
            ast::Clock::After(span) => Ok(Clock::AfterMs(span.value.as_millis().unsigned_abs())),
            ast::Clock::Expr(expr) => Ok(Clock::At(self.expressions().clock(expr)?)),
        }
    }

    pub(super) fn wait(&mut self, step: &Step, wait: &ast::Wait) -> Result<(), CompileError> {
        let contract = self.uses_event(&wait.event.value)?;
        let key = self.mapping(&wait.key)?.0;
        let clock = self.clock(&wait.clock)?;
        let acquiring = match &contract.late {
            Some(late) if !contract.acquires.is_empty() => Some(Acquiring {
                over: self.new_slot()?,
                late: contract::taking(
                    self.contracts,
                    &wait.event.value,
                    late,
                    &[("event", &contract.payload)],
                )?,
                acquires: contract
                    .acquires
                    .iter()
                    .map(|held| handles(&held.resource, &held.handle))
                    .collect(),
                later: Vec::new(),
            }),
            _ => None,
        };
        let slot = self.bind_id(step, Shape::Schema(&contract.payload))?;
        let at = self.here();
        if acquiring.is_some() {
            self.body().waits.push(at);
        }
        let site = WaitSite {
            event: wait.event.value.as_str().into(),
            key,
            clock,
            slot,
            on_timeout: at + 1,
            then: 0,
            acquiring,
        };
        self.push(Op::Wait(Box::new(site)));
        self.block(&wait.on_timeout)?;
        let behind = self.here();
        if let Some(Op::Wait(site)) = self.out.ops.get_mut(at) {
            site.then = behind;
        }
        Ok(())
    }
}

/// What cannot be taken back is not given up: a remote call without an undo is asked until it answers.
fn persistence(effect: Effect, undo: &Undo) -> Persistence {
    match (effect, undo) {
        (Effect::Remote, Undo::Impossible) => Persistence::WithoutEnd,
        _ => Persistence::GiveUp,
    }
}
