//! Delivery of the outbox to subscribers in this process: in commit order, at least once, each with a cursor of its own that
//! moves only behind what was delivered. Brokers are another delivery of the same outbox.

use std::sync::Arc;

use futures::future::BoxFuture;
use mortise_contract::Value;
use mortise_store::{Reader, Store, StoreError};
use mortise_types::{TenantId, Timestamp};
use tokio::sync::watch;

use crate::commit::stored;
use crate::keeper::Standing;
use crate::lease;
use crate::store as sql;

/// Events delivered at a time.
const CHUNK: i64 = 256;
/// Seconds between two tries when a subscriber or the database refuses.
const RETRY: std::time::Duration = std::time::Duration::from_millis(500);

/// An event of the outbox.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivered {
    /// Its place: greater than that of every event committed before. Deliveries of one position are the same event.
    pub position: i64,
    /// Whose it is.
    pub tenant: TenantId,
    /// `capability.event`
    pub event: String,
    /// The event's key.
    pub key: String,
    /// The trade that wrote it.
    pub trade: String,
    /// What it carries.
    pub payload: Value,
    /// When it was written.
    pub at: Timestamp,
}

/// Who takes events.
pub trait Subscriber: Send + Sync + 'static {
    /// The name of its cursor.
    fn name(&self) -> &str;

    /// Takes events in order. After an error the same ones come again.
    fn deliver<'a>(&'a self, events: &'a [Delivered]) -> BoxFuture<'a, Result<(), String>>;
}

/// Delivers until `committed` is closed. Of several engines on a database one does at a time, and another when its lease has
/// ended.
pub(crate) async fn run(
    store: Arc<Store>,
    subscriber: Arc<dyn Subscriber>,
    mut committed: watch::Receiver<u64>,
    standing: Option<Arc<Standing>>,
) {
    loop {
        committed.mark_unchanged();
        let epoch = standing.as_ref().map(|standing| standing.epoch());
        match turn(&store, &subscriber, epoch).await {
            Ok(Turn::Delivered(0)) => {
                if committed.changed().await.is_err() {
                    return;
                }
            }
            Ok(Turn::Delivered(_)) => {}
            Ok(Turn::Anothers) => {
                tokio::time::sleep(RETRY).await;
                if committed.has_changed().is_err() {
                    return;
                }
            }
            Err(problem) => {
                tracing::warn!(subscriber = subscriber.name(), %problem, "events were not delivered");
                tokio::time::sleep(RETRY).await;
                if committed.has_changed().is_err() {
                    return;
                }
            }
        }
    }
}

/// What came of a look.
enum Turn {
    /// So many events.
    Delivered(usize),
    /// Another engine delivers.
    Anothers,
}

async fn turn(store: &Store, subscriber: &Arc<dyn Subscriber>, epoch: Option<i64>) -> Result<Turn, String> {
    let name = subscriber.name().to_owned();
    let read = || read(store, name.clone());
    let mut events = read().await.map_err(|error| error.to_string())?;
    if let (Some(epoch), false) = (epoch, events.is_empty()) {
        let name = name.clone();
        let taken = store.write(async move |tx| {
            lease::fence(tx, epoch).await?;
            tx.execute(&sql::TAKE_TURN, [(name.as_str(), epoch)]).await
        });
        if taken.await.map_err(|error| error.to_string())? == [0] {
            return Ok(Turn::Anothers);
        }
        // Whoever had the turn may have gone on meanwhile.
        events = read().await.map_err(|error| error.to_string())?;
    }
    let Some(last) = events.last().map(|event| event.position) else {
        return Ok(Turn::Delivered(0));
    };
    subscriber.deliver(&events).await?;
    let moved = store.write(async move |tx| {
        if let Some(epoch) = epoch {
            lease::fence(tx, epoch).await?;
        }
        tx.execute(&sql::MOVE_SUBSCRIBER, [(name.as_str(), last)]).await.map(drop)
    });
    moved.await.map_err(|error| error.to_string())?;
    Ok(Turn::Delivered(events.len()))
}

/// What was written to the outbox behind `position`, in its order.
pub(crate) async fn since(store: &Store, position: i64) -> Result<Vec<Delivered>, StoreError> {
    store.read(async move |reader| events(reader, position, i64::MAX).await).await
}

async fn read(store: &Store, name: String) -> Result<Vec<Delivered>, StoreError> {
    store
        .read(async move |reader| {
            let cursor = reader.fetch_all::<(i64,), _>(&sql::SUBSCRIBER, (name.as_str(),)).await?;
            events(reader, cursor.first().map_or(0, |(position,)| *position), CHUNK).await
        })
        .await
}

async fn events(reader: &Reader<'_>, since: i64, most: i64) -> Result<Vec<Delivered>, StoreError> {
    type Row = (i64, TenantId, String, String, String, String, Timestamp);
    let rows = reader.fetch_all::<Row, _>(&sql::OUTBOX_SINCE, (since, most)).await?;
    rows.into_iter()
        .map(|(position, tenant, event, key, trade, payload, at)| {
            Ok(Delivered { position, tenant, event, key, trade, payload: stored(&payload)?, at })
        })
        .collect()
}
