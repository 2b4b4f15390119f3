//! The steps of the language, one function a word. The words that hold steps are in [`super::block`], those that call in
//! [`super::call`].

use super::reader::{Fields, Reader, Words};
use super::yaml::{Node, Yaml};
use crate::ast::{At, Clock, Place, Step, StepKind, Template, Wait};
use crate::diagnostic::Diagnostic;
use crate::report::{listed, nearest_or};

/// The words of the language.
pub(super) const WORDS: [&str; 18] = [
    "call",
    "tcc",
    "wait",
    "sleep",
    "switch",
    "parallel",
    "race",
    "foreach",
    "repeat",
    "attempt",
    "start",
    "emit",
    "answer",
    "let",
    "pivot",
    "fail",
    "end",
    "attention",
];
/// Those beside which a `result:` may stand.
const BLOCKS: [&str; 6] = ["switch", "parallel", "race", "foreach", "repeat", "attempt"];
/// What stands beside a word and is none.
const BESIDE: [&str; 13] =
    ["id", "when", "note", "with", "on", "do", "match", "timeout", "result", "as", "max", "until", "else"];
/// Steps that a definition may have.
const STEPS: usize = 2_000;

pub(super) type Fs<'a, 'y> = &'a mut Fields<'y>;

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
        let result = match BLOCKS.contains(&word) {
            true => fields.take("result").map(|(_, value)| self.template(value)),
            false => None,
        };
        let kind = match word {
            "call" => self.call(value, &mut fields).map(StepKind::Call),
            "tcc" => self.tcc(value, &mut fields).map(StepKind::Tcc),
            "wait" => self.wait(value, &mut fields).map(StepKind::Wait),
            "sleep" => self.clock(value, "`sleep`").map(StepKind::Sleep),
            "switch" => self.switch(value).map(StepKind::Switch),
            "parallel" => self.parallel(value).map(StepKind::Parallel),
            "race" => self.race(value).map(StepKind::Race),
            "foreach" => self.foreach(value, &mut fields).map(StepKind::Foreach),
            "repeat" => self.repeat(value, &mut fields).map(StepKind::Repeat),
            "attempt" => self.attempt(value, &mut fields).map(StepKind::Attempt),
            "start" => self.start(value, &mut fields).map(StepKind::Start),
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
        let mut words = WORDS.into_iter().filter(|word| fields.has(word));
        match (words.next(), words.next()) {
            (Some(word), None) => Some(word),
            (Some(first), Some(second)) => {
                let message = format!("one step says both `{first}` and `{second}`");
                self.refuse(fields.place, message, "make two steps of it, each with its own dash");
                None
            }
            (None, _) => {
                let odd = fields.keys().find(|key| !BESIDE.contains(&key.value.as_str()));
                let place = odd.map_or(fields.place, |key| key.place);
                let message = odd.map_or("a step without a word that says what it does".to_owned(), |key| {
                    format!("`{}` is no step", super::reader::shortened(&key.value))
                });
                let help = nearest_or(odd.map_or("", |key| &key.value), WORDS, || {
                    format!("a step is one of {}", listed(WORDS))
                });
                self.refuse(place, message, help);
                None
            }
        }
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
    pub(super) fn clock(&mut self, yaml: &Yaml, what: &str) -> Option<Clock> {
        match &yaml.node {
            Node::Scalar(scalar) if scalar.text.contains("${") => {
                self.expression(yaml, what).map(Clock::Expr)
            }
            _ => self.duration(yaml, what).map(Clock::After),
        }
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
