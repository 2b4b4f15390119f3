//! The grammar for editors (`orchestrations/schema/flow.schema.json`) beside the parser: what the platform ships validates
//! against it, and what it refuses the parser refuses too.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mortise_contract::Value;
use proptest::prelude::*;

use super::reader::Reader;
use super::{Lines, parse, yaml};

const HEAD: &str = "flow: a\nversion: 1\ninput: { type: object }\nsteps:\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn grammar() -> jsonschema::Validator {
    let path = root().join("orchestrations/schema/flow.schema.json");
    let schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

/// A YAML text as JSON.
fn json(text: &str) -> serde_json::Value {
    let lines = Lines::new(text);
    let mut found = Vec::new();
    let tree = yaml::read(&lines, &mut found).unwrap_or_else(|| panic!("{found:?}"));
    let value: Value = Reader::new(&lines).value(&tree);
    serde_json::to_value(&value).unwrap()
}

fn flows_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("target") {
            flows_below(&path, found);
        } else if path.file_name().is_some_and(|name| name == "flow.yaml") {
            found.push(path);
        }
    }
}

#[test]
fn every_shipped_flow_follows_the_grammar_for_editors() {
    let grammar = grammar();
    let mut paths = vec![
        root().join("kernel/flow/tests/flows/fixed-price.yaml"),
        root().join("kernel/flow/tests/flows/all-features.yaml"),
        root().join("kernel/flow/tests/flows/all-steps.yaml"),
    ];
    flows_below(&root().join("orchestrations/trades"), &mut paths);
    flows_below(&root().join("examples"), &mut paths);
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let flow = json(&text);
        let errors: Vec<String> =
            grammar.iter_errors(&flow).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{}: {}", path.display(), errors.join("\n"));
        assert!(parse(&text).is_ok(), "{}", path.display());
    }
}

#[test]
fn what_the_grammar_for_editors_refuses_the_parser_refuses() {
    let grammar = grammar();
    for step in [
        "- cal: order.cancel",
        "- call: cancel",
        "- call: order.cancel\n  wiht: {}",
        "- call: order.cancel\n  fail: a",
        "- { wait: a.b, match: a, timeout: 5m }",
        "- { wait: a.b, match: a, timeout: 5m, by: '${ now }', on_timeout: [] }",
        "- sleep: soon",
        "- switch: []",
        "- switch: [{ if: '${ true }' }]",
        "- { foreach: '${ input.a }', as: a, until: '${ true }', at_once: 1, do: [] }",
        "- { foreach: lines, as: a, do: [] }",
        "- fail: Out Of Stock",
        "- let: []",
        "- parallel: {}",
        "- parallel: []",
        "- parallel: { 1a: [] }",
        "- race: {}",
        "- race: { a: {} }",
        "- race: { a: { wait: a.b } }",
        "- race: { a: { wait: a.b, match: a, timeout: 5m } }",
        "- race: { a: { timeout: 5m, by: '${ now }' } }",
        "- race: { a: { timeout: 5m, match: a } }",
        "- race: { a: { timeout: 5m, id: a } }",
        "- tcc: []",
        "- tcc: [{ with: {} }]",
        "- tcc: [{ call: a.b, on: {} }]",
        "- tcc: [{ call: a.b, when: '${ true }' }]",
        "- { tcc: [{ call: a.b }], timeout: 5s }",
        "- { repeat: round, max: 3 }",
        "- { repeat: '1', do: [] }",
        "- { repeat: round, max: 0, do: [] }",
        "- { repeat: round, until: true, do: [] }",
        "- attempt: []",
        "- { attempt: {}, else: {} }",
        "- { attempt: [], else: [] }",
        "- { attempt: [], else: {}, cancel_on: { event: a.b } }",
        "- start: Other",
        "- { start: other, timeout: 5s }",
        "- { call: a.b, result: 1 }",
        "- { id: 1a, fail: a }",
        "- { when: true, fail: a }",
    ] {
        let text = format!("{HEAD}{step}\n");
        assert!(!grammar.is_valid(&json(&text)), "the grammar takes {step}");
        assert!(parse(&text).is_err(), "the parser takes {step}");
    }
    for text in
        ["flow: a\nversion: 1\nsteps: []\n", "flow: A b\nversion: 1\ninput: { type: object }\nsteps: []\n"]
    {
        assert!(!grammar.is_valid(&json(text)) && parse(text).is_err(), "{text}");
    }
}

/// A step of each word, as short as it can be.
const SHORTEST: [(&str, &str); 18] = [
    ("call", "call: a.b"),
    ("tcc", "tcc: [{ call: a.b }]"),
    ("wait", "wait: a.b, match: a, timeout: 5m, on_timeout: []"),
    ("sleep", "sleep: 5m"),
    ("switch", "switch: [{ else: [] }]"),
    ("parallel", "parallel: { a: [] }"),
    ("race", "race: { a: { timeout: 5m } }"),
    ("foreach", "foreach: '${ input.a }', as: a, do: []"),
    ("repeat", "repeat: a, do: []"),
    ("attempt", "attempt: [], else: {}"),
    ("start", "start: a"),
    ("emit", "emit: a.b"),
    ("answer", "answer: {}"),
    ("let", "let: {}"),
    ("pivot", "pivot: a"),
    ("fail", "fail: a"),
    ("end", "end: a"),
    ("attention", "attention: a"),
];

/// What the parser says that a step has, from its message about a field that it does not have.
fn fields_of(step: &str) -> BTreeSet<String> {
    let text = format!("{HEAD}- {{ {step}, zzzzzzzzzzzzzzzz: 1 }}\n");
    let found = parse(&text).unwrap_err();
    let help = &found.iter().find(|finding| finding.message.starts_with("`zzzzzzzzzzzzzzzz`")).unwrap().help;
    let (_, fields) = help.split_once(" has ").unwrap();
    fields.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_grammar_for_editors_has_the_words_of_the_parser_and_what_stands_beside_them() {
    let path = root().join("orchestrations/schema/flow.schema.json");
    let schema: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let grammar = grammar();
    let words: Vec<String> = SHORTEST.iter().map(|(word, _)| format!("#/$defs/{word}")).collect();
    let steps = schema["$defs"]["step"]["oneOf"].as_array().unwrap();
    let known: Vec<&str> = steps.iter().map(|step| step["$ref"].as_str().unwrap()).collect();
    assert_eq!(known, words);
    assert_eq!(super::step::WORDS.to_vec(), SHORTEST.map(|(word, _)| word).to_vec());
    for (word, step) in SHORTEST {
        let text = format!("{HEAD}- {{ {step} }}\n");
        assert!(parse(&text).is_ok(), "{step}: {:?}", parse(&text));
        assert!(grammar.is_valid(&json(&text)), "the grammar refuses {step}");
        let properties = schema["$defs"][word]["properties"].as_object().unwrap();
        let properties: BTreeSet<String> = properties.keys().cloned().collect();
        assert_eq!(properties, fields_of(step), "{word}");
    }
}

/// Every value within a value, as paths.
fn places(value: &serde_json::Value, at: &str, into: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, inner) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                places(inner, &format!("{at}/{name}"), into);
            }
        }
        serde_json::Value::Array(items) => {
            for (number, inner) in items.iter().enumerate() {
                places(inner, &format!("{at}/{number}"), into);
            }
        }
        _ => {}
    }
    into.push(at.to_owned());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// An editor does not mark what may be published.
    #[test]
    fn what_the_checker_takes_the_grammar_for_editors_takes(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..4_u8), 1..3),
        name in prop_oneof![Just("all-features"), Just("all-steps")],
    ) {
        let path = root().join(format!("kernel/flow/tests/flows/{name}.yaml"));
        let all = std::fs::read_to_string(path).unwrap();
        let mut flow = json(&all);
        for (from, to, how) in edits {
            let mut all = Vec::new();
            places(&flow, "", &mut all);
            let from = flow.pointer(from.get(&all[..]).as_str()).cloned().unwrap_or_default();
            if let Some(place) = flow.pointer_mut(to.get(&all[..]).as_str()) {
                *place = match how {
                    0 => from,
                    1 => serde_json::json!([]),
                    2 => serde_json::json!({}),
                    _ => serde_json::json!("a"),
                };
            }
        }
        let contracts = serde_json::from_str(include_str!("../../tests/contracts.json")).unwrap();
        if crate::check_text(flow.to_string().as_bytes(), &contracts).1.is_empty() {
            let errors: Vec<String> =
                grammar().iter_errors(&flow).map(|error| format!("{}: {error}", error.instance_path())).collect();
            prop_assert!(errors.is_empty(), "{}\n{flow}", errors.join("\n"));
        }
    }
}
