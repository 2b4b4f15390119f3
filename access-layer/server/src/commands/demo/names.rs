//! `${name}` in a story: what was kept from answers, put into paths and bodies. A text that is one name keeps its value's type.
//! `${in 2h}` is the moment two hours after the scene began.

use std::borrow::Cow;
use std::collections::BTreeMap;

use mortise_types::{Span, Timestamp};
use serde_json::Value as Json;

/// What a scene knows.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    kept: BTreeMap<String, Json>,
    began_at: Option<Timestamp>,
}

impl Names {
    /// What a scene that begins now knows.
    pub(super) fn since(began_at: Timestamp) -> Self {
        Self { kept: BTreeMap::new(), began_at: Some(began_at) }
    }

    /// Remembers a value.
    pub(super) fn keep(&mut self, name: &str, value: Json) {
        self.kept.insert(name.to_owned(), value);
    }

    /// The value with every name put in.
    ///
    /// # Errors
    /// A name that nothing kept.
    pub(super) fn fill(&self, value: &Json) -> Result<Json, String> {
        Ok(match value {
            Json::String(text) => match whole(text) {
                Some(name) => self.get(name)?.into_owned(),
                None => Json::String(self.fill_text(text)?),
            },
            Json::Array(items) => {
                Json::Array(items.iter().map(|item| self.fill(item)).collect::<Result<_, _>>()?)
            }
            Json::Object(fields) => {
                let filled = fields.iter().map(|(name, value)| Ok((name.clone(), self.fill(value)?)));
                Json::Object(filled.collect::<Result<_, String>>()?)
            }
            plain => plain.clone(),
        })
    }

    /// The text with every name put in.
    ///
    /// # Errors
    /// A name that nothing kept.
    pub(super) fn fill_text(&self, text: &str) -> Result<String, String> {
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) =
                after.split_once('}').ok_or_else(|| format!("{text:?}: a name is not closed"))?;
            filled.push_str(before);
            match &*self.get(name)? {
                Json::String(value) => filled.push_str(value),
                value => filled.push_str(&value.to_string()),
            }
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn get(&self, name: &str) -> Result<Cow<'_, Json>, String> {
        if let (Some(span), Some(began_at)) = (name.strip_prefix("in "), self.began_at) {
            let span: Span = span.parse().map_err(|error| format!("${{{name}}}: {error}"))?;
            return Ok(Cow::Owned(Json::String(began_at.saturating_add(span).to_string())));
        }
        self.kept
            .get(name)
            .map(Cow::Borrowed)
            .ok_or_else(|| format!("the story names ${{{name}}}, which nothing kept"))
    }
}

/// What stands under a JSON pointer, in which `[field=value]` is the first element of a list whose field is that text.
pub(super) fn pointed<'a>(value: &'a Json, pointer: &str) -> Option<&'a Json> {
    pointer.split('/').skip(1).try_fold(value, |value, segment| {
        match segment
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .and_then(|test| test.split_once('='))
        {
            Some((field, wanted)) => value
                .as_array()?
                .iter()
                .find(|element| element.get(field).and_then(Json::as_str) == Some(wanted)),
            None => value.pointer(&format!("/{segment}")),
        }
    })
}

fn whole(text: &str) -> Option<&str> {
    let name = text.strip_prefix("${")?.strip_suffix('}')?;
    (!name.contains("${")).then_some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pointer_finds_elements_by_a_field() {
        let found = json!({"a": [{"k": "x", "n": 1}, {"k": "y", "n": 2}]});
        assert_eq!(pointed(&found, "/a/[k=y]/n"), Some(&json!(2)));
        assert_eq!(pointed(&found, "/a/0/n"), Some(&json!(1)));
        assert_eq!(pointed(&found, "/a/[k=z]/n"), None);
        assert_eq!(pointed(&found, ""), Some(&found));
    }

    #[test]
    fn a_moment_is_told_from_the_beginning_of_the_scene() {
        let names = Names::since(Timestamp::EPOCH);
        assert_eq!(names.fill(&json!("${in 90m}")).unwrap(), json!("1970-01-01T01:30:00.000Z"));
        assert!(names.fill(&json!("${in a while}")).is_err());
    }

    #[test]
    fn names_are_put_in_everywhere_and_keep_their_type_alone() {
        let mut names = Names::default();
        names.keep("n", json!(3));
        names.keep("order", json!("o-1"));
        let story = json!({"a": "${n}", "b": ["x-${order}-${n}"], "c": true});
        assert_eq!(names.fill(&story).unwrap(), json!({"a": 3, "b": ["x-o-1-3"], "c": true}));
        assert!(names.fill(&json!("${other}")).unwrap_err().contains("${other}"));
        assert!(names.fill_text("${open").unwrap_err().contains("not closed"));
    }
}
