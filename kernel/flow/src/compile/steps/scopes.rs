//! Parts of a trade that go backward on their own: `attempt`, and `tcc`, whose tries are cancelled together. Also `start`, a
//! part of the trade that is a trade itself.

use std::sync::Arc;

use mortise_contract::value::Text;

use super::Steps;
use crate::ast::{self, Step};
use crate::compile::CompileError;
use crate::compile::contract;
use crate::compile::names::{Names, Shape};
use crate::compile::program::{
    CallSite, Exports, Handler, Handlers, Op, Pc, ScopeKind, ScopeSite, Target, Triple, Undo,
};
use crate::eval::{Mapping, Node, Path};
use crate::machine::Persistence;

/// Handlers, where their ways end, and the names inside of each.
pub(super) struct Handled<'a> {
    pub(super) handlers: Handlers,
    pub(super) ends: Vec<Pc>,
    inside: Vec<Names<'a>>,
}

impl<'a> Steps<'a> {
    /// The names of a body that was left, where the block's result wants them.
    pub(super) fn exported(
        &mut self,
        step: &Step,
        names: Names<'a>,
    ) -> Result<(Exports, Names<'a>), CompileError> {
        if step.result.is_some() { self.export(names) } else { Ok((Exports::default(), Names::default())) }
    }

    pub(super) fn attempt(
        &mut self,
        step: &Step,
        attempt: &ast::Attempt,
        label: &Arc<str>,
    ) -> Result<(), CompileError> {
        let cancel_on = attempt.cancel_on.as_ref().map(|cancel| self.cancel_on(cancel)).transpose()?;
        let at = self.push(Op::Jump(0));
        let entered = self.enter()?;
        let body = entered.body;
        let names = self.block(&attempt.steps)?;
        let _ = self.leave(entered);
        let (exports, outside) = self.exported(step, names)?;
        let over = self.over(at, &[body])?;
        let then = self.push(Op::Jump(0));
        let Handled { handlers, mut ends, mut inside } =
            self.handlers(&attempt.otherwise, |_| Shape::Unknown)?;
        ends.push(then);
        self.land_all(ends);
        let site = ScopeSite { kind: ScopeKind::Attempt, body, cancel_on, handlers, then, exports, over };
        self.out.ops[at] = Op::Scope(Box::new(site));
        inside.push(outside);
        self.closing(step, inside, label)
    }

    pub(super) fn tcc(&mut self, step: &Step, tcc: &ast::Tcc, label: &Arc<str>) -> Result<(), CompileError> {
        let at = self.push(Op::Jump(0));
        let entered = self.enter()?;
        let body = entered.body;
        for one in &tcc.calls {
            self.label = self.labels.of(one.id.as_ref(), &one.call.operation.value);
            self.try_call(one)?;
        }
        self.label = label.clone();
        self.push(Op::Confirm);
        let names = self.leave(entered);
        let (exports, outside) = self.export(names)?;
        let over = self.over(at, &[body])?;
        let then = self.here();
        let (mut fields, mut shapes): (Vec<(Text, Mapping)>, Vec<_>) = (Vec::new(), Vec::new());
        for ((name, _, shape), (_, slot)) in outside.clone().into_iter().zip(exports.iter()) {
            let path = Path { up: 0, slot: *slot, fields: Box::default() };
            fields.push((name.as_str().into(), Mapping::Expr(Node::Path(path))));
            shapes.push((name, shape));
        }
        let slot = step.id.as_ref().map(|_| self.new_slot()).transpose()?;
        if let Some(slot) = slot {
            self.push(Op::Bind { slot, value: Mapping::Record(fields.into()) });
        }
        let end = self.push(Op::Jump(0));
        let contracts = self.contracts;
        let detail = |code: &str| {
            let of =
                |one: &ast::Try| contracts.operations.get(&one.call.operation.value)?.rejections.get(code);
            tcc.calls.iter().find_map(of).map_or(Shape::Unknown, Shape::Schema)
        };
        let Handled { handlers, mut ends, .. } = self.handlers(&tcc.on, detail)?;
        ends.push(end);
        self.land_all(ends);
        let site = ScopeSite { kind: ScopeKind::Tcc, body, cancel_on: None, handlers, then, exports, over };
        self.out.ops[at] = Op::Scope(Box::new(site));
        self.names.reopen(outside);
        if let (Some(id), Some(slot)) = (&step.id, slot) {
            self.bind_slot(&id.value, slot, Shape::record(shapes));
        }
        Ok(())
    }

    fn try_call(&mut self, one: &ast::Try) -> Result<(), CompileError> {
        let operation = &one.call.operation.value;
        let at = self.plain_call(one.id.as_ref(), &one.call)?;
        let of = self.uses_operation(operation)?;
        let tcc = of.tcc.as_ref().ok_or_else(|| CompileError::NoTriple(operation.clone()))?;
        let seen = [("input", &of.input), ("output", &of.output)];
        self.uses_operation(&tcc.confirm.call)?;
        self.uses_operation(&tcc.cancel.call)?;
        let triple = Triple {
            confirm: contract::taking(self.contracts, operation, &tcc.confirm, &seen)?,
            cancel: contract::taking(self.contracts, operation, &tcc.cancel, &seen)?,
        };
        if let Some(Op::Call(site)) = self.out.ops.get_mut(at) {
            site.triple = Some(Box::new(triple));
            // What it did can always be cancelled.
            site.persistence = Persistence::GiveUp;
        }
        Ok(())
    }

    pub(super) fn start(&mut self, step: &Step, start: &ast::Start) -> Result<(), CompileError> {
        let flow = &start.flow.value;
        let contract =
            self.contracts.flows.get(flow).ok_or_else(|| CompileError::UnknownFlow(flow.clone()))?;
        let hash = serde_json::to_vec(contract).unwrap_or_default();
        self.out.started.insert(flow.clone(), blake3::hash(&hash).to_hex()[..32].to_owned());
        let with = self.mapping(&start.with)?.0;
        let site = CallSite {
            target: Target::Flow,
            operation: flow.as_str().into(),
            with,
            slot: None,
            timeout_ms: None,
            handlers: Handlers::default(),
            then: 0,
            undo: if contract.undoable { Undo::Child } else { Undo::Impossible },
            triple: None,
            acquires: Vec::new(),
            settles: Vec::new(),
            persistence: Persistence::WithoutEnd,
        };
        let at = self.push(Op::Call(Box::new(site)));
        let slot = self.bind_id(step, Shape::Schema(&contract.answer))?;
        let Handled { handlers, ends, .. } = self.handlers(&start.on, |_| Shape::Unknown)?;
        self.land_all(ends);
        let then = self.here();
        if let Some(Op::Call(site)) = self.out.ops.get_mut(at) {
            site.slot = slot;
            site.handlers = handlers;
            site.then = then;
        }
        Ok(())
    }

    /// What is done on rejections; `detail` is the shape of a code's detail.
    pub(super) fn handlers(
        &mut self,
        handlers: &[ast::Handler],
        detail: impl Fn(&str) -> Shape<'a>,
    ) -> Result<Handled<'a>, CompileError> {
        let mut handled = Handled { handlers: Handlers::default(), ends: Vec::new(), inside: Vec::new() };
        for handler in handlers {
            let mark = self.names.mark();
            let shape = Shape::record([("detail".to_owned(), detail(&handler.code.value))]);
            let rejection = self.bind("rejection", shape)?;
            self.rejections.push(rejection);
            let start = self.here();
            handled.inside.push(self.block(&handler.steps)?);
            handled.ends.push(self.push(Op::Jump(0)));
            self.rejections.pop();
            let _ = self.names.close(mark);
            let place = Handler { start, rejection };
            if handler.code.value == "any" {
                handled.handlers.any = Some(place);
            } else {
                handled.handlers.by_code.push((handler.code.value.as_str().into(), place));
            }
        }
        Ok(handled)
    }
}
