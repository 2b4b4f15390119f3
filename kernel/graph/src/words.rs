//! Expressions and templates as short text for a box. It shortens; it never evaluates.

use mortise_flow::ast::{At, Clock, Expr, Template, TemplateKind, TextPart};
use mortise_types::Span;

/// Characters of an expression that a box shows.
const SHOWN: usize = 72;

pub(crate) fn expr(expr: &Expr) -> String {
    shortened(&expr.source)
}

/// What a template says, as far as one line holds it.
pub(crate) fn template(template: &Template) -> String {
    let text = match &template.kind {
        TemplateKind::Literal(value) => value.as_str().map_or_else(|| value.to_json(), ToOwned::to_owned),
        TemplateKind::Expr(expr) => expr.source.clone(),
        TemplateKind::Text(parts) => parts.iter().map(part).collect(),
        TemplateKind::List(items) => format!("{} values", items.len()),
        TemplateKind::Record(fields) => {
            fields.iter().map(|(name, _)| name.value.as_str()).collect::<Vec<_>>().join(", ")
        }
    };
    shortened(&text)
}

fn part(part: &TextPart) -> String {
    match part {
        TextPart::Plain(text) => text.clone(),
        TextPart::Expr(expr) => format!("{{{}}}", expr.source),
    }
}

/// `after 30m`, `at auction.closes_at`
pub(crate) fn clock(clock: &Clock) -> String {
    match clock {
        Clock::After(At { value, .. }) => after(*value),
        Clock::Expr(moment) => format!("at {}", expr(moment)),
    }
}

fn after(span: Span) -> String {
    format!("after {span}")
}

pub(crate) fn shortened(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= SHOWN {
        return text;
    }
    let mut short: String = text.chars().take(SHOWN - 1).collect();
    short.push('…');
    short
}
