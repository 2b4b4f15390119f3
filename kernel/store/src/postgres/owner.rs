//! Being alone with a database. Every connection that writes holds a lock in share as long as it lives, and whoever wants to be
//! alone must have it whole for a moment: that goes only when no such connection is left. He then raises the epoch, and a
//! connection of the former owner, made anew later, finds it raised and is refused. A transaction costs nothing for it.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, Row as _};

use super::refused;
use crate::error::StoreError;

/// The lock's number among all advisory locks of the database: `mortise` in ASCII.
const LOCK: i64 = 0x6d_6f72_7469_7365;
/// A process that was killed is gone for the server when its connections are: looks for it, and the time between two.
const LOOKS: u32 = 20;
const LOOK: Duration = Duration::from_millis(100);

const TRY_WHOLE: &str = "SELECT pg_try_advisory_lock($1)";
const LEAVE_WHOLE: &str = "SELECT pg_advisory_unlock($1)";
const SHARE: &str = "SELECT pg_advisory_lock_shared($1)";
const TABLE: &str = "CREATE TABLE IF NOT EXISTS store_owner (epoch BIGINT NOT NULL)";
const RAISE: &str = "WITH raised AS (UPDATE store_owner SET epoch = epoch + 1 RETURNING epoch),
     first AS (INSERT INTO store_owner SELECT 1 WHERE NOT EXISTS (SELECT FROM store_owner) RETURNING epoch)
     SELECT epoch FROM raised UNION ALL SELECT epoch FROM first";
const EPOCH: &str = "SELECT epoch FROM store_owner";

/// The right to write, as long as it is kept.
#[derive(Debug)]
pub(super) struct Owner {
    epoch: i64,
    /// Holds the lock in share while no writer is connected.
    _keeper: PgConnection,
}

impl Owner {
    /// Takes the database for this process.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another process has it.
    pub(super) async fn take(server: &PgConnectOptions) -> Result<Self, StoreError> {
        let mut keeper = server.connect().await.map_err(|source| refused("connect", source))?;
        let mut looks = 1;
        while !lock(&mut keeper, TRY_WHOLE).await? {
            if looks == LOOKS {
                let _ = keeper.close().await;
                return Err(StoreError::Locked(name(server)));
            }
            looks += 1;
            tokio::time::sleep(LOOK).await;
        }
        keeper.execute(sqlx::raw_sql(TABLE)).await.map_err(|source| refused(TABLE, source))?;
        let epoch = number(&mut keeper, RAISE).await?;
        // Share before whole is left, so that nobody gets between.
        share(&mut keeper).await?;
        lock(&mut keeper, LEAVE_WHOLE).await?;
        Ok(Self { epoch, _keeper: keeper })
    }

    /// Which owner this is, counted from 1.
    pub(super) fn epoch(&self) -> i64 {
        self.epoch
    }
}

/// Makes a new connection one of the owner's of that epoch.
///
/// # Errors
/// [`StoreError::TakenOver`] if another process is the owner now.
pub(super) async fn belong(connection: &mut PgConnection, epoch: i64) -> Result<(), StoreError> {
    share(connection).await?;
    match number(connection, EPOCH).await? == epoch {
        true => Ok(()),
        false => Err(StoreError::TakenOver),
    }
}

/// As a person knows it: no password.
fn name(server: &PgConnectOptions) -> String {
    let database = server.get_database().unwrap_or_else(|| server.get_username());
    format!("the database `{database}` of {}:{}", server.get_host(), server.get_port())
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
