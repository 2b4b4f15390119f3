//! Reading maps field by field: what is there, what is missing, what does not belong. It collects findings and goes on,
//! so that one run shows all of them.

use mortise_contract::Value;
use mortise_types::{Span, nearest};

use super::expression::RESERVED;
use super::lines::Lines;
use super::yaml::{Node, Scalar, Style, Yaml};
use crate::ast::{At, Place};
use crate::diagnostic::Diagnostic;
use crate::report::listed;

/// A text on its way into a flow.
pub(super) struct Reader<'l> {
    pub(super) lines: &'l Lines<'l>,
    pub(super) found: Vec<Diagnostic>,
    pub(super) type_names: Vec<At<String>>,
    pub(super) steps: usize,
}

/// The fields of a map, taken one by one.
pub(super) struct Fields<'y> {
    pub(super) place: Place,
    entries: Vec<Option<&'y (At<String>, Yaml)>>,
    known: Vec<&'static str>,
}

impl<'y> Fields<'y> {
    pub(super) fn take(&mut self, name: &'static str) -> Option<(&'y At<String>, &'y Yaml)> {
        self.known.push(name);
        let slot = self.entries.iter_mut().find(|entry| entry.is_some_and(|(key, _)| key.value == name))?;
        slot.take().map(|(key, value)| (key, value))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.iter().flatten().any(|(key, _)| key.value == name)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &'y At<String>> {
        self.entries.iter().flatten().map(|(key, _)| key)
    }
}

/// What a name has to look like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// A name in expressions.
    Name,
    /// A code: `out_of_stock`.
    Code,
    /// A flow's name: `pay-first`.
    Flow,
    /// `capability.event`
    Dotted,
    /// `capability.operation`, or `custom/name` for one that an extension answers.
    Operation,
}

impl Words {
    fn fits(self, word: &str) -> bool {
        let part = |part: &str, extra: char| {
            part.starts_with(|c: char| c.is_ascii_lowercase())
                && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == extra)
        };
        word.len() <= 64
            && match self {
                Self::Name => {
                    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                        && !RESERVED.contains(&word)
                }
                Self::Code => part(word, '_'),
                Self::Flow => part(word, '-'),
                Self::Dotted => word.matches('.').count() == 1 && word.split('.').all(|p| part(p, '_')),
                Self::Operation => match word.strip_prefix("custom/") {
                    Some(name) => part(name, '-'),
                    None => Self::Dotted.fits(word),
                },
            }
    }

    fn help(self) -> &'static str {
        match self {
            Self::Name => "a name has letters, digits and `_`, begins with a letter, and is no word of CEL",
            Self::Code => "a code has small letters, digits and `_`, such as `out_of_stock`",
            Self::Flow => "a flow's name has small letters, digits and `-`, such as `pay-first`",
            Self::Dotted => "write `capability.name`, such as `inventory.reserve`",
            Self::Operation => {
                "write `capability.name`, such as `inventory.reserve`, or `custom/name` for an extension's own operation"
            }
        }
    }
}

impl<'l> Reader<'l> {
    pub(super) fn new(lines: &'l Lines<'l>) -> Self {
        Self { lines, found: Vec::new(), type_names: Vec::new(), steps: 0 }
    }

    pub(super) fn refuse(&mut self, place: Place, message: impl Into<String>, help: impl Into<String>) {
        self.found.push(Diagnostic::error("syntax", place, message, help));
    }

    /// The fields of `yaml`, which `what` says.
    pub(super) fn fields<'y>(&mut self, yaml: &'y Yaml, what: &str) -> Option<Fields<'y>> {
        let Node::Map(entries) = &yaml.node else {
            self.refuse(
                yaml.place,
                format!("{} where {what} is expected", yaml.kind()),
                "write `key: value` pairs",
            );
            return None;
        };
        Some(Fields { place: yaml.place, entries: entries.iter().map(Some).collect(), known: Vec::new() })
    }

    /// Refuses what nobody took.
    pub(super) fn finish(&mut self, fields: &Fields<'_>, what: &str) {
        for key in fields.keys() {
            let help = match nearest(&key.value, fields.known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("{what} has {}", listed(fields.known.iter().copied())),
            };
            self.refuse(key.place, format!("`{}` is not a part of {what}", key.value), help);
        }
    }

    pub(super) fn require<'y>(
        &mut self,
        fields: &mut Fields<'y>,
        name: &'static str,
        what: &str,
    ) -> Option<(&'y At<String>, &'y Yaml)> {
        let found = fields.take(name);
        if found.is_none() {
            self.refuse(fields.place, format!("{what} lacks `{name}`"), format!("add `{name}: ...`"));
        }
        found
    }

    /// Plain text without expressions.
    pub(super) fn text(&mut self, yaml: &Yaml, what: &str) -> Option<At<String>> {
        match &yaml.node {
            Node::Scalar(scalar) if scalar.text.contains("${") => {
                self.refuse(yaml.place, format!("{what} has no expressions"), "write it as plain text");
                None
            }
            Node::Scalar(scalar) if !scalar.text.is_empty() => {
                Some(At { value: scalar.text.trim().to_owned(), place: yaml.place })
            }
            _ => {
                self.refuse(
                    yaml.place,
                    format!("{} where {what} is expected", yaml.kind()),
                    "write plain text",
                );
                None
            }
        }
    }

    pub(super) fn word(&mut self, yaml: &Yaml, words: Words, what: &str) -> Option<At<String>> {
        let text = self.text(yaml, what)?;
        let plain = matches!(&yaml.node, Node::Scalar(scalar) if scalar.style == Style::Plain);
        // `true` and `null` are no words: the next tool to read the file would see no text there.
        if words.fits(&text.value) && (!plain || matches!(core(&text.value), Ok(Value::Text(_)))) {
            return Some(text);
        }
        self.refuse(
            text.place,
            format!("`{}` is no {}", shortened(&text.value), strip_article(what)),
            words.help(),
        );
        None
    }

    /// A key of a map that is a name or a code.
    pub(super) fn key_word(&mut self, key: &At<String>, words: Words, what: &str) -> Option<At<String>> {
        if words.fits(&key.value) {
            return Some(key.clone());
        }
        self.refuse(
            key.place,
            format!("`{}` is no {}", shortened(&key.value), strip_article(what)),
            words.help(),
        );
        None
    }

    pub(super) fn positive(&mut self, yaml: &Yaml, what: &str) -> Option<At<u32>> {
        let number = match &yaml.node {
            Node::Scalar(scalar) if scalar.style == Style::Plain => scalar.text.parse::<u32>().ok(),
            _ => None,
        };
        match number.filter(|number| *number > 0) {
            Some(value) => Some(At { value, place: yaml.place }),
            None => {
                self.refuse(
                    yaml.place,
                    format!("{what} is a whole number from 1"),
                    "write digits, such as 50",
                );
                None
            }
        }
    }

    pub(super) fn duration(&mut self, yaml: &Yaml, what: &str) -> Option<At<Span>> {
        let text = self.text(yaml, what)?;
        match text.value.parse::<Span>() {
            Ok(value) => Some(At { value, place: text.place }),
            Err(error) => {
                self.refuse(
                    text.place,
                    format!("{what}: {error}"),
                    "a length of time is written 30m, 24h or 30d",
                );
                None
            }
        }
    }

    /// A scalar by the core schema of YAML 1.2.
    pub(super) fn scalar(&mut self, scalar: &Scalar, place: Place) -> Value {
        if scalar.style != Style::Plain {
            return Value::text(scalar.text.as_str());
        }
        match core(&scalar.text) {
            Ok(value) => value,
            Err(message) => {
                self.refuse(place, message, "put quotes around it if it is text");
                Value::Null
            }
        }
    }

    /// A value without expressions, of any shape.
    pub(super) fn value(&mut self, yaml: &Yaml) -> Value {
        match &yaml.node {
            Node::Scalar(scalar) => self.scalar(scalar, yaml.place),
            Node::List(items) => Value::list(items.iter().map(|item| self.value(item)).collect::<Vec<_>>()),
            Node::Map(entries) => {
                let fields: Vec<(String, Value)> =
                    entries.iter().map(|(key, value)| (key.value.clone(), self.value(value))).collect();
                Value::record(fields)
            }
        }
    }
}

fn strip_article(what: &str) -> &str {
    what.strip_prefix("the ").or(what.strip_prefix("a ")).or(what.strip_prefix("an ")).unwrap_or(what)
}

pub(super) fn shortened(text: &str) -> String {
    let mut out: String = text.chars().take(60).collect();
    if out.len() < text.len() {
        out.push_str("...");
    }
    out
}

/// The core schema's resolution of a plain scalar.
fn core(text: &str) -> Result<Value, String> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let all = |digits: &str, radix: u32| !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    let whole = if all(unsigned, 10) {
        Some(text.strip_prefix('+').unwrap_or(text).parse::<i64>())
    } else if let Some(digits) = text.strip_prefix("0o").filter(|digits| all(digits, 8)) {
        Some(i64::from_str_radix(digits, 8))
    } else {
        text.strip_prefix("0x").filter(|digits| all(digits, 16)).map(|digits| i64::from_str_radix(digits, 16))
    };
    if let Some(parsed) = whole {
        return parsed
            .map(Value::Int)
            .map_err(|_| format!("{} is no whole number of 64 bits", shortened(text)));
    }
    let (mantissa, exponent) =
        unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    let float = digits(before)
        && digits(after)
        && !(before.is_empty() && after.is_empty())
        && exponent.is_none_or(|e| all(e.strip_prefix(['-', '+']).unwrap_or(e), 10));
    if float {
        return match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Float(number)),
            _ => Err(format!("{} is too large a number", shortened(text))),
        };
    }
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(format!("`{text}` is no number that a flow can count with"));
    }
    Ok(Value::text(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        for (text, json) in [
            ("", "null"),
            ("~", "null"),
            ("yes", "\"yes\""),
            ("on", "\"on\""),
            ("True", "true"),
            ("017", "17"),
            ("0o17", "15"),
            ("0xff", "255"),
            ("+5", "5"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("1.5", "1.5"),
            ("1e3", "1000.0"),
            (".5", "0.5"),
            ("-", "\"-\""),
            (".", "\".\""),
            ("1_000", "\"1_000\""),
            ("2026-01-01", "\"2026-01-01\""),
            ("30m", "\"30m\""),
            ("1.2.3", "\"1.2.3\""),
            ("e5", "\"e5\""),
        ] {
            assert_eq!(core(text).unwrap().to_json(), json, "{text}");
        }
        assert!(core("9223372036854775808").is_err());
        assert!(core(".inf").is_err());
    }
}
