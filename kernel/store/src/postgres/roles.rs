//! The two roles that statements run under: the engine's, and the capabilities', which sees the rows of the tenants that it is
//! told and nothing of the engine's. Neither logs in, owns a table or is exempt from a policy; they are named after the database, so
//! that who serves one database of a server has no way into another one.

use sqlx::Row as _;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};

use super::refused;
use crate::error::StoreError;

/// PostgreSQL cuts longer names off (`NAMEDATALEN`).
const LONGEST_NAME: usize = 63;

const DATABASE: &str = "SELECT current_database()::text";
/// Membership that allows SET ROLE is told apart from any other since version 16.
const STATE: &str = "SELECT s.rolsuper OR s.rolcreaterole AS may_create, s.rolsuper, s.rolname::text, r.oid IS NOT NULL AS is_there,
       COALESCE(r.rolsuper OR r.rolbypassrls OR r.rolcanlogin, false) AS is_exempt,
       COALESCE(pg_has_role(r.oid, CASE WHEN current_setting('server_version_num')::int >= 160000
                                        THEN 'SET' ELSE 'MEMBER' END), false) AS may_become,
       COALESCE(has_schema_privilege(r.oid, current_schema(), 'USAGE'), false) AS sees_schema, current_schema()::text
     FROM pg_roles s CROSS JOIN unnest($1::text[]) WITH ORDINALITY AS wanted (name, n)
     LEFT JOIN pg_roles r ON r.rolname = wanted.name
     WHERE s.rolname = current_user ORDER BY wanted.n";

/// The names of a database's roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Roles {
    /// The engine's.
    pub(crate) engine: String,
    /// The capabilities'.
    pub(crate) capability: String,
}

/// What is known of one of them.
struct State {
    user: String,
    is_superuser: bool,
    may_create: bool,
    is_there: bool,
    is_exempt: bool,
    may_become: bool,
    sees_schema: bool,
    schema: String,
}

impl Roles {
    /// Those of the database that a connection is to.
    pub(crate) async fn of(connection: &mut PgConnection) -> Result<Self, StoreError> {
        let row = connection.fetch_one(DATABASE).await;
        let database: String =
            row.and_then(|row| row.try_get(0)).map_err(|source| refused("roles", source))?;
        Self::named(&database)
    }

    fn named(database: &str) -> Result<Self, StoreError> {
        let roles =
            Self { engine: format!("{database}_engine"), capability: format!("{database}_capability") };
        if roles.capability.len() > LONGEST_NAME {
            let most = LONGEST_NAME - "_capability".len();
            return Err(StoreError::Roles(format!(
                "the database's name is too long for roles named after it; rename it to at most {most} bytes"
            )));
        }
        Ok(roles)
    }

    /// Makes the roles where they are missing, and the connection's user a member.
    ///
    /// # Errors
    /// [`StoreError::Roles`] where the user may not, with what an administrator has to say.
    pub(crate) async fn ensure(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        for (name, state) in [&self.engine, &self.capability].into_iter().zip(self.look(connection).await?) {
            for text in self.missing(name, &state)? {
                let made = connection.execute(AssertSqlSafe(text)).await;
                made.map_err(|source| match source.as_database_error().and_then(|e| e.code()).as_deref() {
                    Some("42501") => self.denied(&state),
                    _ => refused("roles", source),
                })?;
            }
        }
        Ok(())
    }

    /// Whether the roles are there for a connection that changes nothing.
    pub(crate) async fn are_there(&self, connection: &mut PgConnection) -> Result<bool, StoreError> {
        let states = self.look(connection).await?;
        Ok(states.iter().all(|state| state.is_there && state.may_become && state.sees_schema))
    }

    async fn look(&self, connection: &mut PgConnection) -> Result<Vec<State>, StoreError> {
        let names = vec![self.engine.clone(), self.capability.clone()];
        let rows = connection.fetch_all(sqlx::query(STATE).bind(names)).await;
        let states = rows.and_then(|rows| {
            let state = |row: &sqlx::postgres::PgRow| {
                Ok(State {
                    may_create: row.try_get(0)?,
                    is_superuser: row.try_get(1)?,
                    user: row.try_get(2)?,
                    is_there: row.try_get(3)?,
                    is_exempt: row.try_get(4)?,
                    may_become: row.try_get(5)?,
                    sees_schema: row.try_get(6)?,
                    schema: row.try_get::<Option<String>, _>(7)?.unwrap_or_default(),
                })
            };
            rows.iter().map(state).collect()
        });
        states.map_err(|source| refused("roles", source))
    }

    /// What is to be said so that a role is as it should be.
    fn missing(&self, name: &str, state: &State) -> Result<Vec<String>, StoreError> {
        if state.is_exempt {
            return Err(StoreError::Roles(format!(
                "the role `{name}` may log in or is exempt from policies; an administrator says: \
                 ALTER ROLE {} NOLOGIN NOSUPERUSER NOBYPASSRLS",
                quoted(name)
            )));
        }
        if !state.is_there && !state.may_create {
            return Err(self.denied(state));
        }
        let name = quoted(name);
        let mut texts = Vec::new();
        if !state.is_there {
            texts.push(format!("CREATE ROLE {name} NOLOGIN"));
        }
        if !state.may_become && !state.is_superuser {
            texts.push(format!("GRANT {name} TO CURRENT_USER"));
        }
        if !state.sees_schema {
            texts.push(format!("GRANT USAGE ON SCHEMA {} TO {name}", quoted(&state.schema)));
        }
        Ok(texts)
    }

    fn denied(&self, state: &State) -> StoreError {
        let (engine, capability) = (quoted(&self.engine), quoted(&self.capability));
        let (user, schema) = (quoted(&state.user), quoted(&state.schema));
        StoreError::Roles(format!(
            "the user `{}` lacks CREATEROLE, and the roles that keep tenants apart are not there or not his to use. Grant it \
             (ALTER ROLE {user} CREATEROLE), or have an administrator say in this database: CREATE ROLE {engine} NOLOGIN; CREATE ROLE \
             {capability} NOLOGIN; GRANT {engine}, {capability} TO {user}; GRANT USAGE ON SCHEMA {schema} TO {engine}, {capability}",
            state.user
        ))
    }
}

/// A name as SQL reads it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_named_after_their_database() {
        let roles = Roles::named("shop").unwrap();
        assert_eq!((&*roles.engine, &*roles.capability), ("shop_engine", "shop_capability"));
        assert!(Roles::named(&"a".repeat(52)).is_ok());
        let told = Roles::named(&"a".repeat(53)).unwrap_err().to_string();
        assert!(told.contains("at most 52 bytes"), "{told}");
        assert_eq!(quoted("a\"b"), "\"a\"\"b\"");
    }
}
