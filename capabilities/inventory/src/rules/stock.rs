//! The stock of one batch in memory: figures by item and location, changed call by call and written once.
//! on_hand = free + reserved + claimed, where free may be below zero for what is sold before it is there.

use std::collections::HashMap;

use mortise_types::{ArithmeticError, LocationId, Quantity, Sku, TenantId};

/// An item at a location of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StockKey {
    pub(crate) tenant: TenantId,
    pub(crate) sku: Sku,
    pub(crate) location: LocationId,
}

/// Units of an item at a location.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Levels {
    pub(crate) on_hand: Quantity,
    pub(crate) reserved: Quantity,
    pub(crate) claimed: Quantity,
}

impl Levels {
    /// What is neither reserved nor claimed.
    pub(crate) fn free(self) -> Result<Quantity, ArithmeticError> {
        self.on_hand.checked_sub(self.reserved)?.checked_sub(self.claimed)
    }

    /// What may be sold: free units beyond the threshold.
    pub(crate) fn saleable(self, threshold: Quantity) -> Result<Quantity, ArithmeticError> {
        self.free()?.checked_sub(threshold)
    }
}

/// A row of stock, as it is stored and as it will be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shelf {
    /// As it will be.
    pub(crate) levels: Levels,
    /// The row's own threshold.
    pub(crate) threshold: Option<Quantity>,
    /// As it is stored; none if there is no row.
    stored: Option<Levels>,
}

impl Shelf {
    /// A stored row.
    pub(crate) const fn stored(levels: Levels, threshold: Option<Quantity>) -> Shelf {
        Shelf { levels, threshold, stored: Some(levels) }
    }

    pub(crate) fn saleable(&self, shop_threshold: Quantity) -> Result<Quantity, ArithmeticError> {
        self.levels.saleable(self.threshold.unwrap_or(shop_threshold))
    }
}

/// What has to be written for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShelfChange {
    /// A row that did not exist.
    New(Levels),
    /// Differences to add to a row.
    By(Levels),
}

/// The rows of stock that a batch touches.
#[derive(Debug, Default)]
pub(crate) struct Book {
    shelves: HashMap<StockKey, Shelf>,
}

impl Book {
    /// Takes a row in.
    pub(crate) fn put(&mut self, key: StockKey, shelf: Shelf) {
        self.shelves.insert(key, shelf);
    }

    /// The row, empty if there is none.
    pub(crate) fn shelf(&self, key: &StockKey) -> Shelf {
        self.shelves.get(key).copied().unwrap_or_default()
    }

    /// The row, to be changed.
    pub(crate) fn shelf_mut(&mut self, key: &StockKey) -> &mut Shelf {
        if !self.shelves.contains_key(key) {
            self.shelves.insert(key.clone(), Shelf::default());
        }
        self.shelves.get_mut(key).expect("it was put there above")
    }

    /// What differs from what is stored, in the order of the table's key: one change a row, whatever the batch did.
    pub(crate) fn changes(&self) -> Result<Vec<(&StockKey, ShelfChange)>, ArithmeticError> {
        let mut changes = Vec::new();
        for (key, shelf) in &self.shelves {
            let now = shelf.levels;
            match shelf.stored {
                Some(before) if before == now => {}
                None if now == Levels::default() => {}
                None => changes.push((key, ShelfChange::New(now))),
                Some(before) => changes.push((
                    key,
                    ShelfChange::By(Levels {
                        on_hand: now.on_hand.checked_sub(before.on_hand)?,
                        reserved: now.reserved.checked_sub(before.reserved)?,
                        claimed: now.claimed.checked_sub(before.claimed)?,
                    }),
                )),
            }
        }
        changes.sort_by(|a, b| a.0.cmp(b.0));
        Ok(changes)
    }
}
