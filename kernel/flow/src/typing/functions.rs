//! The functions of the language and what they give. A method's target is its first argument.

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
                Kind::Text { .. } | Kind::List(_) | Kind::Map(_) | Kind::Unknown => Kind::Int(None).into(),
                _ => self.wrong(name, all[0].0, &all[0].1, &help),
            },
            "contains" | "startsWith" | "endsWith" => {
                for (node, ty) in &all {
                    if !matches!(ty.non_null().kind, Kind::Text { .. } | Kind::Unknown) {
                        self.wrong(name, node, ty, &help);
                    }
                }
                Kind::Bool.into()
            }
            "duration" => self.duration(all[0].0, &all[0].1, &help),
            "timestamp" => match all[0].1.non_null().kind {
                Kind::Text { .. } | Kind::Unknown | Kind::Moment => {
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

    /// A text that is not known before the flow runs might be no length of time.
    fn duration(&mut self, node: &Node, ty: &Ty<'c>, help: &str) -> Ty<'c> {
        match written_values(ty) {
            _ if matches!(ty.non_null().kind, Kind::Unknown | Kind::Duration) => {}
            Some(texts) => {
                if let Some(text) = texts.iter().find(|text| crate::eval::parse_duration(text).is_none()) {
                    self.mismatch(node.place, format!("{text:?} is no length of time"), help);
                }
            }
            None if matches!(ty.non_null().kind, Kind::Text { .. }) => {
                let message = format!("`{}` may be any text, not only a length of time", written(node));
                let help = "write the length of time here, or have a capability give the moment (`format: date-time`)";
                self.mismatch(node.place, message, help);
            }
            None => {
                self.wrong("duration", node, ty, help);
            }
        }
        Kind::Duration.into()
    }

    /// A text that is not known before the flow runs might be no moment.
    fn timestamp(&mut self, node: &Node, ty: &Ty<'c>, help: &str) -> Ty<'c> {
        match written_values(ty) {
            Some(texts) => {
                if let Some(text) =
                    texts.iter().find(|text| chrono::DateTime::parse_from_rfc3339(text).is_err())
                {
                    self.mismatch(node.place, format!("{text:?} is no moment of RFC 3339"), help);
                }
            }
            None if matches!(ty.non_null().kind, Kind::Text { .. }) => {
                let message = format!("`{}` may be any text, not only a moment", written(node));
                self.mismatch(node.place, message, "declare it with `format: date-time`, and it is a moment");
            }
            None => {}
        }
        Kind::Moment.into()
    }

    fn sum(&mut self, node: &Node, ty: &Ty<'c>, help: &str) -> Ty<'c> {
        let element = match &ty.non_null().kind {
            Kind::List(list) => list.items.ty(self.contracts),
            Kind::Unknown => return Ty::unknown(),
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

/// All texts that a value may be, where they are known.
fn written_values<'t>(ty: &'t Ty<'_>) -> Option<Vec<&'t str>> {
    match &ty.non_null().kind {
        Kind::Text { allowed: Some(values), .. } => {
            values.iter().map(mortise_contract::Value::as_str).collect()
        }
        _ => None,
    }
}
