//! Who drives which trades of a database that several processes share. A lease is an epoch that an engine holds for as long as
//! it shows that it lives. What it commits it commits under its lease; whoever finds one whose holder is gone ends it, in a
//! transaction that no commit of that holder can overlap, and drives its trades from then on. On SQLite, whose directory is locked,
//! there is one lease, which whoever starts takes. When to look is the keeper's business.

use std::time::Duration;

use mortise_store::{Ear, Statement, Store, StoreError, Tx};
use mortise_types::{TenantId, Timestamp};

use crate::commit::{self, Matched, WAITING};
use crate::driver::Found;
use crate::job::Work;
use crate::record::TradeId;
use crate::store as sql;

/// Where engines tell each other that there is something to look at: the epoch of whom it concerns, or [`EVERYONE`].
const CHANNEL: &str = "mortise_engine";
/// No epoch.
pub(crate) const EVERYONE: i64 = 0;
/// Marks of leases among all advisory locks of the database: `mort` in ASCII. It stands in [`LEASES`] too.
const CLASS: i32 = 0x6d6f_7274;
/// A lease that has not shown life for so long has ended, whatever else is known of its holder.
pub(crate) const SILENCE: Duration = Duration::from_secs(3);
/// The same where its holder has no connection to the database: its process has ended, or is cut off.
const ABSENCE: Duration = Duration::from_secs(1);

/// Between two looks at whether others know what was published, and how many there are.
const LOOK: Duration = Duration::from_millis(5);
const LOOKS: u32 = 3_000;

/// Taken first by whatever commits as a driver: the lease, kept from ending until the commit. An older text than the lease's
/// end finds nothing.
pub(crate) const FENCE: Statement = Statement::pair(
    "engine.fence",
    "SELECT epoch FROM engine_lease WHERE epoch = ?1",
    "SELECT item.n, l.epoch FROM unnest($1) WITH ORDINALITY AS item (epoch, n)
     JOIN engine_lease l ON l.epoch = item.epoch FOR KEY SHARE OF l",
);

const NEXT_EPOCH: Statement = Statement::both(
    "engine.next_epoch",
    "UPDATE engine_count SET count = count + 1 WHERE what = 'epoch' RETURNING count",
);

const REGISTER: Statement = Statement::pair(
    "engine.register_lease",
    "INSERT INTO engine_lease (epoch, holder, seen, beat_at)
     VALUES (?1, ?2, ?3, CAST(unixepoch('subsec') * 1000 AS INTEGER))",
    "INSERT INTO engine_lease (epoch, holder, seen, beat_at)
     SELECT epoch, holder, seen, (extract(epoch FROM clock_timestamp()) * 1000)::bigint
     FROM unnest($1, $2, $3) AS item (epoch, holder, seen) ORDER BY 1",
);

const BEAT: Statement = Statement::pair(
    "engine.beat",
    "UPDATE engine_lease SET seen = ?2, beat_at = CAST(unixepoch('subsec') * 1000 AS INTEGER) WHERE epoch = ?1",
    "UPDATE engine_lease t SET seen = item.seen, beat_at = (extract(epoch FROM clock_timestamp()) * 1000)::bigint
     FROM unnest($1, $2) WITH ORDINALITY AS item (epoch, seen, n)
     WHERE t.epoch = item.epoch RETURNING item.n",
);

const GIVE_UP: Statement = Statement::pair(
    "engine.give_lease_up",
    "UPDATE engine_lease SET beat_at = 0 WHERE epoch = ?1",
    "UPDATE engine_lease t SET beat_at = 0 FROM unnest($1) WITH ORDINALITY AS item (epoch, n)
     WHERE t.epoch = item.epoch RETURNING item.n",
);

/// All leases, for how many milliseconds each has been silent, and whether its holder is connected. Only of those that
/// have been silent for so long it is asked.
const LEASES: Statement = Statement::pair(
    "engine.leases",
    "SELECT epoch, holder, CAST(unixepoch('subsec') * 1000 AS INTEGER) - beat_at, 1
     FROM engine_lease WHERE ?1 IS NOT NULL ORDER BY epoch",
    "SELECT item.n, l.epoch, l.holder, l.silent,
       CASE WHEN l.silent >= item.beat_at AND pg_try_advisory_xact_lock(1836020340, l.epoch::int) THEN 0 ELSE 1 END
     FROM unnest($1) WITH ORDINALITY AS item (beat_at, n)
     CROSS JOIN (SELECT epoch, holder, (extract(epoch FROM clock_timestamp()) * 1000)::bigint - beat_at AS silent
       FROM engine_lease) AS l
     ORDER BY l.epoch",
);

/// Waits for the commits that are under way under the lease, and ends it unless it has shown life meanwhile.
const END: Statement = Statement::pair(
    "engine.end_lease",
    "DELETE FROM engine_lease
     WHERE epoch = ?1 AND CAST(unixepoch('subsec') * 1000 AS INTEGER) - beat_at >= ?2",
    "DELETE FROM engine_lease t USING unnest($1, $2) WITH ORDINALITY AS item (epoch, beat_at, n)
     WHERE t.epoch = item.epoch
       AND (extract(epoch FROM clock_timestamp()) * 1000)::bigint - t.beat_at >= item.beat_at
     RETURNING item.n",
);

const END_ALL: Statement =
    Statement::both("engine.end_all_leases", "DELETE FROM engine_lease RETURNING epoch");

const CLAIM_ORPHANS: Statement = Statement::pair(
    "engine.claim_orphans",
    "UPDATE flow_instance SET epoch = ?1
     WHERE status <> 2 AND NOT EXISTS (SELECT 1 FROM engine_lease l WHERE l.epoch = flow_instance.epoch)
     RETURNING tenant, id, status, wake_at",
    "UPDATE flow_instance t SET epoch = item.epoch FROM unnest($1) WITH ORDINALITY AS item (epoch, n)
     WHERE t.status <> 2 AND NOT EXISTS (SELECT 1 FROM engine_lease l WHERE l.epoch = t.epoch)
     RETURNING item.n, t.tenant, t.id, t.status, t.wake_at",
);

/// How many engines do not know yet what was published.
const BEHIND: Statement = Statement::pair(
    "engine.behind",
    "SELECT count(*) FROM engine_lease
     WHERE seen < ?1 AND CAST(unixepoch('subsec') * 1000 AS INTEGER) - beat_at < ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (seen, beat_at, n)
     CROSS JOIN LATERAL (
       SELECT count(*) FROM engine_lease
       WHERE seen < item.seen
         AND (extract(epoch FROM clock_timestamp()) * 1000)::bigint - beat_at < item.beat_at) AS found",
);

const COUNT_PUBLISHED: Statement = Statement::both(
    "engine.count_published",
    "UPDATE engine_count SET count = count + 1 WHERE what = 'published' RETURNING count",
);

const TELL: Statement = Statement::pair(
    "engine.tell",
    "SELECT 1 WHERE ?1 IS NULL",
    "SELECT item.n, 1 FROM unnest($1) WITH ORDINALITY AS item (payload, n)
     CROSS JOIN LATERAL (SELECT pg_notify('mortise_engine', item.payload)) AS told",
);

/// A trade that waits or goes on, as its row says it: id, status, next clock.
pub(crate) type Open = (TenantId, std::sync::Arc<str>, i64, Option<Timestamp>);
/// An event that a listener was not told: whose, which, its kind, the event's place, what it carries.
pub(crate) type Undelivered = (TenantId, std::sync::Arc<str>, u32, i64, i64, String);

/// An engine's lease, and the ear by which it hears what concerns it.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) epoch: i64,
    pub(crate) ear: Ear,
}

/// A lease as another engine sees it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) epoch: i64,
    pub(crate) holder: String,
    silent_ms: i64,
    connected: bool,
}

impl Lease {
    /// A new lease, later than any other. `seen` is up to where its engine knows what is published.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn register(store: &Store, seen: i64) -> Result<Self, StoreError> {
        let epoch = store.write_aside(async |tx| next_epoch(tx).await).await?;
        let number = i32::try_from(epoch).map_err(|error| StoreError::Value(format!("epoch: {error}")))?;
        // The mark comes before the lease: nobody finds the lease of a holder who is not there.
        let ear = store.listen(CHANNEL, (CLASS, number)).await?;
        let ear =
            ear.ok_or_else(|| StoreError::Value("a database of one process has no leases".to_owned()))?;
        let holder = holder();
        let registered = store.write_aside(async move |tx| {
            tx.execute(&REGISTER, [(epoch, holder.as_str(), seen)]).await.map(drop)
        });
        registered.await?;
        Ok(Self { epoch, ear })
    }
}

/// The lease of a process that has the database to itself: every other has ended, and what their holders have not committed they
/// do not commit any more. No trade is written, however many are open.
///
/// # Errors
/// The database's.
pub(crate) async fn take(store: &Store) -> Result<i64, StoreError> {
    let holder = holder();
    let taken = store.write(async move |tx| {
        let epoch = next_epoch(tx).await?;
        tx.fetch_all::<(i64,), _>(&END_ALL, ()).await?;
        // Nobody else publishes: it knows whatever is.
        tx.execute(&REGISTER, [(epoch, holder.as_str(), i64::MAX)]).await?;
        Ok(epoch)
    });
    taken.await
}

async fn next_epoch(tx: &Tx<'_>) -> Result<i64, StoreError> {
    let counted = tx.fetch_all::<(i64,), _>(&NEXT_EPOCH, ()).await?;
    let next = counted.into_iter().next();
    next.map(|(epoch,)| epoch).ok_or_else(|| StoreError::Value("epochs are not counted".to_owned()))
}

fn holder() -> String {
    format!("process {}", std::process::id())
}

impl Seen {
    /// Whether its holder is gone. Where an engine starts, a holder that is not connected is; later it is given the time to
    /// connect again.
    pub(crate) fn is_over(&self) -> bool {
        !self.connected || self.silent_ms >= millis(SILENCE)
    }
}

/// When a look asks whether a silent holder is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asking {
    /// Always: a process that starts finds what its predecessor left.
    AtOnce,
    /// Where it has been silent for a while.
    OfTheSilent,
}

/// Shows that a lease's engine lives.
///
/// # Errors
/// [`StoreError::Fenced`] where the lease has ended; the database's.
pub(crate) async fn beat(tx: &mut Tx<'_>, epoch: i64, seen: i64) -> Result<(), StoreError> {
    if tx.execute(&BEAT, [(epoch, seen)]).await? == [1] { Ok(()) } else { Err(StoreError::Fenced) }
}

/// Leaves a lease to whoever takes it first.
///
/// # Errors
/// The database's.
pub(crate) async fn give_up(store: &Store, epoch: i64) -> Result<(), StoreError> {
    let left = store.write_aside(async move |tx| {
        tx.execute(&GIVE_UP, [(epoch,)]).await?;
        tell(tx, [EVERYONE]).await
    });
    left.await
}

/// Keeps a lease from ending until `tx` has.
///
/// # Errors
/// [`StoreError::Fenced`] where it has ended; the database's.
pub(crate) async fn fence(tx: &Tx<'_>, epoch: i64) -> Result<(), StoreError> {
    match tx.fetch_all::<(i64,), _>(&FENCE, (epoch,)).await?.is_empty() {
        true => Err(StoreError::Fenced),
        false => Ok(()),
    }
}

/// Has engines look for what concerns them once `tx` is committed.
///
/// # Errors
/// The database's.
pub(crate) async fn tell(tx: &Tx<'_>, epochs: impl IntoIterator<Item = i64>) -> Result<(), StoreError> {
    let epochs = epochs.into_iter().map(|epoch| (epoch.to_string(),));
    tx.fetch::<(i64,), _>(&TELL, epochs).await.map(drop)
}

/// Has other engines follow what `tx` publishes; says the number by which they know it.
///
/// # Errors
/// The database's.
pub(crate) async fn count_published(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    let count = tx.fetch_all::<(i64,), _>(&COUNT_PUBLISHED, ()).await?;
    tell(tx, [EVERYONE]).await?;
    Ok(count.first().map_or(0, |(count,)| *count))
}

/// Returns when every engine that lives knows what was published under this number.
///
/// # Errors
/// The database's; an engine that lives and does not follow.
pub(crate) async fn until_known(store: &Store, published: i64) -> Result<(), StoreError> {
    // Who does not look in time has been silent for too long, and learns it under another lease.
    for _ in 0..LOOKS {
        let behind = store.read(async move |reader| {
            reader.fetch_all::<(i64,), _>(&BEHIND, (published, millis(SILENCE))).await
        });
        if behind.await?.iter().all(|(count,)| *count == 0) {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(StoreError::Value(
        "another process does not follow what is published: see its log, or stop it".to_owned(),
    ))
}

/// All leases, the eldest first.
///
/// # Errors
/// The database's.
pub(crate) async fn leases(tx: &Tx<'_>, asking: Asking) -> Result<Vec<Seen>, StoreError> {
    let least_ms = match asking {
        Asking::AtOnce => i64::MIN,
        Asking::OfTheSilent => millis(ABSENCE),
    };
    let rows = tx.fetch_all::<(i64, String, i64, i64), _>(&LEASES, (least_ms,)).await?;
    let seen =
        |(epoch, holder, silent_ms, connected)| Seen { epoch, holder, silent_ms, connected: connected == 1 };
    Ok(rows.into_iter().map(seen).collect())
}

/// Ends `over` and takes the trades of all leases that have ended, a family with all its parts. It says what they need: calls
/// to go on with, clocks, and events that they were not told.
///
/// # Errors
/// [`StoreError::Fenced`] where the lease of `epoch` has ended itself; the database's.
pub(crate) async fn adopt(store: &Store, epoch: i64, over: Vec<Seen>) -> Result<Vec<Found>, StoreError> {
    let claimed = store.write_aside(async move |tx| {
        fence(tx, epoch).await?;
        let silent =
            |seen: &Seen| (seen.epoch, if seen.connected { millis(SILENCE) } else { seen.silent_ms });
        tx.execute(&END, over.iter().map(silent)).await?;
        let undelivered = tx.fetch_all::<Undelivered, _>(&sql::UNDELIVERED_TO_ORPHANS, ()).await?;
        let open = tx.fetch_all::<Open, _>(&CLAIM_ORPHANS, (epoch,)).await?;
        Ok((open, undelivered))
    });
    let (open, undelivered) = claimed.await?;
    found(open, undelivered)
}

/// What open trades need of whoever drives them now.
///
/// # Errors
/// A payload that cannot be read back.
pub(crate) fn found(mut open: Vec<Open>, undelivered: Vec<Undelivered>) -> Result<Vec<Found>, StoreError> {
    open.sort_unstable_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    let mut found: Vec<Found> = open
        .into_iter()
        .map(|(tenant, id, status, due)| Found {
            id: TradeId { tenant, id },
            works: if status == WAITING { Vec::new() } else { vec![Work::Resume] },
            due,
        })
        .collect();
    let mut matched = Matched::default();
    for (tenant, id, wait, kind, position, payload) in undelivered {
        let payload = commit::stored(&payload)?;
        matched.add((TradeId { tenant, id }, None), kind, wait, "", position, &payload);
    }
    for (trade, work) in matched.works() {
        if let Ok(place) = found.binary_search_by(|one| one.id.cmp(&trade)) {
            found[place].works.push(work);
        }
    }
    Ok(found)
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
