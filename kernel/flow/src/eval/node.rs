//! The compiled expression and its evaluation. `&&`, `||`, `all` and `exists` absorb errors as CEL says.

use mortise_contract::value::Text;
use mortise_contract::{Record, Value};

use super::function::{self, Function};
use super::operate;
use super::{Env, EvalError, Item};
use crate::ast::MacroKind;

/// A slot and the fields under it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path {
    /// How many bodies up.
    pub(crate) up: u8,
    /// Which name there.
    pub(crate) slot: u16,
    /// The fields, outermost first.
    pub(crate) fields: Box<[Box<str>]>,
}

impl Path {
    pub(crate) fn follow<'a>(&self, env: &Env<'a>) -> Result<&'a Value, EvalError> {
        let mut value = env.frame.get(self.up, self.slot);
        for field in &self.fields {
            value = field_of(value, field)?;
        }
        Ok(value)
    }
}

fn field_of<'a>(value: &'a Value, field: &str) -> Result<&'a Value, EvalError> {
    match value {
        Value::Record(record) => record.get(field).ok_or_else(|| EvalError::NoField(field.into())),
        other => Err(EvalError::wrong_value(&format!("`.{field}`"), other)),
    }
}

/// Infix operators but for `&&` and `||`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
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

/// A compiled expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Literal(Value),
    Path(Path),
    Now,
    StartedAt,
    /// The variable of a macro, counted from the outermost.
    Local(usize),
    /// Text whose schema says that it is a moment.
    Moment(Box<Node>),
    /// A list of such texts.
    Moments(Box<Node>),
    /// A length of time that may have become text on its way through a name or a list.
    Span(Box<Node>),
    /// A list of such texts.
    Spans(Box<Node>),
    Select(Box<Node>, Box<str>),
    Has(Box<Node>, Box<str>),
    Index(Box<Node>, Box<Node>),
    Negate(Box<Node>),
    Not(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Binary(Binary, Box<Node>, Box<Node>),
    Conditional(Box<[Node; 3]>),
    Function(Function, Box<[Node]>),
    List(Box<[Node]>),
    Record(Box<[(Text, Node)]>),
    Macro(Box<Macro>),
}

/// `over.kind(local, body)`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Macro {
    pub(crate) kind: MacroKind,
    pub(crate) over: Node,
    pub(crate) filter: Option<Node>,
    pub(crate) body: Node,
}

type Locals = Vec<Item>;

impl Node {
    /// The expression's value.
    pub(crate) fn evaluate(&self, env: &Env<'_>) -> Result<Item, EvalError> {
        self.work(env, &mut Vec::new())
    }

    /// The expression's value where a condition stands.
    pub(crate) fn holds(&self, env: &Env<'_>) -> Result<bool, EvalError> {
        truth("a condition", self.evaluate(env)?)
    }

    fn work(&self, env: &Env<'_>, locals: &mut Locals) -> Result<Item, EvalError> {
        match self {
            Self::Literal(value) => Ok(Item::Value(value.clone())),
            Self::Path(path) => path.follow(env).cloned().map(Item::Value),
            Self::Now => Ok(Item::Moment(env.now)),
            Self::StartedAt => Ok(Item::Moment(env.started_at)),
            Self::Local(index) => Ok(locals.get(*index).cloned().unwrap_or(Item::Value(Value::Null))),
            Self::Moment(of) => operate::moment_of(of.work(env, locals)?).map(Item::Moment),
            Self::Moments(of) => {
                operate::each(of.work(env, locals)?, |item| operate::moment_of(item).map(Item::Moment))
            }
            Self::Span(of) => function::duration(of.work(env, locals)?),
            Self::Spans(of) => operate::each(of.work(env, locals)?, function::duration),
            Self::Select(of, field) => match of.work(env, locals)? {
                Item::Value(value) => field_of(&value, field).cloned().map(Item::Value),
                other => Err(EvalError::wrong(&format!("`.{field}`"), &other)),
            },
            Self::Has(of, field) => of.has(field, env, locals),
            Self::Index(of, at) => operate::index(of.work(env, locals)?, &at.work(env, locals)?),
            Self::Negate(of) => operate::negate(of.work(env, locals)?),
            Self::Not(of) => Ok((!truth("`!`", of.work(env, locals)?)?).into()),
            Self::And(left, right) => either(left, right, false, env, locals),
            Self::Or(left, right) => either(left, right, true, env, locals),
            Self::Binary(operator, left, right) => {
                operate::binary(*operator, left.work(env, locals)?, right.work(env, locals)?)
            }
            Self::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                if truth("`?`", condition.work(env, locals)?)? { yes } else { no }.work(env, locals)
            }
            Self::Function(function, arguments) => {
                let arguments: Result<Vec<Item>, _> =
                    arguments.iter().map(|node| node.work(env, locals)).collect();
                function.apply(arguments?)
            }
            Self::List(items) => {
                let items: Result<Vec<Value>, _> =
                    items.iter().map(|node| node.work(env, locals).map(Item::into_value)).collect();
                Ok(Item::Value(Value::list(items?)))
            }
            Self::Record(fields) => {
                let mut record = Record::with_capacity(fields.len());
                for (name, node) in fields {
                    record.insert(name.clone(), node.work(env, locals)?.into_value());
                }
                Ok(Item::Value(Value::Record(record.into())))
            }
            Self::Macro(this) => this.work(env, locals),
        }
    }

    /// Whether the record that this is has the field; nothing is copied for a path.
    fn has(&self, field: &str, env: &Env<'_>, locals: &mut Locals) -> Result<Item, EvalError> {
        let in_value = |value: &Value| match value {
            Value::Record(record) => Ok(record.get(field).is_some().into()),
            other => Err(EvalError::wrong_value("`has()`", other)),
        };
        if let Self::Path(path) = self {
            return in_value(path.follow(env)?);
        }
        match self.work(env, locals)? {
            Item::Value(value) => in_value(&value),
            other => Err(EvalError::wrong("`has()`", &other)),
        }
    }
}

impl Macro {
    fn work(&self, env: &Env<'_>, locals: &mut Locals) -> Result<Item, EvalError> {
        let over = match self.over.work(env, locals)? {
            Item::Value(Value::List(items)) => items,
            Item::Value(Value::Record(record)) => {
                std::sync::Arc::new(record.iter().map(|(name, _)| Value::Text(name.clone())).collect())
            }
            other => return Err(EvalError::wrong("a list's macro", &other)),
        };
        match self.kind {
            MacroKind::All => self.decided(&over, false, env, locals),
            MacroKind::Exists => self.decided(&over, true, env, locals),
            MacroKind::ExistsOne => {
                let mut found = 0_usize;
                for item in over.iter() {
                    found += usize::from(self.body_holds(item, env, locals)?);
                }
                Ok((found == 1).into())
            }
            MacroKind::Map => {
                let mut out = Vec::with_capacity(over.len());
                for item in over.iter() {
                    if let Some(value) = self.mapped(item, env, locals)? {
                        out.push(value);
                    }
                }
                Ok(Item::Value(Value::list(out)))
            }
            MacroKind::Filter => {
                let mut out = Vec::new();
                for item in over.iter() {
                    if self.body_holds(item, env, locals)? {
                        out.push(item.clone());
                    }
                }
                Ok(Item::Value(Value::list(out)))
            }
        }
    }

    fn with<T>(item: &Value, locals: &mut Locals, work: impl FnOnce(&mut Locals) -> T) -> T {
        locals.push(Item::Value(item.clone()));
        let out = work(locals);
        locals.pop();
        out
    }

    fn body_holds(&self, item: &Value, env: &Env<'_>, locals: &mut Locals) -> Result<bool, EvalError> {
        Self::with(item, locals, |locals| truth("a list's macro", self.body.work(env, locals)?))
    }

    fn mapped(&self, item: &Value, env: &Env<'_>, locals: &mut Locals) -> Result<Option<Value>, EvalError> {
        Self::with(item, locals, |locals| {
            if let Some(filter) = &self.filter
                && !truth("a list's macro", filter.work(env, locals)?)?
            {
                return Ok(None);
            }
            self.body.work(env, locals).map(|item| Some(item.into_value()))
        })
    }

    /// `all` (decided by false) and `exists` (decided by true): an error counts only if no element decides.
    fn decided(
        &self,
        over: &[Value],
        by: bool,
        env: &Env<'_>,
        locals: &mut Locals,
    ) -> Result<Item, EvalError> {
        let mut error = None;
        for item in over {
            match self.body_holds(item, env, locals) {
                Ok(held) if held == by => return Ok(by.into()),
                Ok(_) => {}
                Err(found) => error = error.or(Some(found)),
            }
        }
        error.map_or(Ok((!by).into()), Err)
    }
}

/// `&&` (decided by false) and `||` (decided by true): an error of one side counts only if the other does not decide.
fn either(
    left: &Node,
    right: &Node,
    by: bool,
    env: &Env<'_>,
    locals: &mut Locals,
) -> Result<Item, EvalError> {
    let name = if by { "`||`" } else { "`&&`" };
    let left = left.work(env, locals).and_then(|item| truth(name, item));
    if left == Ok(by) {
        return Ok(by.into());
    }
    match (left, right.work(env, locals).and_then(|item| truth(name, item))) {
        (_, Ok(right)) if right == by => Ok(by.into()),
        (Err(error), _) | (Ok(_), Err(error)) => Err(error),
        (Ok(_), Ok(right)) => Ok(right.into()),
    }
}

fn truth(operation: &str, item: Item) -> Result<bool, EvalError> {
    match item {
        Item::Value(Value::Bool(bool)) => Ok(bool),
        other => Err(EvalError::wrong(operation, &other)),
    }
}
