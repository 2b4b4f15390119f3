//! The SQL: payments, their ledger, their refunds, taken events. A batch's payments are loaded once, decided on in
//! memory, and written once.

mod recent;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use mortise_store::{Datum, FromDatum, FromRow, Params, ReadColumn, Reader, Statement, StoreError, Tx};
use mortise_types::{Amount, Currency, CustomerId, OrderId, PaymentId, TenantId, Timestamp};

pub(crate) use recent::{Placed, recent};

use crate::rules::{Booked, Deposit, Payment, RefundRow, RefundStatus, Transfer};

const LOAD: Statement = Statement::pair(
    "payment.load",
    "SELECT order_id, method, status, currency, amount, captured, refunded, pending_refund, transfers, provider_ref, \
     pay_url, decline_code, created_at, expires_at, deposit, credited_to, customer_id FROM payment_payment \
     WHERE tenant = ?1 AND payment_id = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, payment_id, n)
     CROSS JOIN LATERAL (
       SELECT order_id, method, status, currency, amount, captured, refunded, pending_refund, transfers,
         provider_ref, pay_url, decline_code, created_at, expires_at, deposit, credited_to, customer_id
       FROM payment_payment
       WHERE tenant = item.tenant AND payment_id = item.payment_id) AS found",
);

const SAVE: Statement = Statement::pair(
    "payment.save",
    "INSERT INTO payment_payment (tenant, payment_id, order_id, method, status, currency, amount, captured, refunded, \
     pending_refund, transfers, provider_ref, pay_url, decline_code, created_at, expires_at, deposit, credited_to, customer_id) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) \
     ON CONFLICT (tenant, payment_id) DO UPDATE SET status = excluded.status, captured = excluded.captured, \
     refunded = excluded.refunded, pending_refund = excluded.pending_refund, transfers = excluded.transfers, \
     provider_ref = excluded.provider_ref, pay_url = excluded.pay_url, decline_code = excluded.decline_code, \
     deposit = excluded.deposit, credited_to = excluded.credited_to",
    "INSERT INTO payment_payment (tenant, payment_id, order_id, method, status, currency, amount, captured,
         refunded, pending_refund, transfers, provider_ref, pay_url, decline_code, created_at, expires_at,
         deposit, credited_to, customer_id)
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
       $18, $19) ORDER BY 1, 2
     ON CONFLICT (tenant, payment_id)
       DO UPDATE SET status = excluded.status, captured = excluded.captured, refunded = excluded.refunded,
         pending_refund = excluded.pending_refund, transfers = excluded.transfers,
           provider_ref = excluded.provider_ref, pay_url = excluded.pay_url,
             decline_code = excluded.decline_code, deposit = excluded.deposit,
               credited_to = excluded.credited_to",
);

const POST: Statement = Statement::pair(
    "payment.post",
    "INSERT INTO payment_transfer (tenant, payment_id, number, kind, debit, credit, amount, at) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    "INSERT INTO payment_transfer (tenant, payment_id, number, kind, debit, credit, amount, at)
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) ORDER BY 1, 2, 3",
);

const TRANSFERS: Statement = Statement::pair(
    "payment.transfers",
    "SELECT number, kind, debit, credit, amount, at FROM payment_transfer WHERE tenant = ?1 AND payment_id = ?2 \
     ORDER BY number",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, payment_id, n)
     CROSS JOIN LATERAL (
       SELECT number, kind, debit, credit, amount, at FROM payment_transfer
       WHERE tenant = item.tenant AND payment_id = item.payment_id ORDER BY number) AS found",
);

const PAGE: Statement = Statement::pair(
    "payment.page",
    "SELECT payment_id, order_id, method, status, currency, amount, captured, refunded, pending_refund, transfers, \
     provider_ref, pay_url, decline_code, created_at, expires_at, deposit, credited_to, customer_id FROM payment_payment \
     WHERE tenant = ?1 AND payment_id > ?2 ORDER BY payment_id LIMIT 1000",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, payment_id, n)
     CROSS JOIN LATERAL (
       SELECT payment_id, order_id, method, status, currency, amount, captured, refunded, pending_refund,
         transfers, provider_ref, pay_url, decline_code, created_at, expires_at, deposit, credited_to, customer_id
       FROM payment_payment
       WHERE tenant = item.tenant AND payment_id > item.payment_id ORDER BY payment_id LIMIT 1000) AS found",
);

const OPEN: Statement = Statement::pair(
    "payment.open",
    "SELECT payment_id, amount, currency, pay_url, expires_at, deposit, customer_id FROM payment_payment \
     WHERE tenant = ?1 AND order_id = ?2 AND status = 'pending' ORDER BY payment_id LIMIT 20",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, order_id, n)
     CROSS JOIN LATERAL (
       SELECT payment_id, amount, currency, pay_url, expires_at, deposit, customer_id FROM payment_payment
       WHERE tenant = item.tenant AND order_id = item.order_id AND status = 'pending'
       ORDER BY payment_id LIMIT 20) AS found",
);

const BALANCES: Statement = Statement::pair(
    "payment.balances",
    "SELECT account, currency, sum(amount) FROM ( \
       SELECT t.debit AS account, p.currency AS currency, t.amount AS amount FROM payment_transfer t \
         JOIN payment_payment p ON p.tenant = t.tenant AND p.payment_id = t.payment_id WHERE t.tenant = ?1 \
       UNION ALL SELECT t.credit, p.currency, -t.amount FROM payment_transfer t \
         JOIN payment_payment p ON p.tenant = t.tenant AND p.payment_id = t.payment_id WHERE t.tenant = ?1 \
     ) GROUP BY account, currency ORDER BY currency, account",
    "SELECT item.n, found.* FROM unnest($1) WITH ORDINALITY AS item (tenant, n)
     CROSS JOIN LATERAL (
       SELECT account, currency, sum(amount)::bigint FROM (
         SELECT t.debit AS account, p.currency, t.amount FROM payment_transfer t
           JOIN payment_payment p ON p.tenant = t.tenant AND p.payment_id = t.payment_id WHERE t.tenant = item.tenant
         UNION ALL SELECT t.credit, p.currency, -t.amount FROM payment_transfer t
           JOIN payment_payment p ON p.tenant = t.tenant AND p.payment_id = t.payment_id WHERE t.tenant = item.tenant
       ) AS booked GROUP BY account, currency ORDER BY currency, account) AS found",
);

const REFUND: Statement = Statement::pair(
    "payment.refund",
    "SELECT refund_id, status, amount, reason, provider_ref, created_at FROM payment_refund \
     WHERE tenant = ?1 AND payment_id = ?2 AND refund_id = ?3",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, payment_id, refund_id, n)
     CROSS JOIN LATERAL (
       SELECT refund_id, status, amount, reason, provider_ref, created_at FROM payment_refund
       WHERE tenant = item.tenant AND payment_id = item.payment_id AND refund_id = item.refund_id) AS found",
);

const SAVE_REFUND: Statement = Statement::pair(
    "payment.save_refund",
    "INSERT INTO payment_refund (tenant, payment_id, refund_id, status, amount, reason, provider_ref, created_at) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (tenant, payment_id, refund_id) DO UPDATE SET \
     status = excluded.status, amount = excluded.amount, provider_ref = excluded.provider_ref",
    "INSERT INTO payment_refund (tenant, payment_id, refund_id, status, amount, reason, provider_ref,
         created_at)
     SELECT DISTINCT ON (tenant, payment_id, refund_id) tenant, payment_id, refund_id, status, amount,
       reason, provider_ref, created_at
     FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) WITH ORDINALITY
       AS item (tenant, payment_id, refund_id, status, amount, reason, provider_ref, created_at, n)
     ORDER BY tenant, payment_id, refund_id, n DESC
     ON CONFLICT (tenant, payment_id, refund_id)
       DO UPDATE SET status = excluded.status, amount = excluded.amount, provider_ref = excluded.provider_ref",
);

const TAKE_EVENT: Statement = Statement::pair(
    "payment.take_event",
    "INSERT INTO payment_provider_event (tenant, event_id, recorded_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    "WITH item AS (SELECT * FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, event_id, recorded_at, n)),
     added AS (
       INSERT INTO payment_provider_event (tenant, event_id, recorded_at)
       SELECT tenant, event_id, recorded_at FROM item ORDER BY tenant, event_id, n
       ON CONFLICT DO NOTHING RETURNING tenant, event_id)
     SELECT min(n) FROM item WHERE ((tenant, event_id) IN (TABLE added)) IS TRUE GROUP BY tenant, event_id",
);

const HISTORY: Statement = Statement::pair(
    "payment.history",
    "SELECT collected, refused FROM payment_history WHERE tenant = ?1 AND customer_id = ?2",
    "SELECT item.n, h.collected, h.refused FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, customer_id, n)
     JOIN payment_history h ON h.tenant = item.tenant AND h.customer_id = item.customer_id",
);

const REMEMBER: Statement = Statement::pair(
    "payment.remember",
    "INSERT INTO payment_history (tenant, customer_id, collected, refused) VALUES (?1, ?2, ?3, ?4) \
     ON CONFLICT (tenant, customer_id) DO UPDATE SET collected = payment_history.collected + excluded.collected, \
     refused = payment_history.refused + excluded.refused",
    "INSERT INTO payment_history (tenant, customer_id, collected, refused)
     SELECT tenant, customer_id, sum(collected)::bigint, sum(refused)::bigint
     FROM unnest($1, $2, $3, $4) AS item (tenant, customer_id, collected, refused)
     GROUP BY tenant, customer_id ORDER BY 1, 2
     ON CONFLICT (tenant, customer_id) DO UPDATE SET collected = payment_history.collected + excluded.collected,
       refused = payment_history.refused + excluded.refused",
);

/// Histories that are not what became of the customers' payments at the door.
pub(crate) const CHECK_HISTORY: Statement = Statement::pair(
    "payment.check_history",
    "SELECT * FROM (SELECT h.tenant, h.customer_id, h.collected AS collected, h.refused AS refused, \
       (SELECT count(*) FROM payment_payment p WHERE p.tenant = h.tenant AND p.customer_id = h.customer_id \
          AND EXISTS (SELECT 1 FROM payment_transfer t WHERE t.tenant = p.tenant AND t.payment_id = p.payment_id \
            AND t.kind = 'collected')) AS paid, \
       (SELECT count(*) FROM payment_payment p WHERE p.tenant = h.tenant AND p.customer_id = h.customer_id \
          AND p.status = 'refused') AS left_there \
     FROM payment_history h WHERE ?1 = 0) counted WHERE collected <> paid OR refused <> left_there LIMIT 100",
    "SELECT item.n, found.* FROM unnest($1) WITH ORDINALITY AS item (zero, n)
     CROSS JOIN LATERAL (
       SELECT * FROM (
         SELECT h.tenant, h.customer_id, h.collected, h.refused,
           (SELECT count(*) FROM payment_payment p WHERE p.tenant = h.tenant AND p.customer_id = h.customer_id
              AND EXISTS (SELECT 1 FROM payment_transfer t WHERE t.tenant = p.tenant AND t.payment_id = p.payment_id
                AND t.kind = 'collected')) AS paid,
           (SELECT count(*) FROM payment_payment p WHERE p.tenant = h.tenant AND p.customer_id = h.customer_id
              AND p.status = 'refused') AS left_there
         FROM payment_history h WHERE item.zero = 0) AS counted
       WHERE collected <> paid OR refused <> left_there LIMIT 100) AS found",
);

/// Payments whose figures are not the sums of their ledger.
pub(crate) const CHECK_LEDGER: Statement = Statement::pair(
    "payment.check_ledger",
    "SELECT * FROM (SELECT p.tenant, p.payment_id, p.captured AS captured, p.refunded AS refunded, \
       p.transfers AS transfers, \
       coalesce(sum(CASE WHEN t.kind IN ('invoiced', 'due_on_delivery', 'captured') THEN t.amount END), 0) AS came, \
       coalesce(sum(CASE WHEN t.kind IN ('refunded', 'cancelled') THEN t.amount END), 0) AS went, \
       count(t.number) AS numbers, coalesce(max(t.number), 0) AS last \
     FROM payment_payment p LEFT JOIN payment_transfer t ON t.tenant = p.tenant AND t.payment_id = p.payment_id \
     WHERE ?1 = 0 GROUP BY p.tenant, p.payment_id) \
     WHERE captured <> came OR refunded <> went OR transfers <> numbers OR transfers <> last LIMIT 100",
    "SELECT item.n, found.* FROM unnest($1) WITH ORDINALITY AS item (zero, n)
     CROSS JOIN LATERAL (
       SELECT * FROM (
         SELECT p.tenant, p.payment_id, p.captured, p.refunded, p.transfers,
           coalesce(sum(t.amount) FILTER (WHERE t.kind IN ('invoiced', 'due_on_delivery', 'captured')), 0)::bigint AS came,
           coalesce(sum(t.amount) FILTER (WHERE t.kind IN ('refunded', 'cancelled')), 0)::bigint AS went,
           count(t.number) AS numbers, coalesce(max(t.number), 0) AS last
         FROM payment_payment p LEFT JOIN payment_transfer t ON t.tenant = p.tenant AND t.payment_id = p.payment_id
         WHERE item.zero = 0 GROUP BY p.tenant, p.payment_id) AS summed
       WHERE captured <> came OR refunded <> went OR transfers <> numbers OR transfers <> last LIMIT 100) AS found",
);

/// Payments whose money does not stand on the account that it has to stand on, and nowhere else: an order's, the deposits
/// that are held, or those that were forfeited.
pub(crate) const CHECK_FUNDS: Statement = Statement::pair(
    "payment.check_funds",
    "SELECT * FROM (SELECT p.tenant, p.payment_id, p.captured - p.refunded AS there, coalesce(p.deposit, '') AS deposit, \
       coalesce(sum(CASE WHEN t.credit = 'order_funds' THEN t.amount WHEN t.debit = 'order_funds' THEN -t.amount END), \
         0) AS order_funds, \
       coalesce(sum(CASE WHEN t.credit = 'deposits_held' THEN t.amount WHEN t.debit = 'deposits_held' THEN -t.amount \
         END), 0) AS held, \
       coalesce(sum(CASE WHEN t.credit = 'deposits_forfeited' THEN t.amount \
         WHEN t.debit = 'deposits_forfeited' THEN -t.amount END), 0) AS forfeited \
     FROM payment_payment p LEFT JOIN payment_transfer t ON t.tenant = p.tenant AND t.payment_id = p.payment_id \
     WHERE ?1 = 0 GROUP BY p.tenant, p.payment_id) \
     WHERE order_funds <> CASE WHEN deposit IN ('', 'credited') THEN there ELSE 0 END \
       OR held <> CASE WHEN deposit = 'held' THEN there ELSE 0 END \
       OR forfeited <> CASE WHEN deposit = 'forfeited' THEN there ELSE 0 END LIMIT 100",
    "SELECT item.n, found.* FROM unnest($1) WITH ORDINALITY AS item (zero, n)
     CROSS JOIN LATERAL (
       SELECT * FROM (
         SELECT p.tenant, p.payment_id, p.captured - p.refunded AS there, coalesce(p.deposit, '') AS deposit,
           coalesce(sum(CASE 'order_funds' WHEN t.credit THEN t.amount WHEN t.debit THEN -t.amount END), 0)::bigint
             AS order_funds,
           coalesce(sum(CASE 'deposits_held' WHEN t.credit THEN t.amount WHEN t.debit THEN -t.amount END), 0)::bigint
             AS held,
           coalesce(sum(CASE 'deposits_forfeited' WHEN t.credit THEN t.amount WHEN t.debit THEN -t.amount END), 0)::bigint
             AS forfeited
         FROM payment_payment p LEFT JOIN payment_transfer t ON t.tenant = p.tenant AND t.payment_id = p.payment_id
         WHERE item.zero = 0 GROUP BY p.tenant, p.payment_id) AS summed
       WHERE order_funds <> CASE WHEN deposit IN ('', 'credited') THEN there ELSE 0 END
         OR held <> CASE WHEN deposit = 'held' THEN there ELSE 0 END
         OR forfeited <> CASE WHEN deposit = 'forfeited' THEN there ELSE 0 END LIMIT 100) AS found",
);

/// Payments whose refunds do not add up to their figures.
pub(crate) const CHECK_REFUNDS: Statement = Statement::pair(
    "payment.check_refunds",
    "SELECT * FROM (SELECT p.tenant, p.payment_id, p.amount, p.captured AS captured, p.refunded AS refunded, \
       p.pending_refund AS set_aside, \
       (SELECT coalesce(sum(amount), 0) FROM payment_refund r WHERE r.tenant = p.tenant \
          AND r.payment_id = p.payment_id AND r.status = 'pending') AS pending, \
       (SELECT coalesce(sum(amount), 0) FROM payment_refund r WHERE r.tenant = p.tenant \
          AND r.payment_id = p.payment_id AND r.status = 'done') AS done, \
       (SELECT coalesce(sum(amount), 0) FROM payment_transfer t WHERE t.tenant = p.tenant \
          AND t.payment_id = p.payment_id AND t.kind = 'cancelled') AS cancelled \
     FROM payment_payment p WHERE ?1 = 0) \
     WHERE set_aside <> pending OR refunded <> done + cancelled OR refunded > captured \
       OR refunded + set_aside > max(captured, amount) LIMIT 100",
    "SELECT item.n, found.* FROM unnest($1) WITH ORDINALITY AS item (zero, n)
     CROSS JOIN LATERAL (
       SELECT * FROM (
         SELECT p.tenant, p.payment_id, p.amount, p.captured, p.refunded, p.pending_refund AS set_aside,
           (SELECT coalesce(sum(amount), 0)::bigint FROM payment_refund r WHERE r.tenant = p.tenant
              AND r.payment_id = p.payment_id AND r.status = 'pending') AS pending,
           (SELECT coalesce(sum(amount), 0)::bigint FROM payment_refund r WHERE r.tenant = p.tenant
              AND r.payment_id = p.payment_id AND r.status = 'done') AS done,
           (SELECT coalesce(sum(amount), 0)::bigint FROM payment_transfer t WHERE t.tenant = p.tenant
              AND t.payment_id = p.payment_id AND t.kind = 'cancelled') AS cancelled
         FROM payment_payment p WHERE item.zero = 0) AS summed
       WHERE set_aside <> pending OR refunded <> done + cancelled OR refunded > captured
         OR refunded + set_aside > greatest(captured, amount) LIMIT 100) AS found",
);

/// Transfers whose payment is missing.
pub(crate) const CHECK_ORPHANS: Statement = Statement::pair(
    "payment.check_orphans",
    "SELECT t.tenant, t.payment_id, t.number FROM payment_transfer t LEFT JOIN payment_payment p \
     ON p.tenant = t.tenant AND p.payment_id = t.payment_id WHERE ?1 = 0 AND p.payment_id IS NULL LIMIT 100",
    "SELECT item.n, found.* FROM unnest($1) WITH ORDINALITY AS item (zero, n)
     CROSS JOIN LATERAL (
       SELECT t.tenant, t.payment_id, t.number
       FROM payment_transfer t LEFT JOIN payment_payment p ON p.tenant = t.tenant
         AND p.payment_id = t.payment_id
       WHERE item.zero = 0 AND p.payment_id IS NULL LIMIT 100) AS found",
);

/// A payment within its tenant.
pub(crate) type Key = (TenantId, PaymentId);

type PaymentColumns = (
    OrderId,
    Word<crate::rules::Method>,
    Word<crate::rules::Status>,
    Word<Currency>,
    Amount,
    Amount,
    Amount,
    Amount,
    i64,
    Option<String>,
    Option<String>,
    Option<String>,
    Timestamp,
    Option<Timestamp>,
    Option<Word<Deposit>>,
    Option<OrderId>,
    Option<CustomerId>,
);

/// A column with a word of a closed set.
pub(crate) struct Word<T>(pub(crate) T);

impl<T: FromStr<Err: Display>> FromDatum for Word<T> {
    fn from_datum(datum: Datum<'_>) -> Result<Self, String> {
        match datum {
            Datum::Text(text) => text.parse().map(Word).map_err(|error| format!("{error}")),
            other => Err(format!("{other:?} where a word is expected")),
        }
    }
}

fn payment(payment_id: PaymentId, row: PaymentColumns) -> Payment {
    Payment {
        payment_id,
        order_id: row.0,
        method: row.1.0,
        deposit: row.14.map(|word| word.0),
        credited_to: row.15,
        customer_id: row.16,
        status: row.2.0,
        currency: row.3.0,
        amount: row.4,
        captured: row.5,
        refunded: row.6,
        pending_refund: row.7,
        transfers: row.8,
        provider_ref: row.9,
        pay_url: row.10,
        decline_code: row.11,
        created_at: row.12,
        expires_at: row.13,
    }
}

/// The payments that a batch decides on.
#[derive(Debug, Default)]
pub(crate) struct Payments {
    loaded: BTreeMap<Key, Option<Slot>>,
    refunds: Vec<(Key, RefundRow)>,
}

#[derive(Debug)]
struct Slot {
    booked: Booked,
    before: Option<Payment>,
}

impl Payments {
    /// Loads the distinct keys.
    pub(crate) async fn load(
        reader: &Reader<'_>,
        keys: impl IntoIterator<Item = Key>,
    ) -> Result<Payments, StoreError> {
        let mut payments = Payments::default();
        for key in keys {
            payments.loaded.insert(key, None);
        }
        let distinct: Vec<Key> = payments.loaded.keys().cloned().collect();
        let items = distinct.iter().map(|(tenant, id)| (tenant, id));
        let rows: Vec<Option<PaymentColumns>> = reader.fetch_optional(&LOAD, items).await?;
        for (key, row) in distinct.into_iter().zip(rows) {
            let slot = row.map(|row| {
                let found = payment(key.1.clone(), row);
                Slot { booked: Booked::of(found.clone()), before: Some(found) }
            });
            payments.loaded.insert(key, slot);
        }
        Ok(payments)
    }

    pub(crate) fn get_mut(&mut self, key: &Key) -> Option<&mut Booked> {
        self.loaded.get_mut(key)?.as_mut().map(|slot| &mut slot.booked)
    }

    /// A payment that was not there before.
    pub(crate) fn add(&mut self, tenant: TenantId, booked: Booked) {
        let key = (tenant, booked.payment.payment_id.clone());
        self.loaded.entry(key).or_default().get_or_insert(Slot { booked, before: None });
    }

    /// A refund to be written with its payment; the last of one id wins.
    pub(crate) fn put_refund(&mut self, key: Key, refund: RefundRow) {
        self.refunds.push((key, refund));
    }

    /// Writes what changed.
    pub(crate) async fn save(self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let changed: Vec<(TenantId, Booked)> = self
            .loaded
            .into_iter()
            .filter_map(|((tenant, _), slot)| slot.map(|slot| (tenant, slot)))
            .filter(|(_, slot)| slot.before.as_ref() != Some(&slot.booked.payment))
            .map(|(tenant, slot)| (tenant, slot.booked))
            .collect();
        let saved = changed.iter().map(|(tenant, Booked { payment, .. })| columns(tenant, payment));
        tx.execute(&SAVE, saved).await?;
        let posted = changed.iter().flat_map(|(tenant, booked)| {
            let id = &booked.payment.payment_id;
            booked.transfers.iter().map(move |posted| {
                let (kind, debit, credit) = (posted.kind.word(), posted.debit.word(), posted.credit.word());
                (tenant, id, posted.number, kind, debit, credit, posted.amount, posted.at)
            })
        });
        tx.execute(&POST, posted).await?;
        let refunds = self.refunds.iter().map(|((tenant, payment_id), refund)| {
            let (status, reason) = (refund.status.word(), refund.reason.as_deref());
            let reference = refund.provider_ref.as_deref();
            (
                tenant,
                payment_id,
                &refund.refund_id,
                status,
                refund.amount,
                reason,
                reference,
                refund.created_at,
            )
        });
        tx.execute(&SAVE_REFUND, refunds).await?;
        Ok(())
    }
}

fn columns<'p>(tenant: &'p TenantId, payment: &'p Payment) -> impl Params + 'p {
    (
        tenant,
        &payment.payment_id,
        &payment.order_id,
        payment.method.word(),
        payment.status.word(),
        payment.currency.code(),
        payment.amount,
        payment.captured,
        payment.refunded,
        payment.pending_refund,
        payment.transfers,
        payment.provider_ref.as_deref(),
        payment.pay_url.as_deref(),
        payment.decline_code.as_deref(),
        payment.created_at,
        payment.expires_at,
        payment.deposit.map(Deposit::word),
        payment.credited_to.as_ref(),
        payment.customer_id.as_ref(),
    )
}

type RefundColumns = (String, Word<RefundStatus>, Amount, Option<String>, Option<String>, Timestamp);

/// The refunds of these payments and ids.
pub(crate) async fn refunds(
    reader: &Reader<'_>,
    keys: impl IntoIterator<Item = (TenantId, PaymentId, String)>,
) -> Result<Vec<Option<RefundRow>>, StoreError> {
    let rows: Vec<Option<RefundColumns>> = reader.fetch_optional(&REFUND, keys).await?;
    let row = |(refund_id, status, amount, reason, provider_ref, created_at): RefundColumns| RefundRow {
        refund_id,
        status: status.0,
        amount,
        reason,
        provider_ref,
        created_at,
    };
    Ok(rows.into_iter().map(|found| found.map(row)).collect())
}

/// The ledger of a payment.
pub(crate) async fn transfers(
    reader: &Reader<'_>,
    keys: impl IntoIterator<Item = Key>,
) -> Result<Vec<Vec<Transfer>>, StoreError> {
    type Columns = (
        i64,
        Word<crate::rules::TransferKind>,
        Word<crate::rules::Account>,
        Word<crate::rules::Account>,
        Amount,
        Timestamp,
    );
    let groups: Vec<Vec<Columns>> = reader.fetch_grouped(&TRANSFERS, keys).await?;
    let row = |(number, kind, debit, credit, amount, at): Columns| Transfer {
        number,
        kind: kind.0,
        debit: debit.0,
        credit: credit.0,
        amount,
        at,
    };
    Ok(groups.into_iter().map(|rows| rows.into_iter().map(row).collect()).collect())
}

/// A page of a tenant's payments behind `after`.
pub(crate) async fn page(
    reader: &Reader<'_>,
    tenant: &TenantId,
    after: Option<&PaymentId>,
) -> Result<Vec<Payment>, StoreError> {
    let rows: Vec<PageRow> = reader.fetch_all(&PAGE, (tenant, after.map_or("", PaymentId::as_str))).await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

struct PageRow(Payment);

impl FromRow for PageRow {
    fn from_row(read: &mut ReadColumn<'_>) -> Result<Self, (usize, String)> {
        let (payment_id,) = <(PaymentId,)>::from_row(read)?;
        let rest = PaymentColumns::from_row(&mut |column, take| read(column + 1, take));
        rest.map(|rest| PageRow(payment(payment_id, rest))).map_err(|(column, problem)| (column + 1, problem))
    }
}

/// Account, currency, balance.
pub(crate) async fn balances(
    reader: &Reader<'_>,
    tenant: &TenantId,
) -> Result<Vec<(String, Currency, Amount)>, StoreError> {
    let rows: Vec<(String, Word<Currency>, Amount)> = reader.fetch_all(&BALANCES, (tenant,)).await?;
    Ok(rows.into_iter().map(|(account, currency, amount)| (account, currency.0, amount)).collect())
}

/// Marks events as taken; says of each whether it is new.
pub(crate) async fn take_events<'e>(
    tx: &mut Tx<'_>,
    events: impl IntoIterator<Item = (&'e TenantId, &'e str, Timestamp)>,
) -> Result<Vec<bool>, StoreError> {
    let changed = tx.execute(&TAKE_EVENT, events).await?;
    Ok(changed.into_iter().map(|rows| rows > 0).collect())
}

/// What became of a customer's orders that were to be paid at the door.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct History {
    pub(crate) collected: i64,
    pub(crate) refused: i64,
}

/// The histories of customers; an empty one for who has none.
pub(crate) async fn histories<'k>(
    reader: &Reader<'_>,
    keys: impl IntoIterator<Item = (&'k TenantId, &'k CustomerId)>,
) -> Result<Vec<History>, StoreError> {
    let rows: Vec<Option<(i64, i64)>> = reader.fetch_optional(&HISTORY, keys).await?;
    let history = |(collected, refused)| History { collected, refused };
    Ok(rows.into_iter().map(|row| row.map(history).unwrap_or_default()).collect())
}

/// What a history gains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub(crate) tenant: TenantId,
    pub(crate) customer_id: CustomerId,
    pub(crate) collected: i64,
    pub(crate) refused: i64,
}

pub(crate) async fn remember(tx: &mut Tx<'_>, gained: Vec<Remembered>) -> Result<(), StoreError> {
    let rows = gained.iter().map(|one| (&one.tenant, &one.customer_id, one.collected, one.refused));
    tx.execute(&REMEMBER, rows).await.map(drop)
}

/// A payment that waits for its customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) payment_id: PaymentId,
    pub(crate) amount: Amount,
    pub(crate) currency: Currency,
    pub(crate) pay_url: Option<String>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) deposit: Option<Deposit>,
    pub(crate) customer_id: Option<CustomerId>,
}

/// The payments of each order that wait for their customer.
pub(crate) async fn waiting<'k>(
    reader: &Reader<'_>,
    keys: impl IntoIterator<Item = (&'k TenantId, &'k OrderId)>,
) -> Result<Vec<Vec<Waiting>>, StoreError> {
    type Row = (
        PaymentId,
        Amount,
        Word<Currency>,
        Option<String>,
        Option<Timestamp>,
        Option<Word<Deposit>>,
        Option<CustomerId>,
    );
    let groups: Vec<Vec<Row>> = reader.fetch_grouped(&OPEN, keys).await?;
    let one = |(payment_id, amount, currency, pay_url, expires_at, deposit, customer_id): Row| Waiting {
        payment_id,
        amount,
        currency: currency.0,
        pay_url,
        expires_at,
        deposit: deposit.map(|word| word.0),
        customer_id,
    };
    Ok(groups.into_iter().map(|rows| rows.into_iter().map(one).collect()).collect())
}
