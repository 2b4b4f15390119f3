//! What holds in every committed state of fulfilment: a parcel is packed once, and a list's moments tell its state.

use futures::future::LocalBoxFuture;
use mortise_capability::{Check, Finding, StoreError};
use mortise_store::{Reader, Statement};

const TWICE: Statement = Statement::both(
    "fulfilment.check_twice",
    "SELECT tenant, order_id, parcel_id, count(*) FROM fulfilment_pick_list
     WHERE state <> 'cancelled' GROUP BY tenant, order_id, parcel_id HAVING count(*) > 1 LIMIT 100",
);
const MOMENTS: Statement = Statement::pair(
    "fulfilment.check_moments",
    "SELECT tenant, pick_list_id, state FROM fulfilment_pick_list
     WHERE (state = 'requested' AND (packed_at IS NOT NULL OR handed_over_at IS NOT NULL))
        OR (state = 'packed' AND (packed_at IS NULL OR handed_over_at IS NOT NULL))
        OR (state = 'handed_over' AND (packed_at IS NULL OR handed_over_at IS NULL))
        OR (state = 'cancelled') <> (cancelled_at IS NOT NULL)
        OR parcel ->> 'parcel_id' <> parcel_id OR parcel ->> 'location' <> location
     LIMIT 100",
    "SELECT tenant, pick_list_id, state FROM fulfilment_pick_list
     WHERE (state = 'requested' AND (packed_at IS NOT NULL OR handed_over_at IS NOT NULL))
        OR (state = 'packed' AND (packed_at IS NULL OR handed_over_at IS NOT NULL))
        OR (state = 'handed_over' AND (packed_at IS NULL OR handed_over_at IS NULL))
        OR (state = 'cancelled') <> (cancelled_at IS NOT NULL)
        OR parcel::json ->> 'parcel_id' <> parcel_id OR parcel::json ->> 'location' <> location
     LIMIT 100",
);

/// No parcel has two pick lists that stand.
pub(crate) const PACKED_ONCE: Check = Check { name: "parcels packed once", run: packed_once };
/// What a pick list says of itself agrees.
pub(crate) const PICK_LISTS: Check = Check { name: "pick lists", run: pick_lists };

type Found<'a> = LocalBoxFuture<'a, Result<Vec<Finding>, StoreError>>;

fn packed_once<'a>(reader: &'a Reader<'a>) -> Found<'a> {
    Box::pin(async move {
        let rows: Vec<(String, String, String, i64)> = reader.fetch_all(&TWICE, ()).await?;
        let finding = |(tenant, order, parcel, lists)| Finding {
            subject: format!("{tenant}: parcel {parcel} of order {order}"),
            problem: format!("{lists} pick lists stand for it"),
        };
        Ok(rows.into_iter().map(finding).collect())
    })
}

fn pick_lists<'a>(reader: &'a Reader<'a>) -> Found<'a> {
    Box::pin(async move {
        let rows: Vec<(String, String, String)> = reader.fetch_all(&MOMENTS, ()).await?;
        let finding = |(tenant, pick_list, state)| Finding {
            subject: format!("{tenant}: pick list {pick_list}"),
            problem: format!("it is {state}, but its moments or its parcel say otherwise"),
        };
        Ok(rows.into_iter().map(finding).collect())
    })
}
