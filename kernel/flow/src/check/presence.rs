//! Whether what an expression reads is there on every way: steps that may not have run, optional fields, elements of
//! lists that may be empty, and what may be null. `has()` and its like decide it, through `&&`, `||`, `!` and `?:`.

use mortise_contract::Value;

use super::Checker;
use super::ways::{Fact, Way, Ways};
use crate::ast::{BinaryOperator as Op, Expr, MacroKind, Node, NodeKind, Place};
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
    pub(super) name: String,
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
    pub(super) fn quiet(&mut self, node: &Node) -> Ty<'c> {
        let mut nothing = Vec::new();
        let mut typing = Typing::new(self.contracts, &mut self.scope, &mut nothing);
        for local in &self.locals {
            typing.bind(&local.name, local.ty.clone());
        }
        typing.node(node)
    }

    /// Whether all that a node reads is there; `false` after a report, so that one mistake is reported once.
    fn reads(&mut self, node: &Node, ways: &Ways, null: Null) -> bool {
        self.worked(ways);
        match &node.kind {
            NodeKind::Literal(Value::Null) if null == Null::Refused => {
                self.push(Diagnostic::error(
                    "type-mismatch",
                    node.place,
                    "null goes where null is not taken",
                    "give a value, or leave the field out",
                ));
                false
            }
            NodeKind::Literal(_) => true,
            NodeKind::Name(name) => self.reads_name(name, node, ways) && self.not_null(node, ways, null),
            NodeKind::Select { of, field } => {
                self.reads(of, ways, Null::Refused)
                    && self.reads_field(of, field, node, ways)
                    && self.not_null(node, ways, null)
            }
            NodeKind::Has { of, .. } => {
                matches!(of.kind, NodeKind::Name(_)) || self.reads(of, ways, Null::Refused)
            }
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
                let (hold, fail) =
                    (self.assume(condition, true, ways.clone()), self.assume(condition, false, ways.clone()));
                decided & self.reads(yes, &hold, null) & self.reads(no, &fail, null)
            }
            NodeKind::Function { name, target, arguments } => {
                self.reads_function(name, target.as_deref(), arguments, node, ways)
            }
            NodeKind::List(items) => self.reads_all(items, ways),
            NodeKind::Record(fields) => self.reads_all(fields.iter().map(|(_, value)| value), ways),
            NodeKind::Macro { kind, over, name, filter, body } => {
                self.reads(over, ways, Null::Refused)
                    && self.reads_macro(*kind, over, name, filter.as_deref(), body, ways)
            }
        }
    }

    /// The first that reads something absent is reported.
    fn reads_all<'n>(&mut self, nodes: impl IntoIterator<Item = &'n Node>, ways: &Ways) -> bool {
        nodes.into_iter().all(|node| self.reads(node, ways, Null::Refused))
    }

    fn reads_both(&mut self, operator: Op, left: &Node, right: &Node, ways: &Ways) -> bool {
        match operator {
            Op::And | Op::Or => {
                let ok = self.reads(left, ways, Null::Refused);
                let ways = self.assume(left, operator == Op::And, ways.clone());
                ok && self.reads(right, &ways, Null::Refused)
            }
            Op::Equal | Op::NotEqual => {
                self.reads(left, ways, Null::Allowed) & self.reads(right, ways, Null::Allowed)
            }
            _ => {
                let ok = self.reads(left, ways, Null::Refused) & self.reads(right, ways, Null::Refused);
                ok && (!matches!(operator, Op::Divide | Op::Remainder) || self.not_zero(right, ways))
            }
        }
    }

    /// What something is divided by is not 0 on any way.
    fn not_zero(&mut self, node: &Node, ways: &Ways) -> bool {
        let divides = match &node.kind {
            NodeKind::Literal(value) => *value != Value::Int(0),
            _ => self.quiet(node).is_never_zero(self.contracts),
        };
        if divides {
            return true;
        }
        let fact = self.path_fact(node, "nonzero");
        let text = written(node);
        let help =
            format!("ask first: `{text} != 0 ? ... : ...`, or give it a `minimum: 1` where it comes from");
        self.absent(
            missing(ways, fact),
            node.place,
            format!("`{text}` may be 0, by which nothing is divided"),
            help,
        )
    }

    fn reads_macro(
        &mut self,
        kind: MacroKind,
        over: &Node,
        name: &str,
        filter: Option<&Node>,
        body: &Node,
        ways: &Ways,
    ) -> bool {
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
        ok =
            ok && self.reads(body, &ways, if kind == MacroKind::Map { Null::Allowed } else { Null::Refused });
        self.locals.pop();
        ok
    }

    fn reads_function(
        &mut self,
        name: &str,
        target: Option<&Node>,
        arguments: &[Node],
        node: &Node,
        ways: &Ways,
    ) -> bool {
        let ok = self.reads_all(target.into_iter().chain(arguments), ways);
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
                self.absent(
                    way,
                    node.place,
                    format!("`{}` may be empty, and has no `{name}` then", written(alone)),
                    format!("ask first: `size({0}) > 0 ? {name}({0}) : 0`", written(alone)),
                )
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
            format!(
                "ask first: `has({name}.field) ? {name}.field : something_else`, or put this step under the same `when`"
            )
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
                self.absent(
                    way,
                    node.place,
                    message,
                    format!(
                        "ask first: `has({text}) ? {text} : something_else`, or `when: ${{ has({text}) }}`"
                    ),
                )
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
                let fact =
                    index.and_then(|index| self.path_fact(of, &format!("size>={}", index.saturating_add(1))));
                let way = missing(ways, fact);
                let help = match index {
                    Some(index) => {
                        format!("ask first: `size({text}) > {index} ? {text}[{index}] : something_else`")
                    }
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
        self.absent(
            way,
            node.place,
            format!("`{text}` may be null"),
            format!("ask first: `{text} != null ? {text} : something_else`"),
        )
    }

    /// Reports `maybe-absent` if there is a way on which something is missing.
    fn absent(&mut self, way: Option<Way>, place: Place, message: String, help: String) -> bool {
        let Some(way) = way else { return true };
        let points = self.points.of(&way);
        self.push(Diagnostic::error("maybe-absent", place, message, help).along(points));
        false
    }

    /// The fact that a path is there (`has`), is not null (`value`), or is so long (`size>=1`).
    pub(super) fn path_fact(&mut self, node: &Node, what: &str) -> Option<Fact> {
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
