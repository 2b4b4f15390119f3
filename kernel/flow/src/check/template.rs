//! Values of a flow against the types that contracts ask for, and the types of values that nobody asks for.

use mortise_contract::Value;

use super::Checker;
use super::presence::Null;
use super::ways::Ways;
use crate::ast::{At, Expr, Place, Template, TemplateKind, TextPart};
use crate::report::{listed, nearest_or};
use crate::typing::{Field, Kind, Presence, Ty};

impl<'c> Checker<'c> {
    /// A value has to be of the type that `what` asks for.
    pub(super) fn fits(&mut self, template: &Template, wanted: &Ty<'c>, what: &str, ways: &Ways) {
        if matches!(wanted.kind, Kind::Unknown | Kind::Anything) {
            self.built(template, ways);
            return;
        }
        match &template.kind {
            TemplateKind::Literal(value) => self.literal_fits(value, template.place, wanted, what),
            TemplateKind::Expr(expr) => self.expr_fits(expr, wanted, what, ways),
            TemplateKind::Text(parts) => {
                self.text_parts(parts, ways);
                if !matches!(&wanted.non_null().kind, Kind::Text { allowed: None, .. }) {
                    self.misfit(template.place, "text with expressions in it", wanted, what);
                }
            }
            TemplateKind::List(items) => self.list_fits(items, template.place, wanted, what, ways),
            TemplateKind::Record(fields) => self.record_fits(fields, template.place, wanted, what, ways),
        }
    }

    fn misfit(&mut self, place: Place, given: &str, wanted: &Ty<'c>, what: &str) {
        let wanted = wanted.shown(self.contracts);
        let message = format!("{given}, where {what} is {wanted}");
        self.refuse("type-mismatch", place, message, format!("give {wanted}"));
    }

    fn literal_fits(&mut self, value: &Value, place: Place, wanted: &Ty<'c>, what: &str) {
        let schema = wanted.schema(self.contracts);
        if let Err(violations) = self.contracts.validate(&schema, value) {
            let why = violations.first().map(|violation| violation.message.clone()).unwrap_or_default();
            let help = match (value, &wanted.non_null().kind) {
                (Value::Text(text), Kind::Text { allowed: Some(values), .. }) => {
                    let known: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
                    nearest_or(text, known.clone(), || format!("it is one of {}", listed(known)))
                }
                _ => format!("give {}", wanted.shown(self.contracts)),
            };
            self.refuse("type-mismatch", place, format!("{}: {what} {why}", value.to_json()), help);
        }
    }

    fn expr_fits(&mut self, expr: &Expr, wanted: &Ty<'c>, what: &str, ways: &Ways) {
        let null = if wanted.is_nullable() { Null::Allowed } else { Null::Refused };
        let ty = self.expr(expr, ways, null);
        let given = if wanted.is_nullable() { &ty } else { ty.non_null() };
        if let Err(misfit) = given.fits(wanted, self.contracts) {
            let message = format!("`{}{}` {}, in {what}", expr.source, misfit.path, misfit.reason);
            let help = match misfit.code {
                "unit-mismatch" => "give a number that counts the same thing".to_owned(),
                "unbounded" => "limit the list where it comes from (`maxItems`), or ask for less".to_owned(),
                _ if misfit.path.is_empty() => format!("give {}", wanted.shown(self.contracts)),
                _ => "write the record out field by field, or `map` the list".to_owned(),
            };
            self.refuse(misfit.code, expr.place, message, help);
        }
    }

    fn list_fits(&mut self, items: &[Template], place: Place, wanted: &Ty<'c>, what: &str, ways: &Ways) {
        let Kind::List(list) = &wanted.non_null().kind else {
            self.misfit(place, "a list", wanted, what);
            return;
        };
        let count = items.len() as u64;
        if count < list.min || list.max.is_some_and(|max| count > max) {
            let most = list.max.map_or("any number".to_owned(), |max| max.to_string());
            let message = format!("{count} elements, where {what} has from {} to {most}", list.min);
            self.refuse("type-mismatch", place, message, "add or take away elements");
        }
        let element = list.items.ty(self.contracts);
        for item in items {
            self.fits(item, &element, &format!("an element of {what}"), ways);
        }
    }

    fn record_fits(
        &mut self,
        fields: &[(At<String>, Template)],
        place: Place,
        wanted: &Ty<'c>,
        what: &str,
        ways: &Ways,
    ) {
        if !matches!(wanted.non_null().kind, Kind::Record(_) | Kind::Map(_)) {
            self.misfit(place, "a record", wanted, what);
            return;
        }
        let known = wanted.fields(self.contracts);
        for (name, value) in fields {
            match wanted.field(&name.value, self.contracts) {
                Some(field) => self.fits(value, &field.ty, &format!("`{}` of {what}", name.value), ways),
                None => {
                    let names = || known.iter().map(|field| &*field.name);
                    let help = nearest_or(&name.value, names(), || format!("it has {}", listed(names())));
                    self.refuse(
                        "unknown-field",
                        name.place,
                        format!("{what} has no field `{}`", name.value),
                        help,
                    );
                    self.built(value, ways);
                }
            }
        }
        for field in known {
            if field.presence == Presence::Always && !fields.iter().any(|(name, _)| name.value == field.name)
            {
                let shown = field.ty.shown(self.contracts);
                let message = format!("{what} lacks `{}`, {shown}", field.name);
                self.refuse("missing-field", place, message, format!("add `{}: ...`", field.name));
            }
        }
    }

    /// Text for a person: a number may stand alone too.
    pub(super) fn readable(&mut self, template: &Template, ways: &Ways) {
        match &template.kind {
            TemplateKind::Expr(expr) => self.text_parts(&[TextPart::Expr(expr.clone())], ways),
            TemplateKind::Text(parts) => self.text_parts(parts, ways),
            _ => {}
        }
    }

    fn text_parts(&mut self, parts: &[TextPart], ways: &Ways) {
        for part in parts {
            let TextPart::Expr(expr) = part else { continue };
            let ty = self.expr(expr, ways, Null::Refused);
            let plain = matches!(
                ty.non_null().kind,
                Kind::Text { .. } | Kind::Int(_) | Kind::Bool | Kind::Number | Kind::Moment | Kind::Unknown
            );
            if !plain {
                let shown = ty.shown(self.contracts);
                let message = format!("`{}` is {shown}, which has no place in text", expr.source);
                self.refuse("type-mismatch", expr.place, message, "put a text, a number or a moment into it");
            }
        }
    }

    /// The type of a value that nobody asks for: of `let`, `result`, `answer`.
    pub(super) fn built(&mut self, template: &Template, ways: &Ways) -> Ty<'c> {
        match &template.kind {
            TemplateKind::Literal(value) => Ty::of_value(value),
            TemplateKind::Expr(expr) => {
                let ty = self.expr(expr, ways, Null::Allowed);
                if matches!(ty.kind, Kind::Duration) {
                    let help = "keep the moment instead: `now + duration('30m')`";
                    self.refuse("type-mismatch", expr.place, "a duration is no value that can be kept", help);
                    return Ty::unknown();
                }
                ty
            }
            TemplateKind::Text(parts) => {
                self.text_parts(parts, ways);
                Ty::text()
            }
            TemplateKind::List(items) => {
                let mut of = Ty::unknown();
                for item in items {
                    let ty = self.built(item, ways);
                    match of.join(&ty, self.contracts) {
                        Ok(joined) => of = joined,
                        Err(misfit) => {
                            let message = format!("the elements of a list differ: it {}", misfit.reason);
                            self.refuse(misfit.code, item.place, message, "give all elements one type");
                        }
                    }
                }
                let count = items.len() as u64;
                Ty::list(of, count, Some(count))
            }
            TemplateKind::Record(fields) => {
                let field = |(name, value): &(At<String>, Template)| Field {
                    name: name.value.clone().into(),
                    ty: self.built(value, ways),
                    presence: Presence::Always,
                };
                Ty::record(fields.iter().map(field).collect())
            }
        }
    }
}
