//! Tests as tables of text: files of cases, each an input and the expected output, that a product manager can read and
//! extend. `UPDATE_EXPECT=1` rewrites what changed. It knows no domain: the caller turns input into output.
//!
//! ```text
//! # Anything in front of a case's input, on lines of its own with a hash, is for the reader.
//! spread 1.00 over 0.99 0.99 0.99
//! ---
//! 0.34 0.33 0.33
//!
//! the next case's input, of one line or several
//! ---
//! its output
//! ```
//!
//! Cases are separated by an empty line; so neither input nor output has one.

use std::fmt::Write as _;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// The line between a case's input and its output.
const SEPARATOR: &str = "---";

/// Whether what is expected is compared or rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Compare,
    Rewrite,
}

/// Runs every case of every `*.txt` in `dir` (relative to the crate's root) and compares. All cases run; then it panics
/// if any differs, with a diff of each. With `UPDATE_EXPECT=1` in the environment it rewrites the files instead.
///
/// # Panics
/// If a case differs or panics, if a file is malformed, or if there are no cases at all.
#[track_caller]
pub fn run(dir: impl AsRef<Path>, answer: impl Fn(&str) -> String) {
    let mode = if std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value == "1") {
        Mode::Rewrite
    } else {
        Mode::Compare
    };
    if let Err(report) = run_in(dir.as_ref(), &answer, mode) {
        panic!("{report}");
    }
}

fn run_in(dir: &Path, answer: &dyn Fn(&str) -> String, mode: Mode) -> Result<(), String> {
    let paths = text_files(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let (mut report, mut cases_run) = (String::new(), 0);
    for path in &paths {
        let shown = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
        let mut cases = parse(&text).map_err(|(line, problem)| format!("{shown}:{line}: {problem}"))?;
        cases_run += cases.len();
        let mut rewritten = 0;
        for case in &mut cases {
            let actual = answer_case(case, answer);
            match (actual, mode) {
                (Ok(actual), _) if actual == case.expected => {}
                (Ok(actual), Mode::Rewrite) => {
                    case.expected = actual;
                    rewritten += 1;
                }
                (Ok(actual), Mode::Compare) => {
                    let diff = diff(&case.expected, &actual);
                    let _ = writeln!(report, "{shown}:{}:\n{}\n{SEPARATOR}\n{diff}", case.line, case.input);
                }
                (Err(problem), _) => {
                    let _ =
                        writeln!(report, "{shown}:{}:\n{}\n{SEPARATOR}\n{problem}\n", case.line, case.input);
                }
            }
        }
        if rewritten > 0 {
            fs::write(path, render(&cases)).map_err(|error| format!("{shown}: {error}"))?;
        }
    }
    match (report.is_empty(), cases_run) {
        (true, 0) => Err(format!("{}: there are no cases", dir.display())),
        (true, _) => Ok(()),
        (false, _) => Err(format!(
            "some cases differ (- expected, + actual). Where the new output is right: UPDATE_EXPECT=1\n\n{report}"
        )),
    }
}

fn text_files(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// A case as it stands in its file.
#[derive(Debug, PartialEq, Eq)]
struct Case {
    /// Comment lines in front of the input, with their line ends.
    comments: String,
    /// What is given, without comments and without a line end.
    input: String,
    /// What is expected, without a line end.
    expected: String,
    /// The line of the file on which the input begins, from 1.
    line: usize,
}

/// The actual output without trailing blanks and line ends, or why it cannot stand in a table.
fn answer_case(case: &Case, answer: &dyn Fn(&str) -> String) -> Result<String, String> {
    let actual = catch_unwind(AssertUnwindSafe(|| answer(&case.input)))
        .map_err(|_| "the case panicked; its message stands above".to_owned())?;
    let lines: Vec<&str> = actual.trim_end().lines().map(str::trim_end).collect();
    if lines.iter().any(|line| line.is_empty()) {
        return Err(format!("an output in a table has no empty lines, this one has:\n{actual}"));
    }
    Ok(lines.join("\n"))
}

/// The cases of a file; or the line that is wrong, from 1, and why.
fn parse(text: &str) -> Result<Vec<Case>, (usize, String)> {
    let mut lines = text.lines().map(str::trim_end).enumerate().peekable();
    let mut cases = Vec::new();
    loop {
        while lines.next_if(|(_, line)| line.is_empty()).is_some() {}
        let mut comments = String::new();
        while let Some((_, line)) = lines.next_if(|(_, line)| line.starts_with('#') || (line.is_empty())) {
            comments.push_str(line);
            comments.push('\n');
        }
        let Some(&(start, _)) = lines.peek() else {
            return if comments.trim().is_empty() {
                Ok(cases)
            } else {
                Err((text.lines().count(), "a comment without a case".into()))
            };
        };
        let mut input = Vec::new();
        loop {
            match lines.next() {
                Some((_, SEPARATOR)) => break,
                Some((_, line)) => input.push(line),
                None => return Err((start + 1, format!("a case without a line {SEPARATOR}"))),
            }
        }
        if input.is_empty() {
            return Err((start + 1, "a case without input".into()));
        }
        let mut expected = Vec::new();
        while let Some((_, line)) = lines.next_if(|(_, line)| !line.is_empty()) {
            expected.push(line);
        }
        if let Some(at) = expected.iter().position(|line| *line == SEPARATOR) {
            return Err((
                start + input.len() + at + 2,
                format!("a second line {SEPARATOR}: an empty line belongs between cases"),
            ));
        }
        cases.push(Case {
            comments,
            input: input.join("\n"),
            expected: expected.join("\n"),
            line: start + 1,
        });
    }
}

fn render(cases: &[Case]) -> String {
    let blocks = cases.iter().map(|case| {
        let line_end = if case.expected.is_empty() { "" } else { "\n" };
        format!("{}{}\n{SEPARATOR}\n{}{line_end}", case.comments, case.input, case.expected)
    });
    blocks.collect::<Vec<_>>().join("\n")
}

/// What differs, line by line; lines that both begin or end with stand once.
fn diff(expected: &str, actual: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    let mut out = String::new();
    let mut put = |mark: char, lines: &[&str]| {
        for line in lines {
            let _ = writeln!(out, "{mark} {line}");
        }
    };
    put(' ', &old[..head]);
    put('-', &old[head..old.len() - tail]);
    put('+', &new[head..new.len() - tail]);
    put(' ', &old[old.len() - tail..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
# Shouting.
hello
---
HELLO

# Two lines,
# and two comments.
a

# not a comment: input
b
---
A

c
---
X
";

    fn table(text: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cases.txt");
        fs::write(&path, text).unwrap();
        (dir, path)
    }

    fn shout(input: &str) -> String {
        input.to_uppercase().replace("\n\n", "\n") + "\n"
    }

    #[test]
    fn every_case_that_differs_is_shown_with_its_place() {
        let (dir, path) = table(TABLE);
        let report = run_in(dir.path(), &shout, Mode::Compare).unwrap_err();
        let place = path.display();
        assert!(
            report.contains(&format!(
                "{place}:8:\na\n\n# not a comment: input\nb\n---\n  A\n+ # NOT A COMMENT: INPUT\n+ B\n"
            )),
            "{report}"
        );
        assert!(report.contains(&format!("{place}:15:\nc\n---\n- X\n+ C\n")), "{report}");
        assert!(!report.contains(":2:"), "{report}");
        assert_eq!(fs::read_to_string(path).unwrap(), TABLE);
    }

    #[test]
    fn rewriting_changes_outputs_and_nothing_else() {
        let (dir, path) = table(TABLE);
        run_in(dir.path(), &shout, Mode::Rewrite).unwrap();
        let expected =
            TABLE.replace("---\nA\n", "---\nA\n# NOT A COMMENT: INPUT\nB\n").replace("---\nX\n", "---\nC\n");
        assert_eq!(fs::read_to_string(path).unwrap(), expected);
        run_in(dir.path(), &shout, Mode::Compare).unwrap();
    }

    #[test]
    fn a_table_that_tests_nothing_is_an_error() {
        for (text, problem) in [
            ("", "there are no cases"),
            ("a\n", ":1: a case without a line ---"),
            ("---\na\n", ":1: a case without input"),
            ("# lost\n", ":1: a comment without a case"),
            ("a\n---\nA\nb\n---\nB\n", ":5: a second line ---"),
        ] {
            let (dir, _) = table(text);
            let report = run_in(dir.path(), &shout, Mode::Compare).unwrap_err();
            assert!(report.contains(problem), "{report}");
        }
        assert!(run_in(Path::new("no/such/place"), &shout, Mode::Compare).is_err());
    }

    #[test]
    fn a_panic_and_an_empty_line_are_failures_of_their_case_in_both_modes() {
        let (dir, path) = table("a\n---\nA\n");
        for mode in [Mode::Compare, Mode::Rewrite] {
            assert!(
                run_in(dir.path(), &|_| panic!("as it should"), mode)
                    .unwrap_err()
                    .contains("the case panicked")
            );
            assert!(
                run_in(dir.path(), &|_| "A\n\nB".to_owned(), mode).unwrap_err().contains("no empty lines")
            );
        }
        assert_eq!(fs::read_to_string(path).unwrap(), "a\n---\nA\n");
    }

    #[test]
    fn an_empty_output_can_be_expected() {
        let (dir, path) = table("a\n---\n\nb\n---\nB\n");
        run_in(dir.path(), &|input| if input == "a" { String::new() } else { "C".into() }, Mode::Rewrite)
            .unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "a\n---\n\nb\n---\nC\n");
    }
}
