//! The type of what is one of two things: the branches of a condition, the elements of a list, the answers of a flow.

use mortise_contract::Contracts;
use std::borrow::Cow;

use super::{Field, Fields, Kind, ListOf, Misfit, Presence, Ty, unit_name};

impl<'c> Ty<'c> {
    /// The type that values of both types have.
    ///
    /// # Errors
    /// The first thing in which they differ.
    pub fn join(&self, other: &Ty<'c>, contracts: &'c Contracts) -> Result<Ty<'c>, Misfit> {
        join(self, other, contracts, 0)
    }
}

fn join<'c>(one: &Ty<'c>, other: &Ty<'c>, contracts: &'c Contracts, depth: usize) -> Result<Ty<'c>, Misfit> {
    if one.is_unknown() {
        return Ok(other.clone());
    }
    if other.is_unknown() || depth > 6 {
        return Ok(one.clone());
    }
    if one.reference().is_some() && one.reference() == other.reference() {
        return Ok(one.clone());
    }
    if matches!(one.kind, Kind::Null) || matches!(other.kind, Kind::Null) {
        return Ok(nullable(if matches!(one.kind, Kind::Null) { other } else { one }));
    }
    if one.is_nullable() || other.is_nullable() {
        return Ok(nullable(&join(one.non_null(), other.non_null(), contracts, depth + 1)?));
    }
    let apart = || Misfit {
        code: "type-mismatch",
        path: String::new(),
        reason: format!("is {} here and {} there", one.shown(contracts), other.shown(contracts)),
    };
    match (&one.kind, &other.kind) {
        (Kind::Int(a), Kind::Int(b)) => match (a, b) {
            (Some(a), Some(b)) if a != b => Err(Misfit {
                code: "unit-mismatch",
                path: String::new(),
                reason: format!("counts {} here and {} there", unit_name(*a), unit_name(*b)),
            }),
            (None, Some(_)) => Ok(other.clone()),
            _ => Ok(one.clone()),
        },
        (Kind::Text { name: a, allowed: x }, Kind::Text { name: b, allowed: y }) => {
            if a.is_some() && b.is_some() && a != b {
                return Err(apart());
            }
            if a == b && a.is_some() {
                return Ok(one.clone());
            }
            let allowed = x.as_ref().zip(y.as_ref()).map(|(x, y)| {
                let mut all = x.to_vec();
                all.extend(y.iter().filter(|value| !x.contains(value)).cloned());
                Cow::Owned(all)
            });
            Ok(Kind::Text { name: a.or(*b), allowed }.into())
        }
        (Kind::List(a), Kind::List(b)) => {
            let items =
                within("[]", join(&a.items.ty(contracts), &b.items.ty(contracts), contracts, depth + 1))?;
            let max = a.max.zip(b.max).map(|(a, b)| a.max(b));
            Ok(Kind::List(ListOf { items: super::Element::Built(items.into()), min: a.min.min(b.min), max })
                .into())
        }
        (Kind::Record(a), Kind::Record(b)) => records(one, a, other, b, contracts, depth),
        _ => match (one.fits(other, contracts), other.fits(one, contracts)) {
            (Ok(()), _) => Ok(other.clone()),
            (_, Ok(())) => Ok(one.clone()),
            _ => Err(apart()),
        },
    }
}

fn within<T>(step: &str, out: Result<T, Misfit>) -> Result<T, Misfit> {
    out.map_err(|misfit| Misfit { path: format!("{step}{}", misfit.path), ..misfit })
}

fn nullable<'c>(ty: &Ty<'c>) -> Ty<'c> {
    if ty.is_nullable() { ty.clone() } else { Kind::Nullable(ty.clone().into()).into() }
}

/// Field by field; a field that one lacks is optional.
fn records<'c>(
    one: &Ty<'c>,
    a: &Fields<'c>,
    other: &Ty<'c>,
    b: &Fields<'c>,
    contracts: &'c Contracts,
    depth: usize,
) -> Result<Ty<'c>, Misfit> {
    if let (Fields::Declared(a), Fields::Declared(b)) = (a, b)
        && (std::ptr::eq(*a, *b) || one.fits(other, contracts).is_ok())
    {
        return Ok(other.clone());
    }
    if one.is_open() || other.is_open() {
        let misfit = one.fits(other, contracts);
        return misfit.map(|()| other.clone());
    }
    let theirs = other.fields(contracts);
    let mut merged: Vec<Field<'c>> = Vec::new();
    for field in one.fields(contracts) {
        let Some(their) = theirs.iter().find(|their| their.name == field.name) else {
            merged.push(Field { presence: Presence::Optional, ..field });
            continue;
        };
        let ty = within(&format!(".{}", field.name), join(&field.ty, &their.ty, contracts, depth + 1))?;
        let always = field.presence != Presence::Optional && their.presence != Presence::Optional;
        let presence = if always { Presence::Always } else { Presence::Optional };
        merged.push(Field { ty, presence, ..field });
    }
    for their in theirs {
        if !merged.iter().any(|field| field.name == their.name) {
            merged.push(Field { presence: Presence::Optional, ..their });
        }
    }
    Ok(Ty::record(merged))
}
