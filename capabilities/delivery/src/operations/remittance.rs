//! `delivery.record_remittance`: what a carrier pays out of the cash that it collected, taken once. What came for a parcel is
//! told with what was collected for it; what a difference means is the trade's matter.

use mortise_capability::{Call, Reply, WriteOperation};
use mortise_store::{StoreError, Tx};
use mortise_types::Amount;

use super::{key, too_large};
use crate::contract::{Applied, Remittance, RemittanceNews, RemittanceRefused, RemittanceTaken};
use crate::store::{Shipments, add_remitted, take_remittances};

pub(crate) struct RecordRemittance;

impl WriteOperation for RecordRemittance {
    type Input = Remittance;
    type Output = RemittanceTaken;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<Remittance>],
    ) -> Result<Vec<Reply<RemittanceTaken>>, StoreError> {
        let mut sums = Vec::with_capacity(calls.len());
        for call in calls {
            sums.push(Amount::sum(call.input.items.iter().map(|item| item.amount)).map_err(too_large)?);
        }
        let adds_up: Vec<bool> =
            calls.iter().zip(&sums).map(|(call, added_up)| call.input.amount == *added_up).collect();
        let taken = calls.iter().zip(&adds_up).filter(|(_, adds_up)| **adds_up).map(|(call, _)| call);
        let mut is_new = take_remittances(tx, taken).await?.into_iter();
        let keys = calls
            .iter()
            .flat_map(|call| call.input.items.iter().map(move |item| key(call, &item.shipment_id)));
        let mut shipments = Shipments::load(tx, keys).await?;
        let (mut rows, mut replies) = (Vec::new(), Vec::with_capacity(calls.len()));
        for ((call, added_up), adds_up) in calls.iter().zip(sums).zip(adds_up) {
            let Remittance { remittance_id, amount, .. } = &call.input;
            if !adds_up {
                let remittance_id = remittance_id.clone();
                let detail = RemittanceRefused { remittance_id, stated: *amount, added_up };
                replies.push(Reply::rejected("remittance_refused", &detail)?);
            } else if is_new.next() == Some(true) {
                rows.push(call);
                replies.push(take(&mut shipments, call)?);
            } else {
                let (applied, unknown) = (Applied::Already, Vec::new());
                replies.push(Reply::done(RemittanceTaken { applied, unknown }));
            }
        }
        shipments.save(tx).await?;
        add_remitted(tx, &rows).await?;
        Ok(replies)
    }
}

fn take(shipments: &mut Shipments, call: &Call<Remittance>) -> Result<Reply<RemittanceTaken>, StoreError> {
    let Remittance { remittance_id, currency, items, .. } = &call.input;
    let (mut news, mut unknown) = (Vec::new(), Vec::new());
    for item in items {
        let Some(shipment) = shipments.get_mut(&key(call, &item.shipment_id)) else {
            unknown.push(item.shipment_id.clone());
            continue;
        };
        shipment.remitted = shipment.remitted.checked_add(item.amount).map_err(too_large)?;
        news.push(RemittanceNews {
            shipment_id: shipment.shipment_id.clone(),
            order_id: shipment.order_id.clone(),
            parcel_id: shipment.parcel_id.clone(),
            remittance_id: remittance_id.clone(),
            amount: item.amount,
            collected: shipment.collected,
            currency: *currency,
        });
    }
    let mut reply = Reply::done(RemittanceTaken { applied: Applied::Now, unknown });
    for news in news {
        reply = reply.emit("delivery.remitted", &news)?;
    }
    Ok(reply)
}
