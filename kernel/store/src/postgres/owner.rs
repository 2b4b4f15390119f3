//! Who has a database. Every connection that writes holds a lock in share as long as it lives, and whoever wants to be
//! alone must have it whole for a moment: that goes only when no such connection is left. He then raises the epoch, and a
//! connection of the former owner, made anew later, finds it raised and is refused. A transaction costs nothing for it.
//! Processes that share the database are one owner together: the next of them joins the epoch that the first one began. Who
//! of them does what is theirs to say.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};

use super::roles::{Roles, quoted};
use super::{Hosts, refused};
use crate::error::StoreError;

/// The lock's number among all advisory locks of the database: `mortise` in ASCII.
const LOCK: i64 = 0x6d_6f72_7469_7365;
/// A process that was killed is gone for the server when its connections are: looks for it, and the time between two.
const LOOKS: u32 = 20;
const LOOK: Duration = Duration::from_millis(100);

const TRY_WHOLE: &str = "SELECT pg_try_advisory_lock($1)";
const LEAVE_WHOLE: &str = "SELECT pg_advisory_unlock($1)";
const SHARE: &str = "SELECT pg_advisory_lock_shared($1)";
const TRY_SHARE: &str = "SELECT pg_try_advisory_lock_shared($1)";
const LEAVE_SHARE: &str = "SELECT pg_advisory_unlock_shared($1)";
const TABLE: &str = "CREATE TABLE IF NOT EXISTS store_owner (epoch BIGINT NOT NULL);
     ALTER TABLE store_owner ADD COLUMN IF NOT EXISTS together BOOLEAN NOT NULL DEFAULT false";
/// Those who share have one epoch, whoever of them is there.
const RAISE: &str = "WITH raised AS (UPDATE store_owner
         SET epoch = CASE WHEN together AND $1 THEN epoch ELSE epoch + 1 END, together = $1 RETURNING epoch),
     first AS (INSERT INTO store_owner (epoch, together)
         SELECT 1, $1 WHERE NOT EXISTS (SELECT FROM store_owner) RETURNING epoch)
     SELECT epoch FROM raised UNION ALL SELECT epoch FROM first";
const EPOCH: &str = "SELECT epoch FROM store_owner";
/// A former version's owner has no such column, and is alone.
const EPOCH_OF_ALL: &str = "SELECT epoch FROM store_owner o WHERE to_jsonb(o) ->> 'together' = 'true'";

/// With whom a process has a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Company {
    /// With nobody.
    Alone,
    /// With those who say the same.
    Together,
}

/// The right to write, as long as it is kept.
#[derive(Debug)]
pub(super) struct Owner {
    epoch: i64,
    /// Holds the lock in share while no writer is connected.
    _keeper: PgConnection,
}

impl Owner {
    /// Takes the database for this process, or joins those who share it.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another process has it and one of the two would be alone.
    pub(super) async fn take(server: &Hosts, company: Company) -> Result<Self, StoreError> {
        let mut keeper = server.connect().await?;
        for _ in 0..LOOKS {
            let epoch = match lock(&mut keeper, TRY_WHOLE).await? {
                true => Some(begin(&mut keeper, company).await?),
                false if company == Company::Together => join(&mut keeper).await?,
                false => None,
            };
            if let Some(epoch) = epoch {
                return Ok(Self { epoch, _keeper: keeper });
            }
            tokio::time::sleep(LOOK).await;
        }
        let _ = keeper.close().await;
        Err(StoreError::Locked(server.name()))
    }

    /// Which owner this is, counted from 1.
    pub(super) fn epoch(&self) -> i64 {
        self.epoch
    }
}

/// Begins an epoch, where nobody else is there.
async fn begin(keeper: &mut PgConnection, company: Company) -> Result<i64, StoreError> {
    keeper.execute(sqlx::raw_sql(TABLE)).await.map_err(|source| refused(TABLE, source))?;
    let raised = keeper.fetch_one(sqlx::query(RAISE).bind(company == Company::Together)).await;
    let epoch = raised.and_then(|row| row.try_get(0)).map_err(|source| refused(RAISE, source))?;
    // Share before whole is left, so that nobody gets between.
    share(keeper).await?;
    lock(keeper, LEAVE_WHOLE).await?;
    Ok(epoch)
}

/// Joins those who are there, if they share. Nobody can change that while the lock is held in share.
async fn join(keeper: &mut PgConnection) -> Result<Option<i64>, StoreError> {
    if !lock(keeper, TRY_SHARE).await? {
        return Ok(None);
    }
    let row = keeper.fetch_optional(sqlx::query(EPOCH_OF_ALL)).await;
    let row = row.map_err(|source| refused(EPOCH_OF_ALL, source))?;
    let epoch = row.map(|row| row.try_get(0)).transpose().map_err(|source| refused(EPOCH_OF_ALL, source))?;
    if epoch.is_none() {
        lock(keeper, LEAVE_SHARE).await?;
    }
    Ok(epoch)
}

/// Makes a new connection one of the owner's of that epoch.
///
/// # Errors
/// [`StoreError::TakenOver`] if another process is the owner now.
pub(super) async fn belong(
    connection: &mut PgConnection,
    epoch: i64,
    roles: &Roles,
) -> Result<(), StoreError> {
    share(connection).await?;
    let engine = format!("SET ROLE {}", quoted(&roles.engine));
    connection.execute(AssertSqlSafe(engine)).await.map_err(|source| refused("roles", source))?;
    let now = number(connection, EPOCH).await?;
    connection.execute("RESET ROLE").await.map_err(|source| refused("roles", source))?;
    match now == epoch {
        true => Ok(()),
        false => Err(StoreError::TakenOver),
    }
}

async fn share(connection: &mut PgConnection) -> Result<(), StoreError> {
    let shared = connection.execute(sqlx::query(SHARE).bind(LOCK)).await;
    shared.map(drop).map_err(|source| refused(SHARE, source))
}

async fn lock(connection: &mut PgConnection, text: &'static str) -> Result<bool, StoreError> {
    let row = connection.fetch_one(sqlx::query(text).bind(LOCK)).await;
    row.and_then(|row| row.try_get(0)).map_err(|source| refused(text, source))
}

async fn number(connection: &mut PgConnection, text: &'static str) -> Result<i64, StoreError> {
    let row = connection.fetch_one(sqlx::query(text)).await;
    row.and_then(|row| row.try_get(0)).map_err(|source| refused(text, source))
}
