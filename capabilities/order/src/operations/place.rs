//! `order.place`: stores an order with its price proof: a small header, its documents, the first entry of its timeline.

use std::collections::BTreeSet;
use std::sync::Arc;

use mortise_capability::{Call, Reply, StoreError, WriteOperation};
use mortise_store::Tx;
use mortise_types::IdSource;

use crate::contract::{OrderExists, OrderRef, PlaceInput, Placed};
use crate::rules::{self, Entry};
use crate::status::{Axis, OrderStatus};
use crate::store::{self, NewEntry, NewOrder, OrderKey};

pub(crate) struct Place {
    pub(crate) ids: Arc<dyn IdSource>,
}

impl WriteOperation for Place {
    type Input = PlaceInput;
    type Output = OrderRef;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<PlaceInput>],
    ) -> Result<Vec<Reply<OrderRef>>, StoreError> {
        let mut new = Vec::with_capacity(calls.len());
        for Call { context, input } in calls {
            rules::check_placing(&input.proof, &input.parcels)
                .map_err(|error| store::wrong(&input.order_id, error))?;
            let parcels = rules::fresh_parcels(&input.parcels);
            new.push(NewOrder { context, input, placement: self.ids.next().to_string(), parcels });
        }
        let inserted = store::insert_headers(tx, &new).await?;
        let (mut placed, mut entries) = (Vec::with_capacity(new.len()), Vec::with_capacity(new.len()));
        let mut replies = Vec::with_capacity(calls.len());
        for (order, inserted) in new.iter().zip(inserted) {
            let told = if inserted { Some(vec![first_entry()]) } else { place_again(tx, order).await? };
            let Some(told) = told else {
                let detail = OrderExists { order_id: order.input.order_id.clone() };
                replies.push(Reply::rejected("order_exists", &detail)?);
                continue;
            };
            entries.extend(told.into_iter().map(|entry| NewEntry {
                key: key(order),
                entry,
                now: order.context.now,
            }));
            placed.push(order);
            replies.push(reply(order.input)?);
        }
        store::insert_documents(tx, &placed).await?;
        store::insert_entries(tx, &entries).await?;
        Ok(replies)
    }
}

fn key(order: &NewOrder<'_>) -> OrderKey {
    (order.context.scope.tenant.clone(), order.input.order_id.clone())
}

const fn first_entry() -> Entry {
    Entry {
        position: 1,
        axis: Axis::Order,
        from: "",
        to: OrderStatus::Open.word(),
        subject: None,
        note: None,
    }
}

/// Rare, so it goes order by order: a trade that took its order back, and places it again under the same id.
async fn place_again(tx: &mut Tx<'_>, new: &NewOrder<'_>) -> Result<Option<Vec<Entry>>, StoreError> {
    let found = store::load_orders(tx, &BTreeSet::from([key(new)])).await?;
    let Some(mut order) = found.into_iter().flatten().next() else { return Ok(None) };
    let Some(entries) = order.place_again(&new.input.customer_id, new.parcels.clone()) else {
        return Ok(None);
    };
    store::replace_header(tx, new, order.position).await?;
    Ok(Some(entries))
}

fn reply(input: &PlaceInput) -> Result<Reply<OrderRef>, StoreError> {
    let placed = Placed {
        order_id: input.order_id.clone(),
        customer_id: input.customer_id.clone(),
        currency: input.currency,
        payable: input.proof.payable,
    };
    Reply::done(OrderRef { order_id: input.order_id.clone() }).emit("order.placed", &placed)
}
