//! The grammar for editors (`orchestrations/schema/flow.schema.json`) beside the parser: what the platform ships validates
//! against it, and what it refuses the parser refuses too.

use std::path::{Path, PathBuf};

use mortise_contract::Value;

use super::reader::Reader;
use super::{Lines, parse, yaml};

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
    let head = "flow: a\nversion: 1\ninput: { type: object }\nsteps:\n";
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
        "- { id: 1a, fail: a }",
        "- { when: true, fail: a }",
    ] {
        let text = format!("{head}{step}\n");
        assert!(!grammar.is_valid(&json(&text)), "the grammar takes {step}");
        assert!(parse(&text).is_err(), "the parser takes {step}");
    }
    for text in
        ["flow: a\nversion: 1\nsteps: []\n", "flow: A b\nversion: 1\ninput: { type: object }\nsteps: []\n"]
    {
        assert!(!grammar.is_valid(&json(text)) && parse(text).is_err(), "{text}");
    }
}
