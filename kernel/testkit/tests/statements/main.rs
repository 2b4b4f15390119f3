//! Every statement of the tree, prepared by both databases on the migrated tables: the same parameters, the same result
//! columns, and the forms that the store relies on. It runs none of them; the operations' tests do that on both.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use mortise_testkit::TestDatabase;
use source::Found;
use sqlx::postgres::{PgConnection, PgTypeInfo};
use sqlx::{AssertSqlSafe, Column as _, Connection as _, Either, Executor as _, Row as _, Statement as _};
use sqlx::{SqlSafeStr as _, SqliteConnection, TypeInfo as _};

/// The types that parameters have, as arrays.
const ARRAYS: [(&str, &str); 3] = [("bigint", "_int8"), ("text", "_text"), ("bytea", "_bytea")];
/// The types that result columns may have, and what SQLite calls them.
const RESULTS: [(&str, &str); 5] =
    [("INT8", "INTEGER"), ("INT4", "INTEGER"), ("BOOL", "INTEGER"), ("TEXT", "TEXT"), ("BYTEA", "BLOB")];

#[tokio::test]
async fn both_databases_prepare_every_statement_alike() {
    let (lite, full) = (TestDatabase::sqlite(), TestDatabase::postgres().await);
    let mut lite = SqliteConnection::connect(&format!("{}?mode=rwc", lite.url())).await.unwrap();
    let mut full = PgConnection::connect(&full.url()).await.unwrap();
    let mut migrations = 0;
    for group in ["kernel", "capabilities", "extensions"] {
        for file in source::files(&source::root().join(group), "sql") {
            let text = std::fs::read_to_string(&file).unwrap();
            migrations += 1;
            match file.parent().unwrap().file_name().unwrap().to_str().unwrap() {
                "sqlite" => drop(lite.execute(sqlx::raw_sql(AssertSqlSafe(text))).await.unwrap()),
                "postgres" => drop(full.execute(sqlx::raw_sql(AssertSqlSafe(text))).await.unwrap()),
                other => {
                    panic!("{}: a migration stands in sqlite/ or postgres/, not {other}/", file.display())
                }
            }
        }
    }
    assert!(migrations > 0, "no migration was found");
    assert_eq!(tables_of_sqlite(&mut lite).await, tables_of_postgres(&mut full).await);
    let types = types_by_name(&mut full).await;
    let found = source::statements();
    assert!(found.len() > 100, "only {} statements were found", found.len());
    let (mut report, mut names) = (String::new(), BTreeSet::new());
    for statement in &found {
        let mut problems = off(statement, &mut lite, &mut full, &types).await;
        if !names.insert(statement.name.as_str()) {
            problems.push("another statement has its name".to_owned());
        }
        for problem in problems {
            let _ = writeln!(report, "{} {}: {problem}", statement.place, statement.name);
        }
    }
    assert!(report.is_empty(), "{report}");
}

/// What is wrong with a statement.
async fn off(
    statement: &Found,
    lite: &mut SqliteConnection,
    full: &mut PgConnection,
    types: &BTreeMap<String, BTreeSet<String>>,
) -> Vec<String> {
    let mut problems = Vec::new();
    let owner = statement.part.replace('-', "_");
    if !statement.name.starts_with(&format!("{owner}.")) {
        problems.push(format!("a name here begins with `{owner}.`"));
    }
    let prepared = (&mut *lite).prepare(AssertSqlSafe(statement.sqlite.clone()).into_sql_str()).await;
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return vec![format!("SQLite: {error}")],
    };
    let Some(text) = &statement.postgres else {
        if !statement.sqlite.starts_with("EXPLAIN QUERY PLAN ") {
            problems.push("it has no text for PostgreSQL".to_owned());
        }
        return problems;
    };
    let parameters = count_parameters(&prepared.parameters());
    let columns: Vec<String> = prepared.columns().iter().map(|c| c.type_info().name().to_owned()).collect();
    let described = match described(text, full, types).await {
        Ok(described) => described,
        Err(error) => return vec![format!("PostgreSQL: {error}")],
    };
    if described.parameters != parameters {
        problems.push(format!("{parameters} parameters on SQLite, {} on PostgreSQL", described.parameters));
    }
    problems.extend(columns_off(text, parameters, &columns, &described.columns));
    problems
}

/// Result columns, behind the item's number where there are items.
fn columns_off(text: &str, parameters: usize, lite: &[String], full: &[String]) -> Vec<String> {
    if full.is_empty() && (lite.is_empty() || parameters > 0) {
        let silent = parameters == 0
            || (text.starts_with("INSERT ")
                && !["DO NOTHING", " WHERE "].iter().any(|less| outside_of_parentheses(text).contains(less)));
        return if silent && lite.is_empty() {
            Vec::new()
        } else {
            vec!["it returns nothing, but does not add or replace a row for every item".to_owned()]
        };
    }
    let full = match (parameters, full) {
        (0, full) => full,
        (_, [number, rest @ ..]) if number == "INT8" => rest,
        _ => return vec![format!("the first result column is not the item's number: {full:?}")],
    };
    if full.len() != lite.len() {
        return vec![format!("SQLite's result columns are {lite:?}, PostgreSQL's {full:?}")];
    }
    let alike = |(at, (lite, full)): (usize, (&String, &String))| {
        let known = RESULTS.iter().find(|(name, _)| name == full);
        match known {
            None => Some(format!("column {at} is {full} on PostgreSQL, which the store does not read")),
            // SQLite knows the type of a table's column, and of nothing that is worked out.
            Some((_, same)) if lite != "NULL" && lite != same => {
                Some(format!("column {at} is {lite} on SQLite and {full} on PostgreSQL"))
            }
            Some(_) => None,
        }
    };
    lite.iter().zip(full).enumerate().filter_map(alike).collect()
}

/// What a text says itself: what stands in its look-ups is left out.
fn outside_of_parentheses(text: &str) -> String {
    let mut depth = 0;
    let own = text.chars().map(|c| if c == '\n' { ' ' } else { c }).filter(|c| {
        depth += i32::from(*c == '(') - i32::from(*c == ')');
        depth == 0
    });
    own.collect()
}

struct Described {
    parameters: usize,
    columns: Vec<String>,
}

/// Prepares a text with the array types that its items' names stand for.
async fn described(
    text: &str,
    full: &mut PgConnection,
    types: &BTreeMap<String, BTreeSet<String>>,
) -> Result<Described, String> {
    let mut error = "its items have no names: `AS item (...)`, or the columns of an INSERT".to_owned();
    for arrays in arrays(text, types).ok_or_else(|| error.clone())? {
        let infos: Vec<PgTypeInfo> = arrays.iter().map(|name| PgTypeInfo::with_name(name)).collect();
        match (&mut *full).prepare_with(AssertSqlSafe(text.to_owned()).into_sql_str(), &infos).await {
            Ok(prepared) => {
                let columns = prepared.columns().iter().map(|c| c.type_info().name().to_owned()).collect();
                return Ok(Described { parameters: count_parameters(&prepared.parameters()), columns });
            }
            Err(refused) => error = format!("{refused} (items of {arrays:?})"),
        }
    }
    Err(error)
}

fn count_parameters<T>(parameters: &Option<Either<&[T], usize>>) -> usize {
    match parameters {
        Some(Either::Left(types)) => types.len(),
        Some(Either::Right(count)) => *count,
        None => 0,
    }
}

/// The types that the items may have: a column has that of the tables' columns of its name.
fn arrays(text: &str, types: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<Vec<&'static str>>> {
    let mut count = 0;
    while text.contains(&format!("${}", count + 1)) {
        count += 1;
    }
    if count == 0 {
        return Some(vec![Vec::new()]);
    }
    let named = text.split_once("AS item (").or_else(|| text.split_once(" ("))?.1;
    let names = named.split_once(')')?.0.split(',').map(str::trim).take(count);
    let mut combinations = vec![Vec::new()];
    for name in names {
        let known = types.get(name);
        let may = ARRAYS.iter().filter(|(column, _)| known.is_none_or(|known| known.contains(*column)));
        let may: Vec<&str> = may.map(|(_, array)| *array).collect();
        combinations = combinations
            .into_iter()
            .flat_map(|so_far: Vec<&'static str>| {
                may.iter().map(move |array| [so_far.as_slice(), &[*array]].concat()).collect::<Vec<_>>()
            })
            .collect();
    }
    Some(combinations)
}

async fn types_by_name(full: &mut PgConnection) -> BTreeMap<String, BTreeSet<String>> {
    let mut types: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let columns = "SELECT column_name::text, data_type::text FROM information_schema.columns \
                   WHERE table_schema = 'public'";
    for row in full.fetch_all(columns).await.unwrap() {
        types.entry(row.get(0)).or_default().insert(row.get(1));
    }
    types
}

/// Tables with their columns, the types in SQLite's words, and whether they may be null.
async fn tables_of_sqlite(lite: &mut SqliteConnection) -> Vec<String> {
    let columns = "SELECT m.name || '.' || c.name || ' ' || c.type || iif(c.\"notnull\", ' NOT NULL', '')
                   FROM sqlite_schema m JOIN pragma_table_info(m.name) c
                   WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'";
    let mut found: Vec<String> =
        lite.fetch_all(columns).await.unwrap().iter().map(|row| row.get(0)).collect();
    // SQLite's row numbers are never null, whatever the column says.
    found
        .iter_mut()
        .filter(|column| *column == "outbox.position INTEGER")
        .for_each(|c| c.push_str(" NOT NULL"));
    found.sort();
    found
}

async fn tables_of_postgres(full: &mut PgConnection) -> Vec<String> {
    let columns = "SELECT table_name || '.' || column_name || ' ' ||
                     CASE WHEN data_type = 'bigint' THEN 'INTEGER' WHEN data_type = 'bytea' THEN 'BLOB'
                          WHEN data_type = 'text' AND collation_name = 'C' THEN 'TEXT'
                          ELSE data_type || coalesce(' ' || collation_name, ' of another collation') END ||
                     CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END
                   FROM information_schema.columns WHERE table_schema = 'public'";
    let mut found: Vec<String> =
        full.fetch_all(columns).await.unwrap().iter().map(|row| row.get(0)).collect();
    found.sort();
    found
}
