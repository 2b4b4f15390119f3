//! The two tables of ARCHITECTURE.md, read: who may see whom. A row that cannot be read, or that covers nothing, fails, so
//! that the table cannot fall silent.

use crate::workspace::{Kind, Member};

/// What ARCHITECTURE.md allows.
#[derive(Debug)]
pub(crate) struct Map {
    ships: Vec<Row>,
    tests: Vec<Row>,
}

/// One row: `folder : folders that it may see ! crates that it must never name`.
#[derive(Debug)]
pub(crate) struct Row {
    left: String,
    sees: Vec<String>,
    never: Vec<String>,
}

impl Map {
    pub(crate) fn read(document: &str) -> Self {
        Self { ships: rows(document, "dependencies"), tests: rows(document, "dev-dependencies") }
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.ships.iter().chain(&self.tests)
    }

    /// What `member` sees although its rows do not let it.
    pub(crate) fn violations(&self, member: &Member) -> Vec<String> {
        let folder = &member.folder;
        let Some(ships) = row(&self.ships, folder) else {
            return vec![format!("{folder}: no row in ARCHITECTURE.md's table `dependencies` covers it")];
        };
        let tests = row(&self.tests, folder);
        let mut violations = Vec::new();
        for seen in &member.sees {
            let allowed = match &seen.folder {
                Some(other) => {
                    ships.lets_see(folder, other)
                        || (seen.kind == Kind::Tests && tests.is_some_and(|row| row.lets_see(folder, other)))
                }
                None => seen.kind == Kind::Tests || !ships.never.contains(&seen.name),
            };
            if !allowed {
                let how = match seen.kind {
                    Kind::Ships => "",
                    Kind::Tests => " (in its tests)",
                };
                let what = seen.folder.as_ref().unwrap_or(&seen.name);
                violations.push(format!("{folder} must not see {what}{how}"));
            }
        }
        violations
    }
}

impl Row {
    pub(crate) fn left(&self) -> &str {
        &self.left
    }

    /// Whether the row speaks of `folder`.
    pub(crate) fn covers(&self, folder: &str) -> bool {
        fits(&self.left, folder)
    }

    fn lets_see(&self, folder: &str, other: &str) -> bool {
        self.sees.iter().any(|pattern| match pattern.as_str() {
            "*" => true,
            "../.." => folder.rsplitn(3, '/').nth(2) == Some(other),
            pattern => fits(pattern, other),
        })
    }
}

/// The folders that the section "The map" describes, in its order; some are patterns.
pub(crate) fn described(document: &str) -> Vec<&str> {
    let section = document.split("\n## The map\n").nth(1).and_then(|rest| rest.split("\n## ").next());
    let section = section.expect("ARCHITECTURE.md has a section `The map`");
    section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
}

/// The row for `folder`: the exact one, else the pattern.
fn row<'a>(rows: &'a [Row], folder: &str) -> Option<&'a Row> {
    rows.iter().find(|row| row.left == folder).or_else(|| rows.iter().find(|row| row.covers(folder)))
}

/// `*` stands for one part of a path.
pub(crate) fn fits(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(expected), Some(part)) if expected == "*" || expected == part => {}
            _ => return false,
        }
    }
}

fn rows(document: &str, fence: &str) -> Vec<Row> {
    let opening = format!("```{fence}");
    let mut lines = document.lines().skip_while(|line| *line != opening).skip(1);
    let rows: Vec<Row> = lines.by_ref().take_while(|line| *line != "```").filter_map(read_row).collect();
    assert!(!rows.is_empty(), "ARCHITECTURE.md has no table fenced with {opening}");
    rows
}

fn read_row(line: &str) -> Option<Row> {
    if line.trim().is_empty() {
        return None;
    }
    let (left, right) =
        line.split_once(':').unwrap_or_else(|| panic!("ARCHITECTURE.md: a row without a colon: {line}"));
    let (sees, never) = right.split_once('!').unwrap_or((right, ""));
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    Some(Row { left: left.trim().to_owned(), sees: words(sees), never: words(never) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::member;

    const DOCUMENT: &str = "text\n```dependencies\nkernel/types : ! tokio\nkernel/flow : kernel/types ! tokio\n\ncapabilities/* : kernel/types\ncapabilities/*/adapters/* : ../..\nserver/all : *\n```\n```dev-dependencies\ncapabilities/* : kernel/*\n```\n";

    fn violations(folder: &str, sees: &[(&str, Kind)]) -> Vec<String> {
        Map::read(DOCUMENT).violations(&member(folder, sees))
    }

    #[test]
    fn what_a_row_does_not_name_is_refused() {
        assert_eq!(violations("kernel/flow", &[("kernel/types", Kind::Ships)]), [""; 0]);
        assert_eq!(
            violations("kernel/types", &[("kernel/flow", Kind::Ships)]),
            ["kernel/types must not see kernel/flow"]
        );
        assert_eq!(violations("kernel/flow", &[("tokio", Kind::Ships)]), ["kernel/flow must not see tokio"]);
        assert_eq!(violations("kernel/flow", &[("serde", Kind::Ships), ("tokio", Kind::Tests)]), [""; 0]);
        assert_eq!(violations("server/all", &[("kernel/flow", Kind::Ships)]), [""; 0]);
    }

    #[test]
    fn capabilities_never_see_each_other() {
        assert_eq!(
            violations("capabilities/tax", &[("capabilities/order", Kind::Ships)]),
            ["capabilities/tax must not see capabilities/order"]
        );
        assert_eq!(
            violations("capabilities/tax", &[("capabilities/order", Kind::Tests)]),
            ["capabilities/tax must not see capabilities/order (in its tests)"]
        );
    }

    #[test]
    fn an_adapter_sees_the_capability_that_it_lies_in() {
        let carrier = "capabilities/delivery/adapters/carrier";
        assert_eq!(violations(carrier, &[("capabilities/delivery", Kind::Ships)]), [""; 0]);
        assert_eq!(violations(carrier, &[("capabilities/payment", Kind::Ships)]).len(), 1);
    }

    #[test]
    fn tests_see_more_and_only_tests() {
        assert_eq!(violations("capabilities/tax", &[("kernel/testkit", Kind::Tests)]), [""; 0]);
        assert_eq!(violations("capabilities/tax", &[("kernel/testkit", Kind::Ships)]).len(), 1);
    }

    #[test]
    fn a_folder_without_a_row_is_refused() {
        assert_eq!(violations("tools/new", &[]).len(), 1);
    }

    #[test]
    #[should_panic(expected = "a row without a colon")]
    fn a_row_that_cannot_be_read_fails() {
        Map::read("```dependencies\nkernel/types kernel/fault\n```\n");
    }

    #[test]
    #[should_panic(expected = "no table fenced")]
    fn a_table_that_is_not_there_fails() {
        Map::read("# Architecture\n");
    }
}
