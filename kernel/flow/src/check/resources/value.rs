//! Where the handles of one acquisition are within a value: what a name stands for, as far as resources are concerned.
//! It knows no steps and no ways.

use mortise_contract::Contracts;

use crate::ast::{Node, NodeKind, Template, TemplateKind};
use crate::typing::{Kind, Ty};

/// A handle of the acquisition that is followed. Of a list of handles there are two: one to follow, one for all others.
pub(super) type Slot = u8;

/// Lists of handles within lists of handles that are told apart; deeper ones have one element.
const DEPTH: usize = 2;

/// A value, as far as it holds handles.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Value {
    /// No handle is in it.
    Nothing,
    Handle(Slot),
    /// The fields that hold something.
    Record(Vec<(String, Value)>),
    /// The elements, in order.
    List(Vec<Value>),
}

impl Value {
    pub(super) fn record(mut fields: Vec<(String, Self)>) -> Self {
        fields.retain(|(_, value)| *value != Self::Nothing);
        if fields.is_empty() { Self::Nothing } else { Self::Record(fields) }
    }

    /// Elements that hold nothing are kept, one in a row: a loop has a round for them.
    pub(super) fn list(mut items: Vec<Self>) -> Self {
        items.dedup_by(|next, before| *next == Self::Nothing && *before == Self::Nothing);
        if items.iter().all(|item| *item == Self::Nothing) { Self::Nothing } else { Self::List(items) }
    }

    pub(super) fn field(&self, name: &str) -> Self {
        match self {
            Self::Record(fields) => fields
                .iter()
                .find(|(known, _)| known == name)
                .map_or(Self::Nothing, |(_, value)| value.clone()),
            _ => Self::Nothing,
        }
    }

    /// Both together, where they do not contradict each other.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Record(mut fields), Self::Record(others)) => {
                for (name, value) in others {
                    match fields.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, known)) => {
                            let before = std::mem::replace(known, Self::Nothing);
                            *known = before.and(value);
                        }
                        None => fields.push((name, value)),
                    }
                }
                Self::Record(fields)
            }
            (Self::List(items), Self::List(others)) => {
                Self::List(items.into_iter().zip(others).map(|(item, other)| item.and(other)).collect())
            }
            (Self::Nothing, value) | (value, _) => value,
        }
    }

    /// The same with one element of each list.
    pub(super) fn first(&self) -> Self {
        match self {
            Self::List(items) => Self::List(items.iter().take(1).map(Self::first).collect()),
            Self::Record(fields) => {
                Self::Record(fields.iter().map(|(name, value)| (name.clone(), value.first())).collect())
            }
            value => value.clone(),
        }
    }

    /// All handles in it.
    pub(super) fn all(&self, into: &mut Vec<Slot>) {
        match self {
            Self::Nothing => {}
            Self::Handle(slot) => into.push(*slot),
            Self::List(items) => items.iter().for_each(|item| item.all(into)),
            Self::Record(fields) => fields.iter().for_each(|(_, value)| value.all(into)),
        }
    }

    /// The handles at a path, through lists.
    pub(super) fn handles(&self, path: &[Part], into: &mut Vec<Slot>) {
        match (self, path) {
            (Self::List(items), _) => items.iter().for_each(|item| item.handles(path, into)),
            (Self::Handle(slot), []) => into.push(*slot),
            (Self::Record(_), [part, rest @ ..]) => self.field(&part.name).handles(rest, into),
            _ => {}
        }
    }
}

/// A field on the way to a handle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: String,
    /// Whether a list stands there: `shares[]`.
    pub(super) listed: bool,
}

/// The parts of a contract's path: `reservation`, `shares[].share`. A list may be told by its type, too.
pub(super) fn parts<'c>(path: &str, within: Ty<'c>, contracts: &'c Contracts) -> Vec<Part> {
    let mut ty = within;
    path.split('.')
        .map(|text| {
            let name = text.trim_end_matches("[]");
            let field = ty.field(name, contracts).map_or_else(Ty::unknown, |field| field.ty);
            let (listed, next) = match &field.non_null().kind {
                Kind::List(list) => (true, list.items.ty(contracts)),
                _ => (text.len() > name.len(), field.non_null().clone()),
            };
            ty = next;
            Part { name: name.to_owned(), listed }
        })
        .collect()
}

/// The output of a step that acquires: a handle at each of the paths, two elements in a list. The slots are numbered from 0
/// and given back with the number of their path.
pub(super) fn acquired(paths: &[&[Part]]) -> (Value, Vec<usize>) {
    let mut slots = Vec::new();
    let value = paths.iter().enumerate().fold(Value::Nothing, |value, (number, path)| {
        let mut next = || {
            let slot = Slot::try_from(slots.len()).unwrap_or(Slot::MAX);
            slots.push(number);
            slot
        };
        value.and(along(path, 0, &mut next))
    });
    (value, slots)
}

fn along(path: &[Part], depth: usize, next: &mut dyn FnMut() -> Slot) -> Value {
    let Some((part, rest)) = path.split_first() else { return Value::Handle(next()) };
    let inner = if part.listed {
        let count = if depth < DEPTH { 2 } else { 1 };
        Value::List((0..count).map(|_| along(rest, depth + 1, next)).collect())
    } else {
        along(rest, depth, next)
    };
    Value::Record(vec![(part.name.clone(), inner)])
}

/// What a contract's own template makes of `input` and `output`.
pub(super) fn of_contract(template: &Template, names: &[(&str, &Value)]) -> Value {
    match &template.kind {
        TemplateKind::Literal(_) | TemplateKind::Text(_) => Value::Nothing,
        TemplateKind::Expr(expr) => of_node(&expr.node, names),
        TemplateKind::List(items) => Value::list(items.iter().map(|item| of_contract(item, names)).collect()),
        TemplateKind::Record(fields) => Value::record(
            fields.iter().map(|(name, value)| (name.value.clone(), of_contract(value, names))).collect(),
        ),
    }
}

fn of_node(node: &Node, names: &[(&str, &Value)]) -> Value {
    match &node.kind {
        NodeKind::Name(name) => names
            .iter()
            .find(|(known, _)| known == name)
            .map_or(Value::Nothing, |(_, value)| (*value).clone()),
        NodeKind::Select { of, field } => of_node(of, names).field(field),
        NodeKind::Conditional { yes, no, .. } => match of_node(yes, names) {
            Value::Nothing => of_node(no, names),
            value => value,
        },
        NodeKind::List(items) => Value::list(items.iter().map(|item| of_node(item, names)).collect()),
        NodeKind::Record(fields) => {
            Value::record(fields.iter().map(|(name, value)| (name.clone(), of_node(value, names))).collect())
        }
        _ => Value::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<Part> {
        let contracts: &'static Contracts = Box::leak(Box::default());
        parts(text, Ty::unknown(), contracts)
    }

    #[test]
    fn each_path_of_an_output_has_its_handles() {
        let (one, list, fee) = (path("reservation"), path("shares[].share"), path("shares[].fee"));
        let (value, slots) = acquired(&[&one, &list, &fee]);
        assert_eq!(slots, [0, 1, 1, 2, 2]);
        let at = |path: &[Part]| {
            let mut found = Vec::new();
            value.handles(path, &mut found);
            found
        };
        assert_eq!((at(&one), at(&list), at(&fee)), (vec![0], vec![1, 2], vec![3, 4]));
        assert_eq!(
            {
                let mut all = Vec::new();
                value.first().all(&mut all);
                all
            },
            [0, 1, 3],
            "a list of one"
        );
        assert_eq!(at(&path("shares")), Vec::<Slot>::new(), "a record is no handle");
    }

    #[test]
    fn what_holds_nothing_is_nothing() {
        assert_eq!(Value::record(vec![("a".into(), Value::Nothing)]), Value::Nothing);
        assert_eq!(Value::list(vec![Value::Nothing, Value::Nothing]), Value::Nothing);
        let held = Value::list(vec![Value::Nothing, Value::Nothing, Value::Handle(0), Value::Nothing]);
        assert_eq!(held, Value::List(vec![Value::Nothing, Value::Handle(0), Value::Nothing]));
    }
}
