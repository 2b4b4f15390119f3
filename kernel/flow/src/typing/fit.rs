//! Whether a value of one type may go where another is asked. Records match by their fields, texts by their names,
//! integers by their units, lists by their lengths.

use mortise_contract::{Contracts, Value};

use super::{Fields, Kind, Presence, Ty, unit_name};

/// Why a value does not go where it is put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The checker's code.
    pub code: &'static str,
    /// Where within the value: `.lines[].sku`, or nothing.
    pub path: String,
    /// What is there and what is asked.
    pub reason: String,
}

/// How deep two types are compared; what is deeper is taken to fit.
const DEPTH: usize = 24;

struct Comparison<'c> {
    contracts: &'c Contracts,
    /// Pairs of declared records that are being compared: a type may hold itself.
    open: Vec<(*const mortise_contract::Schema, *const mortise_contract::Schema)>,
    path: Vec<String>,
}

impl<'c> Ty<'c> {
    /// Whether a value of this type may stand where `wanted` is asked.
    ///
    /// # Errors
    /// The first thing that does not fit.
    pub fn fits(&self, wanted: &Ty<'c>, contracts: &'c Contracts) -> Result<(), Misfit> {
        Comparison { contracts, open: Vec::new(), path: Vec::new() }.compare(self, wanted)
    }
}

impl<'c> Comparison<'c> {
    fn misfit(&self, code: &'static str, reason: String) -> Result<(), Misfit> {
        Err(Misfit { code, path: self.path.concat(), reason })
    }

    fn mismatch(&self, given: &Ty<'c>, wanted: &Ty<'c>) -> Result<(), Misfit> {
        let (given, wanted) = (given.shown(self.contracts), wanted.shown(self.contracts));
        self.misfit("type-mismatch", format!("is {given}, where {wanted} is expected"))
    }

    fn compare(&mut self, given: &Ty<'c>, wanted: &Ty<'c>) -> Result<(), Misfit> {
        if self.path.len() > DEPTH {
            return Ok(());
        }
        if let (Some(one), Some(other)) = (given.reference(), wanted.reference())
            && one == other
        {
            return Ok(());
        }
        match (&given.kind, &wanted.kind) {
            (Kind::Unknown, _) | (_, Kind::Unknown | Kind::Anything) => Ok(()),
            (Kind::Nullable(inner), Kind::Nullable(other)) => self.compare(inner, other),
            (Kind::Null, Kind::Nullable(_)) | (Kind::Null, Kind::Null) => Ok(()),
            (_, Kind::Nullable(other)) => self.compare(given, other),
            (Kind::Bool, Kind::Bool) | (Kind::Moment, Kind::Moment) | (Kind::Duration, Kind::Duration) => {
                Ok(())
            }
            (Kind::Int(_) | Kind::Number, Kind::Number) => Ok(()),
            (Kind::Int(one), Kind::Int(other)) => match (one, other) {
                (Some(one), Some(other)) if one != other => {
                    let (one, other) = (unit_name(*one), unit_name(*other));
                    self.misfit("unit-mismatch", format!("counts {one}, where {other} is expected"))
                }
                _ => Ok(()),
            },
            (Kind::Text { name, allowed }, Kind::Text { name: other, allowed: others }) => {
                let nominal = name.is_none() || other.is_none() || name == other;
                let within = match (allowed, others) {
                    (_, None) => true,
                    (Some(some), Some(all)) => some.iter().all(|value| all.contains(value)),
                    (None, Some(_)) => name.is_some() && name == other,
                };
                if nominal && within { Ok(()) } else { self.mismatch(given, wanted) }
            }
            (Kind::Text { name: None, allowed: Some(literals) }, Kind::Moment) if literals.len() == 1 => {
                let moment = literals[0]
                    .as_str()
                    .is_some_and(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok());
                if moment { Ok(()) } else { self.mismatch(given, wanted) }
            }
            (Kind::List(one), Kind::List(other)) => {
                self.lengths(one.min, one.max, other.min, other.max)?;
                let (inner, outer) = (one.items.ty(self.contracts), other.items.ty(self.contracts));
                self.within("[]".to_owned(), |this| this.compare(&inner, &outer))
            }
            (Kind::Map(one), Kind::Map(other)) => {
                let (inner, outer) = (one.ty(self.contracts), other.ty(self.contracts));
                self.within("[]".to_owned(), |this| this.compare(&inner, &outer))
            }
            (Kind::Record(_), Kind::Map(other)) => {
                let outer = other.ty(self.contracts);
                for field in given.fields(self.contracts) {
                    self.within(format!(".{}", field.name), |this| this.compare(&field.ty, &outer))?;
                }
                Ok(())
            }
            (Kind::Record(one), Kind::Record(other)) => self.records(given, one, wanted, other),
            _ => self.mismatch(given, wanted),
        }
    }

    fn within(
        &mut self,
        step: String,
        run: impl FnOnce(&mut Self) -> Result<(), Misfit>,
    ) -> Result<(), Misfit> {
        self.path.push(step);
        let out = run(self);
        self.path.pop();
        out
    }

    fn lengths(&self, min: u64, max: Option<u64>, least: u64, most: Option<u64>) -> Result<(), Misfit> {
        if let Some(most) = most
            && max.is_none_or(|max| max > most)
        {
            let given = max.map_or("any number of".to_owned(), |max| format!("up to {max}"));
            return self
                .misfit("unbounded", format!("may have {given} elements, where at most {most} are allowed"));
        }
        if min < least {
            return self.misfit(
                "type-mismatch",
                format!("may have only {min} elements, where at least {least} are needed"),
            );
        }
        Ok(())
    }

    fn records(
        &mut self,
        given: &Ty<'c>,
        one: &Fields<'c>,
        wanted: &Ty<'c>,
        other: &Fields<'c>,
    ) -> Result<(), Misfit> {
        if let (Fields::Declared(one), Fields::Declared(other)) = (one, other) {
            let pair = (std::ptr::from_ref(*one), std::ptr::from_ref(*other));
            if pair.0 == pair.1 || self.open.contains(&pair) {
                return Ok(());
            }
            self.open.push(pair);
        }
        for field in wanted.fields(self.contracts) {
            match given.field(&field.name, self.contracts) {
                Some(have) => {
                    if have.presence == Presence::Optional && field.presence == Presence::Always {
                        let reason = format!("may lack the field `{}`, which is needed", field.name);
                        return self.misfit("type-mismatch", reason);
                    }
                    self.within(format!(".{}", field.name), |this| this.compare(&have.ty, &field.ty))?;
                }
                None if field.presence == Presence::Always => {
                    return self.misfit("type-mismatch", format!("lacks the field `{}`", field.name));
                }
                None => {}
            }
        }
        if !wanted.is_open() {
            for field in given.fields(self.contracts) {
                if wanted.field(&field.name, self.contracts).is_none() {
                    let reason = format!("has a field `{}`, which is not taken here", field.name);
                    return self.misfit("type-mismatch", reason);
                }
            }
            if given.is_open() {
                return self.misfit(
                    "type-mismatch",
                    "may have any fields, where only named ones are taken".to_owned(),
                );
            }
        }
        Ok(())
    }
}

/// The one text that a type allows, if it is a literal.
pub(super) fn literal<'t>(ty: &'t Ty<'_>) -> Option<&'t str> {
    match &ty.kind {
        Kind::Text { name: None, allowed: Some(values) } if values.len() == 1 => {
            values.first().and_then(Value::as_str)
        }
        _ => None,
    }
}
