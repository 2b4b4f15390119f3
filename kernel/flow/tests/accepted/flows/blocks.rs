//! Steps that hold steps, and their results.

use serde_json::{Map, Value as Json, json};

use super::{Kind, Readable, Writer};

impl Writer<'_, '_> {
    /// A block's result over what is seen directly inside, each under its guard and `has()` of its step.
    pub(super) fn result(&mut self, step: &mut Json, mut inner: Vec<Readable>, id: &str, sure: bool) {
        if self.choices.below(3) == 0 {
            return;
        }
        let mark = self.seen.len();
        inner.retain(|readable| sure || readable.path.contains('.'));
        self.seen.append(&mut inner);
        if !sure {
            self.unsure(mark);
        }
        let kind = self.kind();
        let value = self.value(kind);
        let number = self.value(Kind::Number);
        self.seen.truncate(mark);
        step["id"] = json!(id);
        step["result"] = json!({"v": value, "w": number});
        for (name, kind) in [("v", kind), ("w", Kind::Number)] {
            self.seen.push(Readable { path: format!("{id}.{name}"), kind, guard: None, filled: false });
        }
    }

    pub(super) fn switch(&mut self) -> Json {
        let mut cases = Vec::new();
        let mut inner = Vec::new();
        for _ in 0..=self.choices.below(2) {
            let condition = format!("${{ {} }}", self.condition());
            let (steps, names) = self.block(3);
            inner.extend(names);
            cases.push(json!({"if": condition, "do": steps}));
        }
        if self.choices.once_in(2) {
            let (steps, names) = self.block(3);
            inner.extend(names);
            cases.push(json!({"else": steps}));
        }
        let mut step = json!({"switch": cases});
        let id = self.id("switch");
        self.result(&mut step, inner, &id, false);
        step
    }

    pub(super) fn parallel(&mut self) -> Json {
        let mut branches = Map::new();
        let mut inner = Vec::new();
        for _ in 0..=self.choices.below(2) {
            let (steps, names) = self.block(3);
            inner.extend(names);
            branches.insert(self.id("branch"), json!(steps));
        }
        let mut step = json!({"parallel": branches});
        let id = self.id("parallel");
        self.result(&mut step, inner, &id, true);
        step
    }

    pub(super) fn race(&mut self) -> Json {
        let mut racers = Map::new();
        let mut inner = Vec::new();
        for _ in 0..=self.choices.below(2) {
            let name = self.id("racer");
            let event = ["c.ev0", "c.ev1"][self.choices.below(2)];
            let key = self.value(Kind::Text);
            let mark = self.seen.len();
            self.see(&name, &self.contracts.events[event].payload);
            let (steps, names) = self.block(2);
            inner.extend(self.seen.split_off(mark));
            inner.extend(names);
            racers.insert(name, json!({"wait": event, "match": key, "do": steps}));
        }
        if !self.careless() {
            let (steps, names) = self.block(2);
            inner.extend(names);
            racers.insert(self.id("clock"), json!({"timeout": "10m", "do": steps}));
        }
        let mut step = json!({"race": racers});
        let id = self.id("race");
        self.result(&mut step, inner, &id, false);
        step
    }

    pub(super) fn foreach(&mut self) -> Json {
        let name = self.id("element");
        let list = self.seen.iter().filter(|of| of.kind == Kind::List && of.guard.is_none());
        let lists: Vec<String> =
            list.map(|of| of.path.clone()).filter(|path| !path.starts_with("let")).collect();
        let list = self.choices.of(&lists).cloned().unwrap_or_else(|| "input.l".to_owned());
        let mark = self.seen.len();
        self.seen.push(Readable { path: name.clone(), kind: Kind::Number, guard: None, filled: false });
        let (steps, inner) = self.block(3);
        let mut step = json!({"foreach": format!("${{ {list} }}"), "as": name, "max": 4, "do": steps});
        match self.choices.below(3) {
            0 => step["at_once"] = json!(2),
            1 => step["until"] = json!(format!("${{ {name} > 1 }}")),
            _ => {}
        }
        let id = self.id("loop");
        self.result(&mut step, inner, &id, true);
        // A list of results is read by nobody here.
        self.seen.truncate(mark);
        step
    }

    pub(super) fn repeat(&mut self) -> Json {
        let name = self.id("round");
        let mark = self.seen.len();
        self.seen.push(Readable { path: name.clone(), kind: Kind::Number, guard: None, filled: false });
        let (steps, inner) = self.block(3);
        let mut step = json!({"repeat": name, "max": 3, "do": steps});
        if self.choices.once_in(2) {
            step["until"] = json!(format!("${{ {name} > {} }}", self.choices.below(3)));
        }
        let id = self.id("repeat");
        self.result(&mut step, inner, &id, true);
        self.seen.retain({
            let mut at = 0;
            move |_| {
                at += 1;
                at != mark + 1
            }
        });
        step
    }

    pub(super) fn attempt(&mut self) -> Json {
        let before = std::mem::replace(&mut self.taken, true);
        let (steps, mut inner) = self.block(4);
        self.taken = before;
        let mut handlers = Map::new();
        let (other, names) = self.block(2);
        inner.extend(names);
        handlers.insert("any".to_owned(), json!(other));
        let mut step = json!({"attempt": steps, "else": handlers});
        if self.choices.once_in(2) {
            step["cancel_on"] =
                json!({"event": "c.ev1", "match": self.value(Kind::Text), "fail": "cancelled"});
        } else {
            // Something has to fail, or the handler is never reached.
            step["attempt"]
                .as_array_mut()
                .expect("it is a list")
                .insert(0, json!({"when": "${ input.n == 3 }", "fail": "no"}));
        }
        let id = self.id("attempt");
        self.result(&mut step, inner, &id, false);
        step
    }
}
