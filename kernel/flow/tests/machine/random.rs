//! Random flows: trees of steps, written down as JSON, which is YAML.

use std::sync::Arc;

use mortise_flow::Program;
use proptest::prelude::*;
use serde_json::{Value as Json, json as tree};

use crate::trade::program;

/// A step of a random flow; ids come when it is written down.
#[derive(Debug, Clone)]
pub(crate) enum Random {
    Claim { handler: Option<Vec<Random>> },
    Pay { any: Option<Vec<Random>> },
    Reserve,
    Scrap,
    Captured { on_timeout: Vec<Random> },
    Packed { on_timeout: Vec<Random> },
    Sleep,
    Switch { cases: Vec<Vec<Random>>, otherwise: Option<Vec<Random>> },
    Foreach { at_once: Option<u32>, until: bool, steps: Vec<Random> },
    Repeat { until: bool, steps: Vec<Random> },
    Parallel { branches: Vec<Vec<Random>> },
    Race { captured: Vec<Random>, late: Vec<Random> },
    Attempt { steps: Vec<Random>, handler: Vec<Random>, any: bool, cancellable: bool },
    Tcc { any: Option<Vec<Random>> },
    Start { any: Option<Vec<Random>> },
    Fail,
    End,
    Divide,
    Emit,
    Attention,
    When(Box<Random>),
}

fn random_step() -> impl Strategy<Value = Random> {
    let leaf = prop_oneof![
        4 => Just(Random::Claim { handler: None }),
        3 => Just(Random::Pay { any: None }),
        4 => Just(Random::Reserve),
        1 => Just(Random::Scrap),
        2 => Just(Random::Captured { on_timeout: vec![] }),
        1 => Just(Random::Packed { on_timeout: vec![] }),
        1 => Just(Random::Sleep),
        1 => Just(Random::Fail),
        1 => Just(Random::End),
        1 => Just(Random::Divide),
        1 => Just(Random::Emit),
        1 => Just(Random::Attention),
        2 => Just(Random::Tcc { any: None }),
        2 => Just(Random::Start { any: None }),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let block = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            block.clone().prop_map(|steps| Random::Claim { handler: Some(steps) }),
            block.clone().prop_map(|steps| Random::Pay { any: Some(steps) }),
            block.clone().prop_map(|on_timeout| Random::Captured { on_timeout }),
            block.clone().prop_map(|on_timeout| Random::Packed { on_timeout }),
            (prop::collection::vec(block.clone(), 1..3), prop::option::of(block.clone()))
                .prop_map(|(cases, otherwise)| Random::Switch { cases, otherwise }),
            (prop::option::of(1_u32..4), any::<bool>(), block.clone())
                .prop_map(|(at_once, until, steps)| { Random::Foreach { at_once, until, steps } }),
            (any::<bool>(), block.clone()).prop_map(|(until, steps)| Random::Repeat { until, steps }),
            prop::collection::vec(block.clone(), 1..4).prop_map(|branches| Random::Parallel { branches }),
            (block.clone(), block.clone()).prop_map(|(captured, late)| Random::Race { captured, late }),
            attempt(block.clone()),
            attempt(block.clone()),
            block.clone().prop_map(|steps| Random::Tcc { any: Some(steps) }),
            block.prop_map(|steps| Random::Start { any: Some(steps) }),
            inner.prop_map(|step| Random::When(Box::new(step))),
        ]
    })
}

fn attempt(block: impl Strategy<Value = Vec<Random>> + Clone) -> impl Strategy<Value = Random> {
    (block.clone(), block, any::<bool>(), any::<bool>())
        .prop_map(|(steps, handler, any, cancellable)| Random::Attempt { steps, handler, any, cancellable })
}

#[derive(Debug, Clone)]
pub(crate) struct RandomFlow {
    before: Vec<Random>,
    pivot: bool,
    after: Vec<Random>,
    cancellable: bool,
}

pub(crate) fn random_flow() -> impl Strategy<Value = RandomFlow> {
    let block = || prop::collection::vec(random_step(), 0..6);
    (block(), any::<bool>(), block(), any::<bool>())
        .prop_map(|(before, pivot, after, cancellable)| RandomFlow { before, pivot, after, cancellable })
}

/// Writes a random flow down as JSON, which is YAML.
#[derive(Default)]
struct Writer {
    ids: u32,
    /// Reservations and payments that the place sees.
    reservations: Vec<String>,
    payments: Vec<String>,
}

impl Writer {
    fn id(&mut self, prefix: &str) -> String {
        self.ids += 1;
        format!("{prefix}{}", self.ids)
    }

    fn payment_key(&self) -> String {
        self.payments.last().map_or("loose".to_owned(), |pay| {
            format!("${{ has({pay}.payment_id) ? {pay}.payment_id : 'none' }}")
        })
    }

    fn block(&mut self, steps: &[Random]) -> Vec<Json> {
        let seen = (self.reservations.clone(), self.payments.len());
        let written = if steps.is_empty() {
            vec![tree!({"attention": "nothing"})]
        } else {
            steps.iter().map(|step| self.step(step)).collect()
        };
        let left = std::mem::replace(&mut self.reservations, seen.0);
        self.reservations.retain(|held| left.contains(held));
        self.payments.truncate(seen.1);
        written
    }

    fn step(&mut self, step: &Random) -> Json {
        match step {
            Random::Claim { handler } => {
                let id = self.id("claim");
                let mut call =
                    tree!({"id": id, "call": "limit.claim", "with": {"order": "${ input.order }"}});
                if let Some(steps) = handler {
                    call["on"] = tree!({"limit_reached": self.block(steps)});
                }
                call
            }
            Random::Pay { any } => {
                let id = self.id("pay");
                let mut call =
                    tree!({"id": id, "call": "pay.request", "with": {"order": "${ input.order }"}});
                if let Some(steps) = any {
                    call["on"] = tree!({"any": self.block(steps)});
                }
                self.payments.push(id);
                call
            }
            Random::Reserve => {
                let id = self.id("stock");
                self.reservations.push(id.clone());
                tree!({"id": id, "call": "stock.reserve", "with": {"sku": "milk"}})
            }
            Random::Scrap => match self.reservations.pop() {
                None => tree!({"sleep": "1m"}),
                Some(held) => {
                    tree!({"when": format!("${{ has({held}.reservation) }}"), "call": "stock.scrap",
                                     "with": {"reservation": format!("${{ {held}.reservation }}")}})
                }
            },
            Random::Captured { on_timeout } => {
                let id = self.id("captured");
                let key = self.payment_key();
                tree!({"id": id, "wait": "pay.captured", "match": key, "timeout": "30m",
                       "on_timeout": self.block(on_timeout)})
            }
            Random::Packed { on_timeout } => {
                tree!({"wait": "pick.packed", "match": "L", "timeout": "1d", "on_timeout": self.block(on_timeout)})
            }
            Random::Sleep => tree!({"sleep": "10m"}),
            Random::Switch { cases, otherwise } => {
                let mut written = Vec::new();
                for (index, case) in cases.iter().enumerate() {
                    let condition = format!("${{ input.n % 3 == {index} }}");
                    written.push(tree!({"if": condition, "do": self.block(case)}));
                }
                if let Some(steps) = otherwise {
                    written.push(tree!({"else": self.block(steps)}));
                }
                tree!({"switch": written})
            }
            Random::Foreach { at_once, until, steps } => {
                let (id, name) = (self.id("loop"), self.id("element"));
                let mut loops = tree!({"id": id, "foreach": "${ input.elements }", "as": name, "max": 9,
                                       "do": self.block(steps), "result": {"of": format!("${{ {name} }}")}});
                match at_once {
                    Some(most) => loops["at_once"] = tree!(most),
                    None if *until => loops["until"] = tree!(format!("${{ {name} == 'b' }}")),
                    None => {}
                }
                loops
            }
            Random::Repeat { until, steps } => {
                let (id, name) = (self.id("again"), self.id("number"));
                let mut repeat = tree!({"id": id, "repeat": name, "max": 3, "do": self.block(steps),
                                        "result": {"of": format!("${{ {name} }}")}});
                if *until {
                    repeat["until"] = tree!(format!("${{ {name} == 2 }}"));
                }
                repeat
            }
            Random::Parallel { branches } => {
                let id = self.id("both");
                let written: serde_json::Map<String, Json> =
                    branches.iter().map(|branch| (self.id("branch"), tree!(self.block(branch)))).collect();
                tree!({"id": id, "parallel": written, "result": {"n": "${ input.n }"}})
            }
            Random::Race { captured, late } => {
                let (id, money, clock) = (self.id("race"), self.id("money"), self.id("late"));
                let key = self.payment_key();
                let racers = tree!({
                    money: {"wait": "pay.captured", "match": key, "do": self.block(captured)},
                    "packed": {"wait": "pick.packed", "match": "L"},
                    clock: {"timeout": "20m", "do": self.block(late)}});
                tree!({"id": id, "race": racers})
            }
            Random::Attempt { steps, handler, any, cancellable } => {
                let mut attempt = tree!({"attempt": self.block(steps), "else": {}});
                let code = if *any { "any" } else { "out_of_stock" };
                attempt["else"][code] = tree!(self.block(handler));
                if *cancellable {
                    attempt["cancel_on"] =
                        tree!({"event": "order.cancel_requested", "match": "${ input.order }", "fail": code});
                }
                attempt
            }
            Random::Tcc { any } => {
                let calls = [("credit", "credit.hold"), ("seat", "seat.hold"), ("more", "credit.hold")].map(
                    |(id, call)| {
                        tree!({"id": self.id(id), "call": call, "with": {"order": "${ input.order }"}})
                    },
                );
                let mut tcc = tree!({"tcc": calls, "id": self.id("tcc")});
                if let Some(steps) = any {
                    tcc["on"] = tree!({"any": self.block(steps)});
                }
                tcc
            }
            Random::Start { any } => {
                let mut start =
                    tree!({"id": self.id("part"), "start": "insure", "with": {"order": "${ input.order }"}});
                if let Some(steps) = any {
                    start["on"] = tree!({"any": self.block(steps)});
                }
                start
            }
            Random::Fail => tree!({"fail": "no"}),
            Random::End => tree!({"end": "enough"}),
            Random::Divide => {
                let name = self.id("quotient");
                tree!({"let": {name: "${ 100 / input.n }"}})
            }
            Random::Emit => tree!({"emit": "order.placed", "with": {"order": "${ input.order }"}}),
            Random::Attention => tree!({"attention": "look"}),
            Random::When(step) => {
                let mut written = self.step(step);
                if written.get("when").is_none() {
                    written["when"] = tree!("${ input.n > 1 }");
                }
                written
            }
        }
    }
}

pub(crate) fn write(flow: &RandomFlow) -> Arc<Program> {
    let mut writer = Writer::default();
    let mut steps: Vec<Json> = flow.before.iter().map(|step| writer.step(step)).collect();
    if flow.pivot {
        steps.push(tree!({"pivot": "paid"}));
    }
    steps.extend(flow.after.iter().map(|step| writer.step(step)));
    steps.push(tree!({"emit": "order.placed", "with": {}}));
    let mut whole = tree!({"flow": "random", "version": 1, "internal": true, "steps": steps, "input": {"type": "object",
        "properties": {"order": {"type": "string"}, "n": {"type": "integer"},
                       "elements": {"type": "array", "maxItems": 9, "items": {"type": "string"}}}}});
    if flow.cancellable {
        whole["cancel_on"] =
            tree!({"event": "order.cancel_requested", "match": "${ input.order }", "fail": "cancelled"});
    }
    program(&whole.to_string())
}
