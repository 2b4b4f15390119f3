//! A running trade's state under another version of its definition: the same steps, names and blocks, found by their labels.
//! Whether a version may take trades over is the migration's to prove; here every single trade is looked at once more.

use std::collections::HashMap;
use std::sync::Arc;

use super::state::{Doing, Fiber, State};
use crate::compile::{Op, Pc, Program};
use crate::eval::Frame;

/// What an operation is known by in every version: its step, its kind, and which of these it is.
type OpKey = (Arc<str>, std::mem::Discriminant<Op>, usize);

impl State {
    /// The same trade, driven by `new` from now on.
    ///
    /// # Errors
    /// The first thing that `new` does not have, in words.
    pub fn moved(&self, old: &Program, new: &Program) -> Result<Self, String> {
        let moving = Moving::between(old, new);
        let mut state = self.clone();
        for fiber in &mut state.fibers {
            moving.fiber(fiber)?;
        }
        for finished in Arc::make_mut(&mut state.finished) {
            finished.pc = moving.pc(finished.pc)?;
        }
        Ok(state)
    }
}

struct Moving<'p> {
    old: &'p Program,
    ops: HashMap<OpKey, Pc>,
    keys: Vec<OpKey>,
    /// By the old program's number.
    bodies: Vec<Option<Body>>,
    /// The body around each of the old program's bodies.
    around: Vec<Option<usize>>,
}

/// A body of the new program.
struct Body {
    number: usize,
    slots: usize,
    /// The old slot of each of its slots.
    from: Vec<Option<usize>>,
}

impl<'p> Moving<'p> {
    fn between(old: &'p Program, new: &'p Program) -> Self {
        let ops = keys(new).into_iter().enumerate().map(|(pc, key)| (key, pc)).collect();
        let known: HashMap<String, usize> =
            labels(new).into_iter().enumerate().map(|(body, label)| (label, body)).collect();
        let bodies = labels(old).into_iter().enumerate().map(|(number, label)| {
            let to = *known.get(&label)?;
            let (had, has) = (&old.bodies[number].names, &new.bodies[to].names);
            let had: HashMap<(Arc<str>, usize), usize> =
                counted(had).into_iter().enumerate().map(|(slot, key)| (key, slot)).collect();
            let from = counted(has).iter().map(|key| had.get(key).copied()).collect();
            Some(Body { number: to, slots: new.bodies[to].slots, from })
        });
        Self { old, ops, keys: keys(old), bodies: bodies.collect(), around: around(old) }
    }

    fn pc(&self, pc: Pc) -> Result<Pc, String> {
        let key = self.keys.get(pc).ok_or("a step beyond the end of its definition")?;
        self.ops.get(key).copied().ok_or_else(|| format!("the new definition has no step `{}`", key.0))
    }

    fn body(&self, body: usize) -> Result<&Body, String> {
        let found = self.bodies.get(body).and_then(Option::as_ref);
        found.ok_or_else(|| format!("the new definition lacks the block that is its body number {body}"))
    }

    fn fiber(&self, fiber: &mut Fiber) -> Result<(), String> {
        fiber.frame = self.frame(&fiber.frame, fiber.body)?;
        fiber.body = self.body(fiber.body)?.number;
        fiber.pc = self.pc(fiber.pc)?;
        if let Doing::Racing(open) = &mut fiber.doing {
            for (racer, _) in open {
                *racer = self.pc(*racer)?;
            }
        }
        Ok(())
    }

    /// The frame's values under the names that they had.
    fn frame(&self, frame: &Arc<Frame>, of: usize) -> Result<Arc<Frame>, String> {
        let body = self.body(of)?;
        let nothing = &self.old.nothing;
        let value = |slot: usize| {
            let from = body.from.get(slot).copied().flatten();
            from.and_then(|from| frame.slots.get(from)).unwrap_or(nothing).clone()
        };
        let slots = (0..body.slots).map(value).collect();
        let parent = match (&frame.parent, self.around.get(of).copied().flatten()) {
            (Some(parent), Some(around)) => Some(self.frame(parent, around)?),
            (None, _) => None,
            (Some(_), None) => return Err("a block that stands in nothing".to_owned()),
        };
        Ok(Arc::new(Frame { parent, slots }))
    }
}

/// Each with how often it came before.
fn counted(names: &[Arc<str>]) -> Vec<(Arc<str>, usize)> {
    let mut times: HashMap<&str, usize> = HashMap::new();
    let count = |name: &'_ Arc<str>, times: &mut usize| {
        *times += 1;
        (Arc::clone(name), *times - 1)
    };
    names.iter().map(|name| count(name, times.entry(name).or_default())).collect()
}

fn keys(program: &Program) -> Vec<OpKey> {
    let mut times: HashMap<(Arc<str>, std::mem::Discriminant<Op>), usize> = HashMap::new();
    let ops = program.ops.iter().zip(&program.labels);
    ops.map(|(op, label)| {
        let kind = std::mem::discriminant(op);
        let times = times.entry((Arc::clone(label), kind)).or_default();
        *times += 1;
        (Arc::clone(label), kind, *times - 1)
    })
    .collect()
}

/// The bodies that an operation opens, each with its name.
fn opens(op: &Op, label: &str) -> Vec<(usize, String)> {
    match op {
        Op::Foreach(site) => vec![(site.body, label.to_owned())],
        Op::Repeat(site) => vec![(site.body, label.to_owned())],
        Op::Scope(site) => vec![(site.body, label.to_owned())],
        Op::Parallel(site) => {
            site.branches.iter().map(|branch| (branch.body, format!("{label}.{}", branch.name))).collect()
        }
        _ => Vec::new(),
    }
}

/// What each body is known by: the step that opens it. The whole flow's is empty.
fn labels(program: &Program) -> Vec<String> {
    let mut labels = vec![String::new(); program.bodies.len()];
    for (op, label) in program.ops.iter().zip(&program.labels) {
        for (body, label) in opens(op, label) {
            labels[body] = label;
        }
    }
    labels
}

/// The body in which each body's step stands.
fn around(program: &Program) -> Vec<Option<usize>> {
    let mut around = vec![None; program.bodies.len()];
    let mut open = vec![0];
    for (pc, op) in program.ops.iter().enumerate() {
        open.extend((1..program.bodies.len()).filter(|body| program.bodies[*body].start == pc));
        for (body, _) in opens(op, "") {
            around[body] = open.last().copied();
        }
        if matches!(op, Op::BodyEnd) {
            open.pop();
        }
    }
    around
}
