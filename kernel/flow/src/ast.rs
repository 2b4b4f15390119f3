//! A flow as it was written, with spans: what the parser makes, the checker walks and the compiler turns into a program.
//! It says nothing of what is right: names and types are the checker's.

use mortise_contract::{Schema, Value};
use mortise_types::Span as Duration;

/// A place in the text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1, in characters.
    pub column: u32,
    /// Byte offset.
    pub offset: usize,
    /// Bytes.
    pub length: usize,
}

/// Something with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct At<T> {
    /// The thing.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

/// A whole definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// `flow:`
    pub name: At<String>,
    /// `version:`
    pub version: u32,
    /// `summary:`
    pub summary: String,
    /// `input:`, an object.
    pub input: At<Schema>,
    /// Every `$ref` within `input:`, for messages.
    pub type_names: Vec<At<String>>,
    /// `key:` text; a second start with an equal key is the same trade.
    pub key: Option<Template>,
    /// `currency:`
    pub currency: Option<Template>,
    /// `cancel_on:` holds until the pivot.
    pub cancel_on: Option<CancelOn>,
    /// `internal: true` lifts the rules of `answer`.
    pub internal: Visibility,
    /// `steps:`
    pub steps: Vec<Step>,
}

impl Flow {
    /// The flows that it starts.
    pub fn started(&self) -> std::collections::BTreeSet<&str> {
        let mut started = std::collections::BTreeSet::new();
        crate::walk::started(&self.steps, &mut started);
        started
    }
}

/// Who may start the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Anybody, through the access layer.
    Public,
    /// Other flows and the platform.
    Internal,
}

/// An event that ends a scope.
#[derive(Debug, Clone, PartialEq)]
pub struct CancelOn {
    /// `event:`
    pub event: At<String>,
    /// `match:`
    pub key: Template,
    /// `fail:` the code.
    pub code: At<String>,
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Where it begins.
    pub place: Place,
    /// `id:`
    pub id: Option<At<String>>,
    /// `when:`
    pub when: Option<Expr>,
    /// `note:`
    pub note: Option<String>,
    /// `result:` beside a block's word.
    pub result: Option<Template>,
    /// What it does.
    pub kind: StepKind,
}

/// The steps of the language.
#[derive(Debug, Clone, PartialEq)]
pub enum StepKind {
    /// `call:`
    Call(Call),
    /// `tcc:`
    Tcc(Tcc),
    /// `wait:`
    Wait(Wait),
    /// `sleep:`
    Sleep(Clock),
    /// `switch:`
    Switch(Switch),
    /// `parallel:`
    Parallel(Vec<Branch>),
    /// `race:`
    Race(Vec<Racer>),
    /// `foreach:`
    Foreach(Foreach),
    /// `repeat:`
    Repeat(Repeat),
    /// `attempt:`
    Attempt(Attempt),
    /// `start:`
    Start(Start),
    /// `emit:`
    Emit {
        /// The event.
        event: At<String>,
        /// Its payload.
        with: Template,
    },
    /// `answer:`
    Answer(Template),
    /// `let:`
    Let(Vec<(At<String>, Template)>),
    /// `pivot:`
    Pivot(String),
    /// `fail:`
    Fail(At<String>),
    /// `end:`
    End(At<String>),
    /// `attention:`
    Attention(Template),
}

/// `call:` with all that may stand beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// `capability.operation`
    pub operation: At<String>,
    /// `with:`
    pub with: Template,
    /// `on:` by code; `any` last.
    pub on: Vec<Handler>,
    /// `undo:` instead of the contract's own.
    pub undo: Option<UndoCall>,
    /// `timeout:` of a remote operation.
    pub timeout: Option<At<Duration>>,
}

/// A handler of a rejection.
#[derive(Debug, Clone, PartialEq)]
pub struct Handler {
    /// The code, or `any`.
    pub code: At<String>,
    /// What is done.
    pub steps: Vec<Step>,
}

/// A call that takes back.
#[derive(Debug, Clone, PartialEq)]
pub struct UndoCall {
    /// `call:`
    pub operation: At<String>,
    /// `with:`
    pub with: Template,
}

/// `tcc:`, calls that are tried together and then confirmed or cancelled together. The calls do not see each other. Behind
/// the step its `id` is a record of its calls' ids and outputs, and each call's own id is that call's output.
#[derive(Debug, Clone, PartialEq)]
pub struct Tcc {
    /// In the order in which they are tried.
    pub calls: Vec<Try>,
    /// `on:` by code; `any` last.
    pub on: Vec<Handler>,
}

/// One call of a `tcc`.
#[derive(Debug, Clone, PartialEq)]
pub struct Try {
    /// `id:`, visible behind the step.
    pub id: Option<At<String>>,
    /// The call; its own `on` is empty.
    pub call: Call,
}

/// `start:`, another published flow as a part of this one.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// The flow's name.
    pub flow: At<String>,
    /// `with:`, its input.
    pub with: Template,
    /// `on:` by code; `any` last.
    pub on: Vec<Handler>,
}

/// `wait:`
#[derive(Debug, Clone, PartialEq)]
pub struct Wait {
    /// The event.
    pub event: At<String>,
    /// `match:`
    pub key: Template,
    /// `timeout:` or `by:`
    pub clock: Clock,
    /// `on_timeout:`
    pub on_timeout: Vec<Step>,
}

/// When something is due.
#[derive(Debug, Clone, PartialEq)]
pub enum Clock {
    /// So long after the stretch's moment.
    After(At<Duration>),
    /// At a moment, or after a duration, that an expression gives.
    Expr(Expr),
}

/// `switch:`
#[derive(Debug, Clone, PartialEq)]
pub struct Switch {
    /// In order.
    pub cases: Vec<Case>,
    /// `else:`; its place is that of the word.
    pub otherwise: Option<At<Vec<Step>>>,
}

/// `{if, do}`
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The condition.
    pub condition: Expr,
    /// What is done.
    pub steps: Vec<Step>,
}

/// A branch of `parallel:`. Branches do not see each other; the block's `result` sees the ids directly inside of all.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    /// Its name.
    pub name: At<String>,
    /// What is done.
    pub steps: Vec<Step>,
}

/// A branch of `race:`. Its name is the event's payload inside of `do` and in the block's `result`; `{}` there on ways on
/// which another branch has won, and always for a clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Racer {
    /// Its name; inside of `do`, an event's payload.
    pub name: At<String>,
    /// What it waits for.
    pub until: Contest,
    /// `do:`, when it has won; may be left out.
    pub steps: Vec<Step>,
}

/// What a branch of a race waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum Contest {
    /// `wait:` and `match:`
    Event {
        /// The event.
        event: At<String>,
        /// `match:`
        key: Template,
    },
    /// `timeout:` or `by:`
    Clock(Clock),
}

/// `repeat:`, a bounded loop of at least one round. Its `id` is the `result` of its last round.
#[derive(Debug, Clone, PartialEq)]
pub struct Repeat {
    /// The name of the round's number, which counts from 1.
    pub name: At<String>,
    /// `max:`
    pub max: Option<At<u32>>,
    /// `until:` ends the loop behind the round that makes it true.
    pub until: Option<Expr>,
    /// `do:`
    pub steps: Vec<Step>,
}

/// `attempt:`, a scope whose finished steps are undone when one inside is rejected or fails. A failure that no handler takes
/// goes on to the scope around, in which everything finished is undone too. The block's `result` is worked out on every way
/// that goes on behind it, a handler's too: it sees the ids directly inside of the steps and of the handlers, and the ids of
/// steps that were undone stand for steps that did not run (`{}`).
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// What is attempted.
    pub steps: Vec<Step>,
    /// `else:` by code; `any` last.
    pub otherwise: Vec<Handler>,
    /// `cancel_on:` holds while the steps run.
    pub cancel_on: Option<CancelOn>,
}

/// `foreach:`
#[derive(Debug, Clone, PartialEq)]
pub struct Foreach {
    /// The list.
    pub list: Expr,
    /// `as:`
    pub name: At<String>,
    /// `max:`
    pub max: Option<At<u32>>,
    /// One after another until a condition holds, or several at once.
    pub mode: Rounds,
    /// `do:`
    pub steps: Vec<Step>,
}

/// How rounds follow each other.
#[derive(Debug, Clone, PartialEq)]
pub enum Rounds {
    /// One after another.
    InOrder {
        /// `until:` ends the loop behind the round that makes it true.
        until: Option<Expr>,
    },
    /// `at_once: N`
    AtOnce(At<u32>),
}

/// A value with expressions in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub kind: TemplateKind,
}

/// What a template is.
#[derive(Debug, Clone, PartialEq)]
pub enum TemplateKind {
    /// No expression in it.
    Literal(Value),
    /// Wholly one expression: keeps its type.
    Expr(Expr),
    /// Text with expressions in it: text.
    Text(Vec<TextPart>),
    /// A list.
    List(Vec<Template>),
    /// A record.
    Record(Vec<(At<String>, Template)>),
}

/// A piece of text.
#[derive(Debug, Clone, PartialEq)]
pub enum TextPart {
    /// As it stands.
    Plain(String),
    /// Worked out.
    Expr(Expr),
}

/// A CEL expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// Where it stands, without `${` and `}`.
    pub place: Place,
    /// As written; two conditions of the same text over `input` alone are one.
    pub source: String,
    /// The tree.
    pub node: Node,
}

/// A node of an expression with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands (the expression's place where the parser gives none).
    pub place: Place,
    /// What it is.
    pub kind: NodeKind,
}

/// The subset of CEL.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// A number, text, true, false, null. Unsigned and byte literals are refused by the parser.
    Literal(Value),
    /// A bound name.
    Name(String),
    /// `of.field`
    Select {
        /// The record.
        of: Box<Node>,
        /// The field.
        field: String,
    },
    /// `has(of.field)`
    Has {
        /// The record.
        of: Box<Node>,
        /// The field.
        field: String,
    },
    /// `of[at]`
    Index {
        /// The list or map.
        of: Box<Node>,
        /// The position or key.
        at: Box<Node>,
    },
    /// `-x`, `!x`
    Unary {
        /// Which.
        operator: UnaryOperator,
        /// On what.
        of: Box<Node>,
    },
    /// `a + b` and the like.
    Binary {
        /// Which.
        operator: BinaryOperator,
        /// Left.
        left: Box<Node>,
        /// Right.
        right: Box<Node>,
    },
    /// `condition ? yes : no`
    Conditional {
        /// The condition.
        condition: Box<Node>,
        /// When it holds.
        yes: Box<Node>,
        /// When it does not.
        no: Box<Node>,
    },
    /// `f(args)`, `target.f(args)`: `size`, `min`, `max`, `sum`, `duration`, `timestamp`, string functions.
    Function {
        /// Its name.
        name: String,
        /// What it is called on.
        target: Option<Box<Node>>,
        /// Its arguments.
        arguments: Vec<Node>,
    },
    /// `[a, b]`
    List(Vec<Node>),
    /// `{'a': b}`; keys are text literals.
    Record(Vec<(String, Node)>),
    /// `over.all(name, body)` and the like.
    Macro {
        /// Which.
        kind: MacroKind,
        /// The list.
        over: Box<Node>,
        /// The element's name.
        name: String,
        /// `map(name, filter, body)` has one.
        filter: Option<Box<Node>>,
        /// What is worked out for each element.
        body: Box<Node>,
    },
}

/// Prefix operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOperator {
    /// `-`
    Negate,
    /// `!`
    Not,
}

/// Infix operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the operators say all")]
pub enum BinaryOperator {
    And,
    Or,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

/// CEL's list macros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the macros say all")]
pub enum MacroKind {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
}
