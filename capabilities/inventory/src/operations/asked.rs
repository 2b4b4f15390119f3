//! The question that `inventory.allocate` puts to extensions, and what their answer makes of the shop's own decision.

use std::collections::HashSet;

use mortise_asking::{Asked, Decided, ask, attributes};
use mortise_capability::{Call, Reply, StoreError};
use mortise_points::allocation::{Chosen, Destination, Line, Question, Stock};
use mortise_points::{Allocation as AllocationPoint, Opened};
use mortise_types::{Allocation, LineId, Quantity, RequestedLine};

use crate::contract::{AllocateInput, AllocateOutput};
use crate::policy::ShortStock;
use crate::rules::allocate::{Offers, OpenTo};

/// Whether units are sold that nobody has: no choice of locations covers them.
pub(super) fn owes(output: &AllocateOutput, short_stock: ShortStock) -> bool {
    short_stock == ShortStock::Backorder && !output.short.is_empty()
}

/// Asks for another choice of locations for what is sold. `offers` are in the shop's order.
pub(super) fn reply(
    opened: &Opened<AllocationPoint>,
    call: &Call<AllocateInput>,
    output: AllocateOutput,
    offers: Offers,
) -> Result<Reply<AllocateOutput>, StoreError> {
    let question = question(opened, call, &output.lines, &offers);
    match ask(opened, &call.context, &question) {
        Ok(Asked { reduced: None, calls }) => Ok(Reply::done(output).asked(calls)),
        Ok(Asked { reduced: Some(chosen), calls }) => Ok(Reply::done(chosen_by(chosen, output)).asked(calls)),
        Err(refusal) => refusal.reply(),
    }
}

fn question(
    opened: &Opened<AllocationPoint>,
    call: &Call<AllocateInput>,
    lines: &[RequestedLine],
    offers: &Offers,
) -> Question {
    let ship_to = call.input.ship_to.as_ref().map(|address| Destination {
        country: address.country,
        region: address.region.clone(),
        postal_code: address.postal_code.clone(),
    });
    let line = |(index, line): (usize, &RequestedLine)| Line {
        line_id: LineId::nth(index),
        sku: line.sku.clone(),
        quantity: line.quantity,
        location: line.location.clone(),
        attributes: attributes(opened, |name| line.attributes.get(name).map(String::as_str)),
    };
    Question {
        ship_to,
        trade_time: call.context.now,
        lines: lines.iter().enumerate().map(line).collect(),
        stock: stock(lines, offers),
    }
}

/// What is saleable of each item, once an item, in the order of the lines.
fn stock(lines: &[RequestedLine], offers: &Offers) -> Vec<Stock> {
    let mut seen = HashSet::new();
    let items = lines.iter().map(|line| &line.sku).filter(|sku| seen.insert(*sku));
    let offered = items.flat_map(|sku| offers.of_item(sku).iter().map(move |offer| (sku, offer)));
    let there = offered.filter(|(_, offer)| offer.saleable >= Quantity::ONE);
    let stock = there.map(|(sku, offer)| Stock {
        sku: sku.clone(),
        location: offer.location.clone(),
        saleable: offer.saleable,
        abroad: offer.preference.foreign != 0,
        priority: offer.preference.priority,
        named_only: offer.open_to == OpenTo::NamedLines,
    });
    stock.collect()
}

fn chosen_by(chosen: Chosen, output: AllocateOutput) -> AllocateOutput {
    let lines = &output.lines;
    let takes = chosen.proposal.takes.into_iter();
    let allocations = takes.filter_map(|take| {
        let sku = lines.get(take.line_index)?.sku.clone();
        let line_id = LineId::nth(take.line_index);
        Some(Allocation { line_id, sku, location: take.location, quantity: take.quantity })
    });
    let allocations = allocations.collect();
    let extension = chosen.extension.as_str().to_owned();
    let decided = Some(Decided { extension, reason: chosen.proposal.reason });
    AllocateOutput { allocations, decided, ..output }
}
