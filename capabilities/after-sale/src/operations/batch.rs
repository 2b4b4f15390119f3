//! The returns of a batch with their sales, in memory: changed call by call, each written once.

use std::collections::{BTreeMap, BTreeSet};

use mortise_capability::{CallContext, StoreError};
use mortise_store::Tx;
use mortise_types::RmaId;

use crate::contract::RmaNews;
use crate::rules::Rma;
use crate::store::{self, RmaKey, SaleKey, Stored};

pub(super) fn key(context: &CallContext, rma_id: &RmaId) -> RmaKey {
    (context.scope.tenant.clone(), rma_id.clone())
}

pub(super) fn sale_key(key: &RmaKey, rma: &Rma) -> SaleKey {
    (key.0.clone(), rma.order_id.clone(), rma.placed_at)
}

/// Returns that stand already.
pub(super) struct Batch {
    rmas: BTreeMap<RmaKey, Rma>,
    sales: BTreeMap<SaleKey, Stored>,
    changed: BTreeSet<RmaKey>,
    changed_sales: BTreeSet<SaleKey>,
}

impl Batch {
    pub(super) async fn load(
        tx: &Tx<'_>,
        keys: impl IntoIterator<Item = RmaKey>,
    ) -> Result<Batch, StoreError> {
        let rmas = store::load_rmas(tx, keys.into_iter().collect()).await?;
        let sales = store::load_sales(tx, rmas.iter().map(|(key, rma)| sale_key(key, rma)).collect()).await?;
        Ok(Batch { rmas, sales, changed: BTreeSet::new(), changed_sales: BTreeSet::new() })
    }

    /// A return with its sale, to be changed; `touch` says that it was.
    pub(super) fn find(&mut self, key: &RmaKey) -> Result<Option<(&mut Rma, &mut Stored)>, StoreError> {
        let Some(rma) = self.rmas.get_mut(key) else { return Ok(None) };
        let sale = self.sales.get_mut(&sale_key(key, rma));
        let sale = sale.ok_or_else(|| store::off(format!("return {} has no sale", rma.rma_id)))?;
        Ok(Some((rma, sale)))
    }

    /// The return has changed, and with it its sale.
    pub(super) fn touch(&mut self, key: &RmaKey) {
        if let Some(rma) = self.rmas.get(key) {
            self.changed_sales.insert(sale_key(key, rma));
            self.changed.insert(key.clone());
        }
    }

    pub(super) async fn save(self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let sales = self.sales.iter().filter(|(key, _)| self.changed_sales.contains(key));
        store::save_sales(tx, &sales.collect::<Vec<_>>()).await?;
        let rmas = self.rmas.iter().filter(|(key, _)| self.changed.contains(key));
        store::save_rmas(tx, &rmas.collect::<Vec<_>>()).await
    }
}

/// What is told of a return.
pub(super) fn news(rma: &Rma) -> RmaNews {
    RmaNews {
        rma_id: rma.rma_id.clone(),
        order_id: rma.order_id.clone(),
        customer_id: rma.customer_id.clone(),
        state: rma.state,
        note: rma.document.note.clone(),
    }
}
