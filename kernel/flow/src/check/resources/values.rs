//! Values on ways: what a template or an expression makes of the names that hold handles. A condition that decides between
//! two of them tells ways apart.

use super::value::Value;
use super::walk::Walk;
use crate::ast::{BinaryOperator as Op, Expr, Node, NodeKind, Template, TemplateKind, UnaryOperator};
use crate::check::ways::{Way, Ways};
use crate::walk;

/// Values, each with the ways on which it is that.
pub(super) type Groups = Vec<(Value, Ways)>;

impl Walk<'_, '_> {
    /// What a template is on each of the ways.
    pub(super) fn values(&mut self, template: &Template, ways: Ways) -> Groups {
        if !ways.all.iter().any(|way| way.track().has_names()) {
            return vec![(Value::Nothing, ways)];
        }
        match &template.kind {
            TemplateKind::Literal(_) | TemplateKind::Text(_) => vec![(Value::Nothing, ways)],
            TemplateKind::Expr(expr) => self.value(&expr.node, ways),
            TemplateKind::List(items) => {
                let groups = self.each(items, ways, |walk, item, ways| walk.values(item, ways));
                groups.into_iter().map(|(items, ways)| (Value::list(items), ways)).collect()
            }
            TemplateKind::Record(fields) => {
                let groups = self.each(fields, ways, |walk, (_, value), ways| walk.values(value, ways));
                let record = |items: Vec<Value>| {
                    let names = fields.iter().map(|(name, _)| name.value.clone());
                    Value::record(names.zip(items).collect())
                };
                groups.into_iter().map(|(items, ways)| (record(items), ways)).collect()
            }
        }
    }

    /// What an expression is on each of the ways.
    pub(super) fn value(&mut self, node: &Node, ways: Ways) -> Groups {
        match &node.kind {
            NodeKind::Name(name) => {
                let key = self.checker.scope.get(name).map(|binding| binding.key);
                match key {
                    Some(key) => by_name(key, ways),
                    None => vec![(Value::Nothing, ways)],
                }
            }
            NodeKind::Select { of, field } => {
                let groups = self.value(of, ways);
                groups.into_iter().map(|(value, ways)| (value.field(field), ways)).collect()
            }
            NodeKind::Conditional { condition, yes, no }
                if self.mentions(yes, &ways) || self.mentions(no, &ways) =>
            {
                let hold = self.checker.assume(condition, true, ways.clone());
                let fail = self.checker.assume(condition, false, ways);
                let mut groups = self.value(yes, hold);
                groups.extend(self.value(no, fail));
                groups.retain(|(_, ways)| !ways.is_empty());
                groups
            }
            NodeKind::List(items) => {
                let groups = self.each(items, ways, |walk, item, ways| walk.value(item, ways));
                groups.into_iter().map(|(items, ways)| (Value::list(items), ways)).collect()
            }
            NodeKind::Record(fields) => {
                let groups = self.each(fields, ways, |walk, (_, value), ways| walk.value(value, ways));
                let record = |items: Vec<Value>| {
                    let names = fields.iter().map(|(name, _)| name.clone());
                    Value::record(names.zip(items).collect())
                };
                groups.into_iter().map(|(items, ways)| (record(items), ways)).collect()
            }
            _ => vec![(Value::Nothing, ways)],
        }
    }

    /// Works parts out one after another, on the ways that the ones before have told apart.
    fn each<T>(
        &mut self,
        parts: &[T],
        ways: Ways,
        mut work: impl FnMut(&mut Self, &T, Ways) -> Groups,
    ) -> Vec<(Vec<Value>, Ways)> {
        let mut groups = vec![(Vec::new(), ways)];
        for part in parts {
            groups = groups
                .into_iter()
                .flat_map(|(before, ways)| {
                    let found = work(self, part, ways);
                    found.into_iter().map(move |(value, ways)| {
                        let mut items = before.clone();
                        items.push(value);
                        (items, ways)
                    })
                })
                .collect();
        }
        groups
    }

    /// Whether an expression reads a name that holds a handle on one of the ways.
    fn mentions(&self, node: &Node, ways: &Ways) -> bool {
        if let NodeKind::Name(name) = &node.kind {
            let key = self.checker.scope.get(name).map(|binding| binding.key);
            return key.is_some_and(|key| ways.all.iter().any(|way| way.track().is_named(key)));
        }
        let mut any = false;
        walk::children(node, &mut |child| any = any || self.mentions(child, ways));
        any
    }

    /// Gives a name its value on each of the ways.
    pub(super) fn named(&mut self, key: usize, groups: Groups) -> Ways {
        let mut all = Ways::default();
        for (value, mut ways) in groups {
            for way in &mut ways.all {
                if value != Value::Nothing || way.track().is_named(key) {
                    way.track_mut().name(key, value.clone());
                }
            }
            all.all.extend(ways.all);
        }
        all.at_most(self.checker.limit)
    }
}

/// What a name is on each of the ways.
fn by_name(key: usize, ways: Ways) -> Groups {
    let mut groups: Groups = Vec::new();
    for way in ways.all {
        let value = Way::track(&way).named(key);
        match groups.iter_mut().find(|(known, _)| *known == value) {
            Some((_, ways)) => ways.all.push(way),
            None => groups.push((value, Ways { all: vec![way] })),
        }
    }
    groups
}

/// The first expression of a template that may have no value.
pub(super) fn may_fail(template: &Template) -> Option<&Expr> {
    let mut partial = None;
    walk::expressions(template, &mut |expr| {
        if partial.is_none() && may_have_no_value(&expr.node) {
            partial = Some(expr);
        }
    });
    partial
}

/// Whether an expression that the checker has accepted may have no value all the same: numbers that get too large, a division,
/// texts that are no moment. Numbers that are written out do not count.
fn may_have_no_value(node: &Node) -> bool {
    let partial = match &node.kind {
        NodeKind::Binary { operator, .. } => {
            matches!(operator, Op::Add | Op::Subtract | Op::Multiply | Op::Divide | Op::Remainder)
        }
        NodeKind::Unary { operator: UnaryOperator::Negate, of } => !matches!(of.kind, NodeKind::Literal(_)),
        NodeKind::Function { name, .. } => matches!(name.as_str(), "timestamp" | "duration" | "sum" | "int"),
        NodeKind::Index { .. } => true,
        _ => false,
    };
    let mut any = partial;
    walk::children(node, &mut |child| any = any || may_have_no_value(child));
    any
}
