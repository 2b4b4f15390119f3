//! Calls and waits: what the step says joined with what its contract says.

use mortise_contract::{Effect, EventContract, OperationContract, Schema};

use super::Steps;
use super::scopes::Handled;
use crate::ast::{self, Step};
use crate::compile::CompileError;
use crate::compile::contract::{self, handles};
use crate::compile::names::Shape;
use crate::compile::program::{Acquiring, CallSite, Clock, Handlers, Op, Pc, Taking, Target, Undo, WaitSite};
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

    pub(super) fn uses_operation(&mut self, name: &str) -> Result<&'a OperationContract, CompileError> {
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
        let at = self.plain_call(step.id.as_ref(), call)?;
        let contract = self.uses_operation(&call.operation.value)?;
        let detail = |code: &str| contract.rejections.get(code).map_or(Shape::Unknown, Shape::Schema);
        let Handled { handlers, ends, .. } = self.handlers(&call.on, detail)?;
        self.land_all(ends);
        let then = self.here();
        if let Some(Op::Call(site)) = self.out.ops.get_mut(at) {
            site.handlers = handlers;
            site.then = then;
        }
        Ok(())
    }

    /// A call with what the step says of it, but for what is done on a rejection.
    pub(super) fn plain_call(
        &mut self,
        id: Option<&ast::At<String>>,
        call: &ast::Call,
    ) -> Result<Pc, CompileError> {
        let with = self.mapping(&call.with)?.0;
        let at = self.push_call(&call.operation.value, with)?;
        let contract = self.uses_operation(&call.operation.value)?;
        let slot = id.map(|id| self.bind(&id.value, Shape::Schema(&contract.output))).transpose()?;
        let own = match &call.undo {
            None => None,
            Some(own) => {
                self.uses_operation(&own.operation.value)?;
                let with = self.mapping(&own.with)?.0;
                Some(Undo::Own(Taking { operation: own.operation.value.as_str().into(), with }))
            }
        };
        if let Some(Op::Call(site)) = self.out.ops.get_mut(at) {
            site.slot = slot;
            site.timeout_ms = call.timeout.as_ref().map(|timeout| timeout.value.as_millis().unsigned_abs());
            if let Some(own) = own {
                site.undo = own;
                site.settles.clear();
            }
            site.persistence = persistence(contract.effect, &site.undo);
        }
        Ok(at)
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
            target: Target::Operation,
            operation: operation.into(),
            with,
            slot: None,
            timeout_ms: None,
            handlers: Handlers::default(),
            then,
            undo,
            triple: None,
            acquires,
            settles,
            persistence,
        };
        Ok(self.push(Op::Call(Box::new(site))))
    }

    pub(super) fn clock(&mut self, clock: &ast::Clock) -> Result<Clock, CompileError> {
        match clock {
            ast::Clock::After(span) => Ok(Clock::AfterMs(span.value.as_millis().unsigned_abs())),
            ast::Clock::Expr(expr) => Ok(Clock::At(self.expressions().clock(expr)?)),
        }
    }

    pub(super) fn wait(&mut self, step: &Step, wait: &ast::Wait) -> Result<(), CompileError> {
        let on_timeout = self.here() + 1;
        let (at, payload) = self.push_wait(&wait.event.value, &wait.key, Some(&wait.clock), on_timeout)?;
        let slot = self.bind_id(step, Shape::Schema(payload))?;
        self.receives(at, slot);
        self.block(&wait.on_timeout)?;
        let behind = self.here();
        if let Some(Op::Wait(site)) = self.out.ops.get_mut(at) {
            site.then = behind;
        }
        Ok(())
    }

    /// A wait that goes on behind itself, and the schema of what it gets.
    pub(super) fn push_wait(
        &mut self,
        event: &str,
        key: &ast::Template,
        clock: Option<&ast::Clock>,
        on_timeout: Pc,
    ) -> Result<(Pc, &'a Schema), CompileError> {
        let contract = self.uses_event(event)?;
        let key = self.mapping(key)?.0;
        let clock = clock.map(|clock| self.clock(clock)).transpose()?;
        let acquiring = match &contract.late {
            Some(late) if !contract.acquires.is_empty() => Some(Acquiring {
                over: self.new_slot()?,
                late: contract::taking(self.contracts, event, late, &[("event", &contract.payload)])?,
                acquires: contract
                    .acquires
                    .iter()
                    .map(|held| handles(&held.resource, &held.handle))
                    .collect(),
                later: Vec::new(),
            }),
            _ => None,
        };
        let at = self.here();
        if acquiring.is_some() {
            self.body().waits.push(at);
        }
        let event = event.into();
        let site = WaitSite { event, key, clock, slot: None, on_timeout, then: at + 1, acquiring };
        self.push(Op::Wait(Box::new(site)));
        Ok((at, &contract.payload))
    }

    /// Says where the payload of the wait at `at` is bound.
    pub(super) fn receives(&mut self, at: Pc, into: Option<u16>) {
        if let Some(Op::Wait(site)) = self.out.ops.get_mut(at) {
            site.slot = into;
        }
    }
}

/// What cannot be taken back is not given up: a remote call without an undo is asked until it answers.
fn persistence(effect: Effect, undo: &Undo) -> Persistence {
    match (effect, undo) {
        (Effect::Remote, Undo::Impossible) => Persistence::WithoutEnd,
        _ => Persistence::GiveUp,
    }
}
