//! `${ path }` in a script: what trades and calls have brought so far, put into inputs. A text that is one path keeps its
//! value's type. It evaluates nothing: an expression is the flow's matter.

use std::collections::BTreeMap;

use mortise_contract::Value;

/// What a trade, or a call with a name, has brought.
#[derive(Debug, Clone, Default)]
pub(crate) struct Brought {
    /// `answer`, `output`.
    pub(crate) parts: BTreeMap<String, Value>,
    /// Outputs and payloads by step: `shipping[1].picking`.
    pub(crate) steps: BTreeMap<String, Value>,
}

/// Everything that has a name by now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known(BTreeMap<String, Brought>);

impl Known {
    /// What a name has brought, to be added to.
    pub(crate) fn of(&mut self, name: &str) -> &mut Brought {
        self.0.entry(name.to_owned()).or_default()
    }

    /// The value with every path put in; `local` are names that hold here only.
    ///
    /// # Errors
    /// A path that leads nowhere.
    pub(crate) fn fill(&self, value: &Value, local: &[(&str, &Value)]) -> Result<Value, String> {
        Ok(match value {
            Value::Text(text) => match whole(text) {
                Some(path) => self.find(path, local)?,
                None => Value::from(self.fill_text(text, local)?),
            },
            Value::List(items) => {
                Value::list(items.iter().map(|item| self.fill(item, local)).collect::<Result<Vec<_>, _>>()?)
            }
            Value::Record(record) => {
                let filled = record.iter().map(|(name, value)| Ok((name.clone(), self.fill(value, local)?)));
                Value::record(filled.collect::<Result<Vec<_>, String>>()?)
            }
            plain => plain.clone(),
        })
    }

    fn fill_text(&self, text: &str, local: &[(&str, &Value)]) -> Result<String, String> {
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            let (path, after) =
                after.split_once('}').ok_or_else(|| format!("{text:?}: a path is not closed"))?;
            filled.push_str(before);
            match self.find(path.trim(), local)? {
                Value::Text(value) => filled.push_str(&value),
                value => filled.push_str(&value.to_json()),
            }
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn find(&self, path: &str, local: &[(&str, &Value)]) -> Result<Value, String> {
        let nowhere = || format!("${{ {path} }} is nothing that has come about by then");
        let end = path.find(['.', '[']).unwrap_or(path.len());
        let (name, rest) = path.split_at(end);
        let rest = rest.strip_prefix('.').unwrap_or(rest);
        if let Some((_, value)) = local.iter().find(|(known, _)| *known == name) {
            return field(value, rest).cloned().ok_or_else(nowhere);
        }
        let brought = self.0.get(name).ok_or_else(nowhere)?;
        let all = brought.parts.iter().chain(&brought.steps);
        // The longest step that the path begins with: `shipping[1].picking` before `shipping`.
        let found = all
            .filter_map(|(step, value)| {
                let rest = rest.strip_prefix(step.as_str())?;
                let rest = if rest.is_empty() { rest } else { rest.strip_prefix('.')? };
                Some((step.len(), field(value, rest)?))
            })
            .max_by_key(|(length, _)| *length);
        found.map(|(_, value)| value.clone()).ok_or_else(nowhere)
    }
}

/// `a.b[0].c` within a value.
fn field<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let mut value = value;
    for segment in path.split(['.', '[']).filter(|segment| !segment.is_empty()) {
        value = match segment.strip_suffix(']') {
            Some(index) => value.as_list()?.get(index.parse::<usize>().ok()?)?,
            None => value.get(segment)?,
        };
    }
    Some(value)
}

fn whole(text: &str) -> Option<&str> {
    let path = text.strip_prefix("${")?.strip_suffix('}')?;
    (!path.contains("${")).then(|| path.trim())
}

#[cfg(test)]
mod tests {
    use mortise_contract::json;

    use super::*;

    #[test]
    fn paths_lead_to_steps_answers_and_local_names() {
        let mut known = Known::default();
        let ben = known.of("ben");
        ben.parts.insert("answer".to_owned(), json(r#"{"payable": 5}"#).unwrap());
        ben.steps.insert("plan".to_owned(), json(r#"{"parcels": [{"id": "p-1"}]}"#).unwrap());
        ben.steps.insert("shipping[1].picking".to_owned(), json(r#"{"list": "l-1"}"#).unwrap());
        let output = json(r#"{"id": 7}"#).unwrap();
        let script = json(
            r#"{"a": "${ ben.answer.payable }", "b": ["x-${ben.shipping[1].picking.list}"], "c": "${ ben.plan.parcels[0].id }", "d": "${ output.id }"}"#,
        );
        let filled = known.fill(&script.unwrap(), &[("output", &output)]).unwrap();
        assert_eq!(filled.to_json(), r#"{"a":5,"b":["x-l-1"],"c":"p-1","d":7}"#);
        for nowhere in ["${ ben.nothing }", "${ eve.answer }", "${ output.other }", "${open"] {
            assert!(known.fill(&Value::from(nowhere), &[("output", &output)]).is_err(), "{nowhere}");
        }
    }
}
