//! Where lines come from: a line's named location, else the shop's locations in their order, and what happens to a line
//! of which there is not enough. It proposes; nothing is held.

use std::collections::HashMap;

use mortise_types::{Allocation, LineId, LocationId, Quantity, RequestedLine, Sku};

use super::{StockError, at_least_one};
use crate::contract::{ALLOCATIONS_MAX, AllocateOutput, Shortage};
use crate::policy::ShortStock;

/// Whether every line may come from a location, or only lines that name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpenTo {
    Anyone,
    NamedLines,
}

/// How close a location stands to the order; the least is asked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Preference {
    /// 0 in the country of the delivery, 1 elsewhere; always 0 where the country is not known.
    pub(crate) foreign: i64,
    /// The location's own.
    pub(crate) priority: i64,
}

/// What a location has of an item for this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) location: LocationId,
    /// Units; zero or less where everything is promised.
    pub(crate) saleable: Quantity,
    pub(crate) preference: Preference,
    pub(crate) open_to: OpenTo,
}

/// Offers by item. Each order works on its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offers(HashMap<Sku, Vec<Offer>>);

impl Offers {
    /// Takes an offer in; a location offers an item once, and to anyone if it does to anyone.
    pub(crate) fn put(&mut self, sku: &Sku, offer: Offer) {
        let offers = self.0.entry(sku.clone()).or_default();
        match offers.iter_mut().find(|known| known.location == offer.location) {
            Some(known) if offer.open_to == OpenTo::Anyone => *known = offer,
            Some(_) => {}
            None => offers.push(offer),
        }
    }

    pub(crate) fn in_order(mut self) -> Offers {
        for offers in self.0.values_mut() {
            offers.sort_by(|a, b| (a.preference, &a.location).cmp(&(b.preference, &b.location)));
        }
        self
    }

    /// The offers of an item.
    pub(crate) fn of_item(&self, sku: &Sku) -> &[Offer] {
        self.0.get(sku).map_or(&[], Vec::as_slice)
    }

    /// The offers that a line may use, the preferred one first.
    fn of<'a>(&'a mut self, line: &'a RequestedLine) -> impl Iterator<Item = &'a mut Offer> {
        let offers = self.0.get_mut(&line.sku).into_iter().flatten();
        offers.filter(|offer| match &line.location {
            Some(location) => offer.location == *location,
            None => offer.open_to == OpenTo::Anyone,
        })
    }
}

/// What was decided for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// These places.
    Allocated(AllocateOutput),
    /// There is not enough of something.
    OutOfStock(Shortage),
}

/// What one line gets.
#[derive(Clone, Debug)]
struct Share {
    taken: Vec<(LocationId, Quantity)>,
    missing: Quantity,
}

impl Share {
    fn got(&self) -> Result<Quantity, StockError> {
        Ok(Quantity::sum(self.taken.iter().map(|(_, units)| *units))?)
    }
}

/// Decides where `lines` come from. Lines that name their location are served before those that may go elsewhere.
pub(crate) fn allocate(
    lines: &[RequestedLine],
    offers: Offers,
    short_stock: ShortStock,
) -> Result<Decision, StockError> {
    let mut offers = offers.in_order();
    let mut shares = share_out(lines, &mut offers)?;
    let short = shortages(lines, &shares)?;
    if let Some(first) = short.first() {
        let rejected = match short_stock {
            ShortStock::AllOrNothing => Some(first),
            ShortStock::Cut if shares.iter().all(|share| share.taken.is_empty()) => Some(first),
            ShortStock::Cut => None,
            ShortStock::Backorder => match backorder(lines, &mut shares, &mut offers)? {
                None => None,
                Some(line) => short.iter().find(|s| s.sku == line.sku && s.location == line.location),
            },
        };
        if let Some(shortage) = rejected {
            return Ok(Decision::OutOfStock(shortage.clone()));
        }
    }
    let (mut sold, mut allocations) = (Vec::new(), Vec::new());
    for (line, share) in lines.iter().zip(shares) {
        if share.taken.is_empty() {
            continue;
        }
        let line_id = LineId::nth(sold.len());
        sold.push(RequestedLine { quantity: share.got()?, ..line.clone() });
        allocations.extend(share.taken.into_iter().map(|(location, quantity)| Allocation {
            line_id: line_id.clone(),
            sku: line.sku.clone(),
            location,
            quantity,
        }));
    }
    Ok(Decision::Allocated(AllocateOutput { allocations, lines: sold, short, decided: None }))
}

fn share_out(lines: &[RequestedLine], offers: &mut Offers) -> Result<Vec<Share>, StockError> {
    let mut shares = Vec::with_capacity(lines.len());
    for line in lines {
        shares.push(Share { taken: Vec::new(), missing: at_least_one(&line.sku, line.quantity)? });
    }
    let mut room = ALLOCATIONS_MAX.saturating_sub(lines.len());
    let named = lines.iter().zip(&mut shares).filter(|(line, _)| line.location.is_some());
    for (line, share) in named {
        take(line, share, offers, &mut room)?;
    }
    let others = lines.iter().zip(&mut shares).filter(|(line, _)| line.location.is_none());
    for (line, share) in others {
        take(line, share, offers, &mut room)?;
    }
    Ok(shares)
}

/// Takes what there is; `room` is how many further locations the order may use beyond one a line.
fn take(
    line: &RequestedLine,
    share: &mut Share,
    offers: &mut Offers,
    room: &mut usize,
) -> Result<(), StockError> {
    for offer in offers.of(line) {
        if share.missing.is_zero() {
            break;
        }
        if offer.saleable < Quantity::ONE {
            continue;
        }
        if !share.taken.is_empty() {
            let Some(left) = room.checked_sub(1) else { break };
            *room = left;
        }
        let units = offer.saleable.min(share.missing);
        offer.saleable = offer.saleable.checked_sub(units)?;
        share.missing = share.missing.checked_sub(units)?;
        share.taken.push((offer.location.clone(), units));
    }
    Ok(())
}

/// What is missing, summed by item and named location, in the order of the lines.
fn shortages(lines: &[RequestedLine], shares: &[Share]) -> Result<Vec<Shortage>, StockError> {
    let mut short: Vec<Shortage> = Vec::new();
    let missing = lines.iter().zip(shares).filter(|(_, share)| !share.missing.is_zero());
    for (line, _) in missing {
        if short.iter().any(|s| s.sku == line.sku && s.location == line.location) {
            continue;
        }
        let same =
            || lines.iter().zip(shares).filter(|(l, _)| l.sku == line.sku && l.location == line.location);
        let mut available = Quantity::ZERO;
        for (_, share) in same() {
            available = available.checked_add(share.got()?)?;
        }
        short.push(Shortage {
            sku: line.sku.clone(),
            location: line.location.clone(),
            wanted: Quantity::sum(same().map(|(line, _)| line.quantity))?,
            available,
        });
    }
    Ok(short)
}

/// What is missing is owed by the first location that a line comes from, else by the preferred one that carries the
/// item. Answers a line that nobody carries.
fn backorder<'a>(
    lines: &'a [RequestedLine],
    shares: &mut [Share],
    offers: &mut Offers,
) -> Result<Option<&'a RequestedLine>, StockError> {
    for (line, share) in lines.iter().zip(shares) {
        if share.missing.is_zero() {
            continue;
        }
        if let Some((_, units)) = share.taken.first_mut() {
            *units = units.checked_add(share.missing)?;
        } else if let Some(home) = offers.of(line).next() {
            share.taken.push((home.location.clone(), share.missing));
        } else {
            return Ok(Some(line));
        }
    }
    Ok(None)
}
