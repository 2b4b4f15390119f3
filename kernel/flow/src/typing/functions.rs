//! The functions of the language and what they give. A method's target is its first argument.

use super::fit::literal;
use super::infer::written;
use super::{Kind, Ty, Typing};
use crate::ast::{BinaryOperator, Node, Place};
use crate::report::{listed, nearest_or};

/// Every function, with how it is written.
const FUNCTIONS: [(&str, &str); 9] = [
    ("size", "size(list)"),
    ("contains", "text.contains('part')"),
    ("startsWith", "text.startsWith('part')"),
    ("endsWith", "text.endsWith('part')"),
    ("duration", "duration('30m')"),
    ("timestamp", "timestamp('2027-01-31T12:00:00Z')"),
    ("min", "min(a, b)"),
    ("max", "max(a, b)"),
    ("sum", "sum(list)"),
];
const MACROS: [&str; 6] = ["has", "all", "exists", "exists_one", "map", "filter"];

impl<'c> Typing<'_, 'c> {
    pub(super) fn function(
        &mut self,
        name: &str,
        target: Option<&Node>,
        arguments: &[Node],
        place: Place,
    ) -> Ty<'c> {
        let all: Vec<(&Node, Ty<'c>)> =
            target.into_iter().chain(arguments).map(|node| (node, self.node(node))).collect();
        let Some((_, usage)) = FUNCTIONS.iter().find(|(known, _)| *known == name) else {
            let known = FUNCTIONS.iter().map(|(known, _)| *known);
            let help =
                nearest_or(name, known.clone().chain(MACROS), || format!("functions are {}", listed(known)));
            return self.report("unknown-name", place, format!("there is no function `{name}`"), help);
        };
        let fits = match name {
            "contains" | "startsWith" | "endsWith" => all.len() == 2,
            "min" | "max" => !all.is_empty(),
            _ => all.len() == 1,
        };
        if !fits {
            let message = format!("`{name}` has {} arguments", all.len());
            return self.mismatch(place, message, format!("write `{usage}`"));
        }
        let help = format!("write `{usage}`");
        match name {
            "size" => match all[0].1.non_null().kind {
                Kind::Text { .. } | Kind::List(_) | Kind::Map(_) | Kind::Unknown | Kind::Anything => {
                    Kind::Int(None).into()
                }
                _ => self.wrong(name, all[0].0, &all[0].1, &help),
            },
            "contains" | "startsWith" | "endsWith" => {
                for (node, ty) in &all {
                    if !matches!(ty.non_null().kind, Kind::Text { .. } | Kind::Unknown | Kind::Anything) {
                        self.wrong(name, node, ty, &help);
                    }
                }
                Kind::Bool.into()
            }
            "duration" => self.duration(all[0].0, &all[0].1, &help),
            "timestamp" => match all[0].1.non_null().kind {
                Kind::Text { .. } | Kind::Unknown | Kind::Anything | Kind::Moment => {
                    self.timestamp(all[0].0, &all[0].1, &help)
                }
                _ => self.wrong(name, all[0].0, &all[0].1, &help),
            },
            "sum" => self.sum(all[0].0, &all[0].1, &help),
            _ => self.extreme(name, &all, place, &help),
        }
    }

    fn wrong(&mut self, name: &str, node: &Node, ty: &Ty<'c>, help: &str) -> Ty<'c> {
        let shown = self.shown(ty);
        self.mismatch(node.place, format!("`{name}` of {shown} (`{}`)", written(node)), help)
    }

    fn duration(&mut self, node: &Node, ty: &Ty<'c>, help: &str) -> Ty<'c> {
        if let Some(text) = literal(ty)
            && crate::eval::parse_duration(text).is_none()
        {
            self.mismatch(node.place, format!("{text:?} is no length of time"), help);
        } else if !matches!(ty.non_null().kind, Kind::Text { .. } | Kind::Unknown | Kind::Anything) {
            self.wrong("duration", node, ty, help);
        }
        Kind::Duration.into()
    }

    fn timestamp(&mut self, node: &Node, ty: &Ty<'c>, help: &str) -> Ty<'c> {
        if let Some(text) = literal(ty)
            && chrono::DateTime::parse_from_rfc3339(text).is_err()
        {
            self.mismatch(node.place, format!("{text:?} is no moment of RFC 3339"), help);
        }
        Kind::Moment.into()
    }

    fn sum(&mut self, node: &Node, ty: &Ty<'c>, help: &str) -> Ty<'c> {
        let element = match &ty.non_null().kind {
            Kind::List(list) => list.items.ty(self.contracts),
            Kind::Unknown | Kind::Anything => return Ty::unknown(),
            _ => return self.wrong("sum", node, ty, help),
        };
        match element.kind {
            Kind::Int(unit) => Kind::Int(unit).into(),
            Kind::Number | Kind::Unknown => element,
            _ => self.wrong("sum", node, ty, "sum adds up numbers: `sum(lines.map(l, l.amount))`"),
        }
    }

    fn extreme(&mut self, name: &str, all: &[(&Node, Ty<'c>)], place: Place, help: &str) -> Ty<'c> {
        let items: Vec<Ty<'c>> = match all {
            [(_, ty)] => match &ty.non_null().kind {
                Kind::List(list) => vec![list.items.ty(self.contracts)],
                _ => vec![ty.clone()],
            },
            _ => all.iter().map(|(_, ty)| ty.clone()).collect(),
        };
        let mut best = Ty::unknown();
        for item in items {
            let item = item.non_null().clone();
            if !matches!(
                item.kind,
                Kind::Int(_)
                    | Kind::Number
                    | Kind::Moment
                    | Kind::Duration
                    | Kind::Text { .. }
                    | Kind::Unknown
                    | Kind::Anything
            ) {
                return self.wrong(name, all[0].0, &item, help);
            }
            if !self.units(BinaryOperator::Less, &best, &item, place) {
                return Ty::unknown();
            }
            best = self.joined(&best, &item, place, "the arguments");
        }
        match best.kind {
            Kind::Int(unit) => Kind::Int(unit).into(),
            _ => best,
        }
    }
}
