//! How an order is split: by location, nothing lost and nothing twice. It knows no weights and no carriers.

mod money;

pub(crate) use money::split_money;

use mortise_types::{
    Allocation, ArithmeticError, InvalidText, OrderId, Parcel, ParcelId, ParcelItem, Quantity,
};

use crate::contract::{OrderIdTooLong, PARCELS_MAX, PlanOutput, TooManyParcels};

/// The most characters of an order id: those of a parcel id, less a dash and two digits.
pub(crate) const ORDER_ID_MAX_CHARS: usize = 125;

/// What was decided for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Planned(PlanOutput),
    TooMany(TooManyParcels),
    TooLong(OrderIdTooLong),
}

/// What cannot be split because it makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SplitError {
    #[error(transparent)]
    Arithmetic(#[from] ArithmeticError),
    #[error(transparent)]
    Id(#[from] InvalidText),
    #[error("{0} units are allocated of a line: at least 1 is")]
    Quantity(Quantity),
}

/// A parcel a location, in the order in which the allocations name locations; allocations of one line and item at one
/// location become one item of the parcel.
pub(crate) fn plan(order_id: &OrderId, allocations: &[Allocation]) -> Result<Decision, SplitError> {
    let mut parcels: Vec<Parcel> = Vec::new();
    if order_id.as_str().chars().count() > ORDER_ID_MAX_CHARS {
        let detail = OrderIdTooLong { order_id: order_id.clone(), most_chars: ORDER_ID_MAX_CHARS as i64 };
        return Ok(Decision::TooLong(detail));
    }
    let mut locations: Vec<&str> = Vec::new();
    for allocation in allocations {
        if allocation.quantity < Quantity::ONE {
            return Err(SplitError::Quantity(allocation.quantity));
        }
        let at = locations.iter().position(|location| *location == allocation.location.as_str());
        match at.and_then(|at| parcels.get_mut(at)) {
            Some(parcel) => put(&mut parcel.items, allocation)?,
            None if at.is_some() => {}
            None => {
                locations.push(allocation.location.as_str());
                if locations.len() <= PARCELS_MAX {
                    parcels.push(parcel(order_id, locations.len(), allocation)?);
                }
            }
        }
    }
    if locations.len() > PARCELS_MAX {
        let (parcels, most) = (locations.len() as i64, PARCELS_MAX as i64);
        return Ok(Decision::TooMany(TooManyParcels { parcels, most }));
    }
    Ok(Decision::Planned(PlanOutput { parcels, decided: None }))
}

/// The id of an order's parcel, numbered from 1.
pub(crate) fn parcel_id(order_id: &OrderId, number: usize) -> Result<ParcelId, InvalidText> {
    ParcelId::new(format!("{order_id}-{number}"))
}

fn parcel(order_id: &OrderId, number: usize, first: &Allocation) -> Result<Parcel, SplitError> {
    Ok(Parcel {
        parcel_id: parcel_id(order_id, number)?,
        location: first.location.clone(),
        items: vec![item(first)],
    })
}

fn put(items: &mut Vec<ParcelItem>, allocation: &Allocation) -> Result<(), SplitError> {
    let same = items.iter_mut().find(|item| item.line_id == allocation.line_id && item.sku == allocation.sku);
    match same {
        Some(item) => item.quantity = item.quantity.checked_add(allocation.quantity)?,
        None => items.push(item(allocation)),
    }
    Ok(())
}

fn item(allocation: &Allocation) -> ParcelItem {
    ParcelItem {
        line_id: allocation.line_id.clone(),
        sku: allocation.sku.clone(),
        quantity: allocation.quantity,
    }
}

#[cfg(test)]
mod tests;
