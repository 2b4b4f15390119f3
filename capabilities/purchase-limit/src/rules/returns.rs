//! What units that came back no longer count against.

use mortise_types::{ArithmeticError, ItemUnits, Quantity, Sku};

use super::Target;
use crate::contract::Claim;

/// What each claim of an order loses by `units`, never more than it has: `target` is what a claim's rule is about, if that
/// is still known; `in_group` says whether an item is in a group.
pub(crate) fn give_back<'t>(
    claims: &[Claim],
    units: &[ItemUnits],
    target: impl Fn(&str) -> Option<&'t Target>,
    in_group: impl Fn(&Sku, &str) -> bool,
) -> Result<Vec<Quantity>, ArithmeticError> {
    let mut lost = Vec::with_capacity(claims.len());
    for claim in claims {
        let about = target(&claim.rule);
        let counted = units.iter().filter(|unit| match about {
            None => false,
            Some(Target::All) => true,
            Some(Target::Item(sku)) => *sku == unit.sku,
            Some(Target::Group(group)) => in_group(&unit.sku, group),
        });
        let back = Quantity::sum(counted.map(|unit| unit.quantity.max(Quantity::ZERO)))?;
        lost.push(back.min(claim.quantity));
    }
    Ok(lost)
}
