//! Who the primary is: what a standby of it has too, and a mark for each timeline of its log. The numbers of a log alone say too
//! little: behind a switch of the primary a server that parted from it earlier has such numbers as well.

use std::sync::Arc;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use super::super::roles::{Roles, quoted};
use super::super::session::{PLACE, position};
use super::super::{Hosts, refused};
use super::samples::Line;
use crate::error::StoreError;
use crate::position::Position;

/// A table of the engine's, made with the policies: see `isolation`.
pub(crate) const MARKS: &str = "store_timeline";
pub(crate) const MARKS_MADE: &str =
    "CREATE TABLE IF NOT EXISTS store_timeline (timeline INTEGER PRIMARY KEY, mark TEXT NOT NULL)";

const DATABASE: &str = "SELECT current_database()::text";
/// Who may not ask is not refused for it: the mark shows the same, only later.
const MAY_IDENTIFY: &str = "SELECT has_function_privilege('pg_control_system()', 'EXECUTE')";
const IDENTIFY: &str = "SELECT system_identifier FROM pg_control_system()";
/// The timeline of the log that is written now.
const TIMELINE: &str = "('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int";

/// What the primary and its standbys have in common.
#[derive(Debug)]
pub(super) struct Primary {
    pub(super) server: Hosts,
    pub(super) roles: Arc<Roles>,
    database: String,
    /// Of the cluster; none where the user may not ask.
    identifier: Option<i64>,
}

impl Primary {
    pub(super) async fn of(server: Hosts, roles: Arc<Roles>) -> Result<Self, StoreError> {
        let mut connection = server.connect().await?;
        let (database, identifier) = identity(&mut connection).await?;
        Ok(Self { server, roles, database, identifier })
    }

    /// Refuses a server of which it is known that it is no copy of this one.
    pub(super) async fn holds(&self, connection: &mut PgConnection, replica: &str) -> Result<(), StoreError> {
        let (database, identifier) = identity(connection).await?;
        let mend = format!("name a standby of {}", self.server.name());
        if let (Some(ours), Some(theirs)) = (self.identifier, identifier)
            && ours != theirs
        {
            return Err(StoreError::Replica(format!(
                "{replica} is on a server of its own (system identifier {theirs}, not the primary's {ours}); {mend}"
            )));
        }
        match database == self.database {
            true => Ok(()),
            false => Err(StoreError::Replica(format!(
                "{replica} is another database than the primary's `{}`; {mend}",
                self.database
            ))),
        }
    }

    /// Whether a standby shows the mark of a line: it follows it then.
    pub(super) async fn is_shown(
        &self,
        connection: &mut PgConnection,
        line: &Line,
    ) -> Result<bool, StoreError> {
        let text = format!("BEGIN READ ONLY; {}; {}; COMMIT", self.as_engine(), mark(line.timeline));
        let rows = connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(text))).await;
        match rows {
            Ok(rows) => Ok(rows.iter().any(|row| row.try_get(0).is_ok_and(|mark: &str| mark == line.mark))),
            // Made on the primary a moment ago, it is not here yet.
            Err(error) if error.as_database_error().and_then(|e| e.code()).as_deref() == Some("42P01") => {
                connection.execute("ROLLBACK").await.map_err(|source| refused("timeline", source))?;
                Ok(false)
            }
            Err(source) => Err(refused("timeline", source)),
        }
    }

    /// Where the primary is, and on which timeline.
    pub(super) async fn place(connection: &mut PgConnection) -> Result<(Position, i32), StoreError> {
        let read = async {
            let text = sqlx::raw_sql(AssertSqlSafe(format!("SELECT {PLACE}, {TIMELINE}")));
            let row = connection.fetch_one(text).await?;
            Ok((position(&row)?, row.try_get(1)?))
        };
        read.await.map_err(|source| refused("position", source))
    }

    /// The line of a timeline that the primary is on; its mark is made where it has none. It waits for no standby.
    pub(super) async fn line(
        &self,
        connection: &mut PgConnection,
        timeline: i32,
    ) -> Result<Line, StoreError> {
        let text = format!(
            "BEGIN; {}; SET LOCAL synchronous_commit = off; INSERT INTO {MARKS} (timeline, mark) VALUES ({timeline}, \
             gen_random_uuid()::text) ON CONFLICT (timeline) DO NOTHING; {}; COMMIT",
            self.as_engine(),
            mark(timeline)
        );
        let rows = connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(text))).await;
        let marked = rows.and_then(|rows| rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0));
        let mark = marked.map_err(|source| refused("timeline", source))?;
        Ok(Line { timeline, mark })
    }

    fn as_engine(&self) -> String {
        format!("SET LOCAL ROLE {}", quoted(&self.roles.engine))
    }
}

fn mark(timeline: i32) -> String {
    format!("SELECT mark FROM {MARKS} WHERE timeline = {timeline}")
}

async fn identity(connection: &mut PgConnection) -> Result<(String, Option<i64>), StoreError> {
    let read = async {
        let database = connection.fetch_one(DATABASE).await?.try_get(0)?;
        let may: bool = connection.fetch_one(MAY_IDENTIFY).await?.try_get(0)?;
        let identifier = match may {
            true => Some(connection.fetch_one(IDENTIFY).await?.try_get(0)?),
            false => None,
        };
        Ok((database, identifier))
    };
    read.await.map_err(|source| refused("identity", source))
}
