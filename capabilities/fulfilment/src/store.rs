//! Pick lists: loaded and saved for a whole batch. It decides nothing.

pub(crate) mod stop;

use std::collections::{BTreeMap, BTreeSet};

use mortise_capability::StoreError;
use mortise_store::{Reader, Statement, Tx};
use mortise_types::{LocationId, OrderId, Parcel, ParcelId, PickListId, TenantId, Timestamp};

use crate::contract::{PickList, PickListState, RequestInput};

const NEW: Statement = Statement::pair(
    "fulfilment.new_pick_list",
    "INSERT INTO fulfilment_pick_list
       (tenant, pick_list_id, order_id, parcel_id, location, state, parcel, requested_at)
     VALUES (?1, ?2, ?3, ?4, ?5, 'requested', ?6, ?7)",
    "INSERT INTO fulfilment_pick_list (tenant, pick_list_id, order_id, parcel_id, location, state, parcel,
         requested_at)
     SELECT tenant, pick_list_id, order_id, parcel_id, location, 'requested', parcel, requested_at
     FROM unnest($1, $2, $3, $4, $5, $6, $7)
       AS item (tenant, pick_list_id, order_id, parcel_id, location, parcel, requested_at)
     ORDER BY 1, 2",
);
const STANDING: Statement = Statement::pair(
    "fulfilment.standing",
    "SELECT state, order_id, parcel_id, location FROM fulfilment_pick_list WHERE tenant = ?1 AND pick_list_id = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, pick_list_id, n)
     CROSS JOIN LATERAL (
       SELECT state, order_id, parcel_id, location FROM fulfilment_pick_list
       WHERE tenant = item.tenant AND pick_list_id = item.pick_list_id) AS found",
);
const CHANGE: Statement = Statement::pair(
    "fulfilment.change",
    "UPDATE fulfilment_pick_list
     SET state = ?3, packed_at = coalesce(packed_at, ?4), handed_over_at = coalesce(handed_over_at, ?5),
         cancelled_at = coalesce(cancelled_at, ?6)
     WHERE tenant = ?1 AND pick_list_id = ?2",
    "UPDATE fulfilment_pick_list t SET state = item.state, packed_at = coalesce(t.packed_at, item.packed_at),
         handed_over_at = coalesce(t.handed_over_at, item.handed_over_at),
         cancelled_at = coalesce(t.cancelled_at, item.cancelled_at)
     FROM unnest($1, $2, $3, $4, $5, $6) WITH ORDINALITY
       AS item (tenant, pick_list_id, state, packed_at, handed_over_at, cancelled_at, n)
     WHERE t.tenant = item.tenant AND t.pick_list_id = item.pick_list_id
     RETURNING item.n",
);
const OPEN_AT: Statement = Statement::pair(
    "fulfilment.open_at",
    "SELECT pick_list_id, order_id, parcel, state, requested_at, packed_at FROM fulfilment_pick_list
     WHERE tenant = ?1 AND location = ?2 AND state IN ('requested', 'packed') AND pick_list_id > ?3
     ORDER BY pick_list_id LIMIT ?4",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4)
       WITH ORDINALITY AS item (tenant, location, pick_list_id, most, n)
     CROSS JOIN LATERAL (
       SELECT pick_list_id, order_id, parcel, state, requested_at, packed_at FROM fulfilment_pick_list
       WHERE tenant = item.tenant AND location = item.location AND state IN ('requested', 'packed')
         AND pick_list_id > item.pick_list_id
       ORDER BY pick_list_id LIMIT item.most) AS found",
);
const OPEN: Statement = Statement::pair(
    "fulfilment.open",
    "SELECT pick_list_id, order_id, parcel, state, requested_at, packed_at FROM fulfilment_pick_list
     WHERE tenant = ?1 AND state IN ('requested', 'packed') AND (location, pick_list_id) > (?2, ?3)
     ORDER BY location, pick_list_id LIMIT ?4",
    "SELECT item.n, found.* FROM unnest($1, $2, $3, $4)
       WITH ORDINALITY AS item (tenant, location, pick_list_id, most, n)
     CROSS JOIN LATERAL (
       SELECT pick_list_id, order_id, parcel, state, requested_at, packed_at FROM fulfilment_pick_list
       WHERE tenant = item.tenant AND state IN ('requested', 'packed')
         AND (location, pick_list_id) > (item.location, item.pick_list_id)
       ORDER BY location, pick_list_id LIMIT item.most) AS found",
);

pub(crate) fn off(problem: impl std::fmt::Display) -> StoreError {
    StoreError::Value(format!("fulfilment: {problem}"))
}

/// The word of a state in its column.
pub(crate) const fn state_word(state: PickListState) -> &'static str {
    match state {
        PickListState::Requested => "requested",
        PickListState::Packed => "packed",
        PickListState::HandedOver => "handed_over",
        PickListState::Cancelled => "cancelled",
    }
}

fn state(word: &str) -> Result<PickListState, StoreError> {
    use PickListState::{Cancelled, HandedOver, Packed, Requested};
    let found =
        [Requested, Packed, HandedOver, Cancelled].into_iter().find(|state| state_word(*state) == word);
    found.ok_or_else(|| off(format!("`{word}` is no state of a pick list")))
}

/// A pick list to store.
pub(crate) struct NewPickList<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) pick_list_id: PickListId,
    pub(crate) input: &'a RequestInput,
    pub(crate) now: Timestamp,
}

pub(crate) async fn insert(tx: &mut Tx<'_>, new: &[NewPickList<'_>]) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(new.len());
    for NewPickList { tenant, pick_list_id, input, now } in new {
        let RequestInput { order_id, parcel } = input;
        let document = serde_json::to_string(parcel).map_err(off)?;
        rows.push((*tenant, pick_list_id, order_id, &parcel.parcel_id, &parcel.location, document, *now));
    }
    tx.execute(&NEW, rows).await.map(drop)
}

/// A pick list's place.
pub(crate) type PickListKey = (TenantId, PickListId);

/// What of a pick list is needed to decide a step and to tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) state: PickListState,
    pub(crate) order_id: OrderId,
    pub(crate) parcel_id: ParcelId,
    pub(crate) location: LocationId,
}

/// The pick lists at `keys`; unknown ones are left out.
pub(crate) async fn load(
    reader: &Reader<'_>,
    keys: BTreeSet<PickListKey>,
) -> Result<BTreeMap<PickListKey, Standing>, StoreError> {
    let found: Vec<Option<(String, OrderId, ParcelId, LocationId)>> =
        reader.fetch_optional(&STANDING, keys.iter().map(|key| (&key.0, &key.1))).await?;
    let mut standings = BTreeMap::new();
    for (key, row) in keys.into_iter().zip(found) {
        if let Some((word, order_id, parcel_id, location)) = row {
            standings.insert(key, Standing { state: state(&word)?, order_id, parcel_id, location });
        }
    }
    Ok(standings)
}

/// Writes where pick lists stand now: one statement a list.
pub(crate) async fn save(
    tx: &mut Tx<'_>,
    changed: &[(PickListKey, PickListState, Timestamp)],
) -> Result<(), StoreError> {
    if changed.is_empty() {
        return Ok(());
    }
    let rows = changed.iter().map(|(key, state, now)| {
        let when = |this: PickListState| (*state == this).then_some(*now);
        let packed = when(PickListState::Packed);
        let (handed_over, cancelled) = (when(PickListState::HandedOver), when(PickListState::Cancelled));
        (&key.0, &key.1, state_word(*state), packed, handed_over, cancelled)
    });
    tx.execute(&CHANGE, rows).await.map(drop)
}

/// Where a page of open pick lists begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) location: Option<&'a LocationId>,
    /// The location and list behind which it begins; empty texts for the first page.
    pub(crate) behind: (&'a str, &'a str),
    pub(crate) rows: i64,
}

type Columns = (PickListId, OrderId, String, String, Timestamp, Option<Timestamp>);

/// Each page's open pick lists.
pub(crate) async fn open(reader: &Reader<'_>, pages: &[Page<'_>]) -> Result<Vec<Vec<PickList>>, StoreError> {
    let at = pages.iter().filter_map(|page| Some((page.tenant, page.location?, page.behind.1, page.rows)));
    let mut at = reader.fetch_grouped::<Columns, _>(&OPEN_AT, at).await?.into_iter();
    let all = pages.iter().filter(|page| page.location.is_none());
    let all = all.map(|page| (page.tenant, page.behind.0, page.behind.1, page.rows));
    let mut all = reader.fetch_grouped::<Columns, _>(&OPEN, all).await?.into_iter();
    let mut lists = Vec::with_capacity(pages.len());
    for page in pages {
        let rows = if page.location.is_some() { at.next() } else { all.next() };
        lists.push(rows.unwrap_or_default().into_iter().map(pick_list).collect::<Result<_, _>>()?);
    }
    Ok(lists)
}

fn pick_list(columns: Columns) -> Result<PickList, StoreError> {
    let (pick_list_id, order_id, parcel, word, requested_at, packed_at) = columns;
    let parcel: Parcel = serde_json::from_str(&parcel).map_err(off)?;
    Ok(PickList { pick_list_id, order_id, parcel, state: state(&word)?, requested_at, packed_at })
}
