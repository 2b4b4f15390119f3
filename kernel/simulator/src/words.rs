//! Values, ids and moments as a person reads them.

use std::collections::BTreeMap;

use mortise_contract::{Contracts, Schema, Unit, Value};
use mortise_types::{Span, Timestamp};

use crate::books::money;

/// A value on one line; what its schema says is money is written as its currency is.
pub(crate) fn value(
    value: &Value,
    schema: Option<&Schema>,
    contracts: &Contracts,
    currency: Option<&str>,
) -> String {
    let schema = schema.and_then(|schema| contracts.resolve(schema));
    match value {
        Value::Int(amount) if schema.is_some_and(|schema| schema.unit == Some(Unit::Money)) => {
            currency.map_or_else(|| amount.to_string(), |currency| money(*amount, currency))
        }
        Value::Text(text) => text.as_str().to_owned(),
        Value::List(items) => {
            let of = schema.and_then(|schema| schema.items.as_deref());
            let items = items.iter().map(|item| self::value(item, of, contracts, currency));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        Value::Record(record) => {
            let own = record.get("currency").and_then(Value::as_str);
            let fields = record.iter().map(|(name, field)| {
                let of = schema.and_then(|schema| schema.properties.get(name.as_str()));
                format!("{name}: {}", self::value(field, of, contracts, own.or(currency)))
            });
            fields.collect::<Vec<_>>().join(", ")
        }
        plain => plain.to_json(),
    }
}

/// A length of time in its two largest units: `2d 4h`.
pub(crate) fn span(span: Span) -> String {
    let mut left = span.as_millis();
    let mut parts = Vec::new();
    for (unit, millis) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        if left >= millis {
            parts.push(format!("{}{unit}", left / millis));
            left %= millis;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

/// How long after `start`.
pub(crate) fn since(start: Timestamp, moment: Timestamp) -> String {
    span(moment.since(start))
}

/// Ids that a platform mints are long and say nothing: in a transcript they are numbered in the order in which they come up.
#[derive(Debug, Default)]
pub(crate) struct ShortIds(BTreeMap<String, String>, BTreeMap<String, u32>);

impl ShortIds {
    /// The text with every minted id, `pay-019b...`, written `pay-1`.
    pub(crate) fn shorten(&mut self, text: &str) -> String {
        let mut short = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((start, end)) = minted(rest) {
            short.push_str(&rest[..start]);
            let id = &rest[start..end];
            let known = self.0.get(id).cloned();
            let name = known.unwrap_or_else(|| {
                let kind = id.rsplit_once('-').map_or("id", |(kind, _)| kind).to_owned();
                let count = self.1.entry(kind.clone()).or_default();
                *count += 1;
                let name = format!("{kind}-{count}");
                self.0.insert(id.to_owned(), name.clone());
                name
            });
            short.push_str(&name);
            rest = &rest[end..];
        }
        short.push_str(rest);
        short
    }
}

/// Where the first minted id stands: 32 hexadecimal digits, with the word before them.
fn minted(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let length = bytes[at..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if length == 32 {
            let word = bytes[..at].strip_suffix(b"-").map_or(0, |before| {
                before.iter().rev().take_while(|byte| byte.is_ascii_lowercase() || **byte == b'_').count() + 1
            });
            let start = if word > 1 { at - word } else { at };
            return Some((start, at + length));
        }
        at += length.max(1);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minted_ids_are_numbered_by_kind() {
        let (a, b) = ("019b76daa80070008000000040000000", "019b76daa80070008000000040000001");
        let mut ids = ShortIds::default();
        let text = format!("pay-{a} and pay-{b}, again pay-{a}; {b}; o-1/1");
        assert_eq!(ids.shorten(&text), "pay-1 and pay-2, again pay-1; id-1; o-1/1");
    }

    #[test]
    fn spans_are_written_in_their_units() {
        assert_eq!(span(Span::ZERO), "0s");
        assert_eq!(span(Span::minutes(30)), "30m");
        assert_eq!(span(Span::from_millis(190_920_000)), "2d 5h 2m");
    }
}
