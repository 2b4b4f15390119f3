//! A page of figures in Prometheus' text format, version 0.0.4: a family has a name, a kind and a help line, and a sample
//! for each set of labels. It is written here rather than by a crate: what is counted is counted elsewhere, as plain
//! numbers, and this much of the format is a line a number.

use std::fmt::{self, Display, Write as _};
use std::sync::Arc;

/// Writes figures that this crate does not know onto the page, such as those of the extensions' host.
pub type MoreFigures = Arc<dyn Fn(&mut MetricsPage) + Send + Sync>;

/// The page's content type.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A page of figures.
#[derive(Debug, Default)]
pub struct MetricsPage {
    text: String,
}

/// Names of labels, with their values.
pub type Labels<'a> = &'a [(&'static str, &'a str)];

/// One family of figures.
#[derive(Debug)]
pub struct Family<'a> {
    name: &'static str,
    text: &'a mut String,
}

impl MetricsPage {
    /// A family of sums that never go back while the process runs; its name ends in `_total`.
    pub fn counter(&mut self, name: &'static str, help: &'static str) -> Family<'_> {
        self.family(name, "counter", help)
    }

    /// A family of figures of now.
    pub fn gauge(&mut self, name: &'static str, help: &'static str) -> Family<'_> {
        self.family(name, "gauge", help)
    }

    /// A family of distributions; its name ends in the unit.
    pub fn histogram(&mut self, name: &'static str, help: &'static str) -> Family<'_> {
        self.family(name, "histogram", help)
    }

    fn family(&mut self, name: &'static str, kind: &str, help: &str) -> Family<'_> {
        let text = &mut self.text;
        put(text, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        Family { name, text }
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

impl Family<'_> {
    /// A figure.
    pub fn sample(&mut self, labels: Labels<'_>, value: impl Display) -> &mut Self {
        self.line("", labels, None, value);
        self
    }

    /// A distribution of times: how many took no longer than each bound, given in microseconds and shown in seconds, with
    /// those before it; the sum of all times, in microseconds; how many there are.
    pub fn times(
        &mut self,
        labels: Labels<'_>,
        within_us: &[(u64, u64)],
        sum_us: u64,
        count: u64,
    ) -> &mut Self {
        for (bound, within) in within_us {
            self.line("_bucket", labels, Some(&Seconds(*bound).to_string()), within);
        }
        self.line("_bucket", labels, Some("+Inf"), count);
        self.line("_sum", labels, None, Seconds(sum_us));
        self.line("_count", labels, None, count);
        self
    }

    fn line(&mut self, ending: &str, labels: Labels<'_>, bound: Option<&str>, value: impl Display) {
        put(self.text, format_args!("{}{ending}", self.name));
        let all = labels.iter().copied().chain(bound.map(|bound| ("le", bound)));
        let mut opening = '{';
        for (label, value) in all {
            put(self.text, format_args!("{opening}{label}=\"{}\"", Escaped(value)));
            opening = ',';
        }
        let closing = if opening == '{' { "" } else { "}" };
        put(self.text, format_args!("{closing} {value}\n"));
    }
}

fn put(text: &mut String, words: fmt::Arguments<'_>) {
    text.write_fmt(words).expect("writing to a String does not fail");
}

/// A text between quotation marks, on one line.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Microseconds, as seconds without an exponent.
struct Seconds(u64);

impl Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_in_the_text_format() {
        let mut page = MetricsPage::default();
        page.gauge("load", "How many wait.").sample(&[], 3);
        page.counter("calls_total", "How often it was asked.")
            .sample(&[("point", "discount"), ("outcome", "a\\b\"c\nd")], 7_u64)
            .sample(&[("point", "unit-price")], 0_u64);
        page.histogram("call_seconds", "How long.").times(
            &[("point", "discount")],
            &[(100, 1), (2_500_000, 3)],
            1_002_503,
            4,
        );
        assert_eq!(
            page.into_text(),
            r#"# HELP load How many wait.
# TYPE load gauge
load 3
# HELP calls_total How often it was asked.
# TYPE calls_total counter
calls_total{point="discount",outcome="a\\b\"c\nd"} 7
calls_total{point="unit-price"} 0
# HELP call_seconds How long.
# TYPE call_seconds histogram
call_seconds_bucket{point="discount",le="0.000100"} 1
call_seconds_bucket{point="discount",le="2.500000"} 3
call_seconds_bucket{point="discount",le="+Inf"} 4
call_seconds_sum{point="discount"} 1.002503
call_seconds_count{point="discount"} 4
"#
        );
    }
}
