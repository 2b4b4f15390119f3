//! The places of a definition where a trade may stand, what it has had by then, and what is read from there on.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use mortise_contract::{Contracts, Effect};

use crate::ast::{
    Contest, Expr, Flow, Node, NodeKind, Rounds, Step, StepKind, Template, TemplateKind, TextPart,
};
use crate::label::Labels;
use crate::walk;

/// Whether what was done can still be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    BeforePivot,
    BehindPivot,
}

/// A step, as a place.
#[derive(Debug)]
pub(super) struct Stand {
    /// With the blocks around it.
    pub(super) place: String,
    /// What paths call it.
    pub(super) label: Arc<str>,
    pub(super) line: u32,
    pub(super) offset: usize,
    /// `call inventory.reserve`
    pub(super) does: String,
    /// Whether a trade may stand there between two stretches.
    pub(super) rests: bool,
    pub(super) named: bool,
    /// Nothing else has its place.
    pub(super) certain: bool,
    pub(super) reach: Reach,
    /// The names that are bound there, as numbers of [`Places::bound`].
    pub(super) sees: Vec<usize>,
    /// Where the outermost loop around it begins.
    loops: Option<usize>,
}

impl Stand {
    /// Whether a trade that stands here may still have to take an effect back: behind the pivot only what lies in the same
    /// step of the top list, in an attempt there.
    pub(super) fn may_take_back(&self, effect: &Done) -> bool {
        let top = |place: &str| place.split('.').next().map(ToOwned::to_owned);
        effect.offset < self.offset
            && (self.reach == Reach::BeforePivot || top(&self.place) == top(&effect.place))
    }
}

/// A name and what it stands for.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) name: String,
    pub(super) by: String,
    /// The conditions of the step and of what is around it.
    pub(super) when: String,
}

/// A step that may have had an effect.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) place: String,
    pub(super) does: String,
    pub(super) line: u32,
    pub(super) offset: usize,
}

/// All places of a definition.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) stands: Vec<Stand>,
    pub(super) bound: Vec<Bound>,
    pub(super) effects: Vec<Done>,
    /// Name, offset, line of each reading.
    read: Vec<(String, usize, u32)>,
}

impl Places {
    pub(super) fn of(flow: &Flow, contracts: &Contracts) -> Self {
        let mut walk = Walk {
            contracts,
            places: Self::default(),
            scope: Vec::new(),
            around: Vec::new(),
            when: Vec::new(),
            reach: Reach::BeforePivot,
            loops: None,
            unnamed: HashMap::new(),
            labels: Labels::default(),
        };
        walk.bind(
            "input",
            format!("an input of {}", serde_json::to_string(&flow.input.value).unwrap_or_default()),
        );
        walk.steps(&flow.steps);
        let mut places = walk.places;
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        for stand in &places.stands {
            *times.entry(stand.place.clone()).or_default() += 1;
        }
        for stand in &mut places.stands {
            stand.certain = times.get(&stand.place) == Some(&1);
        }
        places
    }

    /// The names that are read by what may still run from a place on, each with the first line that reads it.
    pub(super) fn read_from(&self, stand: &Stand) -> BTreeMap<String, u32> {
        let from = stand.loops.unwrap_or(stand.offset);
        let mut names = BTreeMap::new();
        for (name, offset, line) in &self.read {
            if *offset > from {
                names.entry(name.clone()).or_insert(*line);
            }
        }
        names
    }
}

struct Walk<'c> {
    contracts: &'c Contracts,
    places: Places,
    scope: Vec<usize>,
    around: Vec<String>,
    when: Vec<String>,
    reach: Reach,
    loops: Option<usize>,
    unnamed: HashMap<String, u32>,
    labels: Labels,
}

impl Walk<'_> {
    fn bind(&mut self, name: &str, by: String) {
        self.places.bound.push(Bound { name: name.to_owned(), by, when: self.when.join(" and ") });
        self.scope.push(self.places.bound.len() - 1);
    }

    /// Whether going backward may have something to do about it.
    fn has_effect(&self, step: &Step) -> bool {
        match &step.kind {
            StepKind::Call(call) => {
                let contract = self.contracts.operations.get(&call.operation.value);
                contract.is_none_or(|contract| matches!(contract.effect, Effect::Write | Effect::Remote))
            }
            StepKind::Wait(wait) => self.acquires(&wait.event.value),
            StepKind::Race(racers) => racers.iter().any(|racer| match &racer.until {
                Contest::Event { event, .. } => self.acquires(&event.value),
                Contest::Clock(_) => false,
            }),
            StepKind::Tcc(_) | StepKind::Start(_) => true,
            _ => false,
        }
    }

    fn acquires(&self, event: &str) -> bool {
        self.contracts.events.get(event).is_none_or(|event| !event.acquires.is_empty())
    }

    fn block(&mut self, steps: &[Step]) {
        let mark = self.scope.len();
        self.steps(steps);
        self.scope.truncate(mark);
    }

    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            self.step(step);
        }
    }

    fn step(&mut self, step: &Step) {
        let (does, rests) = does(step);
        let path = self.labels.of_step(step);
        let label = self.label(step, &does);
        let mut place = self.around.clone();
        place.push(label.clone());
        let place = place.join(".");
        let (line, offset) = (step.place.line, step.place.offset);
        step.when.iter().for_each(|when| self.expr(when));
        self.places.stands.push(Stand {
            place: place.clone(),
            label: path,
            line,
            offset,
            does: does.clone(),
            rests,
            named: step.id.is_some(),
            certain: true,
            reach: self.reach,
            sees: self.scope.clone(),
            loops: self.loops,
        });
        if self.has_effect(step) {
            self.places.effects.push(Done { place, does: does.clone(), line, offset });
        }
        if matches!(step.kind, StepKind::Pivot(_)) {
            self.reach = Reach::BehindPivot;
        }
        let conditions = self.when.len();
        self.when.extend(step.when.iter().map(|when| when.source.clone()));
        self.own(step);
        self.inside(step, label);
        step.result.iter().for_each(|result| self.template(result));
        if let Some(id) = &step.id {
            let result = step.result.as_ref().map(written).unwrap_or_default();
            self.bind(&id.value, format!("what {does} gives{result}"));
        }
        self.when.truncate(conditions);
    }

    /// The step's id, or what it does with a number where that is not enough.
    fn label(&mut self, step: &Step, does: &str) -> String {
        if let Some(id) = &step.id {
            return id.value.clone();
        }
        let key = format!("{}/{does}", self.around.join("."));
        let times = self.unnamed.entry(key).or_default();
        *times += 1;
        if *times == 1 { does.to_owned() } else { format!("{does} ({times})") }
    }

    /// What the step reads and binds itself.
    fn own(&mut self, step: &Step) {
        match &step.kind {
            StepKind::Call(call) => {
                self.template(&call.with);
                call.undo.iter().for_each(|undo| self.template(&undo.with));
            }
            StepKind::Tcc(tcc) => {
                for tried in &tcc.calls {
                    self.labels.of(tried.id.as_ref(), &tried.call.operation.value);
                    self.template(&tried.call.with);
                    if let Some(id) = &tried.id {
                        self.bind(&id.value, format!("what call {} gives", tried.call.operation.value));
                    }
                }
            }
            StepKind::Start(start) => self.template(&start.with),
            StepKind::Wait(wait) => {
                self.template(&wait.key);
                self.clock(&wait.clock);
            }
            StepKind::Sleep(clock) => self.clock(clock),
            StepKind::Emit { with, .. } => self.template(with),
            StepKind::Answer(template) | StepKind::Attention(template) => self.template(template),
            StepKind::Let(names) => {
                for (name, template) in names {
                    self.template(template);
                    self.bind(&name.value, format!("let to{}", written(template)));
                }
            }
            StepKind::Attempt(attempt) => {
                attempt.cancel_on.iter().for_each(|cancel| self.template(&cancel.key))
            }
            _ => {}
        }
    }

    /// The blocks within a step, each with what it binds for its steps.
    fn inside(&mut self, step: &Step, label: String) {
        let (mark, loops) = (self.scope.len(), self.loops);
        self.around.push(label);
        match &step.kind {
            StepKind::Foreach(foreach) => {
                self.expr(&foreach.list);
                self.loops = loops.or(Some(step.place.offset));
                self.bind(&foreach.name.value, format!("each of {}", foreach.list.source));
                self.block(&foreach.steps);
                if let Rounds::InOrder { until: Some(until) } = &foreach.mode {
                    self.expr(until);
                }
            }
            StepKind::Repeat(repeat) => {
                self.loops = loops.or(Some(step.place.offset));
                self.bind(&repeat.name.value, "the round's number".to_owned());
                self.block(&repeat.steps);
                repeat.until.iter().for_each(|until| self.expr(until));
            }
            StepKind::Switch(switch) => {
                for (number, case) in switch.cases.iter().enumerate() {
                    self.expr(&case.condition);
                    self.part(&format!("case {}", number + 1), &case.condition.source, &case.steps);
                }
                if let Some(otherwise) = &switch.otherwise {
                    self.part("else", "else", &otherwise.value);
                }
            }
            StepKind::Parallel(branches) => {
                for branch in branches {
                    self.part(&branch.name.value, "", &branch.steps);
                }
            }
            StepKind::Race(racers) => {
                for racer in racers {
                    match &racer.until {
                        Contest::Event { key, .. } => self.template(key),
                        Contest::Clock(clock) => self.clock(clock),
                    }
                }
                for racer in racers {
                    let mark = self.scope.len();
                    self.bind(&racer.name.value, "what the racer brought".to_owned());
                    self.part(&racer.name.value, &racer.name.value, &racer.steps);
                    self.scope.truncate(mark);
                }
            }
            _ => {
                for (number, steps) in walk::inner(step).into_iter().enumerate() {
                    self.part(&format!("way {}", number + 1), "", steps);
                }
            }
        }
        self.around.pop();
        self.loops = loops;
        self.scope.truncate(mark);
    }

    fn part(&mut self, name: &str, condition: &str, steps: &[Step]) {
        self.around.push(name.to_owned());
        let conditions = self.when.len();
        if !condition.is_empty() {
            self.when.push(condition.to_owned());
        }
        self.block(steps);
        self.when.truncate(conditions);
        self.around.pop();
    }

    fn clock(&mut self, clock: &crate::ast::Clock) {
        if let crate::ast::Clock::Expr(expr) = clock {
            self.expr(expr);
        }
    }

    fn template(&mut self, template: &Template) {
        let mut all = Vec::new();
        walk::expressions(template, &mut |expr| all.push(expr));
        all.into_iter().for_each(|expr| self.expr(expr));
    }

    fn expr(&mut self, expr: &Expr) {
        let mut names = Vec::new();
        collect(&expr.node, &mut names);
        let (offset, line) = (expr.place.offset, expr.place.line);
        self.places.read.extend(names.into_iter().map(|name| (name, offset, line)));
    }
}

fn collect(node: &Node, names: &mut Vec<String>) {
    if let NodeKind::Name(name) = &node.kind {
        names.push(name.clone());
    }
    walk::children(node, &mut |child| collect(child, names));
}

/// What a step does, and whether a trade may stand at it between two stretches.
fn does(step: &Step) -> (String, bool) {
    match &step.kind {
        StepKind::Call(call) => (format!("call {}", call.operation.value), true),
        StepKind::Tcc(tcc) => {
            let calls: Vec<&str> =
                tcc.calls.iter().map(|tried| tried.call.operation.value.as_str()).collect();
            (format!("tcc {}", calls.join(", ")), true)
        }
        StepKind::Wait(wait) => (format!("wait {}", wait.event.value), true),
        StepKind::Sleep(_) => ("sleep".to_owned(), true),
        StepKind::Race(racers) => {
            let racers: Vec<&str> = racers.iter().map(|racer| racer.name.value.as_str()).collect();
            (format!("race {}", racers.join(", ")), true)
        }
        StepKind::Start(start) => (format!("start {}", start.flow.value), true),
        StepKind::Switch(_) => ("switch".to_owned(), false),
        StepKind::Parallel(branches) => {
            let names: Vec<&str> = branches.iter().map(|branch| branch.name.value.as_str()).collect();
            (format!("parallel {}", names.join(", ")), true)
        }
        StepKind::Foreach(_) => ("foreach".to_owned(), true),
        StepKind::Repeat(_) => ("repeat".to_owned(), true),
        StepKind::Attempt(_) => ("attempt".to_owned(), true),
        StepKind::Emit { event, .. } => (format!("emit {}", event.value), false),
        StepKind::Answer(_) => ("answer".to_owned(), false),
        StepKind::Let(_) => ("let".to_owned(), false),
        StepKind::Pivot(_) => ("pivot".to_owned(), false),
        StepKind::Fail(code) => (format!("fail {}", code.value), false),
        StepKind::End(outcome) => (format!("end {}", outcome.value), false),
        StepKind::Attention(_) => ("attention".to_owned(), false),
    }
}

/// A template as text that is equal for equal templates, with a space in front.
fn written(template: &Template) -> String {
    fn push(template: &Template, out: &mut String) {
        match &template.kind {
            TemplateKind::Literal(value) => out.push_str(&value.to_json()),
            TemplateKind::Expr(expr) => out.push_str(&expr.source),
            TemplateKind::Text(parts) => parts.iter().for_each(|part| match part {
                TextPart::Plain(text) => out.push_str(text),
                TextPart::Expr(expr) => out.push_str(&format!("${{{}}}", expr.source)),
            }),
            TemplateKind::List(items) => items.iter().for_each(|item| {
                out.push_str("- ");
                push(item, out);
            }),
            TemplateKind::Record(fields) => fields.iter().for_each(|(name, value)| {
                out.push_str(&name.value);
                out.push_str(": ");
                push(value, out);
                out.push_str(", ");
            }),
        }
    }
    let mut out = String::from(" ");
    push(template, &mut out);
    out
}
