//! What steps read: expressions over what is bound, each under the condition that it is there.

use super::{Kind, Readable, Writer};

impl Writer<'_, '_> {
    pub(super) fn value(&mut self, kind: Kind) -> String {
        format!("${{ {} }}", self.expression(kind))
    }

    pub(super) fn readable(&mut self, kind: Kind) -> Option<Readable> {
        let from =
            if self.choices.once_in(self.care.steps.saturating_mul(4)) { &self.hidden } else { &self.seen };
        let fitting: Vec<Readable> = from.iter().filter(|readable| readable.kind == kind).cloned().collect();
        self.choices.of(&fitting).cloned()
    }

    pub(super) fn expression(&mut self, kind: Kind) -> String {
        let literal = match kind {
            Kind::Number => "1",
            Kind::Text => "'x'",
            Kind::List => "[1, 2]",
        };
        let Some(readable) = self.readable(kind) else { return literal.to_owned() };
        let plain = match (kind, self.choices.below(6)) {
            (Kind::Number, 0) => return self.derived(),
            (Kind::Number, 1) => format!("{} + 1", readable.path),
            (Kind::Number, 2) => format!("7 / {}", readable.path),
            (Kind::Text, 0) => format!("{} + 'y'", readable.path),
            _ => readable.path.clone(),
        };
        let mut guards: Vec<String> = readable.guard.iter().cloned().collect();
        if plain.starts_with("7 /") {
            guards.push(format!("{} != 0", readable.path));
        }
        match guards.is_empty() || self.choices.once_in(self.care.reads) {
            true => plain,
            false => format!("({} ? {plain} : {literal})", guards.join(" && ")),
        }
    }

    /// A number out of a list.
    pub(super) fn derived(&mut self) -> String {
        let Some(list) = self.readable(Kind::List) else { return "2".to_owned() };
        let path = &list.path;
        let (what, guard) = match self.choices.below(4) {
            0 => (format!("size({path})"), None),
            1 => (format!("sum({path})"), None),
            2 => (format!("max({path})"), Some(format!("size({path}) > 0"))),
            _ => (format!("{path}[0]"), Some(format!("size({path}) > 0"))),
        };
        let guard = guard.filter(|_| !list.filled || self.choices.below(2) == 0);
        let guards: Vec<String> = list.guard.into_iter().chain(guard).collect();
        match guards.is_empty() || self.choices.once_in(self.care.reads) {
            true => what,
            false => format!("({} ? {what} : 3)", guards.join(" && ")),
        }
    }

    pub(super) fn condition(&mut self) -> String {
        match self.choices.below(5) {
            0 => "input.yes".to_owned(),
            1 => "!input.yes".to_owned(),
            2 => format!("{} > 1", self.expression(Kind::Number)),
            3 => "has(input.o)".to_owned(),
            _ => format!("{} == 'x'", self.expression(Kind::Text)),
        }
    }
}
