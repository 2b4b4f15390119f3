//! `inventory.get_stock` and `inventory.list_movements`: what there is, and why.

use std::sync::Arc;

use mortise_capability::{Call, Policies, ReadOperation, Reply, StoreError};
use mortise_store::{Reader, Statement};
use mortise_types::{LocationId, Quantity, Timestamp};

use crate::contract::{
    GetStockInput, GetStockOutput, ListMovementsInput, ListMovementsOutput, Movement, StockLevel,
};
use crate::policy::InventoryPolicy;
use crate::rules::StockError;
use crate::rules::stock::Levels;

const LEVELS: Statement = Statement::pair(
    "inventory.levels",
    "SELECT location, on_hand, reserved, claimed, coalesce(threshold, ?4) FROM inventory_stock
     WHERE tenant = ?1 AND sku = ?2 AND (?3 IS NULL OR location = ?3) ORDER BY location LIMIT 500",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4)
       WITH ORDINALITY AS item (tenant, sku, location, threshold, n)
     CROSS JOIN LATERAL (
       SELECT location, on_hand, reserved, claimed, coalesce(threshold, item.threshold) FROM inventory_stock
       WHERE tenant = item.tenant AND sku = item.sku AND (item.location IS NULL OR location = item.location)
       ORDER BY location LIMIT 500) AS found",
);
const MOVEMENTS: Statement = Statement::pair(
    "inventory.movements",
    "SELECT entry, n, at, delta, reason, reference FROM inventory_movement
     WHERE tenant = ?1 AND sku = ?2 AND location = ?3 AND (?4 IS NULL OR (entry, n) < (?4, ?5))
     ORDER BY entry DESC, n DESC LIMIT ?6",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4, $5, $6)
       WITH ORDINALITY AS item (tenant, sku, location, entry, place, most, n)
     CROSS JOIN LATERAL (
       SELECT entry, n, at, delta, reason, reference FROM inventory_movement
       WHERE tenant = item.tenant AND sku = item.sku AND location = item.location
         AND (item.entry IS NULL OR (entry, n) < (item.entry, item.place))
       ORDER BY entry DESC, n DESC LIMIT item.most) AS found",
);

/// Location, on hand, reserved, claimed, threshold.
type LevelRow = (LocationId, Quantity, Quantity, Quantity, Quantity);
/// Entry, number in it, moment, change, reason, reference.
type MovementRow = (String, i64, Timestamp, Quantity, String, Option<String>);

pub(crate) struct GetStock {
    pub(crate) policies: Arc<Policies>,
}

impl ReadOperation for GetStock {
    type Input = GetStockInput;
    type Output = GetStockOutput;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<GetStockInput>],
    ) -> Result<Vec<Reply<GetStockOutput>>, StoreError> {
        let params = calls.iter().flat_map(|call| {
            let threshold = self.policies.get::<InventoryPolicy>(&call.context.scope).policy.threshold;
            let (tenant, location) = (&call.context.scope.tenant, &call.input.location);
            call.input.skus.iter().map(move |sku| (tenant, sku, location, threshold))
        });
        let groups: Vec<Vec<LevelRow>> = reader.fetch_grouped(&LEVELS, params).await?;
        let mut groups = groups.into_iter();
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let mut rows = Vec::new();
            for (sku, found) in call.input.skus.iter().zip(groups.by_ref()) {
                for (location, on_hand, reserved, claimed, threshold) in found {
                    let levels = Levels { on_hand, reserved, claimed };
                    let saleable = levels.saleable(threshold).map_err(StockError::from)?;
                    rows.push(StockLevel {
                        sku: sku.clone(),
                        location,
                        on_hand,
                        reserved,
                        claimed,
                        saleable,
                    });
                }
            }
            replies.push(Reply::done(GetStockOutput { rows }));
        }
        Ok(replies)
    }
}

pub(crate) struct ListMovements;

impl ReadOperation for ListMovements {
    type Input = ListMovementsInput;
    type Output = ListMovementsOutput;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<ListMovementsInput>],
    ) -> Result<Vec<Reply<ListMovementsOutput>>, StoreError> {
        let params = calls.iter().map(|call| {
            let input = &call.input;
            let (entry, n) = cursor(input.cursor.as_deref());
            (
                &call.context.scope.tenant,
                &input.sku,
                &input.location,
                entry,
                n,
                limit(input).saturating_add(1),
            )
        });
        let groups: Vec<Vec<MovementRow>> = reader.fetch_grouped(&MOVEMENTS, params).await?;
        let pages = calls.iter().zip(groups).map(|(call, mut rows)| {
            let size = usize::try_from(limit(&call.input)).unwrap_or_default();
            let more = rows.len() > size;
            rows.truncate(size);
            let next = rows.last().filter(|_| more).map(|row| format!("{}.{}", row.0, row.1));
            let movements = rows
                .into_iter()
                .map(|(_, _, at, delta, reason, reference)| Movement { at, delta, reason, reference })
                .collect();
            Reply::done(ListMovementsOutput { movements, next })
        });
        Ok(pages.collect())
    }
}

fn limit(input: &ListMovementsInput) -> i64 {
    input.limit.clamp(1, 500)
}

/// `entry.n`; a cursor that none of our pages gave begins at its text.
fn cursor(text: Option<&str>) -> (Option<&str>, i64) {
    match text.and_then(|text| text.rsplit_once('.')) {
        Some((entry, n)) => (Some(entry), n.parse().unwrap_or_default()),
        None => (text, 0),
    }
}
