//! Findings as a person reads them in a terminal: the line, what is wrong underlined, the way, the mend. Colours and the
//! exit status are the command line's.

use std::fmt::Write as _;

use crate::diagnostic::{Diagnostic, Severity};
use crate::parse::Lines;

/// Characters of a long line that are shown around what is wrong.
const WIDTH: usize = 120;

/// The findings of a file with its lines; last, how many there are.
#[must_use]
pub fn render(file: &str, text: &str, diagnostics: &[Diagnostic]) -> String {
    let lines = Lines::new(text);
    let mut out = String::new();
    for finding in diagnostics {
        one(file, &lines, finding, &mut out);
        out.push('\n');
    }
    let errors = diagnostics.iter().filter(|finding| finding.is_error()).count();
    let _ = match (errors, diagnostics.len() - errors) {
        (0, 0) => writeln!(out, "{file}: accepted"),
        (0, warnings) => writeln!(out, "{file}: accepted, {}", counted(warnings, "warning")),
        (errors, 0) => writeln!(out, "{file}: refused, {}", counted(errors, "error")),
        (errors, warnings) => {
            writeln!(out, "{file}: refused, {}, {}", counted(errors, "error"), counted(warnings, "warning"))
        }
    };
    out
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn one(file: &str, lines: &Lines<'_>, finding: &Diagnostic, out: &mut String) {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let number = finding.line.to_string();
    let margin = " ".repeat(number.len());
    let _ = writeln!(out, "{severity}[{}]: {}", finding.code, finding.message);
    let _ = writeln!(out, "{margin}--> {file}:{}:{}", finding.line, finding.column);
    let (shown, before, width) = excerpt(lines, finding);
    let _ = writeln!(
        out,
        "{margin} |\n{number} | {shown}\n{margin} | {}{}",
        " ".repeat(before),
        "^".repeat(width)
    );
    for point in &finding.way {
        let _ = writeln!(out, "{margin} = way: line {}: {}", point.line, point.what);
    }
    let _ = writeln!(out, "{margin} = help: {}", finding.help);
}

/// The line, how many characters stand before what is wrong, and how many it has on this line.
fn excerpt(lines: &Lines<'_>, finding: &Diagnostic) -> (String, usize, usize) {
    let line: Vec<char> =
        lines.line(finding.line).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let column = (finding.column as usize).saturating_sub(1).min(line.len());
    let end = finding.bytes.0.saturating_add(finding.bytes.1).min(lines.text.len());
    let wrong = lines.text.get(finding.bytes.0.min(end)..end).unwrap_or("");
    let width = wrong.lines().next().unwrap_or("").chars().count().clamp(1, WIDTH);
    let from = if line.len() > WIDTH { column.saturating_sub(WIDTH / 3) } else { 0 };
    let shown: String = line.iter().skip(from).take(WIDTH).collect();
    (shown, column - from, width.min((WIDTH - (column - from)).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::WayPoint;

    #[test]
    fn a_finding_shows_its_line_its_way_and_its_mend() {
        let text = "flow: a\nkey: \"ü ${ inptu.a }\"\n";
        let at = text.find("inptu").unwrap();
        let place = Lines::new(text).place(at..at + 5);
        let way = vec![WayPoint { line: 1, what: "it begins".into() }];
        let finding =
            Diagnostic::error("unknown-name", place, "nothing is named `inptu`", "did you mean `input`?");
        let expected = "\
error[unknown-name]: nothing is named `inptu`
 --> a.yaml:2:12
  |
2 | key: \"ü ${ inptu.a }\"
  |            ^^^^^
  = way: line 1: it begins
  = help: did you mean `input`?

a.yaml: refused, 1 error
";
        assert_eq!(render("a.yaml", text, &[finding.along(way)]), expected);
    }

    #[test]
    fn any_place_can_be_rendered() {
        let long = format!("{}é\u{7}\n", "ab ".repeat(500));
        for (line, column, bytes) in [
            (1, 1, (0, 0)),
            (1, 1501, (1500, 9)),
            (9, 9, (0, usize::MAX)),
            (0, 0, (usize::MAX, 1)),
            (1, 3, (1501, 1)),
        ] {
            let mut finding = Diagnostic::error("syntax", crate::ast::Place::default(), "m", "h");
            (finding.line, finding.column, finding.bytes) = (line, column, bytes);
            assert!(render("f", &long, std::slice::from_ref(&finding)).contains('^'));
            assert!(render("f", "", &[finding]).contains('^'));
        }
    }
}
