//! The words that call: `call`, `tcc`, `start`, with what takes back and what handles a rejection.

use super::reader::{Reader, Words};
use super::step::Fs;
use super::yaml::{Node, Yaml};
use crate::ast::{Call, Handler, Start, Tcc, Template, TemplateKind, Try, UndoCall};

impl Reader<'_> {
    /// `with:`; where it is left out, an empty record that stands where the fields do.
    pub(super) fn with(&mut self, fields: Fs<'_, '_>) -> Template {
        match fields.take("with") {
            Some((_, value)) => self.template(value),
            None => Template { place: fields.place, kind: TemplateKind::Record(Vec::new()) },
        }
    }

    pub(super) fn call(&mut self, value: &Yaml, fields: Fs<'_, '_>) -> Option<Call> {
        let operation = self.word(value, Words::Operation, "the name of an operation");
        let mut with = self.with(fields);
        if with.place == fields.place {
            with.place = value.place;
        }
        let on = fields.take("on").map(|(_, value)| self.handlers(value, "on")).unwrap_or_default();
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

    pub(super) fn handlers(&mut self, yaml: &Yaml, word: &str) -> Vec<Handler> {
        let Node::Map(entries) = &yaml.node else {
            let help = format!("write `{word}: {{ out_of_stock: [...] }}`, or `any` for all codes");
            self.refuse(yaml.place, format!("`{word}` is a map of codes and steps"), help);
            return Vec::new();
        };
        let mut handlers = Vec::new();
        for (key, value) in entries {
            let steps = self.steps(value, &format!("`{word}: {}`", super::reader::shortened(&key.value)));
            if let Some(code) = self.key_word(key, Words::Code, "a code") {
                handlers.push(Handler { code, steps });
            }
        }
        handlers.sort_by_key(|handler| handler.code.value == "any");
        handlers
    }

    pub(super) fn tcc(&mut self, value: &Yaml, fields: Fs<'_, '_>) -> Option<Tcc> {
        let calls = match &value.node {
            Node::List(items) if !items.is_empty() => {
                items.iter().filter_map(|item| self.try_call(item)).collect()
            }
            _ => {
                let help = "write `- call: ...`, one dash a call";
                self.refuse(value.place, "`tcc` is a list of calls", help);
                Vec::new()
            }
        };
        let on = fields.take("on").map(|(_, value)| self.handlers(value, "on")).unwrap_or_default();
        Some(Tcc { calls, on })
    }

    fn try_call(&mut self, yaml: &Yaml) -> Option<Try> {
        const OF: &str = "a call of a `tcc`";
        let mut fields = self.fields(yaml, OF)?;
        let id = fields.take("id").and_then(|(_, value)| self.word(value, Words::Name, "a name for a call"));
        let value = self.require(&mut fields, "call", OF).map(|(_, value)| value);
        if let Some((key, _)) = fields.take("on") {
            let help = "move it beside `tcc`: a rejected call cancels the others and is the step's rejection";
            self.refuse(key.place, "`on` stands at one call of a `tcc`", help);
        }
        let call = value.and_then(|value| self.call(value, &mut fields));
        self.finish(&fields, OF);
        Some(Try { id, call: call? })
    }

    pub(super) fn start(&mut self, value: &Yaml, fields: Fs<'_, '_>) -> Option<Start> {
        let flow = self.word(value, Words::Flow, "the name of a flow");
        let mut with = self.with(fields);
        if with.place == fields.place {
            with.place = value.place;
        }
        let on = fields.take("on").map(|(_, value)| self.handlers(value, "on")).unwrap_or_default();
        Some(Start { flow: flow?, with, on })
    }
}
