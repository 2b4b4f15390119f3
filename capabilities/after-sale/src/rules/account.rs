//! What has come back of a sale and what was granted for it: the one row that every return of an order goes through, so
//! that returns that run at once together never pass what was bought or paid.

use std::collections::{BTreeMap, BTreeSet};

use mortise_types::{Amount, LineId, ParcelId, Quantity};
use serde::{Deserialize, Serialize};

use super::{AfterSaleError, Sale};
use crate::contract::TaxShare;

/// Units of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Units {
    /// Asked for by returns that are not settled.
    pub(crate) held: Quantity,
    /// Come back, for good.
    pub(crate) back: Quantity,
    /// Of these, never shipped.
    pub(crate) stopped: Quantity,
}

/// What changes of a sale.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    /// What of the price the shop has or has claimed; nothing beyond is ever granted.
    pub(crate) captured: Amount,
    /// What was granted, before charges.
    pub(crate) granted: Amount,
    /// The taxes in that.
    pub(crate) taxes: Vec<TaxShare>,
    /// Lines of which something was asked for.
    pub(crate) lines: BTreeMap<LineId, Units>,
    /// Parcels that were stopped before they left.
    pub(crate) parcels: BTreeSet<ParcelId>,
}

impl Account {
    pub(crate) fn units(&self, line_id: &LineId) -> Units {
        self.lines.get(line_id).copied().unwrap_or_default()
    }

    /// Units of a line that can still be asked for.
    pub(crate) fn left(&self, sale: &Sale, line_id: &LineId) -> Result<Quantity, AfterSaleError> {
        let units = self.units(line_id);
        Ok(sale.line(line_id)?.quantity.checked_sub(units.back)?.checked_sub(units.held)?)
    }

    /// Holds units for a return.
    pub(crate) fn hold(&mut self, line_id: &LineId, quantity: Quantity) -> Result<(), AfterSaleError> {
        let units = self.lines.entry(line_id.clone()).or_default();
        units.held = units.held.checked_add(quantity)?;
        Ok(())
    }

    /// Lets held units go.
    pub(crate) fn release(&mut self, line_id: &LineId, quantity: Quantity) -> Result<(), AfterSaleError> {
        let units = self.lines.entry(line_id.clone()).or_default();
        units.held = units.held.checked_sub(quantity)?;
        Ok(())
    }

    /// Units have come back.
    pub(crate) fn bring_back(
        &mut self,
        line_id: &LineId,
        quantity: Quantity,
        never_shipped: NeverShipped,
    ) -> Result<(), AfterSaleError> {
        let units = self.lines.entry(line_id.clone()).or_default();
        units.back = units.back.checked_add(quantity)?;
        if never_shipped == NeverShipped::Yes {
            units.stopped = units.stopped.checked_add(quantity)?;
        }
        Ok(())
    }
}

/// Whether units come back that never left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NeverShipped {
    Yes,
    No,
}
