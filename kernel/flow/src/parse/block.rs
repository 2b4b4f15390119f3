//! The words that hold steps: `switch`, `parallel`, `race`, `foreach`, `repeat`, `attempt`.

use super::reader::{Reader, Words};
use super::step::Fs;
use super::yaml::{Node, Yaml};
use crate::ast::{At, Attempt, Branch, Case, Clock, Contest, Foreach, Racer, Repeat, Rounds, Step, Switch};

impl Reader<'_> {
    pub(super) fn switch(&mut self, yaml: &Yaml) -> Option<Switch> {
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

    pub(super) fn foreach(&mut self, value: &Yaml, fields: Fs<'_, '_>) -> Option<Foreach> {
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

    pub(super) fn repeat(&mut self, value: &Yaml, fields: Fs<'_, '_>) -> Option<Repeat> {
        const OF: &str = "a `repeat`";
        let name = self.word(value, Words::Name, "a name for the number of the round");
        let max = fields.take("max").and_then(|(_, value)| self.positive(value, "`max`"));
        let until = fields.take("until").and_then(|(_, value)| self.expression(value, "a condition"));
        let steps = self.require(fields, "do", OF).map(|(_, value)| self.steps(value, "`do`"));
        Some(Repeat { name: name?, max, until, steps: steps? })
    }

    pub(super) fn attempt(&mut self, value: &Yaml, fields: Fs<'_, '_>) -> Option<Attempt> {
        let steps = self.steps(value, "`attempt`");
        let otherwise =
            self.require(fields, "else", "an `attempt`").map(|(_, value)| self.handlers(value, "else"));
        let cancel_on = fields.take("cancel_on").and_then(|(_, value)| self.cancel_on(value));
        Some(Attempt { steps, otherwise: otherwise?, cancel_on })
    }

    pub(super) fn parallel(&mut self, yaml: &Yaml) -> Option<Vec<Branch>> {
        let mut branches = Vec::new();
        for (key, value) in self.branches(yaml, "parallel", "a: [...], b: [...]")? {
            let steps = self.steps(value, &format!("the branch `{}`", super::reader::shortened(&key.value)));
            if let Some(name) = self.key_word(key, Words::Name, "a name of a branch") {
                branches.push(Branch { name, steps });
            }
        }
        Some(branches)
    }

    pub(super) fn race(&mut self, yaml: &Yaml) -> Option<Vec<Racer>> {
        let mut racers = Vec::new();
        let form = "paid: { wait: ..., match: ..., do: [...] }, late: { timeout: 30m, do: [...] }";
        for (key, value) in self.branches(yaml, "race", form)? {
            let branch = self.racer(value);
            if let (Some(name), Some((until, steps))) =
                (self.key_word(key, Words::Name, "a name of a branch"), branch)
            {
                racers.push(Racer { name, until, steps });
            }
        }
        Some(racers)
    }

    fn branches<'y>(&mut self, yaml: &'y Yaml, word: &str, form: &str) -> Option<&'y [(At<String>, Yaml)]> {
        match &yaml.node {
            Node::Map(entries) if !entries.is_empty() => Some(entries),
            _ => {
                let help = format!("write `{word}: {{ {form} }}`");
                self.refuse(yaml.place, format!("`{word}` is a map of names and branches"), help);
                None
            }
        }
    }

    fn racer(&mut self, yaml: &Yaml) -> Option<(Contest, Vec<Step>)> {
        const OF: &str = "a branch of a race";
        let mut fields = self.fields(yaml, OF)?;
        let (wait, timeout, by) = (fields.take("wait"), fields.take("timeout"), fields.take("by"));
        let until = match (wait, timeout, by) {
            (Some((_, value)), None, None) => {
                let event = self.word(value, Words::Dotted, "the name of an event");
                let key = self.require(&mut fields, "match", OF).map(|(_, value)| self.template(value));
                event.zip(key).map(|(event, key)| Contest::Event { event, key })
            }
            (None, Some((_, value)), None) => self.clock(value, "`timeout`").map(Contest::Clock),
            (None, None, Some((_, value))) => {
                self.expression(value, "`by`").map(Clock::Expr).map(Contest::Clock)
            }
            _ => {
                self.refuse(
                    yaml.place,
                    "a branch of a race has exactly one of `wait`, `timeout` and `by`",
                    "a race is the clock of its waits: make the clock a branch of its own",
                );
                None
            }
        };
        let steps = fields.take("do").map(|(_, value)| self.steps(value, "`do`")).unwrap_or_default();
        self.finish(&fields, OF);
        Some((until?, steps))
    }
}
