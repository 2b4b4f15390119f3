//! What is known on a way once a condition holds, or does not: the facts that `has()`, comparisons with null, sizes of
//! lists and conditions over the input leave behind, through `&&`, `||`, `!` and `?:`.

use mortise_contract::Value;

use super::Checker;
use super::ways::{Fact, Ways};
use crate::ast::{BinaryOperator as Op, Node, NodeKind, UnaryOperator};
use crate::typing::{Kind, Presence, written};

impl Checker<'_> {
    /// The ways on which a condition is as wanted.
    pub(super) fn assume(&mut self, node: &Node, wanted: bool, ways: Ways) -> Ways {
        if ways.is_empty() {
            return ways;
        }
        self.worked(&ways);
        let ways = ways.at_most(self.limit);
        match &node.kind {
            NodeKind::Literal(Value::Bool(holds)) => {
                if *holds == wanted {
                    ways
                } else {
                    Ways::default()
                }
            }
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
            NodeKind::Binary { operator, left, right } => {
                self.assume_comparison(*operator, left, right, node, wanted, ways)
            }
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
                out = Ways {
                    all: ran_ways.all.iter().filter(|way| way.get(ran) != Some(true)).cloned().collect(),
                };
            }
            ran_ways = ran_ways.decide(ran, true);
        }
        let optional =
            record.field(field, self.contracts).is_none_or(|found| found.presence == Presence::Optional);
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

    fn assume_comparison(
        &mut self,
        operator: Op,
        left: &Node,
        right: &Node,
        node: &Node,
        wanted: bool,
        ways: Ways,
    ) -> Ways {
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
                Some(fact) if matches!(self.quiet(right).non_null().kind, Kind::Map(_)) => {
                    ways.decide(fact, wanted)
                }
                _ => self.assume_input(node, wanted, ways),
            };
        }
        if let Some((list, least, at_least)) = size_bound(operator, left, right)
            && let Some(fact) = self.path_fact(list, &format!("size>={least}"))
        {
            return ways.decide(fact, at_least == wanted);
        }
        let ways = match not_zero(operator, left, right, wanted) {
            Some((subject, holds)) => match self.path_fact(subject, "nonzero") {
                Some(fact) => ways.decide(fact, holds),
                None => ways,
            },
            None => ways,
        };
        if operator == Op::NotEqual {
            let kind = NodeKind::Binary {
                operator: Op::Equal,
                left: Box::new(left.clone()),
                right: Box::new(right.clone()),
            };
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
        (.., Some(count), Some(list)) => (list, mirrored(operator), count),
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

/// Of what a comparison with a number says, when it is as wanted, that it is not 0 or that it is.
fn not_zero<'n>(operator: Op, left: &'n Node, right: &'n Node, wanted: bool) -> Option<(&'n Node, bool)> {
    let number = |node: &Node| match &node.kind {
        NodeKind::Literal(Value::Int(number)) => Some(*number),
        _ => None,
    };
    let (subject, operator, number) = match (number(left), number(right)) {
        (None, Some(number)) => (left, operator, number),
        (Some(number), None) => (right, mirrored(operator), number),
        _ => return None,
    };
    let says = match (operator, wanted) {
        (Op::Equal, wanted) | (Op::NotEqual, wanted) if number == 0 => {
            Some((operator == Op::NotEqual) == wanted)
        }
        (Op::Equal, true) | (Op::NotEqual, false) => Some(true),
        (Op::Greater, true) | (Op::LessOrEqual, false) => (number >= 0).then_some(true),
        (Op::GreaterOrEqual, true) | (Op::Less, false) => (number > 0).then_some(true),
        (Op::Less, true) | (Op::GreaterOrEqual, false) => (number <= 0).then_some(true),
        (Op::LessOrEqual, true) | (Op::Greater, false) => (number < 0).then_some(true),
        _ => None,
    };
    says.map(|says| (subject, says))
}

/// The same comparison read from right to left.
fn mirrored(operator: Op) -> Op {
    match operator {
        Op::Less => Op::Greater,
        Op::LessOrEqual => Op::GreaterOrEqual,
        Op::Greater => Op::Less,
        Op::GreaterOrEqual => Op::LessOrEqual,
        same => same,
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
