//! What holds in every committed state of the orders: proofs add up, headers are what their timelines tell.

use futures::future::LocalBoxFuture;
use mortise_capability::{Check, Finding, StoreError};
use mortise_store::{Reader, Statement};
use mortise_types::{Amount, Parcel, PriceProof};

use crate::rules::{self, ParcelProgress, fulfilment_of};
use crate::status::FulfilmentStatus;

const MOST: usize = 100;
const PAGE: i64 = 1_000;

const PROOFS: Statement = Statement::sqlite(
    "order.check_proofs",
    "SELECT d.tenant, d.placement, d.order_id, d.proof, d.parcels, h.payable
     FROM order_document d
     LEFT JOIN order_header h ON h.tenant = d.tenant AND h.order_id = d.order_id AND h.placement = d.placement
     WHERE (d.tenant, d.placement) > (?1, ?2) ORDER BY d.tenant, d.placement LIMIT ?3",
);
const WITHOUT_DOCUMENT: Statement = Statement::sqlite(
    "order.check_documents",
    "SELECT h.tenant, h.order_id FROM order_header h
     WHERE NOT EXISTS (SELECT 1 FROM order_document d WHERE d.tenant = h.tenant AND d.placement = h.placement)
     LIMIT 100",
);
/// Positions without a gap, up to the header's; and the last word of each status is the header's.
const TIMELINES: Statement = Statement::sqlite(
    "order.check_timelines",
    "WITH told AS (
        SELECT tenant, order_id, count(*) AS entries, min(position) AS first, max(position) AS last,
               max(CASE axis WHEN 'order' THEN position END) AS order_at,
               max(CASE axis WHEN 'payment' THEN position END) AS payment_at,
               max(CASE axis WHEN 'fulfilment' THEN position END) AS fulfilment_at
        FROM order_timeline GROUP BY tenant, order_id)
     SELECT h.tenant, h.order_id, h.position, coalesce(t.entries, 0), coalesce(t.last, 0),
            h.order_status, coalesce(o.to_status, ''),
            h.payment_status, CASE WHEN coalesce(t.payment_at, 0) > t.order_at OR h.order_status <> 'open'
                                   THEN coalesce(p.to_status, 'due') ELSE 'due' END,
            h.fulfilment_status, CASE WHEN coalesce(t.fulfilment_at, 0) > t.order_at OR h.order_status <> 'open'
                                   THEN coalesce(f.to_status, 'none') ELSE 'none' END
     FROM order_header h
     LEFT JOIN told t ON t.tenant = h.tenant AND t.order_id = h.order_id
     LEFT JOIN order_timeline o ON o.tenant = h.tenant AND o.order_id = h.order_id AND o.position = t.order_at
     LEFT JOIN order_timeline p ON p.tenant = h.tenant AND p.order_id = h.order_id AND p.position = t.payment_at
     LEFT JOIN order_timeline f ON f.tenant = h.tenant AND f.order_id = h.order_id AND f.position = t.fulfilment_at",
);
