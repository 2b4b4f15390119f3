//! What becomes of a hold when one of its parcels is not to leave any more.

use mortise_types::{Applied, Parcel, Quantity, TenantId};

use super::StockError;
use super::reservation::{HeldLine, Reservation, Standing, parcel_demand};
use super::stock::Book;
use crate::contract::Settled;

impl Reservation {
    /// The parcel's units are free again, once: they stay on hand and are no longer claimed. `None` where the hold has not
    /// claimed them, which nobody's business can bring about.
    pub(crate) fn free(
        &mut self,
        book: &mut Book,
        tenant: &TenantId,
        parcel: &Parcel,
    ) -> Result<Option<Settled>, StockError> {
        let settled = |standing: Standing, applied| Settled { applied, state: standing.into() };
        if self.parcels.contains(&parcel.parcel_id) || self.standing == Standing::Released {
            return Ok(Some(settled(self.standing, Applied::Already)));
        }
        let staying = parcel_demand(parcel)?;
        let has = |line: &HeldLine| {
            let own = self.lines.iter().find(|own| own.0 == line.0 && own.1 == line.1);
            own.is_some_and(|own| own.2 >= line.2)
        };
        if self.standing != Standing::Claimed || !staying.iter().all(has) {
            return Ok(None);
        }
        for line in &staying {
            let levels = &mut book.shelf_mut(&line.key(tenant)).levels;
            levels.claimed = levels.claimed.checked_sub(line.2)?;
            for own in self.lines.iter_mut().filter(|own| own.0 == line.0 && own.1 == line.1) {
                own.2 = own.2.checked_sub(line.2)?;
            }
        }
        self.lines.retain(|line| line.2 > Quantity::ZERO);
        self.parcels.push(parcel.parcel_id.clone());
        if self.lines.is_empty() {
            self.standing = Standing::Shipped;
        }
        Ok(Some(settled(self.standing, Applied::Now)))
    }
}
