//! Finds the statements in the tree's source, with their texts as the compiler would read them. What it cannot read it
//! refuses: no statement is left out because of how it is written.

use std::fs;
use std::path::{Path, PathBuf};

/// A statement as it stands in a file.
#[derive(Debug)]
pub struct Found {
    /// The file and the line, for a person.
    pub place: String,
    /// The folder under `capabilities/` or `kernel/` in which it stands.
    pub part: String,
    pub name: String,
    pub sqlite: String,
    /// None: it is for SQLite alone.
    pub postgres: Option<String>,
}

/// The project's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// All statements of what ships.
pub fn statements() -> Vec<Found> {
    let mut found = Vec::new();
    for group in ["kernel", "capabilities", "extensions", "access-layer"] {
        for part in fs::read_dir(root().join(group)).unwrap().map(|entry| entry.unwrap().path()) {
            let files =
                files(&part, "rs").into_iter().filter(|file| !file.iter().any(|name| name == "tests"));
            let sources: Vec<(PathBuf, String)> =
                files.map(|file| (file.clone(), fs::read_to_string(file).unwrap())).collect();
            // A macro may stand in another file of its part.
            let all: String = sources.iter().map(|(_, source)| source.as_str()).collect();
            for (file, source) in &sources {
                let place = file.strip_prefix(root()).unwrap().display().to_string();
                let part = part.file_name().unwrap().to_string_lossy();
                in_file(&part, &place, source, &all, &mut found);
            }
        }
    }
    found
}

/// Files below a folder by their extension, in order; what is built or hidden is left out.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found
}

fn in_file(part: &str, file: &str, source: &str, all: &str, found: &mut Vec<Found>) {
    for (at, _) in source.match_indices("Statement::") {
        let rest = &source[at + "Statement::".len()..];
        let kind: String = rest.chars().take_while(|c| c.is_ascii_lowercase()).collect();
        if !["pair", "both", "sqlite"].contains(&kind.as_str()) || in_comment(source, at) {
            continue;
        }
        let line = source[..at].lines().count();
        let place = format!("{file}:{line}");
        let mut texts = Arguments { all, rest: &rest[kind.len()..], given: Vec::new() };
        let mut next = || texts.next().unwrap_or_else(|| panic!("{place}: write the texts as literals"));
        assert_eq!(next(), "(", "{place}");
        let (name, sqlite) = (next(), next());
        let postgres = match kind.as_str() {
            "pair" => Some(next()),
            "both" => Some(sqlite.clone()),
            _ => None,
        };
        found.push(Found { part: part.to_owned(), name, sqlite, postgres, place });
    }
}

fn in_comment(source: &str, at: usize) -> bool {
    let line = source[..at].rfind('\n').map_or(0, |end| end + 1);
    source[line..at].trim_start().starts_with("//")
}

/// Reads literals, one after the other.
struct Arguments<'s> {
    all: &'s str,
    rest: &'s str,
    /// What the macro that is read was given, by its parameters' names with their `$`.
    given: Vec<(&'s str, String)>,
}

impl Arguments<'_> {
    /// The opening parenthesis first, then each literal.
    fn next(&mut self) -> Option<String> {
        self.rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if let Some(rest) = self.rest.strip_prefix('(') {
            self.rest = rest;
            return Some("(".to_owned());
        }
        if self.rest.starts_with('"') || self.rest.starts_with('r') {
            let (text, length) = literal(self.rest)?;
            self.rest = &self.rest[length..];
            return Some(text);
        }
        if self.rest.starts_with('$') {
            let length =
                self.rest[1..].find(|c: char| !is_of_a_name(c)).map_or(self.rest.len(), |end| 1 + end);
            let (name, rest) = self.rest.split_at(length);
            self.rest = rest;
            return self.given.iter().find(|(parameter, _)| *parameter == name).map(|(_, text)| text.clone());
        }
        let name: String = self.rest.chars().take_while(|c| is_of_a_name(*c)).collect();
        self.rest = self.rest[name.len()..].strip_prefix("!(")?;
        let arguments = self.all_to_the_end()?;
        if name == "concat" {
            return Some(arguments.concat());
        }
        let declared = self.all.split_once(&format!("macro_rules! {name} {{"))?.1;
        let (parameters, body) = declared.split_once("=>")?;
        let parameters =
            parameters.split(|c: char| !is_of_a_name(c) && c != '$').filter(|name| name.starts_with('$'));
        let given: Vec<_> = parameters.zip(arguments).collect();
        Arguments { all: self.all, rest: body.trim_start().strip_prefix('{')?, given }.next()
    }

    /// All literals up to the parenthesis that closes them.
    fn all_to_the_end(&mut self) -> Option<Vec<String>> {
        let mut texts = Vec::new();
        loop {
            self.rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            if let Some(rest) = self.rest.strip_prefix(')') {
                self.rest = rest;
                return Some(texts);
            }
            texts.push(self.next()?);
        }
    }
}

fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// A string literal at the beginning of `source` and how long it is there.
fn literal(source: &str) -> Option<(String, usize)> {
    if let Some(raw) = source.strip_prefix('r') {
        let hashes: String = raw.chars().take_while(|c| *c == '#').collect();
        let inside = raw[hashes.len()..].strip_prefix('"')?;
        let end = inside.find(&format!("\"{hashes}"))?;
        return Some((inside[..end].to_owned(), 1 + hashes.len() + 1 + end + 1 + hashes.len()));
    }
    let mut text = String::new();
    let mut chars = source.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((text, at + 1)),
            '\\' => match chars.next()?.1 {
                '\n' => while chars.next_if(|(_, c)| c.is_whitespace()).is_some() {},
                'n' => text.push('\n'),
                't' => text.push('\t'),
                plain @ ('"' | '\\' | '\'') => text.push(plain),
                _ => return None,
            },
            c => text.push(c),
        }
    }
    None
}

#[test]
fn texts_are_read_as_the_compiler_reads_them() {
    let source = r##"
        macro_rules! shared_sql { () => { "SELECT 2" }; }
        macro_rules! of { ($what:literal, $more:literal) => { concat!("SELECT ", $what, " + ", $more) }; }
        // Statement::pair(not, read)
        const A: Statement = Statement::pair("x.a", "SELECT \"1\" \
            + 1", r#"SELECT "1""#);
        const B: Statement = Statement::both("x.b", shared_sql!());
        const D: Statement = Statement::pair("x.d", of!("3", "4"), of!("5", "6"));
        const C: Statement = Statement::sqlite("x.c", concat!("EXPLAIN ", shared_sql!(), ";"));
    "##;
    let mut found = Vec::new();
    in_file("x", "x.rs", source, source, &mut found);
    let shown: Vec<String> = found
        .into_iter()
        .map(|f| format!("{} {} | {} | {}", f.place, f.name, f.sqlite, f.postgres.unwrap_or_default()))
        .collect();
    let expected = [
        r#"x.rs:5 x.a | SELECT "1" + 1 | SELECT "1""#,
        "x.rs:7 x.b | SELECT 2 | SELECT 2",
        "x.rs:8 x.d | SELECT 3 + 4 | SELECT 5 + 6",
        "x.rs:9 x.c | EXPLAIN SELECT 2; | ",
    ];
    assert_eq!(shown, expected);
}
