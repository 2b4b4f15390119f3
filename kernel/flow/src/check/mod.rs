//! The checker: proves of a flow what a reviewer would have to hope. It walks ways, not lines, and says for everything
//! that it refuses where it stands and what would mend it. It is total and pure.

mod answer;
mod assume;
mod attempt;
mod block;
mod budget;
mod call;
mod contract;
mod failure;
mod handler;
mod head;
mod library;
mod parallel;
mod presence;
mod resources;
mod scope;
mod start;
mod steps;
mod tcc;
mod template;
mod uses;
mod ways;

use std::collections::{BTreeSet, HashSet};

use mortise_contract::{Contracts, Schema};

use crate::ast::{Expr, Flow, Place, Visibility};
use crate::diagnostic::Diagnostic;
use crate::parse;
use crate::typing::{Ty, Typing};

pub use contract::check_contracts;
use failure::{Final, Frame};
pub use library::with_flows;
use presence::{Local, Null};
use scope::Scope;
use uses::Uses;
use ways::{Facts, Points, Ways};

/// What the checker knows of a flow.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What is wrong, in the order of the text. A flow with an error may not be published.
    pub diagnostics: Vec<Diagnostic>,
    /// The type of what the caller gets: all answers merged; a field that one lacks is optional.
    pub answer: Schema,
    /// The codes that the flow can fail with, in order.
    pub fails: Vec<String>,
    /// The operations that it can call, undo and late calls included.
    pub operations: BTreeSet<String>,
    /// The events that it waits for, is cancelled by, or emits.
    pub events: BTreeSet<String>,
    /// The flows that it starts.
    pub flows: BTreeSet<String>,
    /// Whether the whole of it can be taken back: it has no pivot, and each of its effects an undo.
    pub undoable: bool,
}

impl Checked {
    /// Whether the flow may be published.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        !self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Checks a flow against the contracts of what it calls and waits for.
#[must_use]
pub fn check<'c>(flow: &'c Flow, contracts: &'c Contracts) -> Checked {
    let mut checker = Checker::new(flow, contracts);
    checker.flow(flow);
    checker.finish()
}

/// Parses and checks any bytes. Total: every input gets its answer, none a panic. The flow is there if it could be
/// parsed; it may be compiled if no diagnostic is an error.
#[must_use]
pub fn check_text(text: &[u8], contracts: &Contracts) -> (Option<Flow>, Vec<Diagnostic>) {
    let run = std::panic::AssertUnwindSafe(|| check_bytes(text, contracts));
    std::panic::catch_unwind(run).unwrap_or_else(|_| {
        let message = "the checker failed on this text: a defect of the checker, not of the flow";
        let place = Place { line: 1, column: 1, offset: 0, length: 0 };
        (None, vec![Diagnostic::error("syntax", place, message, "report it together with the file")])
    })
}

fn check_bytes(text: &[u8], contracts: &Contracts) -> (Option<Flow>, Vec<Diagnostic>) {
    let text = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => {
            let valid = std::str::from_utf8(&text[..error.valid_up_to()]).unwrap_or("");
            let lines = parse::Lines::new(valid);
            let place = lines.place(valid.len()..valid.len());
            let finding =
                Diagnostic::error("syntax", place, "this is not UTF-8 text", "save the file as UTF-8");
            return (None, vec![finding]);
        }
    };
    let (flow, mut found) = parse::read(text);
    let Some(flow) = flow else { return (None, found) };
    if found.iter().any(|finding| finding.code != "no-timeout") {
        return (None, found);
    }
    let parsed = found.is_empty();
    found.extend(check(&flow, contracts).diagnostics);
    parse::sort(&mut found);
    (parsed.then_some(flow), found)
}

/// Before the pivot all can be taken back, behind it nothing may turn back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Before,
    Behind,
}

/// What stands directly behind a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Pivot,
    Other,
}

/// A `pure` or `read` call or a `let`, of which somebody should read something.
#[derive(Debug)]
struct Readable {
    key: usize,
    place: Place,
    what: String,
}

/// Nodes times ways after which ways are kept apart no more: a definition that takes more was not written by hand.
const WORK: usize = 300_000;

struct Checker<'c> {
    contracts: &'c Contracts,
    scope: Scope<'c>,
    locals: Vec<Local<'c>>,
    uses: Uses,
    facts: Facts,
    points: Points,
    /// Ways that are kept apart at most.
    limit: usize,
    /// Nodes that were looked at, on each way once.
    work: usize,
    phase: Phase,
    visibility: Visibility,
    /// What is around in which nobody may answer.
    around: Vec<&'static str>,
    /// The attempts around, outermost first.
    frames: Vec<Frame<'c>>,
    /// Effects of attempts behind the pivot that cannot be taken back.
    finals: Vec<Final>,
    name: String,
    /// What stands directly behind the step that is walked.
    next: Next,
    found: Vec<Diagnostic>,
    reported: HashSet<(String, usize, String)>,
    readable: Vec<Readable>,
    answers: Vec<(Place, Ty<'c>)>,
    fails: BTreeSet<String>,
    operations: BTreeSet<String>,
    contracts_seen: BTreeSet<String>,
    events: BTreeSet<String>,
    flows: BTreeSet<String>,
}

impl<'c> Checker<'c> {
    fn new(flow: &Flow, contracts: &'c Contracts) -> Self {
        let uses = Uses::of(flow);
        let limit = (100_000 / uses.steps.max(1)).clamp(8, 512);
        Self {
            contracts,
            scope: Scope::new(uses.names.clone()),
            locals: Vec::new(),
            uses,
            facts: Facts::default(),
            points: Points::default(),
            limit,
            work: 0,
            phase: Phase::Before,
            visibility: flow.internal,
            around: Vec::new(),
            frames: Vec::new(),
            finals: Vec::new(),
            name: flow.name.value.clone(),
            next: Next::Other,
            found: Vec::new(),
            reported: HashSet::new(),
            readable: Vec::new(),
            answers: Vec::new(),
            fails: BTreeSet::new(),
            operations: BTreeSet::new(),
            contracts_seen: BTreeSet::new(),
            events: BTreeSet::new(),
            flows: BTreeSet::new(),
        }
    }

    /// Counts work, and stops telling ways apart when it is too much, so that any flow is answered in time.
    fn worked(&mut self, ways: &Ways) {
        self.work = self.work.saturating_add(ways.all.len());
        if self.work > WORK {
            self.limit = 2;
        }
    }

    /// Reports once: a loop or a handler may be seen on many ways.
    fn push(&mut self, finding: Diagnostic) {
        if self.reported.insert((finding.code.clone(), finding.bytes.0, finding.message.clone())) {
            self.found.push(finding);
        }
    }

    fn refuse(&mut self, code: &str, place: Place, message: impl Into<String>, help: impl Into<String>) {
        self.push(Diagnostic::error(code, place, message, help));
    }

    /// The type of an expression; what it reads is looked at on all ways.
    fn expr(&mut self, expr: &Expr, ways: &Ways, null: Null) -> Ty<'c> {
        let mut found = Vec::new();
        let ty = Typing::new(self.contracts, &mut self.scope, &mut found).node(&expr.node);
        if found.is_empty() {
            self.present(expr, ways, null);
        }
        found.into_iter().for_each(|finding| self.push(finding));
        ty
    }

    /// An expression that has to be true or false.
    fn condition(&mut self, expr: &Expr, ways: &Ways) {
        let mut found = Vec::new();
        Typing::new(self.contracts, &mut self.scope, &mut found).condition(&expr.node);
        if found.is_empty() {
            self.present(expr, ways, Null::Refused);
        }
        found.into_iter().for_each(|finding| self.push(finding));
    }

    fn finish(mut self) -> Checked {
        for readable in std::mem::take(&mut self.readable) {
            if !self.scope.was_used(readable.key) {
                let help = "use it, or take it away";
                self.push(Diagnostic::warning("unused-result", readable.place, readable.what, help));
            }
        }
        let answer = self.answer_schema();
        parse::sort(&mut self.found);
        let accepted = !self.found.iter().any(Diagnostic::is_error);
        Checked {
            // Before a pivot an effect without an undo is refused; a flow without one stands before it to its end.
            undoable: accepted && self.phase == Phase::Before,
            diagnostics: self.found,
            answer,
            fails: self.fails.into_iter().collect(),
            operations: self.operations,
            events: self.events,
            flows: self.flows,
        }
    }
}

#[cfg(test)]
mod tests;
