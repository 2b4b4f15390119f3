//! Whether what an expression reads is there on every way: steps that may not have run, optional fields, elements of
//! lists that may be empty, and what may be null. `has()` and its like decide it, through `&&`, `||`, `!` and `?:`.

use mortise_contract::Value;

use super::Checker;
use super::ways::{Fact, Way, Ways};
use crate::ast::{BinaryOperator as Op, Expr, MacroKind, Node, NodeKind, Place, UnaryOperator};
use crate::diagnostic::Diagnostic;
use crate::typing::{Kind, Presence, Ty, Typing, written};

/// Whether null may stand where a value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Null {
    Allowed,
    Refused,
}

/// A name that a macro binds.
#[derive(Debug, Clone)]
pub(super) struct Local<'c> {
    name: String,
    ty: Ty<'c>,
    key: usize,
}

impl<'c> Checker<'c> {
    /// Reports what an expression reads and what is not there on every way.
    pub(super) fn present(&mut self, expr: &Expr, ways: &Ways, null: Null) {
        if !ways.is_empty() {
            self.reads(&expr.node, ways, null);
        }
    }

    /// The type of a node that was found to be right already.
    fn quiet(&mut self, node: &Node) -> Ty<'c> {
        let mut nothing = Vec::new();
        let mut typing = Typing::new(self.contracts, &mut self.scope, &mut nothing);
        for local in &self.locals {
            typing.bind(&local.name, local.ty.clone());
        }
        typing.node(node)
    }

    /// Whether all that a node reads is there; `false` after a report, so that one mistake is reported once.
    fn reads(&mut self, node: &Node, ways: &Ways, null: Null) -> bool {
        match &node.kind {
            NodeKind::Literal(Value::Null) if null == Null::Refused => {
                self.push(Diagnostic::error("type-mismatch", node.place, "null goes where null is not taken", "give a value, or leave the field out"));
                false
            }
            NodeKind::Literal(_) => true,
            NodeKind::Name(name) => self.reads_name(name, node, ways) && self.not_null(node, ways, null),
            NodeKind::Select { of, field } => {
                self.reads(of, ways, Null::Refused) && self.reads_field(of, field, node, ways) && self.not_null(node, ways, null)
            }
            NodeKind::Has { of, .. } => matches!(of.kind, NodeKind::Name(_)) || self.reads(of, ways, Null::Refused),
            NodeKind::Index { of, at } => {
                self.reads(of, ways, Null::Refused)
                    && self.reads(at, ways, Null::Refused)
                    && self.reads_element(of, at, node, ways)
                    && self.not_null(node, ways, null)
            }
            NodeKind::Unary { of, .. } => self.reads(of, ways, Null::Refused),
            NodeKind::Binary { operator, left, right } => self.reads_both(*operator, left, right, ways),
            NodeKind::Conditional { condition, yes, no } => {
                let decided = self.reads(condition, ways, Null::Refused);
                let (hold, fail) = (self.assume(condition, true, ways.clone()), self.assume(condition, false, ways.clone()));
                decided & self.reads(yes, &hold, null) & self.reads(no, &fail, null)
            }
            NodeKind::Function { name, target, arguments } => self.reads_function(name, target.as_deref(), arguments, node, ways),
            NodeKind::List(items) => items.iter().fold(true, |ok, item| self.reads(item, ways, Null::Refused) && ok),
            NodeKind::Record(fields) => fields.iter().fold(true, |ok, (_, value)| self.reads(value, ways, Null::Refused) && ok),
            NodeKind::Macro { kind, over, name, filter, body } => {
                self.reads(over, ways, Null::Refused) && self.reads_macro(*kind, over, name, filter.as_deref(), body, ways)
            }
        }
    }

    fn reads_both(&mut self, operator: Op, left: &Node, right: &Node, ways: &Ways) -> bool {
        match operator {
            Op::And | Op::Or => {
                let ok = self.reads(left, ways, Null::Refused);
                let ways = self.assume(left, operator == Op::And, ways.clone());
                ok && self.reads(right, &ways, Null::Refused)
            }
            Op::Equal | Op::NotEqual => self.reads(left, ways, Null::Allowed) & self.reads(right, ways, Null::Allowed),
            _ => self.reads(left, ways, Null::Refused) & self.reads(right, ways, Null::Refused),
        }
    }

    fn reads_macro(&mut self, kind: MacroKind, over: &Node, name: &str, filter: Option<&Node>, body: &Node, ways: &Ways) -> bool {
        let list = self.quiet(over);
        let ty = match &list.non_null().kind {
            Kind::List(list) => list.items.ty(self.contracts),
            Kind::Map(_) => Ty::text(),
            _ => Ty::unknown(),
        };
        self.locals.push(Local { name: name.to_owned(), ty, key: body.place.offset + 1 });
        let mut ways = ways.clone();
        let mut ok = true;
        if let Some(filter) = filter {
            ok = self.reads(filter, &ways, Null::Refused);
            ways = self.assume(filter, true, ways);
        }
        ok = ok && self.reads(body, &ways, if kind == MacroKind::Map { Null::Allowed } else { Null::Refused });
        self.locals.pop();
        ok
    }

    fn reads_function(&mut self, name: &str, target: Option<&Node>, arguments: &[Node], node: &Node, ways: &Ways) -> bool {
        let ok = target.into_iter().chain(arguments).fold(true, |ok, node| self.reads(node, ways, Null::Refused) && ok);
        let alone = match (target, arguments) {
            (None, [list]) | (Some(list), []) => list,
            _ => return ok,
        };
        if !ok || !matches!(name, "min" | "max") {
            return ok;
        }
        match self.quiet(alone).non_null().kind {
            Kind::List(ref list) if list.min == 0 => {
                let fact = self.path_fact(alone, "size>=1");
                let way = missing(ways, fact);
                self.absent(way, node.place, format!("`{}` may be empty, and has no `{name}` then", written(alone)), format!(
                    "ask first: `size({0}) > 0 ? {name}({0}) : 0`", written(alone)
                ))
            }
            _ => true,
        }
    }

    fn reads_name(&mut self, name: &str, node: &Node, ways: &Ways) -> bool {
        if self.locals.iter().any(|local| local.name == name) {
            return true;
        }
        let Some(binding) = self.scope.get(name) else { return true };
        let Some(ran) = binding.ran else { return true };
        let (line, record) = (binding.line, matches!(binding.ty.non_null().kind, Kind::Record(_)));
        let way = missing(ways, Some(ran));
        let message = format!("`{name}` (line {line}) does not run on every way here");
        let help = if record {
            format!("ask first: `has({name}.field) ? {name}.field : something_else`, or put this step under the same `when`")
        } else {
            "put this step under the same `when`, or give the name a value on every way".to_owned()
        };
        self.absent(way, node.place, message, help)
    }

    fn reads_field(&mut self, of: &Node, field: &str, node: &Node, ways: &Ways) -> bool {
        let record = self.quiet(of);
        match record.field(field, self.contracts) {
            Some(found) if found.presence == Presence::Optional => {
                if matches!(record.kind, Kind::Unknown) {
                    return true;
                }
                let fact = self.path_fact(node, "has");
                let way = missing(ways, fact);
                let text = written(node);
                let message = format!("`{text}` is optional and may be absent");
                self.absent(way, node.place, message, format!("ask first: `has({text}) ? {text} : something_else`, or `when: ${{ has({text}) }}`"))
            }
            _ => true,
        }
    }

    fn reads_element(&mut self, of: &Node, at: &Node, node: &Node, ways: &Ways) -> bool {
        let list = self.quiet(of);
        let text = written(of);
        match &list.non_null().kind {
            Kind::List(list) => {
                let index = match &at.kind {
                    NodeKind::Literal(Value::Int(index)) => u64::try_from(*index).ok(),
                    _ => None,
                };
                if index.is_some_and(|index| index < list.min) {
                    return true;
                }
                let fact = index.and_then(|index| self.path_fact(of, &format!("size>={}", index.saturating_add(1))));
                let way = missing(ways, fact);
                let help = match index {
                    Some(index) => format!("ask first: `size({text}) > {index} ? {text}[{index}] : something_else`"),
                    None => "go through the list by `foreach`, `map` or `filter`".to_owned(),
                };
                self.absent(way, node.place, format!("`{text}` may have no element `{}`", written(at)), help)
            }
            Kind::Map(_) => {
                let fact = self.path_fact(node, "has");
                let way = missing(ways, fact);
                let help = format!("ask first: `{} in {text}`", written(at));
                self.absent(way, node.place, format!("`{text}` may have no key `{}`", written(at)), help)
            }
            _ => true,
        }
    }

    fn not_null(&mut self, node: &Node, ways: &Ways, null: Null) -> bool {
        if null == Null::Allowed || !self.quiet(node).is_nullable() {
            return true;
        }
        let fact = self.path_fact(node, "value");
        let way = missing(ways, fact);
        let text = written(node);
        self.absent(way, node.place, format!("`{text}` may be null"), format!("ask first: `{text} != null ? {text} : something_else`"))
    }

    /// Reports `maybe-absent` if there is a way on which something is missing.
    fn absent(&mut self, way: Option<Way>, place: Place, message: String, help: String) -> bool {
        let Some(way) = way else { return true };
        let points = self.points.of(&way);
        self.push(Diagnostic::error("maybe-absent", place, message, help).along(points));
        false
    }

    /// The fact that a path is there (`has`), is not null (`value`), or is so long (`size>=1`).
    fn path_fact(&mut self, node: &Node, what: &str) -> Option<Fact> {
        let root = root(node)?;
        let local = self.locals.iter().rev().find(|local| local.name == root).map(|local| local.key);
        let key = match local {
            Some(key) => key,
            None => self.scope.get(root)?.key,
        };
        let text = written(node);
        let last = if local.is_some() { 0 } else { self.uses.last(&text) };
        Some(self.facts.fact(format!("{what} {text}@{key}"), last, key))
    }

    /// The ways on which a condition is as wanted.
    pub(super) fn assume(&mut self, node: &Node, wanted: bool, ways: Ways) -> Ways {
        if ways.is_empty() {
            return ways;
        }
        match &node.kind {
            NodeKind::Literal(Value::Bool(holds)) => if *holds == wanted { ways } else { Ways::default() },
            NodeKind::Unary { operator: UnaryOperator::Not, of } => self.assume(of, !wanted, ways),
            NodeKind::Binary { operator: operator @ (Op::And | Op::Or), left, right } => {
                // `a && b` fails as `!a || !b` holds: one rule for both.
                let all = (*operator == Op::And) == wanted;
                let first = self.assume(left, wanted, ways.clone());
                if all {
                    return self.assume(right, wanted, first);
                }
                let rest = self.assume(left, !wanted, ways);
                let second = self.assume(right, wanted, rest);
                first.union(second, self.limit)
            }
            NodeKind::Conditional { condition, yes, no } => {
                let hold = self.assume(condition, true, ways.clone());
                let fail = self.assume(condition, false, ways);
                let (yes, no) = (self.assume(yes, wanted, hold), self.assume(no, wanted, fail));
                yes.union(no, self.limit)
            }
            NodeKind::Has { of, field } => self.assume_has(of, field, node, wanted, ways),
            NodeKind::Binary { operator, left, right } => self.assume_comparison(*operator, left, right, node, wanted, ways),
            _ => self.assume_input(node, wanted, ways),
        }
    }

    fn assume_has(&mut self, of: &Node, field: &str, node: &Node, wanted: bool, ways: Ways) -> Ways {
        let record = self.quiet(of);
        let ran = match &of.kind {
            NodeKind::Name(name) if !self.locals.iter().any(|local| local.name == *name) => {
                self.scope.get(name).and_then(|binding| binding.ran)
            }
            _ => None,
        };
        let mut ran_ways = ways;
        let mut out = Ways::default();
        if let Some(ran) = ran {
            if !wanted {
                out = Ways { all: ran_ways.all.iter().filter(|way| way.get(ran) != Some(true)).cloned().collect() };
            }
            ran_ways = ran_ways.decide(ran, true);
        }
        let optional = record.field(field, self.contracts).is_none_or(|found| found.presence == Presence::Optional);
        let rest = match (optional, wanted) {
            (false, true) => ran_ways,
            (false, false) => Ways::default(),
            (true, _) => match self.select_fact(node, of, field) {
                Some(fact) => ran_ways.decide(fact, wanted),
                None => ran_ways,
            },
        };
        out.union(rest, self.limit)
    }

    fn select_fact(&mut self, node: &Node, of: &Node, field: &str) -> Option<Fact> {
        let kind = NodeKind::Select { of: Box::new(of.clone()), field: field.to_owned() };
        self.path_fact(&Node { place: node.place, kind }, "has")
    }

    fn assume_comparison(&mut self, operator: Op, left: &Node, right: &Node, node: &Node, wanted: bool, ways: Ways) -> Ways {
        let null = |node: &Node| matches!(node.kind, NodeKind::Literal(Value::Null));
        if matches!(operator, Op::Equal | Op::NotEqual) && (null(left) || null(right)) {
            let subject = if null(left) { right } else { left };
            return match self.path_fact(subject, "value") {
                Some(fact) => ways.decide(fact, (operator == Op::NotEqual) == wanted),
                None => ways,
            };
        }
        if operator == Op::In {
            let kind = NodeKind::Index { of: Box::new(right.clone()), at: Box::new(left.clone()) };
            return match self.path_fact(&Node { place: node.place, kind }, "has") {
                Some(fact) if matches!(self.quiet(right).non_null().kind, Kind::Map(_)) => ways.decide(fact, wanted),
                _ => self.assume_input(node, wanted, ways),
            };
        }
        if let Some((list, least, at_least)) = size_bound(operator, left, right)
            && let Some(fact) = self.path_fact(list, &format!("size>={least}"))
        {
            return ways.decide(fact, at_least == wanted);
        }
        if operator == Op::NotEqual {
            let kind = NodeKind::Binary { operator: Op::Equal, left: Box::new(left.clone()), right: Box::new(right.clone()) };
            return self.assume_input(&Node { place: node.place, kind }, !wanted, ways);
        }
        self.assume_input(node, wanted, ways)
    }

    /// Conditions of the same text over `input` alone are one condition.
    fn assume_input(&mut self, node: &Node, wanted: bool, ways: Ways) -> Ways {
        let text = written(node);
        if !self.locals.is_empty() || !over_input(node, &mut Vec::new()) {
            return ways;
        }
        let opposite = text.replacen(" == ", " != ", 1);
        let last = self.uses.last(&text).max(self.uses.last(&opposite));
        let fact = self.facts.fact(format!("holds {text}"), last, 0);
        ways.decide(fact, wanted)
    }
}

/// A way on which a fact is not known to hold, if there is one.
fn missing(ways: &Ways, fact: Option<Fact>) -> Option<Way> {
    let lacks = |way: &&Way| fact.is_none_or(|fact| way.get(fact) != Some(true));
    ways.all.iter().find(lacks).cloned()
}

/// The name that a path begins with.
fn root(node: &Node) -> Option<&str> {
    match &node.kind {
        NodeKind::Name(name) => Some(name),
        NodeKind::Select { of, .. } | NodeKind::Index { of, .. } => root(of),
        _ => None,
    }
}

/// `size(list) > 2` as `(list, 3, true)`: whether the list has at least so many elements.
fn size_bound<'n>(operator: Op, left: &'n Node, right: &'n Node) -> Option<(&'n Node, u64, bool)> {
    let sized = |node: &'n Node| match &node.kind {
        NodeKind::Function { name, target: None, arguments } if name == "size" => arguments.first(),
        NodeKind::Function { name, target: Some(target), .. } if name == "size" => Some(&**target),
        _ => None,
    };
    let number = |node: &Node| match &node.kind {
        NodeKind::Literal(Value::Int(number)) => u64::try_from(*number).ok(),
        _ => None,
    };
    let (list, operator, count) = match (sized(left), number(right), number(left), sized(right)) {
        (Some(list), Some(count), ..) => (list, operator, count),
        (.., Some(count), Some(list)) => {
            let mirrored = match operator {
                Op::Less => Op::Greater,
                Op::LessOrEqual => Op::GreaterOrEqual,
                Op::Greater => Op::Less,
                Op::GreaterOrEqual => Op::LessOrEqual,
                same => same,
            };
            (list, mirrored, count)
        }
        _ => return None,
    };
    match operator {
        Op::Greater => Some((list, count.checked_add(1)?, true)),
        Op::GreaterOrEqual => Some((list, count, true)),
        Op::Less => Some((list, count, false)),
        Op::LessOrEqual => Some((list, count.checked_add(1)?, false)),
        Op::NotEqual if count == 0 => Some((list, 1, true)),
        Op::Equal if count == 0 => Some((list, 1, false)),
        _ => None,
    }
}

/// Whether a condition reads `input` and nothing else.
fn over_input(node: &Node, locals: &mut Vec<String>) -> bool {
    fn names(node: &Node, locals: &mut Vec<String>, input: &mut bool) -> bool {
        match &node.kind {
            NodeKind::Name(name) if name == "input" => {
                *input = true;
                true
            }
            NodeKind::Name(name) => locals.contains(name),
            NodeKind::Macro { over, name, filter, body, .. } => {
                if !names(over, locals, input) {
                    return false;
                }
                locals.push(name.clone());
                let ok = filter.iter().chain(std::iter::once(body)).all(|node| names(node, locals, input));
                locals.pop();
                ok
            }
            _ => {
                let mut children = Vec::new();
                crate::walk::children(node, &mut |child| children.push(child));
                children.into_iter().all(|child| names(child, locals, input))
            }
        }
    }
    let mut input = false;
    names(node, locals, &mut input) && input
}
