//! The type of an expression, node by node. Whether what it names is there on every way is decided elsewhere.

use mortise_contract::Contracts;

use super::{Kind, ListOf, Presence, Ty};
use crate::ast::{BinaryOperator, MacroKind, Node, NodeKind, Place, UnaryOperator};
use crate::diagnostic::Diagnostic;
use crate::report::nearest_or;

/// The names that an expression may use.
pub trait Names<'c> {
    /// The type of a name; a name that is not bound is the implementation's to report, and has the unknown type.
    fn find(&mut self, name: &str, place: Place, found: &mut Vec<Diagnostic>) -> Ty<'c>;
    /// Whether the name is bound, so that an element may not take it.
    fn is_bound(&self, name: &str) -> bool;
}

/// Works out types, and collects findings.
pub struct Typing<'a, 'c> {
    /// What named types mean.
    pub contracts: &'c Contracts,
    /// What is bound.
    pub names: &'a mut dyn Names<'c>,
    /// What is wrong.
    pub found: &'a mut Vec<Diagnostic>,
    locals: Vec<(String, Ty<'c>)>,
}

impl std::fmt::Debug for Typing<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Typing").field("found", &self.found).finish_non_exhaustive()
    }
}

impl<'a, 'c> Typing<'a, 'c> {
    /// Nothing worked out yet.
    pub fn new(
        contracts: &'c Contracts,
        names: &'a mut dyn Names<'c>,
        found: &'a mut Vec<Diagnostic>,
    ) -> Self {
        Self { contracts, names, found, locals: Vec::new() }
    }

    pub(super) fn report(
        &mut self,
        code: &str,
        place: Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Ty<'c> {
        self.found.push(Diagnostic::error(code, place, message, help));
        Ty::unknown()
    }

    pub(super) fn mismatch(
        &mut self,
        place: Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Ty<'c> {
        self.report("type-mismatch", place, message, help)
    }

    pub(super) fn shown(&self, ty: &Ty<'c>) -> String {
        ty.shown(self.contracts)
    }

    /// Binds a name, innermost.
    pub(crate) fn bind(&mut self, name: &str, ty: Ty<'c>) {
        self.locals.push((name.to_owned(), ty));
    }

    /// The type of a node.
    pub fn node(&mut self, node: &Node) -> Ty<'c> {
        match &node.kind {
            NodeKind::Literal(value) => Ty::of_value(value),
            NodeKind::Name(name) => match self.locals.iter().rev().find(|(known, _)| known == name) {
                Some((_, ty)) => ty.clone(),
                None => self.names.find(name, node.place, self.found),
            },
            NodeKind::Select { of, field } => self.select(of, field, node.place).0,
            NodeKind::Has { of, field } => {
                self.select(of, field, node.place);
                Kind::Bool.into()
            }
            NodeKind::Index { of, at } => self.index(of, at),
            NodeKind::Unary { operator, of } => self.unary(*operator, of),
            NodeKind::Binary { operator, left, right } => self.binary(*operator, left, right, node.place),
            NodeKind::Conditional { condition, yes, no } => {
                self.condition(condition);
                let (yes, no) = (self.node(yes), self.node(no));
                self.joined(&yes, &no, node.place, "the two branches")
            }
            NodeKind::Function { name, target, arguments } => {
                self.function(name, target.as_deref(), arguments, node.place)
            }
            NodeKind::List(items) => {
                let mut of = Ty::unknown();
                for item in items {
                    let ty = self.node(item);
                    of = self.joined(&of, &ty, item.place, "the elements");
                }
                let count = items.len() as u64;
                Ty::list(of, count, Some(count))
            }
            NodeKind::Record(fields) => {
                let field = |(name, value): &(String, Node)| super::Field {
                    name: name.clone().into(),
                    ty: self.node(value),
                    presence: Presence::Always,
                };
                Ty::record(fields.iter().map(field).collect())
            }
            NodeKind::Macro { kind, over, name, filter, body } => {
                self.comprehension(*kind, over, name, filter.as_deref(), body, node.place)
            }
        }
    }

    /// A node that has to be true or false.
    pub fn condition(&mut self, node: &Node) {
        let ty = self.node(node);
        if !matches!(ty.non_null().kind, Kind::Bool | Kind::Unknown) {
            let shown = self.shown(&ty);
            self.mismatch(
                node.place,
                format!("a condition is {shown}"),
                "compare it with something: a condition is true or false",
            );
        }
    }

    pub(super) fn joined(&mut self, one: &Ty<'c>, other: &Ty<'c>, place: Place, what: &str) -> Ty<'c> {
        match one.join(other, self.contracts) {
            Ok(ty) => ty,
            Err(misfit) => {
                let at = if misfit.path.is_empty() {
                    String::new()
                } else {
                    format!(" at `{}`", misfit.path.trim_start_matches('.'))
                };
                self.report(
                    misfit.code,
                    place,
                    format!("{what} differ{at}: it {}", misfit.reason),
                    "give both the same type",
                )
            }
        }
    }

    /// The type of a field, and whether it is always there.
    fn select(&mut self, of: &Node, field: &str, place: Place) -> (Ty<'c>, Presence) {
        let record = self.node(of);
        if let Some(found) = record.field(field, self.contracts) {
            return (found.ty, found.presence);
        }
        let shown = written(of);
        let ty = if matches!(record.non_null().kind, Kind::Record(_)) {
            let names: Vec<String> =
                record.fields(self.contracts).into_iter().map(|f| f.name.into_owned()).collect();
            let known = names.iter().map(String::as_str);
            let help = nearest_or(field, known.clone(), || match names.len() {
                0 => format!("`{shown}` has no fields"),
                _ => format!("`{shown}` has {}", crate::report::listed(known)),
            });
            self.report("unknown-name", place, format!("`{shown}` has no field `{field}`"), help)
        } else {
            let kind = self.shown(&record);
            self.mismatch(place, format!("`{shown}` is {kind}, which has no fields"), "take the field away")
        };
        (ty, Presence::Always)
    }

    fn index(&mut self, of: &Node, at: &Node) -> Ty<'c> {
        let (list, key) = (self.node(of), self.node(at));
        let shown = self.shown(&key);
        match &list.non_null().kind {
            Kind::List(ListOf { items, .. }) => {
                if !matches!(key.kind, Kind::Int(_) | Kind::Unknown) {
                    self.mismatch(
                        at.place,
                        format!("a position in a list is {shown}"),
                        "positions are integers from 0",
                    );
                }
                items.ty(self.contracts)
            }
            Kind::Map(element) => {
                if !matches!(key.kind, Kind::Text { .. } | Kind::Unknown) {
                    self.mismatch(at.place, format!("a key of a map is {shown}"), "keys are text");
                }
                element.ty(self.contracts)
            }
            Kind::Unknown => list.clone(),
            Kind::Record(_) => {
                self.mismatch(of.place, "a record is not read by position or key", "write `record.field`")
            }
            _ => {
                let shown = self.shown(&list);
                self.mismatch(
                    of.place,
                    format!("`{}` is {shown}, which has no elements", written(of)),
                    "only lists and maps have elements",
                )
            }
        }
    }

    fn unary(&mut self, operator: UnaryOperator, of: &Node) -> Ty<'c> {
        match operator {
            UnaryOperator::Not => {
                self.condition(of);
                Kind::Bool.into()
            }
            UnaryOperator::Negate => {
                let ty = self.node(of).non_null().clone();
                match ty.kind {
                    Kind::Int(unit) => Kind::Int(unit).into(),
                    Kind::Number | Kind::Duration | Kind::Unknown | Kind::Anything => ty,
                    _ => {
                        let shown = self.shown(&ty);
                        self.mismatch(
                            of.place,
                            format!("`-` in front of {shown}"),
                            "only numbers and durations have a sign",
                        )
                    }
                }
            }
        }
    }

    fn comprehension(
        &mut self,
        kind: MacroKind,
        over: &Node,
        name: &str,
        filter: Option<&Node>,
        body: &Node,
        place: Place,
    ) -> Ty<'c> {
        let list = self.node(over).non_null().clone();
        let (element, max) = match &list.kind {
            Kind::List(list) => (list.items.ty(self.contracts), list.max),
            Kind::Map(_) => (Ty::text(), None),
            Kind::Unknown | Kind::Anything => (Ty::unknown(), None),
            _ => {
                let shown = self.shown(&list);
                (
                    self.mismatch(
                        over.place,
                        format!("`{}` is {shown}, not a list", written(over)),
                        "only lists have elements",
                    ),
                    None,
                )
            }
        };
        if self.names.is_bound(name) || self.locals.iter().any(|(known, _)| known == name) {
            self.report(
                "shadowed-name",
                place,
                format!("the element's name `{name}` is bound here already"),
                "choose another name for the element",
            );
        }
        let min = match (&list.kind, filter) {
            (Kind::List(list), None) => list.min,
            _ => 0,
        };
        self.bind(name, element.clone());
        if let Some(filter) = filter {
            self.condition(filter);
        }
        let ty = match kind {
            MacroKind::Map => self.node(body),
            _ => {
                self.condition(body);
                Ty::unknown()
            }
        };
        self.locals.pop();
        match kind {
            MacroKind::Map => Ty::list(ty, min, max),
            MacroKind::Filter => Ty::list(element, 0, max),
            MacroKind::All | MacroKind::Exists | MacroKind::ExistsOne => Kind::Bool.into(),
        }
    }
}

/// A node as text, in one way of writing for all ways in which it can be written; for messages, and to know two
/// conditions as one.
pub(crate) fn written(node: &Node) -> String {
    let mut out = String::new();
    write(node, &mut out);
    out
}

fn write(node: &Node, out: &mut String) {
    let all = |nodes: &[Node], out: &mut String| {
        for (index, node) in nodes.iter().enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            write(node, out);
        }
    };
    match &node.kind {
        NodeKind::Literal(value) => out.push_str(&value.to_json()),
        NodeKind::Name(name) => out.push_str(name),
        NodeKind::Select { of, field } => {
            operand(of, out);
            out.push('.');
            out.push_str(field);
        }
        NodeKind::Has { of, field } => {
            out.push_str("has(");
            operand(of, out);
            out.push('.');
            out.push_str(field);
            out.push(')');
        }
        NodeKind::Index { of, at } => {
            operand(of, out);
            out.push('[');
            write(at, out);
            out.push(']');
        }
        NodeKind::Unary { operator, of } => {
            out.push(if *operator == UnaryOperator::Not { '!' } else { '-' });
            operand(of, out);
        }
        NodeKind::Binary { operator, left, right } => {
            operand(left, out);
            out.push_str(operator_text(*operator));
            operand(right, out);
        }
        NodeKind::Conditional { condition, yes, no } => {
            operand(condition, out);
            out.push_str(" ? ");
            operand(yes, out);
            out.push_str(" : ");
            operand(no, out);
        }
        NodeKind::Function { name, target, arguments } => {
            if let Some(target) = target {
                operand(target, out);
                out.push('.');
            }
            out.push_str(name);
            out.push('(');
            all(arguments, out);
            out.push(')');
        }
        NodeKind::List(items) => {
            out.push('[');
            all(items, out);
            out.push(']');
        }
        NodeKind::Record(fields) => {
            out.push('{');
            for (name, value) in fields {
                out.push_str(name);
                out.push(':');
                write(value, out);
                out.push(',');
            }
            out.push('}');
        }
        NodeKind::Macro { kind, over, name, filter, body } => {
            operand(over, out);
            out.push('.');
            out.push_str(match kind {
                MacroKind::All => "all",
                MacroKind::Exists => "exists",
                MacroKind::ExistsOne => "exists_one",
                MacroKind::Map => "map",
                MacroKind::Filter => "filter",
            });
            out.push('(');
            out.push_str(name);
            for part in filter.iter().chain(std::iter::once(body)) {
                out.push_str(", ");
                write(part, out);
            }
            out.push(')');
        }
    }
}

fn operand(node: &Node, out: &mut String) {
    let brackets =
        matches!(node.kind, NodeKind::Binary { .. } | NodeKind::Conditional { .. } | NodeKind::Unary { .. });
    if brackets {
        out.push('(');
    }
    write(node, out);
    if brackets {
        out.push(')');
    }
}

pub(super) fn operator_text(operator: BinaryOperator) -> &'static str {
    match operator {
        BinaryOperator::And => " && ",
        BinaryOperator::Or => " || ",
        BinaryOperator::Add => " + ",
        BinaryOperator::Subtract => " - ",
        BinaryOperator::Multiply => " * ",
        BinaryOperator::Divide => " / ",
        BinaryOperator::Remainder => " % ",
        BinaryOperator::Equal => " == ",
        BinaryOperator::NotEqual => " != ",
        BinaryOperator::Less => " < ",
        BinaryOperator::LessOrEqual => " <= ",
        BinaryOperator::Greater => " > ",
        BinaryOperator::GreaterOrEqual => " >= ",
        BinaryOperator::In => " in ",
    }
}
