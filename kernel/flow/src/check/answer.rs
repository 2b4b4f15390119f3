//! The type of what the caller gets: all answers of a flow merged, a field that one lacks being optional.

use mortise_contract::{Contracts, Schema, Type, Types};

use super::Checker;
use crate::typing::{Kind, Ty};

impl<'c> Checker<'c> {
    pub(super) fn answer_schema(&mut self) -> Schema {
        let mut merged: Option<Ty<'c>> = None;
        for (place, ty) in std::mem::take(&mut self.answers) {
            if !matches!(ty.kind, Kind::Record(_) | Kind::Unknown) {
                let shown = ty.shown(self.contracts);
                self.refuse(
                    "type-mismatch",
                    place,
                    format!("an answer is {shown}"),
                    "an answer is a record: `answer: { order_id: ... }`",
                );
                continue;
            }
            merged = Some(match merged {
                None => ty,
                Some(before) => match before.join(&ty, self.contracts) {
                    Ok(joined) => joined,
                    Err(misfit) => {
                        let at = misfit.path.trim_start_matches('.');
                        let message =
                            format!("`{at}` differs from the answer of another way: it {}", misfit.reason);
                        self.refuse(
                            misfit.code,
                            place,
                            message,
                            "give the field one type in all answers, or two names",
                        );
                        before
                    }
                },
            });
        }
        let schema = merged.map_or_else(Schema::empty_object, |ty| ty.schema(self.contracts));
        unfolded(schema, self.contracts)
    }
}

/// A top-level reference to a record becomes the record, as contracts do it.
fn unfolded(schema: Schema, contracts: &Contracts) -> Schema {
    match contracts.resolve(&schema) {
        Some(inner) if inner.types.as_ref().and_then(Types::main) == Some(Type::Object) => inner.clone(),
        _ => schema,
    }
}
