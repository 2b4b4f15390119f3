//! What a file has and where it is read last: every name, and every path and condition by its text. A first walk over
//! the whole flow, before names and types are known.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::ast::{
    At, Call, CancelOn, Clock, Contest, Expr, Flow, Node, NodeKind, Place, Rounds, Step, StepKind, Template,
};
use crate::diagnostic::Diagnostic;
use crate::typing::written;
use crate::walk;

/// The names of a file, and the last offsets at which texts are read.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// Ids and names of `let` and `as`, each with its first place.
    pub(super) names: BTreeMap<String, Place>,
    /// Nodes by their text, with the last offset that reads them.
    last: HashMap<String, usize>,
    /// Ids that stand twice.
    pub(super) twice: Vec<Diagnostic>,
    repeated: HashSet<usize>,
    ids: HashMap<String, Place>,
    pub(super) steps: usize,
}

impl Uses {
    pub(super) fn of(flow: &Flow) -> Self {
        let mut uses = Self::default();
        uses.list(&flow.steps, usize::MAX);
        uses
    }

    /// The last offset that reads a node of this text.
    pub(super) fn last(&self, text: &str) -> usize {
        self.last.get(text).copied().unwrap_or(0)
    }

    /// Whether it is the second step of its id, which is reported as such.
    pub(super) fn is_repeated(&self, id: &At<String>) -> bool {
        self.repeated.contains(&id.place.offset)
    }

    fn name(&mut self, name: &str, place: Place) {
        self.names.entry(name.to_owned()).or_insert(place);
    }

    fn list(&mut self, steps: &[Step], end: usize) {
        for (index, step) in steps.iter().enumerate() {
            let end = steps.get(index + 1).map_or(end, |next| next.place.offset.saturating_sub(1));
            self.step(step, end);
        }
    }

    fn step(&mut self, step: &Step, end: usize) {
        self.steps += 1;
        step.id.iter().for_each(|id| self.id(id));
        // What is written beside a block's word is read when the block ends, wherever it stands.
        step.when.iter().for_each(|expr| self.expr(expr, end));
        step.result.iter().for_each(|template| self.template(template, end));
        self.kind(&step.kind, end);
        for steps in walk::inner(step) {
            self.list(steps, end);
        }
    }

    fn id(&mut self, id: &At<String>) {
        self.name(&id.value, id.place);
        if let Some(first) = self.ids.get(&id.value) {
            self.repeated.insert(id.place.offset);
            let message = format!("the id `{}` stands twice, first on line {}", id.value, first.line);
            self.twice.push(Diagnostic::error(
                "duplicate-id",
                id.place,
                message,
                "ids are unique in the file: rename one of them",
            ));
        } else {
            self.ids.insert(id.value.clone(), id.place);
        }
    }

    /// What a step binds and reads itself, without the steps within it.
    fn kind(&mut self, kind: &StepKind, end: usize) {
        match kind {
            StepKind::Call(call) => self.call(call, end),
            StepKind::Tcc(tcc) => {
                self.steps += tcc.calls.len();
                for tried in &tcc.calls {
                    tried.id.iter().for_each(|id| self.id(id));
                    self.call(&tried.call, end);
                }
            }
            StepKind::Start(start) => self.template(&start.with, end),
            StepKind::Wait(wait) => {
                self.template(&wait.key, end);
                self.clock(&wait.clock, end);
            }
            StepKind::Sleep(clock) => self.clock(clock, end),
            StepKind::Switch(switch) => switch.cases.iter().for_each(|case| self.expr(&case.condition, end)),
            StepKind::Race(racers) => {
                self.steps += racers.len();
                for racer in racers {
                    self.name(&racer.name.value, racer.name.place);
                    match &racer.until {
                        Contest::Event { key, .. } => self.template(key, end),
                        Contest::Clock(clock) => self.clock(clock, end),
                    }
                }
            }
            StepKind::Foreach(foreach) => {
                self.name(&foreach.name.value, foreach.name.place);
                self.expr(&foreach.list, end);
                if let Rounds::InOrder { until: Some(until) } = &foreach.mode {
                    self.expr(until, end);
                }
            }
            StepKind::Repeat(repeat) => {
                self.name(&repeat.name.value, repeat.name.place);
                repeat.until.iter().for_each(|until| self.expr(until, end));
            }
            StepKind::Attempt(attempt) => {
                attempt.cancel_on.iter().for_each(|CancelOn { key, .. }| self.template(key, end));
            }
            StepKind::Emit { with, .. } => self.template(with, end),
            StepKind::Answer(template) | StepKind::Attention(template) => self.template(template, end),
            StepKind::Let(names) => {
                for (name, template) in names {
                    self.name(&name.value, name.place);
                    self.template(template, end);
                }
            }
            StepKind::Parallel(_) | StepKind::Pivot(_) | StepKind::Fail(_) | StepKind::End(_) => {}
        }
    }

    fn call(&mut self, call: &Call, end: usize) {
        self.template(&call.with, end);
        call.undo.iter().for_each(|undo| self.template(&undo.with, end));
    }

    fn clock(&mut self, clock: &Clock, at: usize) {
        if let Clock::Expr(expr) = clock {
            self.expr(expr, at);
        }
    }

    fn template(&mut self, template: &Template, at: usize) {
        let mut all = Vec::new();
        walk::expressions(template, &mut |expr| all.push(expr));
        for expr in all {
            self.expr(expr, at);
        }
    }

    fn expr(&mut self, expr: &Expr, at: usize) {
        self.node(&expr.node, at);
    }

    fn node(&mut self, node: &Node, at: usize) {
        let text = match &node.kind {
            NodeKind::Literal(_) => return,
            NodeKind::Has { of, field } => format!("{}.{field}", written(of)),
            _ => written(node),
        };
        let last = self.last.entry(text).or_default();
        *last = (*last).max(at);
        let mut children = Vec::new();
        walk::children(node, &mut |child| children.push(child));
        for child in children {
            self.node(child, at);
        }
    }
}
