//! `inventory.allocate`: proposes where lines come from, on what a reader sees, or as an extension says. It holds nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use mortise_capability::{Call, Chosen, Policies, ReadOperation, Reply, StoreError};
use mortise_points::{Allocation, Points};
use mortise_store::{Reader, Statement};
use mortise_types::{LocationId, Quantity, Sku, TenantId};

use super::asked;
use crate::contract::{AllocateInput, AllocateOutput};
use crate::policy::InventoryPolicy;
use crate::rules::StockError;
use crate::rules::allocate::{Decision, Offer, Offers, OpenTo, Preference, allocate};
use crate::rules::stock::Levels;

/// Locations that have some come first, so that the limit cuts off none that matters.
const OFFERS: Statement = Statement::pair(
    "inventory.offers",
    "SELECT s.location, s.on_hand, s.reserved, s.claimed, coalesce(s.threshold, ?4),
            CASE WHEN ?3 IS NULL OR l.country = ?3 THEN 0 ELSE 1 END, l.priority
     FROM inventory_stock s CROSS JOIN inventory_location l
     WHERE s.tenant = ?1 AND s.sku = ?2 AND l.tenant = s.tenant AND l.location = s.location AND l.state = 'open'
     ORDER BY s.on_hand - s.reserved - s.claimed - coalesce(s.threshold, ?4) > 0 DESC, 6, 7, 1
     LIMIT 50",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4)
       WITH ORDINALITY AS item (tenant, sku, country, threshold, n)
     CROSS JOIN LATERAL (
       SELECT s.location, s.on_hand, s.reserved, s.claimed, coalesce(s.threshold, item.threshold),
       CASE WHEN item.country IS NULL OR l.country = item.country THEN 0 ELSE 1 END, l.priority
       FROM inventory_stock s CROSS JOIN inventory_location l
       WHERE s.tenant = item.tenant AND s.sku = item.sku AND l.tenant = s.tenant
         AND l.location = s.location AND l.state = 'open'
       ORDER BY s.on_hand - s.reserved - s.claimed - coalesce(s.threshold, item.threshold) > 0 DESC, 6, 7, 1
       LIMIT 50) AS found",
);
const OFFER_AT: Statement = Statement::pair(
    "inventory.offer_at",
    "SELECT s.location, s.on_hand, s.reserved, s.claimed, coalesce(s.threshold, ?4), 0, l.priority
     FROM inventory_stock s CROSS JOIN inventory_location l
     WHERE s.tenant = ?1 AND s.sku = ?2 AND s.location = ?3
       AND l.tenant = s.tenant AND l.location = s.location AND l.state = 'open'",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4)
       WITH ORDINALITY AS item (tenant, sku, location, threshold, n)
     CROSS JOIN LATERAL (
       SELECT s.location, s.on_hand, s.reserved, s.claimed, coalesce(s.threshold, item.threshold), 0, l.priority
       FROM inventory_stock s CROSS JOIN inventory_location l
       WHERE s.tenant = item.tenant AND s.sku = item.sku AND s.location = item.location
       AND l.tenant = s.tenant AND l.location = s.location AND l.state = 'open') AS found",
);

type OfferRow = (LocationId, Quantity, Quantity, Quantity, Quantity, i64, i64);

/// What one look-up asks: an item, for a country or at a location, under a threshold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Ask<'a> {
    tenant: &'a TenantId,
    sku: &'a Sku,
    at: Option<&'a str>,
    threshold: Quantity,
}

pub(crate) struct Allocate {
    pub(crate) policies: Arc<Policies>,
    pub(crate) points: Arc<dyn Points>,
}

impl ReadOperation for Allocate {
    type Input = AllocateInput;
    type Output = AllocateOutput;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<AllocateInput>],
    ) -> Result<Vec<Reply<AllocateOutput>>, StoreError> {
        let policies: Vec<Arc<Chosen<InventoryPolicy>>> =
            calls.iter().map(|call| self.policies.get(&call.context.scope)).collect();
        let mut everywhere: BTreeMap<Ask<'_>, Vec<OfferRow>> = BTreeMap::new();
        let mut named: BTreeMap<Ask<'_>, Vec<OfferRow>> = BTreeMap::new();
        for (call, chosen) in calls.iter().zip(&policies) {
            for (ask, open_to) in asks(call, &chosen.policy) {
                match open_to {
                    OpenTo::Anyone => everywhere.entry(ask).or_default(),
                    OpenTo::NamedLines => named.entry(ask).or_default(),
                };
            }
        }
        fetch(reader, &OFFERS, &mut everywhere).await?;
        fetch(reader, &OFFER_AT, &mut named).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for (call, chosen) in calls.iter().zip(&policies) {
            let mut offers = Offers::default();
            for (ask, open_to) in asks(call, &chosen.policy) {
                let rows = match open_to {
                    OpenTo::Anyone => everywhere.get(&ask),
                    OpenTo::NamedLines => named.get(&ask),
                };
                for row in rows.into_iter().flatten() {
                    offers.put(ask.sku, offer(row, open_to)?);
                }
            }
            replies.push(self.decide(call, offers, &chosen.policy)?);
        }
        Ok(replies)
    }
}

impl Allocate {
    /// The shop's own decision, and then that of an extension, if one is bound and the shop has what is sold.
    fn decide(
        &self,
        call: &Call<AllocateInput>,
        offers: Offers,
        policy: &InventoryPolicy,
    ) -> Result<Reply<AllocateOutput>, StoreError> {
        let opened = self.points.open::<Allocation>(&call.context.scope);
        let offered = opened.is_some().then(|| offers.clone());
        let output = match allocate(&call.input.lines, offers, policy.short_stock)? {
            Decision::Allocated(output) => output,
            Decision::OutOfStock(shortage) => return Reply::rejected("out_of_stock", &shortage),
        };
        match opened.zip(offered) {
            Some((opened, offers)) if !asked::owes(&output, policy.short_stock) => {
                asked::reply(&opened, call, output, offers.in_order())
            }
            _ => Ok(Reply::done(output)),
        }
    }
}

fn asks<'a>(
    call: &'a Call<AllocateInput>,
    policy: &InventoryPolicy,
) -> impl Iterator<Item = (Ask<'a>, OpenTo)> {
    let threshold = policy.threshold;
    let country = call.input.ship_to.as_ref().map(|address| address.country.code());
    call.input.lines.iter().map(move |line| {
        let (at, open_to) = match &line.location {
            Some(location) => (Some(location.as_str()), OpenTo::NamedLines),
            None => (country, OpenTo::Anyone),
        };
        (Ask { tenant: &call.context.scope.tenant, sku: &line.sku, at, threshold }, open_to)
    })
}

async fn fetch(
    reader: &Reader<'_>,
    statement: &Statement,
    asks: &mut BTreeMap<Ask<'_>, Vec<OfferRow>>,
) -> Result<(), StoreError> {
    if asks.is_empty() {
        return Ok(());
    }
    let params = asks.keys().map(|ask| (ask.tenant, ask.sku, ask.at, ask.threshold));
    let found = reader.fetch_grouped(statement, params).await?;
    for (rows, found) in asks.values_mut().zip(found) {
        *rows = found;
    }
    Ok(())
}

fn offer(row: &OfferRow, open_to: OpenTo) -> Result<Offer, StoreError> {
    let (location, on_hand, reserved, claimed, threshold, foreign, priority) = row;
    let levels = Levels { on_hand: *on_hand, reserved: *reserved, claimed: *claimed };
    Ok(Offer {
        location: location.clone(),
        saleable: levels.saleable(*threshold).map_err(StockError::from)?,
        preference: Preference { foreign: *foreign, priority: *priority },
        open_to,
    })
}
