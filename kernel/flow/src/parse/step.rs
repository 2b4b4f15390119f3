//! The steps of the language, one function a word.

use super::reader::{Fields, Reader, Words};
use super::yaml::{Node, Yaml};
use crate::ast::{
    At, Call, Case, Clock, Foreach, Handler, Place, Rounds, Step, StepKind, Switch, Template, TemplateKind,
    UndoCall, Wait,
};
use crate::diagnostic::Diagnostic;
use crate::report::{listed, nearest_or};

/// Words that this version runs.
const WORDS: [&str; 12] = [
    "call",
    "wait",
    "sleep",
    "switch",
    "foreach",
    "emit",
    "answer",
    "let",
    "pivot",
    "fail",
    "end",
    "attention",
];
/// Words of the language that this version does not run.
const LATER: [&str; 6] = ["tcc", "parallel", "race", "repeat", "attempt", "start"];
/// Steps that a definition may have.
const STEPS: usize = 2_000;

type Fs<'a, 'y> = &'a mut Fields<'y>;

impl Reader<'_> {
    pub(super) fn steps(&mut self, yaml: &Yaml, what: &str) -> Vec<Step> {
        match &yaml.node {
            Node::List(items) => items.iter().filter_map(|item| self.step(item)).collect(),
            _ => {
                let message = format!("{what} is a list of steps, not {}", yaml.kind());
                self.refuse(yaml.place, message, "write `- call: ...`, one dash a step");
                Vec::new()
            }
        }
    }

    fn step(&mut self, yaml: &Yaml) -> Option<Step> {
        self.steps += 1;
        if self.steps == STEPS + 1 {
            self.refuse(yaml.place, format!("more than {STEPS} steps"), "split the flow");
        }
        if self.steps > STEPS {
            return None;
        }
        let mut fields = self.fields(yaml, "a step")?;
        let word = self.step_word(&fields)?;
        let of = format!("a step `{word}`");
        let id = fields.take("id").and_then(|(_, value)| self.word(value, Words::Name, "a name for a step"));
        let when = fields.take("when").and_then(|(_, value)| self.expression(value, "a condition"));
        let note =
            fields.take("note").and_then(|(_, value)| self.text(value, "a note")).map(|text| text.value);
        let (_, value) = fields.take(word)?;
        let mut result = None;
        let kind = match word {
            "call" => self.call(value, &mut fields).map(StepKind::Call),
            "wait" => self.wait(value, &mut fields).map(StepKind::Wait),
            "sleep" => self.clock(value, "`sleep`").map(StepKind::Sleep),
            "switch" => {
                result = fields.take("result").map(|(_, value)| self.template(value));
                self.switch(value).map(StepKind::Switch)
            }
            "foreach" => {
                result = fields.take("result").map(|(_, value)| self.template(value));
                self.foreach(value, &mut fields).map(StepKind::Foreach)
            }
            "emit" => self.emit(value, &mut fields),
            "answer" => Some(StepKind::Answer(self.template(value))),
            "let" => self.bindings(value).map(StepKind::Let),
            "pivot" => self.text(value, "the reason of a pivot").map(|text| StepKind::Pivot(text.value)),
            "fail" => self.word(value, Words::Code, "a code").map(StepKind::Fail),
            "end" => self.word(value, Words::Code, "an outcome").map(StepKind::End),
            _ => self.attention(value),
        };
        self.finish(&fields, &of);
        Some(Step { place: fields.place, id, when, note, result, kind: kind? })
    }

    fn step_word(&mut self, fields: &Fields<'_>) -> Option<&'static str> {
        if let Some(key) = fields.keys().find(|key| LATER.contains(&key.value.as_str())) {
            let message = format!(
                "the step `{}` is part of the language, but this version of the platform does not run it yet",
                key.value
            );
            let help = format!("this version runs {}", listed(WORDS));
            self.refuse(key.place, message, help);
            return None;
        }
        let mut words = WORDS.into_iter().filter(|word| fields.has(word));
        match (words.next(), words.next()) {
            (Some(word), None) => Some(word),
            (Some(first), Some(second)) => {
                let message = format!("one step says both `{first}` and `{second}`");
                self.refuse(fields.place, message, "make two steps of it, each with its own dash");
                None
            }
            (None, _) => {
                let common =
                    ["id", "when", "note", "with", "on", "do", "match", "timeout", "result", "as", "max"];
                let odd = fields.keys().find(|key| !common.contains(&key.value.as_str()));
                let place = odd.map_or(fields.place, |key| key.place);
                let message = odd.map_or("a step without a word that says what it does".to_owned(), |key| {
                    format!("`{}` is no step", super::reader::shortened(&key.value))
                });
                let all = WORDS.into_iter().chain(LATER);
                let help = nearest_or(odd.map_or("", |key| &key.value), all, || {
                    format!("a step is one of {}", listed(WORDS))
                });
                self.refuse(place, message, help);
                None
            }
        }
    }

    fn with(&mut self, fields: Fs<'_, '_>) -> Template {
        match fields.take("with") {
            Some((_, value)) => self.template(value),
            None => Template { place: fields.place, kind: TemplateKind::Record(Vec::new()) },
        }
    }

    fn call(&mut self, value: &Yaml, fields: Fs<'_, '_>) -> Option<Call> {
        let operation = self.word(value, Words::Dotted, "the name of an operation");
        let mut with = self.with(fields);
        if with.place == fields.place {
            with.place = value.place;
        }
        let on = fields.take("on").map(|(_, value)| self.handlers(value)).unwrap_or_default();
        let undo = fields.take("undo").and_then(|(_, value)| self.undo(value));
        let timeout = fields.take("timeout").and_then(|(_, value)| self.duration(value, "`timeout`"));
        Some(Call { operation: operation?, with, on, undo, timeout })
    }

    fn undo(&mut self, yaml: &Yaml) -> Option<UndoCall> {
        const OF: &str = "`undo`";
        let mut fields = self.fields(yaml, OF)?;
        let operation = self
            .require(&mut fields, "call", OF)
            .and_then(|(_, value)| self.word(value, Words::Dotted, "the name of an operation"));
        let with = self.with(&mut fields);
        self.finish(&fields, OF);
        Some(UndoCall { operation: operation?, with })
    }

    fn handlers(&mut self, yaml: &Yaml) -> Vec<Handler> {
        let Node::Map(entries) = &yaml.node else {
            self.refuse(
                yaml.place,
                "`on` is a map of codes and steps",
                "write `on: { out_of_stock: [...] }`, or `any` for all codes",
            );
            return Vec::new();
        };
        let mut handlers = Vec::new();
        for (key, value) in entries {
            let steps = self.steps(value, &format!("`on: {}`", super::reader::shortened(&key.value)));
            if let Some(code) = self.key_word(key, Words::Code, "a code") {
                handlers.push(Handler { code, steps });
            }
        }
        handlers.sort_by_key(|handler| handler.code.value == "any");
        handlers
    }

    fn wait(&mut self, value: &Yaml, fields: Fs<'_, '_>) -> Option<Wait> {
        let event = self.word(value, Words::Dotted, "the name of an event");
        let key = self.require(fields, "match", "a `wait`").map(|(_, value)| self.template(value));
        let timeout = fields.take("timeout");
        let by = fields.take("by");
        let clock = match (timeout, by) {
            (Some((_, value)), None) => self.clock(value, "`timeout`"),
            (None, Some((_, value))) => self.expression(value, "`by`").map(Clock::Expr),
            (Some(_), Some((key, _))) => {
                self.refuse(
                    key.place,
                    "a wait has exactly one of `timeout` and `by`",
                    "take one of them away",
                );
                None
            }
            (None, None) => {
                self.no_timeout(value.place, "without a clock", "add `timeout: 30m` or `by: ${ moment }`");
                Some(Clock::After(At { value: mortise_types::Span::ZERO, place: value.place }))
            }
        };
        let on_timeout = match fields.take("on_timeout") {
            Some((_, value)) => Some(self.steps(value, "`on_timeout`")),
            None => {
                self.no_timeout(
                    value.place,
                    "that does not say what happens when its time is over",
                    "add `on_timeout: [...]`, such as `- fail: payment_timeout`",
                );
                let outcome = At { value: "timeout".to_owned(), place: value.place };
                let end = StepKind::End(outcome);
                Some(vec![Step {
                    place: value.place,
                    id: None,
                    when: None,
                    note: None,
                    result: None,
                    kind: end,
                }])
            }
        };
        Some(Wait { event: event?, key: key?, clock: clock?, on_timeout: on_timeout? })
    }

    fn no_timeout(&mut self, place: Place, what: &str, help: &str) {
        self.found.push(Diagnostic::error("no-timeout", place, format!("a wait {what}"), help));
    }

    /// A duration, or an expression that gives a moment or a duration.
    fn clock(&mut self, yaml: &Yaml, what: &str) -> Option<Clock> {
        match &yaml.node {
            Node::Scalar(scalar) if scalar.text.contains("${") => {
                self.expression(yaml, what).map(Clock::Expr)
            }
            _ => self.duration(yaml, what).map(Clock::After),
        }
    }

    fn switch(&mut self, yaml: &Yaml) -> Option<Switch> {
        let Node::List(items) = &yaml.node else {
            self.refuse(
                yaml.place,
                "`switch` is a list of cases",
                "write `- if: ${ ... }` and `do: [...]`, last `- else: [...]`",
            );
            return None;
        };
        let mut switch = Switch { cases: Vec::new(), otherwise: None };
        for (index, item) in items.iter().enumerate() {
            let Some(mut fields) = self.fields(item, "a case") else { continue };
            if let Some((key, value)) = fields.take("else") {
                if index + 1 != items.len() {
                    self.refuse(
                        key.place,
                        "`else` is not the last case",
                        "move it to the end: cases behind it are never reached",
                    );
                }
                switch.otherwise = Some(At { value: self.steps(value, "`else`"), place: key.place });
                self.finish(&fields, "an `else`");
                continue;
            }
            let condition = self
                .require(&mut fields, "if", "a case")
                .and_then(|(_, value)| self.expression(value, "a condition"));
            let steps = self.require(&mut fields, "do", "a case").map(|(_, value)| self.steps(value, "`do`"));
            self.finish(&fields, "a case");
            if let (Some(condition), Some(steps)) = (condition, steps) {
                switch.cases.push(Case { condition, steps });
            }
        }
        if items.is_empty() {
            self.refuse(yaml.place, "a switch without cases", "add `- if: ${ ... }` and `do: [...]`");
        }
        Some(switch)
    }

    fn foreach(&mut self, value: &Yaml, fields: Fs<'_, '_>) -> Option<Foreach> {
        const OF: &str = "a `foreach`";
        let list = self.expression(value, "a list");
        let name = self
            .require(fields, "as", OF)
            .and_then(|(_, value)| self.word(value, Words::Name, "a name for the element"));
        let max = fields.take("max").and_then(|(_, value)| self.positive(value, "`max`"));
        let until =
            fields.take("until").and_then(|(key, value)| Some((key, self.expression(value, "a condition")?)));
        let at_once = fields.take("at_once").and_then(|(_, value)| self.positive(value, "`at_once`"));
        let steps = self.require(fields, "do", OF).map(|(_, value)| self.steps(value, "`do`"));
        let mode = match (until, at_once) {
            (Some((key, _)), Some(_)) => {
                self.refuse(
                    key.place,
                    "`until` stands beside `at_once`",
                    "rounds that run at once cannot stop each other: take one of the two away",
                );
                return None;
            }
            (until, None) => Rounds::InOrder { until: until.map(|(_, condition)| condition) },
            (None, Some(count)) => Rounds::AtOnce(count),
        };
        Some(Foreach { list: list?, name: name?, max, mode, steps: steps? })
    }

    fn emit(&mut self, value: &Yaml, fields: Fs<'_, '_>) -> Option<StepKind> {
        let event = self.word(value, Words::Dotted, "the name of an event");
        let mut with = self.with(fields);
        if with.place == fields.place {
            with.place = value.place;
        }
        Some(StepKind::Emit { event: event?, with })
    }

    fn bindings(&mut self, yaml: &Yaml) -> Option<Vec<(At<String>, Template)>> {
        let Node::Map(entries) = &yaml.node else {
            self.refuse(
                yaml.place,
                "`let` is a map of names and values",
                "write `let: { name: \"${ ... }\" }`",
            );
            return None;
        };
        let mut bindings = Vec::new();
        for (key, value) in entries {
            let value = self.template(value);
            if let Some(name) = self.key_word(key, Words::Name, "a name") {
                bindings.push((name, value));
            }
        }
        Some(bindings)
    }

    fn attention(&mut self, yaml: &Yaml) -> Option<StepKind> {
        match &yaml.node {
            Node::Scalar(scalar) if !scalar.text.trim().is_empty() => {
                Some(StepKind::Attention(self.template(yaml)))
            }
            _ => {
                self.refuse(yaml.place, "`attention` is a text for a person", "say what is the matter");
                None
            }
        }
    }
}
