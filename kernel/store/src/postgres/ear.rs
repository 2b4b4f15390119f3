//! Hearing what other processes tell a channel, on a connection of its own. As long as the connection lives, a mark says to them
//! that the process does. What was told while it was broken is lost: who hears has to look for himself now and then.

use std::time::Duration;

use sqlx::Executor as _;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Hosts, refused};
use crate::error::StoreError;

/// Before a broken connection is made anew.
const PAUSE: Duration = Duration::from_millis(250);
/// What is heard and not yet taken; more says nothing new.
const WAITING: usize = 64;

const MARK: &str = "SELECT pg_advisory_lock_shared($1, $2)";

/// What is told to a channel.
#[derive(Debug)]
pub struct Ear {
    heard: mpsc::Receiver<String>,
    listening: JoinHandle<()>,
}

impl Ear {
    pub(super) async fn open(
        server: Hosts,
        channel: &'static str,
        mark: (i32, i32),
    ) -> Result<Self, StoreError> {
        let mut listener = connect(&server, channel, mark).await?;
        let (tell, heard) = mpsc::channel(WAITING);
        let listening = tokio::spawn(async move {
            while !tell.is_closed() {
                match listener.try_recv().await {
                    // Who is behind is told enough already.
                    Ok(Some(told)) => drop(tell.try_send(told.payload().to_owned())),
                    Ok(None) | Err(_) => {
                        tokio::time::sleep(PAUSE).await;
                        match connect(&server, channel, mark).await {
                            Ok(again) => listener = again,
                            Err(error) => tracing::debug!(%error, channel, "nothing is heard"),
                        }
                    }
                }
            }
        });
        Ok(Self { heard, listening })
    }

    /// The next that is told.
    pub async fn hear(&mut self) -> String {
        match self.heard.recv().await {
            Some(told) => told,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn connect(
    server: &Hosts,
    channel: &'static str,
    (class, number): (i32, i32),
) -> Result<PgListener, StoreError> {
    // The listener takes its connection from a pool, and this pool has it alone.
    let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
    let failed = |source| refused("listen", source);
    let pool = pool.connect_with(server.primary().await?).await.map_err(failed)?;
    let mut listener = PgListener::connect_with(&pool).await.map_err(failed)?;
    listener.eager_reconnect(false);
    listener.listen(channel).await.map_err(failed)?;
    listener.execute(sqlx::query(MARK).bind(class).bind(number)).await.map_err(failed)?;
    Ok(listener)
}
