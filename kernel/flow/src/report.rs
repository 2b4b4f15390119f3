//! How findings are made: a place, a sentence and a mend become a diagnostic. What is wrong is decided elsewhere.

use mortise_types::nearest;

use crate::ast::Place;
use crate::diagnostic::{Diagnostic, Severity, WayPoint};

impl Diagnostic {
    pub(crate) fn error(
        code: &str,
        place: Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            code: code.to_owned(),
            severity: Severity::Error,
            line: place.line.max(1),
            column: place.column.max(1),
            message: message.into(),
            help: help.into(),
            way: Vec::new(),
            bytes: (place.offset, place.length),
        }
    }

    pub(crate) fn warning(
        code: &str,
        place: Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, place, message, help) }
    }

    pub(crate) fn along(mut self, way: Vec<WayPoint>) -> Self {
        self.way = way;
        self
    }

    /// Whether it keeps the flow from being published.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// ` Did you mean ...?`-like help: the nearest of the known names, or what else to do.
pub(crate) fn nearest_or<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
    otherwise: impl FnOnce() -> String,
) -> String {
    nearest(name, known).map_or_else(otherwise, |near| format!("did you mean `{near}`?"))
}

/// `a, b and c`, each in quotes of code.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => "nothing".to_owned(),
        Some((one, [])) => one.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}
