//! What a process has for trades that another one drives: events that their listeners wait for, and what a person decided.
//! A note is written in the commit that it comes from and struck off in the commit of the trade that took it, so that it
//! outlives both processes; told twice, a trade has had it already. Who drives which trade is the lease's to say.

use std::collections::BTreeSet;

use mortise_contract::Value;
use mortise_flow::WaitNo;
use mortise_store::{Reader, Statement, StoreError, Tx};
use mortise_types::TenantId;
use serde::{Deserialize, Serialize};

use crate::attention::Verdict;
use crate::commit::text_of;
use crate::job::Work;
use crate::lease;
use crate::record::TradeId;

/// Notes that one look takes up at most.
const MOST: i64 = 1_000;

const INSERT: Statement = Statement::pair(
    "engine.insert_post",
    "INSERT INTO flow_post (tenant, instance, work) VALUES (?1, ?2, ?3)",
    "INSERT INTO flow_post (tenant, instance, work)
     SELECT tenant, instance, work FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, instance, work, n)
     ORDER BY n",
);

const FOR: Statement = Statement::pair(
    "engine.posts",
    "SELECT p.number, p.tenant, p.instance, p.work
     FROM flow_post p JOIN flow_instance i ON i.tenant = p.tenant AND i.id = p.instance
     WHERE i.epoch = ?1 AND i.status <> 2 ORDER BY p.number LIMIT ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (epoch, most, n)
     CROSS JOIN LATERAL (
       SELECT p.number, p.tenant, p.instance, p.work
       FROM flow_post p JOIN flow_instance i ON i.tenant = p.tenant AND i.id = p.instance
       WHERE i.epoch = item.epoch AND i.status <> 2 ORDER BY p.number LIMIT item.most) AS found",
);

const STRIKE: Statement = Statement::pair(
    "engine.strike_post",
    "DELETE FROM flow_post WHERE number = ?1",
    "DELETE FROM flow_post t USING unnest($1) WITH ORDINALITY AS item (number, n)
     WHERE t.number = item.number RETURNING item.n",
);

/// A trade that is over wants nothing any more.
const STRIKE_VAIN: Statement = Statement::both(
    "engine.strike_vain_posts",
    "DELETE FROM flow_post WHERE NOT EXISTS (SELECT 1 FROM flow_instance i
       WHERE i.tenant = flow_post.tenant AND i.id = flow_post.instance AND i.status <> 2)",
);

/// A piece of work as it is written down.
#[derive(Debug, Serialize, Deserialize)]
enum Note {
    Event { wait: WaitNo, position: i64, payload: Value },
    Cancel { wait: WaitNo, position: i64 },
    Decided(Verdict),
}

impl Note {
    fn of(work: Work) -> Option<Self> {
        match work {
            Work::Event { wait, position, payload } => Some(Self::Event { wait, position, payload }),
            Work::Cancel { wait, position } => Some(Self::Cancel { wait, position }),
            Work::Decided(verdict) => Some(Self::Decided(verdict)),
            // Whatever else there is comes from the trade's own driver.
            _ => None,
        }
    }

    fn work(self) -> Work {
        match self {
            Self::Event { wait, position, payload } => Work::Event { wait, position, payload },
            Self::Cancel { wait, position } => Work::Cancel { wait, position },
            Self::Decided(verdict) => Work::Decided(verdict),
        }
    }
}

/// A note for a trade of ours: its number, the trade, what it says.
pub(crate) type Post = (i64, TradeId, Work);

/// Writes notes for trades, each with the epoch of its driver, who is told at the commit.
///
/// # Errors
/// The database's.
pub(crate) async fn write(tx: &mut Tx<'_>, posts: Vec<(TradeId, i64, Work)>) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(posts.len());
    let mut drivers = BTreeSet::new();
    for (trade, driver, work) in posts {
        let Some(note) = Note::of(work) else { continue };
        let text = text_of(&note)?;
        drivers.insert(driver);
        rows.push((trade, text));
    }
    tx.execute(&INSERT, rows.iter().map(|(id, text)| (id.tenant.as_str(), &*id.id, text.as_str()))).await?;
    lease::tell(tx, drivers).await
}

/// What is there for the trades of a lease, the oldest first.
///
/// # Errors
/// The database's; a note that cannot be read back.
pub(crate) async fn of(reader: &Reader<'_>, epoch: i64) -> Result<Vec<Post>, StoreError> {
    let rows =
        reader.fetch_all::<(i64, TenantId, std::sync::Arc<str>, String), _>(&FOR, (epoch, MOST)).await?;
    let post = |(number, tenant, id, text): (i64, TenantId, std::sync::Arc<str>, String)| {
        let note: Note = serde_json::from_str(&text)
            .map_err(|error| StoreError::Value(format!("note {number} of another process: {error}")))?;
        Ok((number, TradeId { tenant, id }, note.work()))
    };
    rows.into_iter().map(post).collect()
}

/// Strikes off what trades have taken.
///
/// # Errors
/// The database's.
pub(crate) async fn strike(tx: &mut Tx<'_>, numbers: impl Iterator<Item = i64>) -> Result<(), StoreError> {
    tx.execute(&STRIKE, numbers.map(|number| (number,))).await.map(drop)
}

/// Strikes off what nobody will take.
///
/// # Errors
/// The database's.
pub(crate) async fn strike_vain(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.execute(&STRIKE_VAIN, [()]).await.map(drop)
}
