//! YAML 1.2 (and so JSON) events to a tree in which every key and every value has its place. Tags, anchors, aliases,
//! duplicate keys and second documents are refused here; what keys mean is not known here.

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use std::collections::HashMap;
use std::ops::Range;

use super::lines::Lines;
use crate::ast::{At, Place};
use crate::diagnostic::Diagnostic;

/// How deep lists and maps may nest.
const DEPTH: usize = 64;
/// How many values a definition may have.
const NODES: usize = 50_000;

/// A value with its place.
#[derive(Debug)]
pub(crate) struct Yaml {
    pub(crate) place: Place,
    pub(crate) node: Node,
}

#[derive(Debug)]
pub(crate) enum Node {
    Scalar(Scalar),
    List(Vec<Yaml>),
    Map(Vec<(At<String>, Yaml)>),
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    /// `|` or `>`.
    Block,
}

#[derive(Debug)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    pub(crate) style: Style,
    /// The bytes of the file that it stands in, quotes included.
    pub(crate) raw: Range<usize>,
}

impl Yaml {
    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.node {
            Node::Scalar(scalar) if scalar.text.is_empty() && scalar.style == Style::Plain => "nothing",
            Node::Scalar(_) => "a single value",
            Node::List(_) => "a list",
            Node::Map(_) => "a map",
        }
    }
}

enum Open {
    List { place: Place, items: Vec<Yaml> },
    Map(OpenMap),
}

struct OpenMap {
    start: Place,
    /// Of the first key.
    place: Option<Place>,
    entries: Vec<(At<String>, Yaml)>,
    key: Option<Key>,
    seen: HashMap<String, u32>,
}

/// A key that waits for its value.
enum Key {
    First(At<String>),
    /// It stands in the map already; its value is left out.
    Repeated,
}

struct Builder<'l, 't> {
    lines: &'l Lines<'t>,
    open: Vec<Open>,
    root: Option<Yaml>,
    nodes: usize,
    found: &'l mut Vec<Diagnostic>,
}

/// The tree of a text; `None` if it has no tree, and then at least one finding says why.
pub(crate) fn read(lines: &Lines<'_>, found: &mut Vec<Diagnostic>) -> Option<Yaml> {
    let mut options = granit_parser::options! {
        flow_nesting_limit: DEPTH,
        block_nesting_limit: DEPTH,
        emit_unresolved_aliases: true,
    };
    options.set_emit_comments(false);
    let mut builder = Builder { lines, open: Vec::new(), root: None, nodes: 0, found };
    for event in Parser::new_from_str_with_options(lines.text, options) {
        match event {
            Ok((event, span)) => builder.event(event, span)?,
            Err(error) => {
                let finding = scan_error(lines, &error);
                builder.found.push(finding);
                return None;
            }
        }
    }
    if builder.root.is_none() {
        let place = lines.place(0..0);
        builder.found.push(Diagnostic::error(
            "syntax",
            place,
            "the file is empty",
            "a flow begins with `flow: its-name`",
        ));
    }
    builder.root
}

impl Builder<'_, '_> {
    fn refuse(&mut self, place: Place, message: impl Into<String>, help: &str) {
        self.found.push(Diagnostic::error("syntax", place, message, help));
    }

    /// `None` ends the reading: what follows cannot be made sense of.
    fn event(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        let raw = span.byte_range().unwrap_or(0..0);
        let place = self.lines.place(raw.clone());
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                self.refuse(
                    place,
                    "a second document begins here",
                    "a definition is one document: put the other into a file of its own",
                );
                return None;
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.refuse(
                    place,
                    "an alias (`*name`) has no place in a flow",
                    "write the value out; a value that is used twice can be named by `let`",
                );
                self.value(Yaml {
                    place,
                    node: Node::Scalar(Scalar { text: String::new(), style: Style::Plain, raw }),
                })?;
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.marks(&span, place, anchor, tag.is_some());
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::SingleQuoted,
                    ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                self.value(Yaml {
                    place,
                    node: Node::Scalar(Scalar { text: text.into_owned(), style, raw }),
                })?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.marks(&span, place, anchor, tag.is_some());
                self.begin(place, Open::List { place, items: Vec::new() })?;
            }
            Event::MappingStart(_, anchor, tag) => {
                self.marks(&span, place, anchor, tag.is_some());
                let map = OpenMap {
                    start: place,
                    place: None,
                    entries: Vec::new(),
                    key: None,
                    seen: HashMap::new(),
                };
                self.begin(place, Open::Map(map))?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let closed = match self.open.pop()? {
                    Open::List { place, items } => Yaml { place, node: Node::List(items) },
                    Open::Map(map) => {
                        Yaml { place: map.place.unwrap_or(map.start), node: Node::Map(map.entries) }
                    }
                };
                self.value(closed)?;
            }
            _ => {}
        }
        Some(())
    }

    fn marks(&mut self, span: &Span, place: Place, anchor: usize, tagged: bool) {
        if anchor != 0 {
            self.refuse(
                place,
                "an anchor (`&name`) has no place in a flow",
                "take the anchor away and write the value where it is used",
            );
        }
        if tagged {
            let tag = span.tag_span().and_then(|tag| tag.byte_range());
            let place = tag.map_or(place, |range| self.lines.place(range));
            self.refuse(
                place,
                "a tag (`!name`) has no place in a flow",
                "take the tag away; text that looks like a number is quoted",
            );
        }
    }

    fn begin(&mut self, place: Place, open: Open) -> Option<()> {
        if let Some(Open::Map(OpenMap { key: None, .. })) = self.open.last() {
            self.refuse(
                place,
                "a list or a map stands where a key is expected",
                "a key is plain text; an expression `${ ... }` inside of `{ }` or `[ ]` is quoted: \"${ ... }\"",
            );
            return None;
        }
        if self.open.len() >= DEPTH {
            self.refuse(place, format!("nested deeper than {DEPTH} levels"), "split the flow");
            return None;
        }
        self.open.push(open);
        Some(())
    }

    fn value(&mut self, value: Yaml) -> Option<()> {
        self.nodes += 1;
        if self.nodes > NODES {
            self.refuse(value.place, format!("more than {NODES} values"), "split the flow");
            return None;
        }
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some(Open::List { items, .. }) => items.push(value),
            Some(Open::Map(map)) => match map.key.take() {
                Some(Key::First(key)) => map.entries.push((key, value)),
                Some(Key::Repeated) => {}
                None => {
                    let Node::Scalar(scalar) = value.node else { return Some(()) };
                    map.place.get_or_insert(value.place);
                    let first = map.seen.insert(scalar.text.clone(), value.place.line);
                    let Some(line) = first else {
                        map.key = Some(Key::First(At { value: scalar.text, place: value.place }));
                        return Some(());
                    };
                    map.key = Some(Key::Repeated);
                    let message = format!("the key `{}` stands twice, first on line {line}", scalar.text);
                    self.refuse(value.place, message, "keep one of them");
                }
            },
        }
        Some(())
    }
}

/// An expression that stands unquoted on the line, and what quoting would mend.
fn unquoted_expression(line: &str) -> bool {
    line.match_indices("${")
        .any(|(at, _)| !line[..at].ends_with(['"', '\'']) && !line[..at].contains(['"', '\'']))
}

pub(super) const QUOTE: &str =
    "an expression that holds `: ` or ` #`, or stands inside of `{ }` or `[ ]`, is quoted: \"${ ... }\"";

fn scan_error(lines: &Lines<'_>, error: &ScanError) -> Diagnostic {
    let marker = error.marker();
    let offset = marker.byte_offset().unwrap_or(0).min(lines.text.len());
    let place = lines.place(offset..offset + 1);
    let near =
        (place.line.saturating_sub(1)..=place.line).rev().find(|line| unquoted_expression(lines.line(*line)));
    let (place, help) = match near {
        Some(line) if line != place.line => {
            let text = lines.line(line);
            let start = text.as_ptr() as usize - lines.text.as_ptr() as usize;
            let at = text.find("${").unwrap_or(0);
            (lines.place(start + at..start + text.len()), QUOTE)
        }
        Some(_) => (place, QUOTE),
        None => (place, "look at the line and the one before it: indentation, colons, quotes, brackets"),
    };
    Diagnostic::error("syntax", place, format!("this is not YAML: {}", error.info()), help)
}
