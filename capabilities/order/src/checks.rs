//! What holds in every committed state of the orders: proofs add up, headers are what their timelines tell.

use futures::future::LocalBoxFuture;
use mortise_capability::{Check, Finding, StoreError};
use mortise_store::{Reader, Statement};
use mortise_types::{Amount, Parcel, PriceProof};

use crate::rules::{self, ParcelProgress, fulfilment_of};
use crate::status::FulfilmentStatus;

const MOST: usize = 100;
const PAGE: i64 = 1_000;

const DOCUMENTS: Statement = Statement::pair(
    "order.check_documents",
    "SELECT d.tenant, d.placement, d.order_id, d.proof, d.parcels, h.payable, h.fulfilment_status, h.parcels
     FROM order_document d
     LEFT JOIN order_header h ON h.tenant = d.tenant AND h.order_id = d.order_id AND h.placement = d.placement
     WHERE (d.tenant, d.placement) > (?1, ?2) ORDER BY d.tenant, d.placement LIMIT ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, placement, most, n)
     CROSS JOIN LATERAL (
       SELECT d.tenant, d.placement, d.order_id, d.proof, d.parcels, h.payable, h.fulfilment_status, h.parcels
       FROM order_document d
       LEFT JOIN order_header h ON h.tenant = d.tenant AND h.order_id = d.order_id AND h.placement = d.placement
       WHERE (d.tenant, d.placement) > (item.tenant, item.placement)
       ORDER BY d.tenant, d.placement LIMIT item.most) AS found",
);
const WITHOUT_DOCUMENT: Statement = Statement::both(
    "order.check_without_document",
    "SELECT h.tenant, h.order_id FROM order_header h
     WHERE NOT EXISTS (SELECT 1 FROM order_document d WHERE d.tenant = h.tenant AND d.placement = h.placement)
     LIMIT 100",
);
/// Positions without a gap, up to the header's; and the last word about each status is the header's.
const TIMELINES: Statement = Statement::pair(
    "order.check_timelines",
    "WITH told AS (
        SELECT tenant, order_id, count(*) AS entries, min(position) AS first, max(position) AS last,
               max(CASE axis WHEN 'order' THEN position END) AS order_at,
               max(CASE axis WHEN 'payment' THEN position END) AS payment_at,
               max(CASE axis WHEN 'fulfilment' THEN position END) AS fulfilment_at,
               max(CASE axis WHEN 'after_sale' THEN position END) AS after_sale_at
        FROM order_timeline GROUP BY tenant, order_id)
     SELECT h.tenant, h.order_id, h.position, coalesce(t.entries, 0), coalesce(t.last, 0),
            h.order_status, coalesce(o.to_status, ''), h.payment_status, coalesce(p.to_status, 'due'),
            h.fulfilment_status, coalesce(f.to_status, 'none'), h.after_sale_status, coalesce(a.to_status, 'none')
     FROM order_header h
     LEFT JOIN told t ON t.tenant = h.tenant AND t.order_id = h.order_id
     LEFT JOIN order_timeline o ON o.tenant = h.tenant AND o.order_id = h.order_id AND o.position = t.order_at
     LEFT JOIN order_timeline p ON p.tenant = h.tenant AND p.order_id = h.order_id AND p.position = t.payment_at
     LEFT JOIN order_timeline f ON f.tenant = h.tenant AND f.order_id = h.order_id AND f.position = t.fulfilment_at
     LEFT JOIN order_timeline a ON a.tenant = h.tenant AND a.order_id = h.order_id AND a.position = t.after_sale_at
     WHERE t.first IS NOT 1 OR t.entries <> h.position OR t.last <> h.position
        OR o.to_status IS NOT h.order_status OR coalesce(p.to_status, 'due') <> h.payment_status
        OR coalesce(f.to_status, 'none') <> h.fulfilment_status
        OR coalesce(a.to_status, 'none') <> h.after_sale_status
     LIMIT 100",
    "WITH told AS (
        SELECT tenant, order_id, count(*) AS entries, min(position) AS first, max(position) AS last,
               max(CASE axis WHEN 'order' THEN position END) AS order_at,
               max(CASE axis WHEN 'payment' THEN position END) AS payment_at,
               max(CASE axis WHEN 'fulfilment' THEN position END) AS fulfilment_at,
               max(CASE axis WHEN 'after_sale' THEN position END) AS after_sale_at
        FROM order_timeline GROUP BY tenant, order_id)
     SELECT h.tenant, h.order_id, h.position, coalesce(t.entries, 0), coalesce(t.last, 0),
            h.order_status, coalesce(o.to_status, ''), h.payment_status, coalesce(p.to_status, 'due'),
            h.fulfilment_status, coalesce(f.to_status, 'none'), h.after_sale_status, coalesce(a.to_status, 'none')
     FROM order_header h
     LEFT JOIN told t ON t.tenant = h.tenant AND t.order_id = h.order_id
     LEFT JOIN order_timeline o ON o.tenant = h.tenant AND o.order_id = h.order_id AND o.position = t.order_at
     LEFT JOIN order_timeline p ON p.tenant = h.tenant AND p.order_id = h.order_id AND p.position = t.payment_at
     LEFT JOIN order_timeline f ON f.tenant = h.tenant AND f.order_id = h.order_id
       AND f.position = t.fulfilment_at
     LEFT JOIN order_timeline a ON a.tenant = h.tenant AND a.order_id = h.order_id
       AND a.position = t.after_sale_at
     WHERE t.first IS DISTINCT FROM 1 OR t.entries <> h.position OR t.last <> h.position
        OR o.to_status IS DISTINCT FROM h.order_status OR coalesce(p.to_status, 'due') <> h.payment_status
        OR coalesce(f.to_status, 'none') <> h.fulfilment_status
        OR coalesce(a.to_status, 'none') <> h.after_sale_status
     LIMIT 100",
);

/// Every order has its documents, its proof adds up to what it says is paid, its parcels carry what is charged.
pub(crate) const PRICE_PROOFS: Check = Check { name: "price proofs", run: price_proofs };
/// A timeline has no gap, and its last word about each status is the order's.
pub(crate) const ORDER_TIMELINES: Check = Check { name: "timelines", run: timelines };

type Found<'a> = LocalBoxFuture<'a, Result<Vec<Finding>, StoreError>>;
type Documents =
    (String, String, String, String, String, Option<Amount>, Option<FulfilmentStatus>, Option<String>);

fn price_proofs<'a>(reader: &'a Reader<'a>) -> Found<'a> {
    Box::pin(async move {
        let without: Vec<(String, String)> = reader.fetch_all(&WITHOUT_DOCUMENT, ()).await?;
        let mut findings: Vec<Finding> = without
            .into_iter()
            .map(|(tenant, order)| Finding {
                subject: format!("{tenant}: order {order}"),
                problem: "it has no documents".to_owned(),
            })
            .collect();
        let mut after = (String::new(), String::new());
        while findings.len() < MOST {
            let rows: Vec<Documents> = reader.fetch_all(&DOCUMENTS, (&after.0, &after.1, PAGE)).await?;
            let Some(last) = rows.last() else { break };
            after = (last.0.clone(), last.1.clone());
            findings.extend(rows.iter().filter_map(|row| {
                let problem = problem_of(row)?;
                Some(Finding { subject: format!("{}: order {}", row.0, row.2), problem })
            }));
        }
        findings.truncate(MOST);
        Ok(findings)
    })
}

fn problem_of((_, _, _, proof, parcels, payable, fulfilment, progress): &Documents) -> Option<String> {
    let proof: PriceProof = match serde_json::from_str(proof) {
        Ok(proof) => proof,
        Err(error) => return Some(format!("its price proof cannot be read: {error}")),
    };
    let parcels: Vec<Parcel> = match serde_json::from_str(parcels) {
        Ok(parcels) => parcels,
        Err(error) => return Some(format!("its parcels cannot be read: {error}")),
    };
    if let Err(error) = rules::check_placing(&proof, &parcels) {
        return Some(error.to_string());
    }
    // The documents of a placement that was taken back and replaced have no header any more.
    let (payable, fulfilment, progress) = ((*payable)?, (*fulfilment)?, progress.as_ref()?);
    if payable != proof.payable {
        return Some(format!("payable is {payable}, its price proof says {}", proof.payable));
    }
    let progress: Vec<ParcelProgress> = match serde_json::from_str(progress) {
        Ok(progress) => progress,
        Err(error) => return Some(format!("the progress of its parcels cannot be read: {error}")),
    };
    let told = fulfilment_of(progress.iter().map(|ParcelProgress(_, status)| *status));
    let (told, stated) = (told.word(), fulfilment.word());
    (told != stated).then(|| format!("fulfilment is `{stated}`, its parcels are `{told}`"))
}

fn timelines<'a>(reader: &'a Reader<'a>) -> Found<'a> {
    Box::pin(async move {
        type Word = String;
        type Row = (Word, Word, i64, i64, i64, Word, Word, Word, Word, Word, Word, Word, Word);
        let rows: Vec<Row> = reader.fetch_all(&TIMELINES, ()).await?;
        let finding = |row: Row| {
            let (tenant, order_id, position, entries, last, order, told_order, ..) = row;
            let (.., payment, told_payment, goods, told, after_sale, told_after_sale) = row;
            Finding {
                subject: format!("{tenant}: order {order_id}"),
                problem: format!(
                    "it is {order}/{payment}/{goods}/{after_sale} at position {position}, its timeline says \
                     {told_order}/{told_payment}/{told}/{told_after_sale} in {entries} entries up to {last}"
                ),
            }
        };
        Ok(rows.into_iter().map(finding).collect())
    })
}
