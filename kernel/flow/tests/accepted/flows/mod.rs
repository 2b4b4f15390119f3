//! Random flows over given contracts, written down as JSON, which is YAML. The writer knows what is bound and is careful as a
//! rule; now and then it is careless: reads what may be absent, forgets a handler, takes an effect without undo.

mod blocks;
mod expressions;

use mortise_contract::{Contracts, Effect, OperationContract, Schema, Type, Types};
use serde_json::{Map, Value as Json, json};

use crate::choices::Choices;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
    List,
}

/// What an expression may read, and the condition under which it is there.
#[derive(Debug, Clone)]
struct Readable {
    path: String,
    kind: Kind,
    /// `None`: always.
    guard: Option<String>,
    /// Whether a list has an element.
    filled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Before,
    Behind,
}

/// Once in so many times the writer is careless.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Care {
    /// Reads what may be absent, or divides by what may be 0.
    pub(crate) reads: usize,
    /// Reads what it cannot see, forgets a handler, takes an effect without undo.
    pub(crate) steps: usize,
}

struct Writer<'a, 'n> {
    choices: &'a mut Choices<'n>,
    contracts: &'a Contracts,
    ids: u32,
    seen: Vec<Readable>,
    /// What was bound in blocks that are over.
    hidden: Vec<Readable>,
    phase: Phase,
    /// Whether what fails is taken by somebody around.
    taken: bool,
    depth: usize,
    care: Care,
}

pub(crate) fn random(choices: &mut Choices<'_>, contracts: &Contracts, care: Care) -> String {
    let input = json!({"type": "object", "required": ["n", "t", "l", "yes"], "properties": {
        "n": {"type": "integer"}, "o": {"type": "integer"}, "t": {"type": "string"}, "yes": {"type": "boolean"},
        "l": {"type": "array", "maxItems": 3, "items": {"type": "integer"}}}});
    let mut writer = Writer {
        choices,
        contracts,
        ids: 0,
        seen: Vec::new(),
        hidden: Vec::new(),
        phase: Phase::Before,
        taken: true,
        depth: 0,
        care,
    };
    for (path, kind, guard) in [
        ("input.n", Kind::Number, None),
        ("input.t", Kind::Text, None),
        ("input.l", Kind::List, None),
        ("input.o", Kind::Number, Some("has(input.o)")),
    ] {
        let guard = guard.map(str::to_owned);
        writer.seen.push(Readable { path: path.to_owned(), kind, guard, filled: false });
    }
    let mut steps = writer.list(6);
    if writer.choices.below(2) == 0 {
        if let Some(tcc) = writer.tcc_before_the_pivot() {
            steps.push(tcc);
        }
        steps.push(json!({"pivot": "paid"}));
        writer.phase = Phase::Behind;
        writer.taken = false;
        steps.extend(writer.list(6));
    }
    let answered = writer.choices.below(3) == 0;
    let mut flow = json!({"flow": "random", "version": 1, "internal": true, "input": input, "steps": steps});
    if answered {
        let answer = json!({"a": "${ input.n }", "b": "${ has(input.o) ? input.o : 0 }"});
        flow["steps"].as_array_mut().expect("it is a list").insert(0, json!({"answer": answer}));
    }
    if writer.choices.once_in(4) {
        flow["cancel_on"] = json!({"event": "c.ev0", "match": "${ input.t }", "fail": "cancelled"});
    }
    flow.to_string()
}

impl Writer<'_, '_> {
    fn id(&mut self, prefix: &str) -> String {
        self.ids += 1;
        format!("{prefix}{}", self.ids)
    }

    fn careless(&mut self) -> bool {
        self.choices.once_in(self.care.steps)
    }

    fn list(&mut self, most: usize) -> Vec<Json> {
        let count = 1 + self.choices.below(most);
        let mut steps: Vec<Json> = Vec::new();
        for _ in 0..count {
            let step = self.step();
            let ends =
                step.get("when").is_none() && (step.get("fail").is_some() || step.get("end").is_some());
            steps.push(step);
            if ends || self.choices.is_over() {
                break;
            }
        }
        steps
    }

    /// Steps whose names are seen no more behind them; they are given back.
    fn block(&mut self, most: usize) -> (Vec<Json>, Vec<Readable>) {
        let mark = self.seen.len();
        self.depth += 1;
        let steps = self.list(most);
        self.depth -= 1;
        let inner = self.seen.split_off(mark);
        self.hidden.extend(inner.iter().cloned());
        (steps, inner)
    }

    fn step(&mut self) -> Json {
        let deep = self.depth > 2;
        let mark = self.seen.len();
        let mut step = match self.choices.below(if deep { 10 } else { 20 }) {
            0 => json!({"attention": self.value(Kind::Text)}),
            1..=4 => self.call(),
            5 => self.binding(),
            6 => self.wait(),
            7 => json!({"sleep": "5m"}),
            8 => {
                json!({"emit": "c.noted", "with": {"t": self.value(Kind::Text), "n": self.value(Kind::Number)}})
            }
            9 => self.ending(),
            10 | 11 => self.switch(),
            12 => self.parallel(),
            13 => self.race(),
            14 => self.foreach(),
            15 => self.repeat(),
            16 | 17 => self.attempt(),
            18 => self.start(),
            _ => self.tcc(),
        };
        if step.get("when").is_none() && self.choices.once_in(5) {
            step["when"] = json!(format!("${{ {} }}", self.condition()));
            self.unsure(mark);
        }
        step
    }

    /// What was bound from `mark` on may not have run.
    fn unsure(&mut self, mark: usize) {
        for readable in &mut self.seen[mark..] {
            let Some((root, _)) = readable.path.split_once('.') else { continue };
            let path = readable.path.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
            let own = format!("has({path})");
            readable.guard = Some(match &readable.guard {
                Some(guard) if *guard != own && !guard.starts_with(&format!("has({root}.")) => {
                    format!("{own} && {guard}")
                }
                Some(guard) => guard.clone(),
                None => own,
            });
        }
    }

    fn ending(&mut self) -> Json {
        let word = match self.choices.below(4) {
            0 if self.taken || self.careless() => json!({"fail": "no"}),
            1 => json!({"end": "over"}),
            _ => return json!({"attention": "nothing"}),
        };
        let mut step = word;
        if self.choices.below(3) > 0 {
            step["when"] = json!(format!("${{ {} }}", self.condition()));
        }
        step
    }

    fn binding(&mut self) -> Json {
        let name = self.id("let");
        let kind = self.kind();
        let value = self.expression(kind);
        self.seen.push(Readable { path: name.clone(), kind, guard: None, filled: false });
        // A name of `let` is no record, so nothing can ask whether it is there: it has no condition.
        json!({"let": {name: format!("${{ {value} }}")}, "when": "${ true }"})
    }

    fn kind(&mut self) -> Kind {
        [Kind::Number, Kind::Text, Kind::List][self.choices.below(3)]
    }

    fn with(&mut self, schema: &Schema) -> Json {
        let mut with = Map::new();
        for (name, field) in &schema.properties {
            let value = match kind_of(field) {
                Some(kind) => self.value(kind),
                None => continue,
            };
            with.insert(name.clone(), json!(value));
        }
        Json::Object(with)
    }

    fn see(&mut self, root: &str, schema: &Schema) {
        for (name, field) in &schema.properties {
            let path = format!("{root}.{name}");
            let guard = (!schema.required.contains(name)).then(|| format!("has({path})"));
            match kind_of(field) {
                Some(kind) => {
                    let filled = field.min_items.is_some_and(|least| least > 0);
                    self.seen.push(Readable { path, kind, guard, filled });
                }
                None => {
                    for (inner, of) in &field.properties {
                        let path = format!("{path}.{inner}");
                        let own = (!field.required.contains(inner)).then(|| format!("has({path})"));
                        let guards: Vec<String> = guard.iter().cloned().chain(own).collect();
                        let guard = (!guards.is_empty()).then(|| guards.join(" && "));
                        if let Some(kind) = kind_of(of) {
                            self.seen.push(Readable { path, kind, guard, filled: false });
                        }
                    }
                }
            }
        }
    }

    fn operations(&self, fits: impl Fn(&OperationContract) -> bool) -> Vec<String> {
        let all = self.contracts.operations.iter();
        all.filter(|(name, operation)| name.starts_with("c.op") && fits(operation))
            .map(|(name, _)| name.clone())
            .collect()
    }

    fn call(&mut self) -> Json {
        let phase = self.phase;
        let (careless, scoped) = (self.careless(), self.taken);
        let fits = |operation: &OperationContract| {
            let effect = matches!(operation.effect, Effect::Write | Effect::Remote);
            careless || !effect || operation.undo.is_some() || (phase == Phase::Behind && !scoped)
        };
        let names = self.operations(fits);
        let Some(name) = self.choices.of(&names).cloned() else { return json!({"sleep": "1m"}) };
        let operation = &self.contracts.operations[&name];
        let with = self.with(&operation.input);
        let id = self.id("call");
        let mut step = json!({"id": id, "call": name, "with": with});
        let mark = self.seen.len();
        let own_undo = phase == Phase::Before && self.choices.once_in(6);
        if own_undo {
            step["undo"] = json!({"call": "c.back", "with": {"n": self.value(Kind::Number)}});
        }
        let codes: Vec<&str> = operation.rejections.keys().map(String::as_str).collect();
        let goes_on = self.on(&mut step, &codes, operation.effect == Effect::Remote);
        self.see(&id, &operation.output);
        if goes_on {
            self.unsure(mark);
        }
        step
    }

    /// Handlers of a step; whether one may go on behind it.
    fn on(&mut self, step: &mut Json, codes: &[&str], remote: bool) -> bool {
        let comes = !codes.is_empty() || (remote && self.phase == Phase::Before);
        let needed = !self.taken && comes;
        if !comes || (!needed && self.choices.below(3) > 0) || (needed && self.careless()) {
            return false;
        }
        let mut handlers = Map::new();
        if let Some(code) = self.choices.of(codes).copied().filter(|_| self.choices.once_in(2)) {
            let reads = self.choices.once_in(2);
            let (mut steps, _) = self.block(2);
            if reads {
                steps.insert(0, json!({"attention": "${ rejection.code }"}));
            }
            handlers.insert(code.to_owned(), json!(steps));
        }
        let left = codes.len() - usize::from(!handlers.is_empty());
        if left > 0 || (remote && self.phase == Phase::Before) {
            handlers.insert("any".to_owned(), json!(self.block(2).0));
        }
        step["on"] = Json::Object(handlers);
        true
    }

    fn wait(&mut self) -> Json {
        let id = self.id("wait");
        let event = ["c.ev0", "c.ev1"][self.choices.below(2)];
        let mut step = json!({"id": id, "wait": event, "match": self.value(Kind::Text), "timeout": "30m"});
        step["on_timeout"] = json!(self.block(2).0);
        let mark = self.seen.len();
        self.see(&id, &self.contracts.events[event].payload);
        self.unsure(mark);
        step
    }

    fn start(&mut self) -> Json {
        let name = ["sub0", "sub1"][self.choices.below(2)];
        let contract = &self.contracts.flows[name];
        let careless = self.careless();
        if !contract.undoable && (self.phase == Phase::Before || self.taken) && !careless {
            return json!({"sleep": "2m"});
        }
        let id = self.id("start");
        let mut step = json!({"id": id, "start": name, "with": self.with(&contract.input)});
        let codes: Vec<&str> = contract.fails.iter().map(String::as_str).collect();
        let goes_on = self.on(&mut step, &codes, false);
        let mark = self.seen.len();
        self.see(&id, &contract.answer);
        if goes_on {
            self.unsure(mark);
        }
        step
    }

    fn tcc(&mut self) -> Json {
        let undoable = self.phase == Phase::Before || self.taken;
        self.tries(|operation| operation.tcc.is_some() && (operation.undo.is_some() || !undoable))
            .unwrap_or_else(|| json!({"sleep": "3m"}))
    }

    fn tcc_before_the_pivot(&mut self) -> Option<Json> {
        self.tries(|operation| operation.tcc.is_some())
    }

    fn tries(&mut self, fits: impl Fn(&OperationContract) -> bool) -> Option<Json> {
        let names = self.operations(fits);
        let count = 1 + self.choices.below(2);
        let mut calls = Vec::new();
        let (mut codes, mut remote) = (Vec::new(), false);
        let mut outputs = Vec::new();
        for _ in 0..count {
            let name = self.choices.of(&names)?.clone();
            let operation = &self.contracts.operations[&name];
            let id = self.id("try");
            calls.push(json!({"id": id, "call": name, "with": self.with(&operation.input)}));
            codes.extend(operation.rejections.keys().map(String::as_str));
            remote |= operation.effect == Effect::Remote;
            outputs.push((id, &operation.output));
        }
        codes.sort_unstable();
        codes.dedup();
        let id = self.id("tcc");
        let mut step = json!({"id": id, "tcc": calls});
        let goes_on = self.on(&mut step, &codes, remote);
        let mark = self.seen.len();
        for (own, output) in outputs {
            self.see(&own, output);
        }
        if goes_on {
            self.unsure(mark);
        }
        Some(step)
    }
}

fn kind_of(schema: &Schema) -> Option<Kind> {
    match schema.types.as_ref().and_then(Types::main) {
        Some(Type::Integer) => Some(Kind::Number),
        Some(Type::String) => Some(Kind::Text),
        Some(Type::Array) => Some(Kind::List),
        _ => None,
    }
}
