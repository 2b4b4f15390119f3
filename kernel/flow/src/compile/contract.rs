//! The templates that contracts carry: undo over `input` and `output`, late calls over `event`.

use mortise_contract::{CallTemplate, Contracts, Schema};

use super::CompileError;
use super::expression::Expressions;
use super::names::{Bound, Names, Shape};
use super::program::{Handle, Taking};
use crate::ast::Place;
use crate::parse::contract_template;

/// A call of a contract's template; the names are the slots, in order.
pub(super) fn taking(
    contracts: &Contracts,
    of: &str,
    template: &CallTemplate,
    names: &[(&str, &Schema)],
) -> Result<Taking, CompileError> {
    if !contracts.operations.contains_key(&template.call) {
        return Err(CompileError::UnknownOperation(template.call.clone()));
    }
    let mut bound = Names::default();
    for (slot, (name, schema)) in (0_u16..).zip(names) {
        bound.bind(*name, Bound::Slot { level: 0, slot }, Shape::Schema(schema));
    }
    let parsed = contract_template(&template.with, Place::default())
        .map_err(|problem| CompileError::Template { of: of.to_owned(), problem })?;
    let (with, _) = Expressions::new(contracts, &mut bound, 0).template(&parsed)?;
    Ok(Taking { operation: template.call.as_str().into(), with })
}

/// The path of a handle: `reservation`, `shares[].share`.
pub(super) fn handles(resource: &str, path: &str) -> Handle {
    let path = path.split('.').map(|field| field.trim_end_matches("[]").into()).collect();
    Handle { resource: resource.into(), path }
}
