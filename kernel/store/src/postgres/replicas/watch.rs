//! What goes on beside the reads for as long as somebody reads: the primary is asked where it is, and each standby how far it has
//! come. A standby that does not answer is asked again, less and less often.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnection;
use tokio::time::Instant;

use super::Shared;
use super::primary::Primary;
use super::replica::{Replica, Trouble};
use super::samples::Line;
use crate::error::StoreError;
use crate::position::Position;

/// Between two looks at a server that answers.
const BEAT: Duration = Duration::from_millis(100);
/// How long the primary may take to say where it is.
const PATIENCE: Duration = Duration::from_secs(3);
/// Before a standby that did not answer is asked again: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LAST_PAUSE: Duration = Duration::from_secs(15);
/// Nobody has read for so long: then nobody is asked.
const IDLE: Duration = Duration::from_secs(10);

/// Who asks the primary where it is.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    connection: Option<PgConnection>,
    line: Option<Arc<Line>>,
}

impl Sampler {
    /// One sample.
    pub(super) async fn take(&mut self, primary: &Primary) -> Result<(Arc<Line>, Position), StoreError> {
        let taken = match self.connection.take() {
            Some(connection) => Ok(connection),
            None => {
                // The mark may have gone with the server that it was made on.
                self.line = None;
                primary.server.connect().await
            }
        };
        let mut connection = taken?;
        let (position, timeline) = Primary::place(&mut connection).await?;
        let line = match self.line.take().filter(|line| line.timeline == timeline) {
            Some(line) => line,
            None => Arc::new(primary.line(&mut connection, timeline).await?),
        };
        self.line = Some(Arc::clone(&line));
        self.connection = Some(connection);
        Ok((line, position))
    }
}

/// Asks the primary, as long as somebody reads.
pub(super) async fn primary(shared: Arc<Shared>, mut sampler: Sampler) {
    loop {
        shared.somebody_reads(IDLE).await;
        let begun = Instant::now();
        match tokio::time::timeout(PATIENCE, sampler.take(&shared.primary)).await {
            Ok(Ok((line, position))) => shared.samples().add(&line, begun, position),
            Ok(Err(error)) => tracing::debug!(%error, "the primary does not say where it is"),
            Err(_) => tracing::debug!("the primary does not say in time where it is"),
        }
        tokio::time::sleep(BEAT).await;
    }
}

/// Asks one of the standbys, as long as somebody reads.
pub(super) async fn standby(shared: Arc<Shared>, index: usize) {
    let replica: &Replica = &shared.replicas[index];
    let mut pause = FIRST_PAUSE;
    loop {
        shared.somebody_reads(IDLE).await;
        let line = shared.samples().line();
        let Some(line) = line else {
            tokio::time::sleep(BEAT).await;
            continue;
        };
        let waits = match replica.look(line).await {
            Ok(replayed) => {
                replica.found(Some(replayed));
                pause = FIRST_PAUSE;
                BEAT
            }
            // It follows another history, or has not come to this one yet.
            Err(Trouble::Behind(replayed)) => {
                replica.found(replayed);
                BEAT
            }
            Err(Trouble::Lost(error) | Trouble::Failed(error)) => {
                replica.lost(&error);
                let waits = pause;
                pause = (pause * 2).min(LAST_PAUSE);
                waits
            }
        };
        tokio::time::sleep(waits).await;
    }
}
