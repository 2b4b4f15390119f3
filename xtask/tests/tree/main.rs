//! The tree keeps its shape: dependencies, file headers, folders, sizes, names. Every rule says which file breaks it and
//! how to mend it. Knows the project's files only; builds and runs nothing but `cargo metadata` and `cargo tree`.

mod code;
mod map;
#[path = "../../src/source.rs"]
mod source;
mod workspace;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use map::Map;
use workspace::{Kind, Member, Seen};

/// Lines of a file: past this it holds two things.
const LINES_MAX: usize = 700;
/// Crates of the default build, our own included.
const CRATES_MAX: usize = 420;

/// The project's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the project's folder").to_owned()
}

/// A path as a person names it: from the project's folder, with `/`.
fn name(path: &Path) -> String {
    let relative = path.strip_prefix(root()).unwrap_or(path);
    relative.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn rust_files() -> Vec<PathBuf> {
    let files = source::files(&root(), &|name| name.to_string_lossy().ends_with(".rs"))
        .expect("the tree is readable");
    assert!(files.len() > 20, "only {} Rust files found: the walk is broken", files.len());
    files
}

fn text(path: &Path) -> String {
    source::read(path).expect("a file of the project is readable text")
}

/// Folders directly below `folder`, in order of their names.
fn folders(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a readable entry").path()).filter(|path| path.is_dir()).collect();
    found.sort();
    assert!(!found.is_empty(), "{folder} holds no folder");
    found
}

/// Fails with all of a rule's violations at once.
#[track_caller]
fn hold(rule: &str, mend: &str, violations: &[String]) {
    assert!(violations.is_empty(), "\nrule: {rule}\n  {}\nmend: {mend}\n", violations.join("\n  "));
}

#[test]
fn dependencies_go_where_the_map_lets_them() {
    let map = Map::read(&text(&root().join("ARCHITECTURE.md")));
    let members = workspace::members(&root());
    let folders: BTreeSet<&str> = members.iter().map(|member| member.folder.as_str()).collect();
    let mut violations: Vec<String> = map
        .rows()
        .filter(|row| !folders.iter().any(|folder| row.covers(folder)))
        .map(|row| {
            format!("ARCHITECTURE.md has a row `{}`, but no such folder is in the workspace", row.left())
        })
        .collect();
    violations.extend(members.iter().flat_map(|member| map.violations(member)));
    hold(
        "a part sees only the parts that ARCHITECTURE.md lets it see (\"Who may see whom\")",
        "move what both need into a part that both may see, or pass it in; changing the table is a decision, with its reason",
        &violations,
    );
}

#[test]
fn the_map_shows_the_tree() {
    let document = text(&root().join("ARCHITECTURE.md"));
    let described = map::described(&document);
    let members = workspace::members(&root());
    let mut violations: Vec<String> = described
        .iter()
        .filter(|folder| match folder.contains('*') {
            true => !members.iter().any(|member| map::fits(folder, &member.folder)),
            false => !root().join(folder).is_dir(),
        })
        .map(|folder| format!("ARCHITECTURE.md describes `{folder}`, which is not there"))
        .collect();
    let shown = |member: &Member| {
        let below = |folder: &str| member.folder.starts_with(&format!("{folder}/"));
        described.iter().any(|folder| map::fits(folder, &member.folder) || below(folder))
    };
    let hidden = members.iter().filter(|member| !shown(member));
    violations.extend(hidden.map(|member| format!("ARCHITECTURE.md does not describe `{}`", member.folder)));
    hold(
        "every part of the tree is on ARCHITECTURE.md's map, and every part on the map is in the tree",
        "write the part's row: what it is for, what it must never do",
        &violations,
    );
}

#[test]
fn the_kit_for_tests_is_linked_into_tests_only() {
    let violations: Vec<String> = workspace::members(&root())
        .iter()
        .flat_map(|member| member.sees.iter().map(move |seen| (member, seen)))
        .filter(|(_, seen)| seen.folder.as_deref() == Some("kernel/testkit") && seen.kind == Kind::Ships)
        .map(|(member, _)| format!("{}/Cargo.toml", member.folder))
        .collect();
    hold("kernel/testkit is a dev-dependency", "move the line to [dev-dependencies]", &violations);
}

#[test]
fn versions_and_lints_stand_in_the_workspace_only() {
    let mut violations = Vec::new();
    for member in workspace::members(&root()) {
        let manifest = text(&root().join(&member.folder).join("Cargo.toml"));
        if !workspace::inherits_lints(&manifest) {
            violations.push(format!("{}/Cargo.toml: no `[lints] workspace = true`", member.folder));
        }
        for line in workspace::own_versions(&manifest) {
            violations.push(format!("{}/Cargo.toml: {line}", member.folder));
        }
    }
    hold(
        "a dependency's version stands once, in the workspace's Cargo.toml, and so do the lints",
        "put the version into [workspace.dependencies] and write `name.workspace = true`",
        &violations,
    );
}

#[test]
fn the_default_build_stays_small() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--package", "mortise", "--edges", "normal,build", "--prefix", "none"])
        .args(["--format", "{p}"])
        .current_dir(root())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8_lossy(&output.stdout);
    let crates: BTreeSet<&str> =
        printed.lines().filter_map(|line| line.split(" (").next()).filter(|line| !line.is_empty()).collect();
    assert!(
        crates.iter().any(|name| name.starts_with("mortise v")),
        "cargo tree printed something else: {printed}"
    );
    hold(
        &format!("the default build has at most {CRATES_MAX} crates"),
        "switch features off (`cargo tree -p mortise -e normal,build,features -i NAME`), or make a vendor's crate a feature",
        &Vec::from_iter(
            (crates.len() > CRATES_MAX).then(|| format!("`cargo tree -p mortise`: {} crates", crates.len())),
        ),
    );
}

#[test]
fn every_rust_file_says_what_it_is_for() {
    let violations: Vec<String> = rust_files()
        .iter()
        .filter(|file| {
            let text = text(file);
            let words = text.lines().next().and_then(|line| line.strip_prefix("//!"));
            words.is_none_or(|words| words.trim().len() < 20)
        })
        .map(|file| name(file))
        .collect();
    hold(
        "a Rust file opens with `//!`: what it is for, what it does not do",
        "write that sentence as the first line of the file",
        &violations,
    );
}

#[test]
fn files_hold_one_thing() {
    let violations: Vec<String> = rust_files()
        .iter()
        .map(|file| (name(file), text(file).lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(file, lines)| format!("{file}: {lines} lines"))
        .collect();
    hold(
        &format!("a file has at most {LINES_MAX} lines, and 400 is the rule of thumb"),
        "it holds two things: give the second a file",
        &violations,
    );
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file does not hold what it looks for.
    let macros = [
        concat!("to", "do!"),
        concat!("unimple", "mented!"),
        concat!("#[ig", "nore"),
        concat!(", ig", "nore)]"),
    ];
    let notes = [concat!("TO", "DO"), concat!("FIX", "ME")];
    let mut violations = Vec::new();
    for file in rust_files() {
        let text = text(&file);
        let code = code::only(&text);
        for (number, (code, text)) in (1..).zip(code.lines().zip(text.lines())) {
            let in_code = macros.iter().find(|word| code.contains(**word));
            let in_text = notes.iter().find(|word| has_word(text, word));
            if let Some(word) = in_code.or(in_text) {
                violations.push(format!("{}:{number}: {word}", name(&file)));
            }
        }
    }
    hold(
        "no stub, no skipped test, no note to oneself",
        "do it now, or leave it out and say so in an issue",
        &violations,
    );
}

#[test]
fn a_capability_has_its_parts() {
    let mut violations = Vec::new();
    for folder in folders("capabilities") {
        let capability = name(&folder);
        let mut lacks = |part: &str, what: &str| violations.push(format!("{capability}: no {part} ({what})"));
        for (module, what) in [
            ("lib", "operations, registered"),
            ("contract", "public types and their schemas"),
            ("rules", "decisions, pure"),
        ] {
            if !has_module(&folder, module) {
                lacks(&format!("src/{module}.rs"), what);
            }
        }
        if !folder.join("README.md").is_file() {
            lacks("README.md", "what it does, its operations, its tables");
        }
        if !has_files(&folder.join("tests/cases"), ".txt") {
            lacks("tests/cases/*.txt", "its rules as tables that a product manager can extend");
        }
        // A capability without tables of its own has neither of the two.
        let (store, migrations) =
            (has_module(&folder, "store"), has_files(&folder.join("migrations/sqlite"), ".sql"));
        if store && !migrations {
            lacks("migrations/sqlite/*.sql", "it has a store, so it has tables");
        }
        if migrations && !store {
            lacks("src/store.rs", "it has migrations, so its statements stand there");
        }
    }
    hold(
        "capabilities look alike, so that who knows one knows all",
        "add the part; what belongs into it is said in ARCHITECTURE.md, and any other capability shows it",
        &violations,
    );
}

fn has_module(folder: &Path, module: &str) -> bool {
    let source = folder.join("src");
    source.join(format!("{module}.rs")).is_file() || source.join(module).join("mod.rs").is_file()
}

fn has_files(folder: &Path, ending: &str) -> bool {
    let found = source::files(folder, &|name| name.to_string_lossy().ends_with(ending));
    !found.expect("a readable folder").is_empty()
}

#[test]
fn no_trade_is_named_in_rust() {
    let names = |parent: &str| -> Vec<String> {
        let folders = folders(parent);
        let names = folders.iter().map(|folder| folder.file_name().expect("a folder has a name"));
        names.map(|name| name.to_string_lossy().into_owned()).collect()
    };
    // Where a trade has the name of the capability that it is about, the word is the domain's.
    let domains = names("capabilities");
    let mut trades = names("orchestrations/trades");
    trades.retain(|trade| !domains.contains(trade));
    let mut violations = Vec::new();
    for file in rust_files() {
        let path = name(&file);
        if path.split('/').any(|part| ["tests", "tests.rs", "examples", "bench"].contains(&part)) {
            continue;
        }
        for (number, line) in (1..).zip(code::without_tests(&text(&file)).lines()) {
            if let Some(trade) = trades.iter().find(|trade| has_word(line, trade)) {
                violations.push(format!("{path}:{number}: {trade}"));
            }
        }
    }
    hold(
        "a trade is YAML; publishing it is what makes it known",
        "take the name from the request, from the command line, or from a file of data",
        &violations,
    );
}

/// Whether `word` stands in `line` by itself: `fixed-price` does not stand in `fixed-price-list`.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(part_of_word)
            && !line[at + word.len()..].chars().next().is_some_and(part_of_word)
    })
}

#[test]
fn commands_in_the_documents_exist() {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).arg("--help").output().expect("xtask starts");
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    let commands: BTreeSet<&str> =
        help.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next()).collect();
    let mut violations = Vec::new();
    for document in documents() {
        for (number, line) in (1..).zip(text(&document).lines()) {
            for (at, call) in line.match_indices("cargo xtask ") {
                let command: String = line[at + call.len()..]
                    .chars()
                    .take_while(|c| c.is_ascii_lowercase() || *c == '-')
                    .collect();
                if !command.is_empty() && !commands.contains(command.as_str()) {
                    violations.push(format!("{}:{number}: cargo xtask {command}", name(&document)));
                }
            }
        }
    }
    let readme = text(&root().join("README.md"));
    for command in ["cargo xtask demo", "cargo xtask test"] {
        if !readme.contains(command) {
            violations.push(format!("README.md does not name `{command}`"));
        }
    }
    hold(
        "README.md names the two commands, and every `cargo xtask ...` in a document works",
        "correct the document, or add the command to COMMANDS in xtask/src/commands/mod.rs",
        &violations,
    );
}

#[test]
fn links_in_the_documents_lead_somewhere() {
    let mut violations = Vec::new();
    for document in documents() {
        let folder = document.parent().expect("a file lies in a folder").to_owned();
        for (number, line) in (1..).zip(text(&document).lines()) {
            for target in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let path = target.split('#').next().unwrap_or_default();
                if !path.is_empty() && !path.contains(':') && !folder.join(path).exists() {
                    violations.push(format!("{}:{number}: {target}", name(&document)));
                }
            }
        }
    }
    hold("a relative link in a document leads to a file", "correct the link", &violations);
}

fn documents() -> Vec<PathBuf> {
    source::files(&root(), &|name| name.to_string_lossy().ends_with(".md")).expect("the tree is readable")
}

#[test]
fn a_word_is_found_by_itself_only() {
    assert!(has_word("\"fixed-price\"", "fixed-price"));
    assert!(has_word("trades/fixed-price/flow.yaml", "fixed-price"));
    assert!(!has_word("fixed-price-list and a-fixed-price", "fixed-price"));
    assert!(!has_word("fixed_price", "fixed-price"));
}

/// A member that is not there, for the tests of the rules themselves.
fn member(folder: &str, sees: &[(&str, Kind)]) -> Member {
    let seen = |(path, kind): &(&str, Kind)| Seen {
        name: path.to_string(),
        folder: path.contains('/').then(|| path.to_string()),
        kind: *kind,
    };
    Member { folder: folder.to_owned(), sees: sees.iter().map(seen).collect() }
}
