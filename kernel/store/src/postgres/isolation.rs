//! Which role may do what with which table, and which rows of it: derived from whose a table is and whether it has a column
//! `tenant`, brought about behind the migrations, and looked at again at each start, so that no migration can forget it.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};

use super::refused;
use super::replicas::{MARKS, MARKS_MADE};
use super::roles::{Roles, quoted};
use crate::error::StoreError;
use crate::migrate::{Migrations, Role};
use crate::tenants::SETTING;

/// Keeps two processes that start together from doing this at a time: `mortisei` in ASCII.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7885083953862731881)";
/// What a connection of the platform reads before it has a transaction.
const OWNER_TABLE: &str = "store_owner";
/// The policy by which the engine sees all rows.
const ENGINE_POLICY: &str = "engine";
/// The policy by which capabilities see those of the tenants that their calls are of. A change of its text changes its name.
const TENANTS_POLICY: &str = "tenants";

const TABLES: &str = "SELECT c.relname::text, c.relrowsecurity, c.relforcerowsecurity,
       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped),
       ARRAY(SELECT p.polname::text FROM pg_policy p WHERE p.polrelid = c.oid),
       ARRAY(SELECT p.polname::text FROM pg_policy p WHERE p.polrelid = c.oid AND NOT EXISTS
             (SELECT FROM pg_roles r WHERE r.oid = ANY (p.polroles) AND r.rolname = CASE p.polname WHEN $4 THEN $1 ELSE $3 END)),
       ARRAY(SELECT w.privilege FROM unnest($2::text[]) AS w (privilege) WHERE has_table_privilege($1, c.oid, w.privilege)),
       ARRAY(SELECT w.privilege FROM unnest($2::text[]) AS w (privilege) WHERE has_table_privilege($3, c.oid, w.privilege)),
       ARRAY(SELECT s.relname::text FROM pg_depend d JOIN pg_class s ON s.oid = d.objid
             WHERE d.refobjid = c.oid AND d.deptype IN ('a', 'i')
               AND CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege($1, s.oid, 'USAGE') END)
     FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1";
const FORCED: &str = "SELECT c.relname::text FROM pg_class c
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND c.relforcerowsecurity ORDER BY 1";

const ALL: [&str; 4] = ["SELECT", "INSERT", "UPDATE", "DELETE"];

/// A table as the catalogue has it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Table {
    name: String,
    is_enabled: bool,
    is_forced: bool,
    has_tenant: bool,
    policies: BTreeSet<String>,
    /// Those of them that are for another role: the database had another name, or is a copy.
    strayed: BTreeSet<String>,
    engine_may: BTreeSet<String>,
    capability_may: BTreeSet<String>,
    sequences_to_grant: Vec<String>,
}

/// Brings about what is missing, for the tables of these histories.
pub(crate) async fn apply(
    connection: &mut PgConnection,
    all: &[Migrations],
    roles: &Roles,
) -> Result<(), StoreError> {
    let failed = |source| refused("isolation", source);
    let holders = holders(all);
    let before = tables(connection, roles).await?;
    if before.iter().any(|table| table.name == MARKS) && mend(&before, &holders, roles).is_empty() {
        return Ok(());
    }
    let mut transaction = connection.begin().await.map_err(failed)?;
    transaction.execute(LOCK).await.map_err(failed)?;
    transaction.execute(MARKS_MADE).await.map_err(failed)?;
    let texts = mend(&tables(&mut transaction, roles).await?, &holders, roles);
    transaction.execute(sqlx::raw_sql(AssertSqlSafe(texts.join(";\n")))).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)
}

/// Lets the owner of the tables see their rows, as a migration may have to; what is forced again by [`apply`].
pub(crate) async fn loosen(connection: &mut PgConnection) -> Result<(), StoreError> {
    let failed = |source| refused("isolation", source);
    let rows = connection.fetch_all(FORCED).await.map_err(failed)?;
    let texts = rows.iter().map(|row| {
        let table: String = row.try_get(0)?;
        Ok(format!("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY", quoted(&table)))
    });
    let texts: Vec<String> = texts.collect::<Result<_, _>>().map_err(failed)?;
    connection.execute(sqlx::raw_sql(AssertSqlSafe(texts.join(";\n")))).await.map(drop).map_err(failed)
}

/// Whose the tables of these histories are: what their steps create.
fn holders(all: &[Migrations]) -> BTreeMap<&'static str, Role> {
    let mut holders = BTreeMap::from([(OWNER_TABLE, Role::Engine), (MARKS, Role::Engine)]);
    for Migrations { role, steps, .. } in all {
        for step in *steps {
            let created = step.postgres.split("CREATE TABLE ").skip(1);
            let names = created.filter_map(|rest| rest.split(|c: char| !is_of_name(c)).next());
            holders.extend(names.map(|name| (name, *role)));
        }
    }
    holders
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn set(row: &PgRow, index: usize) -> Result<BTreeSet<String>, sqlx::Error> {
    Ok(row.try_get::<Vec<String>, _>(index)?.into_iter().collect())
}

async fn tables(connection: &mut PgConnection, roles: &Roles) -> Result<Vec<Table>, StoreError> {
    let query = sqlx::query(TABLES).bind(&roles.engine).bind(&ALL[..]).bind(&roles.capability);
    let query = query.bind(ENGINE_POLICY);
    let rows = connection.fetch_all(query).await;
    let tables = rows.and_then(|rows| {
        let table = |row: &PgRow| {
            Ok(Table {
                name: row.try_get(0)?,
                is_enabled: row.try_get(1)?,
                is_forced: row.try_get(2)?,
                has_tenant: row.try_get(3)?,
                policies: set(row, 4)?,
                strayed: set(row, 5)?,
                engine_may: set(row, 6)?,
                capability_may: set(row, 7)?,
                sequences_to_grant: row.try_get(8)?,
            })
        };
        rows.iter().map(table).collect()
    });
    tables.map_err(|source| refused("isolation", source))
}

/// What has to be said so that the tables are as they should be.
fn mend(tables: &[Table], holders: &BTreeMap<&str, Role>, roles: &Roles) -> Vec<String> {
    let mut texts = Vec::new();
    for table in tables {
        let Some(holder) = holders.get(&*table.name) else { continue };
        let (engine_may, capability_may): (&[&str], &[&str]) = match holder {
            Role::Engine if table.name == OWNER_TABLE => (&["SELECT"], &[]),
            Role::Engine => (&ALL, &[]),
            Role::Capability => (&["SELECT"], &ALL),
        };
        let name = quoted(&table.name);
        texts.extend(grant(&name, engine_may, &table.engine_may, &roles.engine));
        texts.extend(grant(&name, capability_may, &table.capability_may, &roles.capability));
        if *holder == Role::Engine {
            texts.extend(table.sequences_to_grant.iter().map(|sequence| {
                format!("GRANT USAGE ON SEQUENCE {} TO {}", quoted(sequence), quoted(&roles.engine))
            }));
        }
        if table.has_tenant {
            texts.extend(rows(table, *holder, roles));
        }
    }
    texts
}

/// Grants what is missing, takes away what is too much.
fn grant(table: &str, wanted: &[&str], has: &BTreeSet<String>, role: &str) -> Vec<String> {
    let lacks: Vec<&str> = wanted.iter().copied().filter(|one| !has.contains(*one)).collect();
    let spare: Vec<&str> = has.iter().map(|one| &**one).filter(|one| !wanted.contains(one)).collect();
    let mut texts = Vec::new();
    if !lacks.is_empty() {
        texts.push(format!("GRANT {} ON {table} TO {}", lacks.join(", "), quoted(role)));
    }
    if !spare.is_empty() {
        texts.push(format!("REVOKE {} ON {table} FROM {}", spare.join(", "), quoted(role)));
    }
    texts
}

/// The policies of a table with tenants. Without one a role sees no row at all.
fn rows(table: &Table, holder: Role, roles: &Roles) -> Vec<String> {
    let name = quoted(&table.name);
    let mut texts = Vec::new();
    for (policy, role) in [(ENGINE_POLICY, &roles.engine), (TENANTS_POLICY, &roles.capability)] {
        if table.strayed.contains(policy) {
            texts.push(format!("ALTER POLICY {policy} ON {name} TO {}", quoted(role)));
        }
    }
    if !table.policies.contains(ENGINE_POLICY) {
        let command = match holder {
            Role::Engine => "ALL",
            Role::Capability => "SELECT",
        };
        let engine = quoted(&roles.engine);
        texts.push(format!("CREATE POLICY {ENGINE_POLICY} ON {name} FOR {command} TO {engine} USING (true)"));
    }
    if holder == Role::Capability && !table.policies.contains(TENANTS_POLICY) {
        // The look at the setting is one a statement, not one a row; whoever was told no tenants sees none. As a bare column
        // the tenant became a second condition on an index's first column, and a look-up of 40 prices took 51 ms, not 0.7.
        texts.push(format!(
            "CREATE POLICY {TENANTS_POLICY} ON {name} TO {} USING \
             (COALESCE(tenant, '') = ANY ((SELECT string_to_array(current_setting('{SETTING}', true), ','))::text[]))",
            quoted(&roles.capability)
        ));
    }
    if !table.is_enabled || !table.is_forced {
        texts.push(format!("ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"));
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrate::Migration;

    const fn history(role: Role, postgres: &'static [Migration]) -> Migrations {
        Migrations { owner: "any", role, steps: postgres }
    }

    const STEP: Migration = Migration {
        version: 1,
        description: "any",
        sqlite: "",
        postgres: "CREATE TABLE a_b (x BIGINT);\nCREATE TABLE c(x BIGINT);",
    };

    #[test]
    fn what_is_as_it_should_be_is_left_alone() {
        let holders = holders(&[history(Role::Capability, &[STEP])]);
        assert_eq!(
            holders.keys().copied().collect::<Vec<_>>(),
            ["a_b", "c", "store_owner", "store_timeline"]
        );
        let roles = Roles { engine: "e".to_owned(), capability: "c".to_owned() };
        let bare = Table { name: "c".to_owned(), has_tenant: true, ..Table::default() };
        let foreign = Table { name: "somebody_elses".to_owned(), has_tenant: true, ..Table::default() };
        let texts = mend(&[bare.clone(), foreign], &holders, &roles);
        assert_eq!(texts.len(), 5, "{texts:#?}");
        let sets = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<BTreeSet<_>>();
        let whole = Table {
            is_enabled: true,
            is_forced: true,
            policies: sets(&["engine", "tenants"]),
            engine_may: sets(&["SELECT"]),
            capability_may: sets(&ALL),
            ..bare
        };
        assert!(mend(std::slice::from_ref(&whole), &holders, &roles).is_empty());
        let copied = Table { strayed: sets(&["tenants"]), ..whole.clone() };
        assert_eq!(mend(&[copied], &holders, &roles), ["ALTER POLICY tenants ON \"c\" TO \"c\""]);
        let generous = Table { engine_may: sets(&["DELETE", "SELECT"]), ..whole };
        assert_eq!(mend(&[generous], &holders, &roles), ["REVOKE DELETE ON \"c\" FROM \"e\""]);
    }
}
