//! Whether an answer is what a story expects, and the first place where it is not. A record may hold more than is expected;
//! a list has as many elements. `{$some: x}` asks for an element like `x` (`[x, y]`: for one like each), `{$none: x}` for none,
//! `{$has: text}` for text within.

use serde_json::Value as Json;

/// The first place that differs, or nothing.
pub(super) fn differs(expected: &Json, found: &Json) -> Option<String> {
    at(expected, found, &mut String::new())
}

fn at(expected: &Json, found: &Json, place: &mut String) -> Option<String> {
    if let Some(differs) = special(expected, found, place) {
        return differs;
    }
    match (expected, found) {
        (Json::Object(wanted), Json::Object(there)) => wanted.iter().find_map(|(name, wanted)| {
            let length = place.len();
            place.push('/');
            place.push_str(name);
            let differs = match there.get(name) {
                Some(there) => at(wanted, there, place),
                None => Some(format!("{place} is missing")),
            };
            place.truncate(length);
            differs
        }),
        (Json::Array(wanted), Json::Array(there)) => {
            if wanted.len() != there.len() {
                return Some(format!(
                    "{} has {} elements instead of {}",
                    named(place),
                    there.len(),
                    wanted.len()
                ));
            }
            wanted.iter().zip(there).enumerate().find_map(|(index, (wanted, there))| {
                let length = place.len();
                place.push_str(&format!("/{index}"));
                let differs = at(wanted, there, place);
                place.truncate(length);
                differs
            })
        }
        (wanted, there) if wanted == there => None,
        (wanted, there) => Some(format!("{} is {there} instead of {wanted}", named(place))),
    }
}

/// The forms with a `$`: `None` if it is none of them.
fn special(expected: &Json, found: &Json, place: &str) -> Option<Option<String>> {
    let (word, wanted) = expected.as_object().filter(|record| record.len() == 1)?.iter().next()?;
    let each = wanted.as_array().map_or(std::slice::from_ref(wanted), Vec::as_slice);
    let like =
        |wanted: &Json, elements: &[Json]| elements.iter().any(|element| differs(wanted, element).is_none());
    let differs = match (word.as_str(), found) {
        ("$some", Json::Array(elements)) => {
            let missing = each.iter().find(|wanted| !like(wanted, elements));
            missing.map(|wanted| format!("{} has nothing like {wanted}", named(place)))
        }
        ("$none", Json::Array(elements)) => {
            let there = each.iter().find(|wanted| like(wanted, elements));
            there.map(|wanted| format!("{} has something like {wanted}", named(place)))
        }
        ("$has", Json::String(text)) => {
            let part = wanted.as_str().unwrap_or_default();
            (!text.contains(part)).then(|| format!("{} is {text:?}, without {part:?}", named(place)))
        }
        ("$some" | "$none" | "$has", other) => Some(format!("{} is {other}", named(place))),
        _ => return None,
    };
    Some(differs)
}

fn named(place: &str) -> &str {
    if place.is_empty() { "the answer" } else { place }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::differs;

    #[test]
    fn more_than_expected_is_fine_and_anything_else_is_named() {
        let found =
            json!({"a": 1, "b": {"c": [1, 2]}, "t": "three for two", "l": [{"k": "x", "n": 1}, {"k": "y"}]});
        for (expected, place) in [
            (json!({"a": 1}), None),
            (json!({"b": {"c": [1, 2]}}), None),
            (json!({"l": {"$some": {"k": "y"}}}), None),
            (json!({"l": {"$some": [{"k": "y"}, {"n": 1}]}}), None),
            (json!({"l": {"$some": [{"k": "y"}, {"n": 2}]}}), Some("/l has nothing like {\"n\":2}")),
            (json!({"l": {"$none": {"k": "z"}}}), None),
            (json!({"t": {"$has": "for"}}), None),
            (json!({"a": 2}), Some("/a is 1 instead of 2")),
            (json!({"z": 2}), Some("/z is missing")),
            (json!({"b": {"c": [1]}}), Some("/b/c has 2 elements instead of 1")),
            (json!({"b": {"c": [1, 3]}}), Some("/b/c/1 is 2 instead of 3")),
            (json!({"l": {"$some": {"k": "z"}}}), Some("/l has nothing like {\"k\":\"z\"}")),
            (json!({"l": {"$none": {"k": "x"}}}), Some("/l has something like {\"k\":\"x\"}")),
            (json!({"t": {"$has": "four"}}), Some("/t is \"three for two\", without \"four\"")),
            (json!({"t": {"$some": 1}}), Some("/t is \"three for two\"")),
        ] {
            assert_eq!(differs(&expected, &found).as_deref(), place, "{expected}");
        }
    }
}
