//! The question that `order_splitting.plan` puts to extensions, and the parcels that their answer makes.

use mortise_asking::{Asked, Decided, ask, attributes, line_of};
use mortise_capability::{Call, Reply, StoreError};
use mortise_points::order_split::{Chosen, Item, Question, ValidParcel};
use mortise_points::{Opened, OrderSplit};
use mortise_types::{OrderId, Parcel, ParcelItem};

use crate::contract::{PlanInput, PlanOutput};
use crate::rules::parcel_id;

/// Asks for another plan than `own`, a parcel a location; an order without goods is nobody's to split.
pub(crate) fn reply(
    opened: &Opened<OrderSplit>,
    call: &Call<PlanInput>,
    own: PlanOutput,
) -> Result<Reply<PlanOutput>, StoreError> {
    let question = question(opened, call, &own);
    if question.items.is_empty() {
        return Ok(Reply::done(own));
    }
    match ask(opened, &call.context, &question) {
        Ok(Asked { reduced: None, calls }) => Ok(Reply::done(own).asked(calls)),
        Ok(Asked { reduced: Some(chosen), calls }) => {
            let output = parcels(&call.input.order_id, &question, chosen)?;
            Ok(Reply::done(output).asked(calls))
        }
        Err(refusal) => refusal.reply(),
    }
}

/// What is in the parcels of the shop's own plan: allocations of one line at one location are one item in it.
fn question(opened: &Opened<OrderSplit>, call: &Call<PlanInput>, own: &PlanOutput) -> Question {
    let items = own.parcels.iter().flat_map(|parcel| parcel.items.iter().map(move |item| (parcel, item)));
    let items = items.map(|(parcel, item)| {
        let line = line_of(&call.input.lines, &item.line_id, &item.sku);
        Item {
            line_id: item.line_id.clone(),
            sku: item.sku.clone(),
            location: parcel.location.clone(),
            quantity: item.quantity,
            attributes: attributes(opened, |name| {
                line.and_then(|line| line.attributes.get(name)).map(String::as_str)
            }),
        }
    });
    Question { trade_time: call.context.now, items: items.collect() }
}

fn parcels(order_id: &OrderId, question: &Question, chosen: Chosen) -> Result<PlanOutput, StoreError> {
    let parcel = |(index, parcel): (usize, ValidParcel)| {
        let items = parcel.parts.iter().map(|part| {
            let Item { line_id, sku, .. } = &question.items[part.item_index];
            ParcelItem { line_id: line_id.clone(), sku: sku.clone(), quantity: part.quantity }
        });
        let parcel_id = parcel_id(order_id, index + 1).map_err(|e| StoreError::Value(e.to_string()))?;
        Ok(Parcel { parcel_id, location: parcel.location, items: items.collect() })
    };
    let parcels: Result<Vec<Parcel>, StoreError> =
        chosen.plan.parcels.into_iter().enumerate().map(parcel).collect();
    let decided = Decided { extension: chosen.extension.as_str().to_owned(), reason: chosen.plan.reason };
    Ok(PlanOutput { parcels: parcels?, decided: Some(decided) })
}
