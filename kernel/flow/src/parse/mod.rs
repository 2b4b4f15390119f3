//! Text to tree: YAML 1.2 or JSON into a flow with places. It says what the grammar does not have (`syntax`) and goes on
//! as far as it can; names and types are the checker's.

mod block;
mod call;
pub(crate) mod expression;
mod lines;
mod reader;
mod schema;
mod step;
mod template;
mod yaml;

use std::borrow::Cow;

use mortise_contract::Schema;

use crate::ast::{At, CancelOn, Flow, Place, Visibility};
use crate::diagnostic::Diagnostic;
pub(crate) use lines::Lines;
use reader::{Fields, Reader, Words};
pub use template::contract_template;
use yaml::{Node, Yaml};

/// Bytes that a definition may have.
pub(crate) const SIZE: usize = 256 * 1024;
/// Findings that one run shows at most.
const FINDINGS: usize = 100;

/// The flow that a text defines.
///
/// # Errors
/// What the grammar does not have, with places. The code is `syntax`, or `no-timeout` for a wait without a clock.
pub fn parse(text: &str) -> Result<Flow, Vec<Diagnostic>> {
    match read(text) {
        (Some(flow), found) if found.is_empty() => Ok(flow),
        (_, found) => Err(found),
    }
}

/// The flow as far as it can be made out, and the findings.
pub(crate) fn read(text: &str) -> (Option<Flow>, Vec<Diagnostic>) {
    if text.len() > SIZE {
        let place = Place { line: 1, column: 1, offset: 0, length: 1 };
        let message = format!("the definition has {} bytes, {SIZE} are allowed", text.len());
        return (None, vec![Diagnostic::error("syntax", place, message, "split the flow")]);
    }
    let text = spaces_for_tabs(text);
    let lines = Lines::new(&text);
    let mut reader = Reader::new(&lines);
    let flow = yaml::read(&lines, &mut reader.found).and_then(|tree| reader.flow(&tree));
    sort(&mut reader.found);
    (flow, reader.found)
}

/// In the order of the text, and not more than somebody reads.
pub(crate) fn sort(found: &mut Vec<Diagnostic>) {
    found.sort_by(|a, b| {
        (a.line, a.column, &a.code, &a.message).cmp(&(b.line, b.column, &b.code, &b.message))
    });
    found.truncate(FINDINGS);
}

/// JSON may be indented by tabs, YAML may not: where the text is JSON, a tab is a space.
fn spaces_for_tabs(text: &str) -> Cow<'_, str> {
    if text.trim_start().starts_with('{') && text.contains('\t') {
        Cow::Owned(text.replace('\t', " "))
    } else {
        Cow::Borrowed(text)
    }
}

const OF: &str = "a flow";

impl Reader<'_> {
    fn flow(&mut self, yaml: &Yaml) -> Option<Flow> {
        let mut fields = self.fields(yaml, OF)?;
        let name = self
            .require(&mut fields, "flow", OF)
            .and_then(|(_, value)| self.word(value, Words::Flow, "the name of a flow"));
        let version =
            self.require(&mut fields, "version", OF).and_then(|(_, value)| self.positive(value, "`version`"));
        let summary = fields.take("summary").and_then(|(_, value)| self.text(value, "`summary`"));
        let input = self.input(&mut fields);
        let key = fields.take("key").map(|(_, value)| self.template(value));
        let currency = fields.take("currency").map(|(_, value)| self.template(value));
        let cancel_on = fields.take("cancel_on").and_then(|(_, value)| self.cancel_on(value));
        let internal = self.internal(&mut fields);
        let steps = self.require(&mut fields, "steps", OF).map(|(_, value)| self.steps(value, "`steps`"));
        self.finish(&fields, OF);
        Some(Flow {
            name: name?,
            version: version?.value,
            summary: summary.map(|text| text.value).unwrap_or_default(),
            input: input?,
            type_names: std::mem::take(&mut self.type_names),
            key,
            currency,
            cancel_on,
            internal,
            steps: steps?,
        })
    }

    fn input(&mut self, fields: &mut Fields<'_>) -> Option<At<Schema>> {
        let (_, value) = self.require(fields, "input", OF)?;
        Some(At { value: self.schema(value), place: value.place })
    }

    fn internal(&mut self, fields: &mut Fields<'_>) -> Visibility {
        let Some((_, value)) = fields.take("internal") else { return Visibility::Public };
        match &value.node {
            Node::Scalar(scalar) if scalar.text == "true" => Visibility::Internal,
            Node::Scalar(scalar) if scalar.text == "false" => Visibility::Public,
            _ => {
                self.refuse(
                    value.place,
                    "`internal` is true or false",
                    "write `internal: true`, or take it away",
                );
                Visibility::Public
            }
        }
    }

    fn cancel_on(&mut self, yaml: &Yaml) -> Option<CancelOn> {
        const OF: &str = "`cancel_on`";
        let mut fields = self.fields(yaml, OF)?;
        let event = self
            .require(&mut fields, "event", OF)
            .and_then(|(_, value)| self.word(value, Words::Dotted, "the name of an event"));
        let key = self.require(&mut fields, "match", OF).map(|(_, value)| self.template(value));
        let code = self
            .require(&mut fields, "fail", OF)
            .and_then(|(_, value)| self.word(value, Words::Code, "a code"));
        self.finish(&fields, OF);
        Some(CancelOn { event: event?, key: key?, code: code? })
    }
}

#[cfg(test)]
mod tests;
