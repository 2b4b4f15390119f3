//! What there is to follow: the steps that acquire, and the handles that come in by `input` and are settled. What is settled
//! without being either is reported here, for no way can make it right.

use std::collections::{BTreeMap, HashSet};

use mortise_contract::{Acquires, Contracts, OperationContract, Undo};

use super::source::{Names, Source};
use super::value::{Part, parts};
use crate::ast::{At, Call, Contest, Flow, Place, Step, StepKind, Template, TemplateKind};
use crate::diagnostic::Diagnostic;
use crate::report::listed;
use crate::typing::Ty;
use crate::walk;

/// An acquisition to follow.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) origin: Origin,
    /// Of the step.
    pub(super) place: Place,
    /// The operation, the event, or the input's path.
    pub(super) name: String,
    pub(super) id: Option<String>,
    pub(super) held: Vec<Held>,
    pub(super) undo: TakenBack,
    /// Offsets of the steps behind which it can begin no more: the step itself, and blocks around it.
    pub(super) behind: HashSet<usize>,
}

/// Where a handle comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The operation's or event's name stands at this offset.
    Step(usize),
    Input,
}

/// What takes an acquisition back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TakenBack {
    /// The step's own undo, which stands here.
    Own(Place),
    /// The contract's undo, or an event's `late` call.
    ByContract,
    /// The contract says that there is nothing to take back.
    Nothing,
    /// Nothing can: reported as such.
    Never,
}

/// A path of an output that holds a resource.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) resource: String,
    pub(super) path: Vec<Part>,
}

/// All that a flow acquires and settles.
#[derive(Debug)]
pub(super) struct Survey<'c> {
    contracts: &'c Contracts,
    names: Names,
    /// The steps around, and whether each is a loop.
    around: Vec<(usize, bool)>,
    pub(super) sites: Vec<Site>,
    /// Settled paths of the input, with the resource.
    inputs: BTreeMap<(String, String), Place>,
    /// Calls that lead to an event that acquires: by offset, what to say if nothing waits for it.
    leads: BTreeMap<usize, Diagnostic>,
    pub(super) found: Vec<Diagnostic>,
}

impl<'c> Survey<'c> {
    pub(super) fn of(flow: &'c Flow, contracts: &'c Contracts) -> Self {
        let mut survey = Self {
            contracts,
            names: vec![("input".to_owned(), Source::Input("input".to_owned()))],
            around: Vec::new(),
            sites: Vec::new(),
            inputs: BTreeMap::new(),
            leads: BTreeMap::new(),
            found: Vec::new(),
        };
        survey.list(&flow.steps);
        survey.found.extend(std::mem::take(&mut survey.leads).into_values());
        survey
    }

    /// The settled paths of the input: path without `input.`, resource.
    pub(super) fn inputs(&self) -> impl Iterator<Item = (&str, &str, Place)> {
        self.inputs.iter().filter_map(|((path, resource), place)| {
            Some((path.strip_prefix("input.")?, resource.as_str(), *place))
        })
    }

    fn list(&mut self, steps: &'c [Step]) {
        steps.iter().for_each(|step| self.step(step));
    }

    /// A block: what was bound in it is given back, for its `result`.
    fn block(&mut self, steps: &'c [Step]) -> Names {
        let mark = self.names.len();
        self.list(steps);
        self.names.split_off(mark)
    }

    fn step(&mut self, step: &'c Step) {
        let loops = matches!(step.kind, StepKind::Foreach(_) | StepKind::Repeat(_));
        self.around.push((step.place.offset, loops));
        let source = self.kind(step);
        self.around.pop();
        if let Some(id) = &step.id {
            self.names.push((id.value.clone(), source));
        }
    }

    /// What the step's `id` stands for.
    fn kind(&mut self, step: &'c Step) -> Source {
        match &step.kind {
            StepKind::Call(call) => {
                let source = self.call(step.place, step.id.as_ref(), call);
                call.on.iter().for_each(|handler| drop(self.block(&handler.steps)));
                source
            }
            StepKind::Tcc(tcc) => {
                let mut fields = Vec::new();
                for tried in &tcc.calls {
                    let place = tried.id.as_ref().map_or(tried.call.operation.place, |id| id.place);
                    let source = self.call(place, tried.id.as_ref(), &tried.call);
                    fields.extend(tried.id.as_ref().map(|id| (id.value.clone(), source)));
                }
                tcc.on.iter().for_each(|handler| drop(self.block(&handler.steps)));
                self.names.extend(fields.iter().cloned());
                Source::record(fields)
            }
            StepKind::Wait(wait) => {
                self.awaited(&wait.key);
                drop(self.block(&wait.on_timeout));
                self.event(step.place, step.id.as_ref(), &wait.event)
            }
            StepKind::Race(racers) => {
                let mut inner = Vec::new();
                for racer in racers {
                    let mark = self.names.len();
                    let source = match &racer.until {
                        Contest::Event { event, key } => {
                            self.awaited(key);
                            self.event(racer.name.place, Some(&racer.name), event)
                        }
                        Contest::Clock(_) => Source::Nothing,
                    };
                    self.names.push((racer.name.value.clone(), source));
                    self.list(&racer.steps);
                    inner.extend(self.names.split_off(mark));
                }
                self.result(step, inner)
            }
            StepKind::Foreach(foreach) => {
                let list = Source::of_node(&foreach.list.node, &self.names);
                self.names.push((foreach.name.value.clone(), list.element()));
                let inner = self.block(&foreach.steps);
                let result = self.result(step, inner);
                self.names.pop();
                Source::list(result)
            }
            StepKind::Let(names) => {
                for (name, template) in names {
                    let source = Source::of(template, &self.names);
                    self.names.push((name.value.clone(), source));
                }
                Source::Nothing
            }
            StepKind::Start(start) => {
                self.awaited(&start.with);
                start.on.iter().for_each(|handler| drop(self.block(&handler.steps)));
                Source::Nothing
            }
            _ => {
                let inner = walk::inner(step).into_iter().flat_map(|steps| self.block(steps)).collect();
                self.result(step, inner)
            }
        }
    }

    fn result(&mut self, step: &'c Step, inner: Names) -> Source {
        let Some(result) = &step.result else { return Source::Nothing };
        let mark = self.names.len();
        self.names.extend(inner);
        let source = Source::of(result, &self.names);
        self.names.truncate(mark);
        source
    }

    fn call(&mut self, place: Place, id: Option<&At<String>>, call: &'c Call) -> Source {
        let Some(operation) = self.contracts.operations.get(&call.operation.value) else {
            return Source::Nothing;
        };
        self.settles(&call.operation.value, operation, &call.with);
        let output = Ty::of(&operation.output, self.contracts);
        let undo = match (&call.undo, &operation.undo) {
            (Some(own), _) => TakenBack::Own(own.operation.place),
            (None, Some(Undo::Call(_))) => TakenBack::ByContract,
            (None, Some(Undo::Nothing)) => TakenBack::Nothing,
            (None, None) => TakenBack::Never,
        };
        let mut source = self.site((place, id, undo), &call.operation, &operation.acquires, output);
        if self.leads(place, id, &call.operation, operation) && source == Source::Nothing {
            source = Source::Made(call.operation.place.offset);
        }
        if let Some(undo) = &call.undo
            && let Some(contract) = self.contracts.operations.get(&undo.operation.value)
        {
            let mark = self.names.len();
            self.names.extend(id.map(|id| (id.value.clone(), source.clone())));
            self.settles(&undo.operation.value, contract, &undo.with);
            self.names.truncate(mark);
        }
        source
    }

    /// Whether a call leads to an event that acquires. Until something waits for it, that is a leak.
    fn leads(
        &mut self,
        place: Place,
        id: Option<&At<String>>,
        name: &At<String>,
        operation: &OperationContract,
    ) -> bool {
        let brought = |event: &&String| self.contracts.events.get(*event).map(|known| &*known.acquires);
        let leads = operation.leads_to.iter().find(|event| brought(event).is_some_and(|all| !all.is_empty()));
        let Some(event) = leads else { return false };
        let resource =
            brought(&event).and_then(<[Acquires]>::first).map_or("", |acquired| &*acquired.resource);
        let operation = &name.value;
        let message = format!(
            "`{operation}` leads to `{event}`, which acquires {resource}, and nothing waits for it with a key of this step"
        );
        let help = match id {
            Some(id) => format!(
                "add `- wait: {event}` with a `match:` that `{}` gives, and settle what comes",
                id.value
            ),
            None => format!("give the step an `id`, and wait for `{event}` with a key that it gives"),
        };
        self.leads.insert(name.place.offset, Diagnostic::error("leaks-resource", place, message, help));
        true
    }

    /// Something waits for this key, or is given it.
    fn awaited(&mut self, key: &Template) {
        let mut makers = HashSet::new();
        Source::of(key, &self.names).makers(&mut makers);
        self.leads.retain(|offset, _| !makers.contains(offset));
    }

    fn event(&mut self, place: Place, id: Option<&At<String>>, event: &'c At<String>) -> Source {
        let Some(contract) = self.contracts.events.get(&event.value) else { return Source::Nothing };
        let payload = Ty::of(&contract.payload, self.contracts);
        let undo = if contract.late.is_some() { TakenBack::ByContract } else { TakenBack::Never };
        self.site((place, id, undo), event, &contract.acquires, payload)
    }

    fn site(
        &mut self,
        (place, id, undo): (Place, Option<&At<String>>, TakenBack),
        name: &At<String>,
        acquires: &'c [Acquires],
        within: Ty<'c>,
    ) -> Source {
        let held: Vec<Held> = acquires
            .iter()
            .map(|acquired| Held {
                resource: acquired.resource.clone(),
                path: parts(&acquired.handle, within.clone(), self.contracts),
            })
            .collect();
        let source = held
            .iter()
            .map(|held| Source::acquired(&held.path, &held.resource))
            .fold(Source::Nothing, Source::and);
        if !held.is_empty() {
            let outermost = self.around.iter().position(|(_, loops)| *loops).unwrap_or(self.around.len());
            let behind = self.around.iter().take(outermost + 1).map(|(offset, _)| *offset).collect();
            self.sites.push(Site {
                origin: Origin::Step(name.place.offset),
                place,
                name: name.value.clone(),
                id: id.map(|id| id.value.clone()),
                held,
                undo,
                behind,
            });
        }
        source
    }

    /// What an operation settles is a handle that is followed, or comes in by `input`.
    fn settles(&mut self, name: &str, operation: &'c OperationContract, with: &Template) {
        let input = Ty::of(&operation.input, self.contracts);
        for settles in &operation.settles {
            let path = parts(&settles.handle, input.clone(), self.contracts);
            let (place, given) = given(with, &path);
            let Some(given) = given else { continue };
            let mut sources = Vec::new();
            Source::of(with, &self.names).at(&path, &mut sources);
            for source in &sources {
                if let Source::Input(path) = source {
                    self.inputs.entry((path.clone(), settles.resource.clone())).or_insert(place);
                }
            }
            let right = |source: &Source| match source {
                Source::Input(_) => true,
                Source::Handle(resource) => *resource == settles.resource,
                _ => false,
            };
            if sources.is_empty() || !sources.iter().any(right) {
                self.unfollowed(name, &settles.resource, place, &given);
            } else if !sources.iter().all(right) {
                let message = format!(
                    "`{name}` settles {}, and {given} is a handle of it on some ways only",
                    settles.resource
                );
                let help =
                    "leave the step out by `when` where there is none, instead of giving something else";
                self.found.push(Diagnostic::error("type-mismatch", place, message, help));
            }
        }
    }

    fn unfollowed(&mut self, operation: &str, resource: &str, place: Place, given: &str) {
        let mut held = Vec::new();
        for (name, source) in &self.names {
            source.paths(resource, name, &mut held);
        }
        let help = match held.is_empty() {
            true => {
                format!("give it what a step or an event acquires as {resource}, or a handle from `input`")
            }
            false => format!("{resource} is held here by {}", listed(held.iter().map(String::as_str))),
        };
        let message = format!(
            "`{operation}` settles {resource}, and {given} is no handle of it: handles are followed through names, \
             fields, records, lists, `let`, `result`, `as` and `?:`"
        );
        self.found.push(Diagnostic::error("type-mismatch", place, message, help));
    }
}

/// The value that a `with` gives at a path, and its place; none if it gives nothing there.
fn given(with: &Template, path: &[Part]) -> (Place, Option<String>) {
    match (&with.kind, path) {
        (TemplateKind::Record(fields), [part, rest @ ..]) => {
            match fields.iter().find(|(name, _)| name.value == part.name) {
                Some((_, value)) => given(value, rest),
                None => (with.place, None),
            }
        }
        (TemplateKind::List(items), _) => match items.first() {
            Some(first) => given(first, path),
            None => (with.place, None),
        },
        (TemplateKind::Expr(expr), _) => (expr.place, Some(format!("`{}`", expr.source))),
        (TemplateKind::Literal(value), _) => (with.place, Some(format!("`{}`", value.to_json()))),
        _ => (with.place, Some("this".to_owned())),
    }
}
