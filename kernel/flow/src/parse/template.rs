//! Values with `${ }` in them: which text is an expression, which has expressions in it, and where each of them stands
//! in the file, through quotes, escapes and folded lines.

use std::ops::Range;

use mortise_contract::Value;

use super::expression::{self, closing};
use super::lines::Lines;
use super::reader::Reader;
use super::yaml::{Node as YamlNode, QUOTE, Scalar, Style, Yaml};
use crate::ast::{At, Expr, Place, Template, TemplateKind, TextPart};
use crate::diagnostic::Diagnostic;

/// Where the characters of a scalar's text stand in the file.
enum Origin {
    /// Byte for byte behind this offset.
    Straight(usize),
    /// One offset a byte, and one for the end.
    Mapped(Vec<usize>),
    /// In a contract, which has no places: all of it here.
    Nowhere(Place),
}

impl Origin {
    fn of(scalar: &Scalar, lines: &Lines<'_>) -> Self {
        let raw = lines.text.get(scalar.raw.clone()).unwrap_or("");
        let skip = usize::from(matches!(scalar.style, Style::SingleQuoted | Style::DoubleQuoted));
        if raw.get(skip..).is_some_and(|inner| inner.starts_with(scalar.text.as_str())) {
            return Self::Straight(scalar.raw.start + skip);
        }
        Self::Mapped(align(scalar, raw, skip))
    }

    fn place(&self, lines: &Lines<'_>, range: Range<usize>) -> Place {
        match self {
            Self::Straight(base) => lines.place(base + range.start..base + range.end),
            Self::Mapped(offsets) => {
                let at = |index: usize| offsets.get(index).or(offsets.last()).copied().unwrap_or(0);
                lines.place(at(range.start)..at(range.end).max(at(range.start)))
            }
            Self::Nowhere(place) => *place,
        }
    }
}

/// Walks the decoded text beside its source. Where both differ, the source is an escape, a doubled quote, or a folded
/// line; an offset that cannot be found is that of the character before it.
fn align(scalar: &Scalar, raw: &str, skip: usize) -> Vec<usize> {
    let bytes = raw.as_bytes();
    let mut at = skip;
    if scalar.style == Style::Block {
        at = raw.find('\n').map_or(0, |end| end + 1);
    }
    let mut offsets = Vec::with_capacity(scalar.text.len() + 1);
    for c in scalar.text.chars() {
        let mut next = at;
        if c != ' ' && c != '\n' {
            while bytes.get(next).is_some_and(u8::is_ascii_whitespace) {
                next += 1;
            }
        }
        let rest = raw.get(next..).unwrap_or("");
        let width = if scalar.style == Style::DoubleQuoted && rest.starts_with('\\') {
            match rest.as_bytes().get(1) {
                Some(b'x') => 4,
                Some(b'u') => 6,
                Some(b'U') => 10,
                _ => 2,
            }
        } else if scalar.style == Style::SingleQuoted && rest.starts_with("''") {
            2
        } else if rest.starts_with(c) {
            c.len_utf8()
        } else {
            usize::from(c == ' ' && rest.starts_with(['\n', '\r']))
        };
        offsets.extend(std::iter::repeat_n(scalar.raw.start + next.min(raw.len()), c.len_utf8()));
        at = next + width;
    }
    offsets.push(scalar.raw.start + at.min(raw.len()));
    offsets
}

/// A piece of text as it is found: plain, or the bytes of an expression.
enum Piece {
    Plain(Range<usize>),
    Expression(Range<usize>),
}

/// The pieces of a text; `Err` is the offset of a `${` that does not end.
fn pieces(text: &str) -> Result<Vec<Piece>, usize> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("${") {
        let start = at + found;
        if start > at {
            out.push(Piece::Plain(at..start));
        }
        let end = closing(text, start + 2).ok_or(start)?;
        out.push(Piece::Expression(start + 2..end));
        at = end + 1;
    }
    if at < text.len() {
        out.push(Piece::Plain(at..text.len()));
    }
    Ok(out)
}

impl Reader<'_> {
    /// A value of any shape.
    pub(super) fn template(&mut self, yaml: &Yaml) -> Template {
        let kind = match &yaml.node {
            YamlNode::Scalar(scalar) => return self.scalar_template(scalar, yaml.place),
            YamlNode::List(items) => {
                TemplateKind::List(items.iter().map(|item| self.template(item)).collect())
            }
            YamlNode::Map(entries) => TemplateKind::Record(
                entries.iter().map(|(key, value)| (key.clone(), self.template(value))).collect(),
            ),
        };
        Template { place: yaml.place, kind }
    }

    fn scalar_template(&mut self, scalar: &Scalar, place: Place) -> Template {
        if !scalar.text.contains("${") {
            return Template { place, kind: TemplateKind::Literal(self.scalar(scalar, place)) };
        }
        let origin = Origin::of(scalar, self.lines);
        let text = if scalar.style == Style::Block { scalar.text.trim_end() } else { &scalar.text };
        match templated(text, &|range| origin.place(self.lines, range), place) {
            Ok(kind) => Template { place, kind },
            Err(mut finding) => {
                if finding.help.is_empty() {
                    finding.help = self.unclosed_help(scalar);
                }
                self.found.push(*finding);
                Template { place, kind: TemplateKind::Literal(Value::Null) }
            }
        }
    }

    /// A comment that cuts a plain expression is the usual reason for one that does not end.
    fn unclosed_help(&self, scalar: &Scalar) -> String {
        let rest = self.lines.text.get(scalar.raw.end..).unwrap_or("");
        let cut = scalar.style == Style::Plain && rest.trim_start_matches([' ', '\t']).starts_with('#');
        if cut { QUOTE.to_owned() } else { format!("close it with `}}`; {QUOTE}") }
    }

    /// One expression, in `${ }` and nothing around it.
    pub(super) fn expression(&mut self, yaml: &Yaml, what: &str) -> Option<Expr> {
        let template = match &yaml.node {
            YamlNode::Scalar(scalar) => self.scalar_template(scalar, yaml.place),
            _ => {
                self.refuse(
                    yaml.place,
                    format!("{} where {what} is expected", yaml.kind()),
                    "write `${ ... }`",
                );
                return None;
            }
        };
        match template.kind {
            TemplateKind::Expr(expr) => Some(expr),
            TemplateKind::Literal(Value::Null) => None,
            _ => {
                self.refuse(
                    yaml.place,
                    format!("{what} is given by one expression"),
                    "put the whole of it into `${ ... }`",
                );
                None
            }
        }
    }
}

/// A text with `${` in it: one expression, or text with expressions. An empty help means that an expression does not end.
fn templated(
    text: &str,
    place_of: &dyn Fn(Range<usize>) -> Place,
    whole: Place,
) -> Result<TemplateKind, Box<Diagnostic>> {
    let pieces = pieces(text).map_err(|start| {
        Box::new(Diagnostic::error("syntax", place_of(start..text.len()), "an expression does not end", ""))
    })?;
    let parse = |range: Range<usize>| parse_piece(text, range, place_of);
    if let [Piece::Expression(range)] = pieces.as_slice() {
        return Ok(TemplateKind::Expr(parse(range.clone())?));
    }
    if pieces.len() > 200 {
        let message = "more than 200 parts in one text";
        return Err(Box::new(Diagnostic::error("syntax", whole, message, "split it")));
    }
    let parts = pieces.into_iter().map(|piece| match piece {
        Piece::Plain(range) => Ok(TextPart::Plain(text[range].to_owned())),
        Piece::Expression(range) => parse(range).map(TextPart::Expr),
    });
    Ok(TemplateKind::Text(parts.collect::<Result<_, _>>()?))
}

fn parse_piece(
    text: &str,
    range: Range<usize>,
    place_of: &dyn Fn(Range<usize>) -> Place,
) -> Result<Expr, Box<Diagnostic>> {
    let raw = &text[range.clone()];
    let start = range.start + raw.len() - raw.trim_start().len();
    let source = raw.trim();
    let within = |inner: Range<usize>| place_of(start + inner.start..start + inner.end);
    match expression::parse(source, &within) {
        Ok(node) => Ok(Expr { place: within(0..source.len()), source: source.to_owned(), node }),
        Err(error) => {
            Err(Box::new(Diagnostic::error("syntax", within(error.range), error.message, error.help)))
        }
    }
}

/// A contract's template, whose text may hold `${ }`. Contracts have no places: every place is `place`.
///
/// # Errors
/// What the grammar does not have, in a sentence.
pub fn contract_template(value: &Value, place: Place) -> Result<Template, String> {
    let kind = match value {
        Value::Text(text) if text.contains("${") => {
            let origin = Origin::Nowhere(place);
            let empty = Lines::new("");
            templated(text, &|range| origin.place(&empty, range), place).map_err(|finding| finding.message)?
        }
        Value::List(items) => {
            let items = items.iter().map(|item| contract_template(item, place));
            TemplateKind::List(items.collect::<Result<_, _>>()?)
        }
        Value::Record(record) => {
            let fields = record.iter().map(|(name, value)| {
                Ok((At { value: name.as_str().to_owned(), place }, contract_template(value, place)?))
            });
            TemplateKind::Record(fields.collect::<Result<_, String>>()?)
        }
        scalar => TemplateKind::Literal(scalar.clone()),
    };
    Ok(Template { place, kind })
}
