//! The one place that writes to stdout and, for failures, to stderr. Answers go to stdout, one JSON document a line with
//! `--format json`; the log is the subscriber's.

use std::fmt::Display;
use std::io::Write;

use mortise_types::{Amount, Currency};
use serde::Serialize;

use crate::failure::Failure;

/// A line for people, or a document that is text already. Whoever reads may have gone: that is no failure of ours.
pub(crate) fn line(text: impl Display) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// A JSON document on one line.
pub(crate) fn json(document: &impl Serialize) {
    match serde_json::to_string(document) {
        Ok(text) => line(text),
        Err(error) => tracing::error!(%error, "an answer cannot be written as JSON"),
    }
}

/// What went wrong, and what to do.
pub(crate) fn failure(failure: &Failure) {
    let mut err = std::io::stderr().lock();
    let _ = writeln!(err, "mortise: {}", failure.sentence);
    if let Some(mend) = &failure.mend {
        let _ = writeln!(err, "  help: {mend}");
    }
}

/// What should be known and hinders nothing; on stderr.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "note: {text}");
}

/// An amount in minor units as people write it: `12.99 EUR`.
pub(crate) fn money(amount: i64, currency: &str) -> String {
    match Currency::new(currency) {
        Ok(known) => format!("{} {known}", known.format_amount(Amount(amount))),
        Err(_) => format!("{amount} {currency}"),
    }
}

#[cfg(test)]
mod tests {
    use super::money;

    #[test]
    fn an_amount_reads_as_its_currency_is_written() {
        assert_eq!(money(1299, "EUR"), "12.99 EUR");
        assert_eq!(money(-5, "EUR"), "-0.05 EUR");
        assert_eq!(money(1299, "JPY"), "1299 JPY");
        assert_eq!(money(1299, "KWD"), "1.299 KWD");
    }
}
