//! What the carrier pays out of the cash that it has collected: one remittance a receiver and currency, of every parcel that
//! was not paid out before. Storing it and HTTP are not here.

use std::collections::BTreeMap;

use mortise_types::{Amount, Currency, Timestamp};
use serde::{Deserialize, Serialize};

use crate::shipment::Shipment;

/// The most parcels of one remittance; what is beyond is paid out by the next.
pub(crate) const ITEMS_MAX: usize = 1_000;

/// A parcel's part of a remittance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RemittedItem {
    pub(crate) shipment_id: String,
    pub(crate) reference: String,
    pub(crate) amount: Amount,
}

/// Money that the carrier has paid out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remittance {
    pub(crate) id: String,
    pub(crate) currency: Currency,
    /// What its items add up to.
    pub(crate) amount: Amount,
    pub(crate) items: Vec<RemittedItem>,
    pub(crate) webhook_url: String,
    pub(crate) created_at: Timestamp,
}

/// The remittances that are due, and the parcels as they are then. `pays` says what is paid out for a parcel; `None`
/// keeps it back until the next time.
pub(crate) fn due<'s>(
    shipments: impl Iterator<Item = &'s Shipment>,
    pays: impl Fn(&Shipment, Amount) -> Option<Amount>,
    mut mint: impl FnMut() -> String,
    now: Timestamp,
) -> (Vec<Remittance>, Vec<Shipment>) {
    let mut batches: BTreeMap<(&str, Currency), Vec<(&Shipment, Amount)>> = BTreeMap::new();
    for shipment in shipments.filter(|shipment| shipment.remittance.is_none()) {
        let (Some(collect), Some(collected)) = (shipment.collect, shipment.collected) else { continue };
        let batch = batches.entry((&shipment.webhook_url, collect.currency)).or_default();
        if collected.minor() > 0
            && batch.len() < ITEMS_MAX
            && let Some(amount) = pays(shipment, collected)
        {
            batch.push((shipment, amount));
        }
    }
    let (mut remittances, mut paid) = (Vec::new(), Vec::new());
    for ((webhook_url, currency), batch) in batches.into_iter().filter(|(_, batch)| !batch.is_empty()) {
        let id = mint();
        let item = |(shipment, amount): &(&Shipment, Amount)| RemittedItem {
            shipment_id: shipment.id.clone(),
            reference: shipment.reference.clone(),
            amount: *amount,
        };
        // A thousand amounts of a book that holds them as they are do not pass 64 bits.
        let total = batch.iter().fold(0_i64, |sum, (_, amount)| sum.saturating_add(amount.minor()));
        paid.extend(batch.iter().map(|(shipment, _)| {
            let remittance = Some(id.clone());
            Shipment { remittance, ..(*shipment).clone() }
        }));
        remittances.push(Remittance {
            id,
            currency,
            amount: Amount(total),
            items: batch.iter().map(item).collect(),
            webhook_url: webhook_url.to_owned(),
            created_at: now,
        });
    }
    (remittances, paid)
}
