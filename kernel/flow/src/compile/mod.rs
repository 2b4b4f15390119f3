//! A checked definition turned into a program: names are slots, plain paths are paths, contracts are looked up once.
//! It assumes that the checker accepted the flow and refuses, without a panic, what it cannot compile.

mod contract;
mod expression;
mod names;
mod program;
mod reach;
mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;

use mortise_contract::{Contracts, Schema, Value};
use mortise_types::Timestamp;

pub(crate) use program::{
    Body, CallSite, CancelSite, Clock, Exports, ForeachSite, Handle, Handler, Op, ParallelSite, Pc,
    RepeatSite, ScopeKind, ScopeSite, Taking, Target, Undo, WaitSite,
};
pub(crate) use steps::{INPUT, SCOPE};

use crate::ast;
use crate::eval::{Env, EvalError, Frame, Mapping, Node, Path};
use crate::machine::Begin;
use steps::{Compiled, Steps};

/// Why a definition cannot be compiled; the checker finds all of these first, with places.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// An operation that no contract declares.
    #[error("no operation `{0}` is declared")]
    UnknownOperation(String),
    /// An event that no contract declares.
    #[error("no event `{0}` is declared")]
    UnknownEvent(String),
    /// An event that does not say what is called when it comes late.
    #[error("the event `{0}` has no `late` call")]
    NoLateCall(String),
    /// A name that nothing binds at that place.
    #[error("line {line}: nothing is named `{name}` here")]
    UnknownName {
        /// The name.
        name: String,
        /// The line of the definition; 0 in a contract's template.
        line: u32,
    },
    /// A function that the language does not have, or with other arguments.
    #[error("line {line}: there is no function `{name}` with these arguments")]
    UnknownFunction {
        /// The function.
        name: String,
        /// The line of the definition; 0 in a contract's template.
        line: u32,
    },
    /// A contract's template that is no template.
    #[error("the template of `{of}`: {problem}")]
    Template {
        /// The operation or event whose contract it is.
        of: String,
        /// What is wrong.
        problem: String,
    },
    /// A flow that nothing publishes.
    #[error("no flow `{0}` is published")]
    UnknownFlow(String),
    /// A call of a `tcc` whose operation cannot be tried.
    #[error("the operation `{0}` has no confirm and cancel")]
    NoTriple(String),
    /// More names or steps than a program has room for, or nesting beyond all reason.
    #[error("the definition is too large: {0}")]
    TooLarge(&'static str),
}

/// A flow, ready to run: immutable, shared by all its trades.
#[derive(Debug)]
pub struct Program {
    name: Arc<str>,
    version: u32,
    hash: Arc<str>,
    input: Schema,
    key: Option<Mapping>,
    currency: Option<Mapping>,
    contracts: BTreeMap<String, String>,
    started: BTreeMap<String, String>,
    pub(crate) cancel_on: Option<CancelSite>,
    pub(crate) ops: Box<[Op]>,
    pub(crate) labels: Box<[Arc<str>]>,
    pub(crate) bodies: Box<[Body]>,
    /// Whether there is a `repeat` in it, whose rounds may wait for the same event again.
    pub(crate) repeats: bool,
    /// Stands for a step that did not run; shared.
    pub(crate) nothing: Value,
}

/// What a program is called.
struct Head<'t> {
    name: &'t str,
    version: u32,
    input: Schema,
    /// What the identity is worked out from, beside the contracts.
    text: &'t str,
}

impl Program {
    /// Compiles a checked flow. `text` is the definition's source: its content and the hashes of the contracts that it
    /// names are the program's identity.
    ///
    /// # Errors
    /// What a flow that the checker accepted does not have.
    pub fn compile(flow: &ast::Flow, contracts: &Contracts, text: &str) -> Result<Self, CompileError> {
        let mut steps = Steps::new(contracts, "input", &flow.input.value);
        let key = flow.key.as_ref().map(|key| steps.head(key)).transpose()?;
        let currency = flow.currency.as_ref().map(|currency| steps.head(currency)).transpose()?;
        let cancel_on = flow.cancel_on.as_ref().map(|cancel| steps.cancel_on(cancel)).transpose()?;
        let compiled = steps.finish(&flow.steps)?;
        let head =
            Head { name: &flow.name.value, version: flow.version, input: flow.input.value.clone(), text };
        let program = Self::of(head, compiled);
        Ok(Self { key, currency, cancel_on, ..program })
    }

    /// A trade of one call: its input is the operation's, its answer the operation's output, a rejection fails it. It is
    /// named like the operation, which no flow is, for their names have no dot.
    ///
    /// # Errors
    /// An operation that no contract declares, or whose contract has a broken template.
    pub fn one_call(operation: &str, contracts: &Contracts) -> Result<Self, CompileError> {
        let contract = contracts
            .operations
            .get(operation)
            .ok_or_else(|| CompileError::UnknownOperation(operation.to_owned()))?;
        let mut steps = Steps::new(contracts, "input", &contract.input);
        steps.one_call(operation)?;
        let head = Head { name: operation, version: 1, input: contract.input.clone(), text: operation };
        Ok(Self::of(head, steps.end()?))
    }

    /// The trade that takes back an acquiring event which came late: its input is the event's payload. It is driven
    /// forward without end, and answers an empty record.
    ///
    /// # Errors
    /// An event that no contract declares or that has no `late` call.
    pub fn late_call(event: &str, contracts: &Contracts) -> Result<Self, CompileError> {
        let contract =
            contracts.events.get(event).ok_or_else(|| CompileError::UnknownEvent(event.to_owned()))?;
        let late = contract.late.as_ref().ok_or_else(|| CompileError::NoLateCall(event.to_owned()))?;
        let taking = contract::taking(contracts, event, late, &[("event", &contract.payload)])?;
        let mut steps = Steps::new(contracts, "event", &contract.payload);
        steps.push(Op::Pivot);
        steps.labelled(&late.call).push_call(&late.call, taking.with)?;
        let name = format!("{event}.late");
        let head = Head { name: &name, version: 1, input: contract.payload.clone(), text: &name };
        Ok(Self::of(head, steps.end()?))
    }

    fn of(head: Head<'_>, compiled: Compiled) -> Self {
        Self {
            name: head.name.into(),
            version: head.version,
            hash: identity(head.text, &compiled.used),
            input: head.input,
            key: None,
            currency: None,
            contracts: compiled.used,
            started: compiled.started,
            cancel_on: None,
            repeats: compiled.ops.iter().any(|op| matches!(op, Op::Repeat(_))),
            ops: compiled.ops.into(),
            labels: compiled.labels.into(),
            bodies: compiled.bodies.into(),
            nothing: Value::empty_record(),
        }
    }

    /// `flow:`
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether it is a call alone and no flow: flows' names have no dot.
    pub fn is_call(&self) -> bool {
        self.name.contains('.')
    }

    /// `version:`
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The identity of the definition and of the contracts that it names: 64 hexadecimal digits.
    pub fn hash(&self) -> &Arc<str> {
        &self.hash
    }

    /// `input:`; may refer to named types.
    pub fn input_schema(&self) -> &Schema {
        &self.input
    }

    /// The operations and events that the program names, undo and late calls included, each with its contract's hash.
    pub fn contract_hashes(&self) -> &BTreeMap<String, String> {
        &self.contracts
    }

    /// The flows that it starts, each with the hash of its contract. They are not part of the identity: what a flow's name
    /// means may change while trades of this definition run.
    pub fn started_flows(&self) -> &BTreeMap<String, String> {
        &self.started
    }

    /// The trade's key: a second start with an equal key is the same trade. A key that is no text is written as JSON.
    ///
    /// # Errors
    /// A key that cannot be worked out from this input.
    pub fn key(&self, begin: &Begin) -> Result<Option<String>, EvalError> {
        self.of_head(self.key.as_ref(), begin)
    }

    /// The trade's currency; `None` is the business line's own.
    ///
    /// # Errors
    /// A currency that cannot be worked out from this input.
    pub fn currency(&self, begin: &Begin) -> Result<Option<String>, EvalError> {
        self.of_head(self.currency.as_ref(), begin)
    }

    fn of_head(&self, mapping: Option<&Mapping>, begin: &Begin) -> Result<Option<String>, EvalError> {
        let Some(mapping) = mapping else { return Ok(None) };
        let frame = Frame::root(vec![begin.input.clone(), begin.scope.clone()]);
        let env = Env { frame: &frame, now: Timestamp::EPOCH, started_at: Timestamp::EPOCH };
        Ok(Some(match mapping.evaluate(&env)? {
            Value::Text(text) => text.as_str().to_owned(),
            other => other.to_json(),
        }))
    }
}

impl Steps<'_> {
    /// Call with the whole input, answer with the whole output.
    fn one_call(&mut self, operation: &str) -> Result<(), CompileError> {
        let whole = |slot| Mapping::Expr(Node::Path(Path { up: 0, slot, fields: Box::default() }));
        let at = self.labelled(operation).push_call(operation, whole(INPUT))?;
        let output = self.output_of(at)?;
        self.push(Op::Answer(whole(output)));
        Ok(())
    }
}

/// blake3 over the text and the contracts, sorted by name.
fn identity(text: &str, contracts: &BTreeMap<String, String>) -> Arc<str> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(text.as_bytes());
    for (name, hash) in contracts {
        hasher.update(name.as_bytes());
        hasher.update(&[0]);
        hasher.update(hash.as_bytes());
        hasher.update(&[0]);
    }
    hasher.finalize().to_hex().as_str().into()
}

/// An expression over `input` alone, for tests of the evaluator.
#[cfg(test)]
pub(crate) fn over_input(source: &str, input: &Schema) -> Result<Node, String> {
    let node =
        crate::parse::expression::parse(source, &|_| ast::Place::default()).map_err(|error| error.message)?;
    let expr = ast::Expr { place: ast::Place::default(), source: source.to_owned(), node };
    let contracts = Contracts::default();
    let mut names = names::Names::default();
    names.bind("input", names::Bound::Slot { level: 0, slot: INPUT }, names::Shape::Schema(input));
    names.bind("now", names::Bound::Now, names::Shape::Moment);
    let compiled = expression::Expressions::new(&contracts, &mut names, 0).expr(&expr);
    compiled.map(|(node, _)| node).map_err(|error| error.to_string())
}
