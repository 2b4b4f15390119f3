//! What the inventory decides, on plain values: who may have stock, what becomes of a hold, what a count changes. It
//! reads no database and knows no time.

pub(crate) mod allocate;
mod free;
pub(crate) mod reservation;
pub(crate) mod stock;

use mortise_types::{ArithmeticError, Quantity, Sku};

/// What cannot be decided, because the figures make no sense. It is nobody's business "no".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StockError {
    /// Beyond 64 bits.
    #[error(transparent)]
    Arithmetic(#[from] ArithmeticError),
    /// Less than one unit was asked, which the contract excludes.
    #[error("{quantity} units of {sku}: at least 1 is asked")]
    Quantity {
        /// The item.
        sku: Sku,
        /// What was asked.
        quantity: Quantity,
    },
}

/// At least one unit.
pub(crate) fn at_least_one(sku: &Sku, quantity: Quantity) -> Result<Quantity, StockError> {
    if quantity < Quantity::ONE {
        Err(StockError::Quantity { sku: sku.clone(), quantity })
    } else {
        Ok(quantity)
    }
}

#[cfg(test)]
mod tests;
