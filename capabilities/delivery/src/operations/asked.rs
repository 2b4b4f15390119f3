//! The question that `delivery.quote` puts to extensions.

use mortise_asking::{Asked, Refusal, attributes, line_of};
use mortise_capability::Call;
use mortise_points::delivery_fee::{Consignment as Asking, Item, Question};
use mortise_points::{DeliveryFee, Opened};
use mortise_types::ParcelItem;

use super::quote::Consignment;
use crate::contract::QuoteInput;

/// Asks what the consignments cost, beside what the shop's table says.
pub(super) fn ask(
    opened: &Opened<DeliveryFee>,
    call: &Call<QuoteInput>,
    consignments: &[Consignment<'_>],
) -> Result<Asked<DeliveryFee>, Refusal> {
    let ship_to = &call.input.ship_to;
    let question = Question {
        currency: call.input.currency,
        country: ship_to.country,
        region: ship_to.region.clone(),
        postal_code: ship_to.postal_code.clone(),
        trade_time: call.context.now,
        consignments: consignments.iter().map(|one| asking(opened, &call.input, one)).collect(),
    };
    mortise_asking::ask(opened, &call.context, &question)
}

fn asking(opened: &Opened<DeliveryFee>, input: &QuoteInput, consignment: &Consignment<'_>) -> Asking {
    let items = consignment.parcels.iter().flat_map(|parcel| &parcel.items);
    Asking {
        fee_id: consignment.fee_id.clone(),
        parcel_id: consignment.parcel.map(|parcel| parcel.parcel_id.clone()),
        location: consignment.parcel.map(|parcel| parcel.location.clone()),
        grams: consignment.grams,
        table_amount: consignment.table.ok(),
        items: items.map(|item| asked_item(opened, input, item)).collect(),
    }
}

fn asked_item(opened: &Opened<DeliveryFee>, input: &QuoteInput, item: &ParcelItem) -> Item {
    let line = line_of(&input.lines, &item.line_id, &item.sku);
    Item {
        line_id: item.line_id.clone(),
        sku: item.sku.clone(),
        quantity: item.quantity,
        attributes: attributes(opened, |name| {
            line.and_then(|line| line.attributes.get(name)).map(String::as_str)
        }),
    }
}
