//! The checker is total: any bytes get their answer, none a panic, all in time. And it is quick.

use std::time::{Duration, Instant};

use mortise_contract::Contracts;
use mortise_flow::diagnostic::{CODES, Diagnostic};
use mortise_flow::{Program, ast, check, check_text, parse, render};
use proptest::prelude::*;

const FIXED_PRICE: &str = include_str!("flows/fixed-price.yaml");
const ALL_FEATURES: &str = include_str!("flows/all-features.yaml");
const ALL_STEPS: &str = include_str!("flows/all-steps.yaml");
/// What any input gets its answer within.
/// What is promised is 2 s; not optimised, on a machine that does other things, it may take ten times as long.
const IN_TIME: Duration = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 2 });

fn contracts() -> Contracts {
    serde_json::from_str(include_str!("contracts.json")).expect("the contracts of these tests are JSON")
}

fn measured<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    #[expect(clippy::disallowed_methods, reason = "this test measures")]
    let start = Instant::now();
    let out = run();
    (out, start.elapsed())
}

/// Checks, and holds what is true of every answer.
fn answer(text: &[u8]) -> (Option<ast::Flow>, Vec<Diagnostic>) {
    let contracts = contracts();
    let ((flow, found), time) = measured(|| check_text(text, &contracts));
    let shown = String::from_utf8_lossy(&text[..text.len().min(300)]).into_owned();
    assert!(time < IN_TIME, "{time:?}: {shown}");
    assert!(flow.is_some() || !found.is_empty(), "neither a flow nor a finding: {shown}");
    for finding in &found {
        assert!(finding.line >= 1 && finding.column >= 1, "{finding:?}");
        assert!(!finding.message.is_empty() && !finding.help.is_empty(), "{finding:?}");
        assert!(!finding.message.contains("a defect of the checker"), "{shown}");
        assert!(CODES.contains(&&*finding.code), "{finding:?}");
        assert!(finding.bytes.0 <= text.len(), "{finding:?}");
    }
    if let Ok(text) = std::str::from_utf8(text) {
        assert!(!render("flow.yaml", text, &found).is_empty());
    }
    (flow, found)
}

#[test]
fn a_flow_with_every_feature_is_accepted_and_compiles() {
    let (flow, found) = answer(ALL_FEATURES.as_bytes());
    assert!(found.is_empty(), "{}", render("all-features.yaml", ALL_FEATURES, &found));
    Program::compile(&flow.unwrap(), &contracts(), ALL_FEATURES).unwrap();
    let (flow, found) = answer(FIXED_PRICE.as_bytes());
    assert!(found.is_empty(), "{}", render("fixed-price.yaml", FIXED_PRICE, &found));
    Program::compile(&flow.unwrap(), &contracts(), FIXED_PRICE).unwrap();
    let (flow, found) = answer(ALL_STEPS.as_bytes());
    assert!(found.is_empty(), "{}", render("all-steps.yaml", ALL_STEPS, &found));
    Program::compile(&flow.unwrap(), &contracts(), ALL_STEPS).unwrap();
}

#[test]
fn a_flow_of_thirty_steps_is_checked_quickly() {
    let contracts = contracts();
    for text in [FIXED_PRICE, ALL_STEPS] {
        let once = || {
            let flow = parse(text).unwrap();
            assert!(check(&flow, &contracts).is_accepted());
        };
        let best = (0..10).map(|_| measured(once).1).min().unwrap();
        // Not optimised, it may take ten times as long.
        let limit = Duration::from_millis(if cfg!(debug_assertions) { 200 } else { 20 });
        assert!(best < limit, "{best:?}");
    }
}

/// A tree of conditions that is as wide as it is flat.
fn balanced(range: std::ops::Range<usize>) -> String {
    if range.len() == 1 {
        return format!("input.n == {}", range.start % 9);
    }
    let middle = range.start + range.len() / 2;
    let operator = if range.len().is_multiple_of(3) { "&&" } else { "||" };
    format!("({}{operator}{})", balanced(range.start..middle), balanced(middle..range.end))
}

/// A block in a block in a block, with `steps` in each, in flow style.
fn nested(head: &str, depth: usize, open: &str, close: &str, steps: &str) -> String {
    let (open, close) = (format!("{{ {open}[ {steps}"), format!("], {close} }}"));
    format!("{head}  - {}{}\n", open.repeat(depth), close.repeat(depth))
}

#[test]
fn hostile_texts_are_answered_in_time() {
    let head = "flow: a\nversion: 1\ninternal: true\ninput: { type: object, properties: { a: { type: boolean, default: false }, n: { type: integer, default: 1 } } }\nsteps:\n";
    let many = |count: usize, line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<String>();
    let texts = [
        "[".repeat(200_000),
        "{".repeat(200_000),
        "- ".repeat(100_000),
        "a: ".repeat(80_000),
        "? ".repeat(100_000),
        "&a ".repeat(50_000),
        "\"".repeat(100_001),
        "\n".repeat(250_000),
        "#".repeat(250_000),
        format!("a: &a [x]\n{}", many(3_000, &|n| format!("b{n}: *a\n"))),
        "x".repeat(300_000),
        format!("{head}  - attention: \"{}\"\n", "${ input.a } ".repeat(20_000)),
        format!("{head}  - attention: \"${{ {} }}\"\n", "(".repeat(100_000)),
        format!("{head}  - attention: \"{}\"\n", "é".repeat(100_000)),
        format!("{head}{}", "  - attention: a\n".repeat(12_000)),
        format!(
            "{head}{}",
            many(1_900, &|n| format!(
                "  - {{id: s{n}, when: \"${{ input.n == {n} }}\", call: order.cancel, with: {{order_id: a}}}}\n"
            ))
        ),
        // Conditions that stay alive to the end, so that the ways multiply.
        format!(
            "{head}{}{}",
            many(300, &|n| format!("  - {{when: \"${{ input.n == {n} }}\", let: {{l{n}: {n}}}}}\n")),
            many(300, &|n| format!("  - {{when: \"${{ input.n == {n} }}\", attention: \"${{ l{n} }}\"}}\n")),
        ),
        format!(
            "{head}{}",
            many(20, &|n| format!(
                "{}- switch:\n{}- if: ${{ input.n == {n} }}\n{}do:\n",
                " ".repeat(2 + n * 6),
                " ".repeat(6 + n * 6),
                " ".repeat(8 + n * 6)
            ))
        ),
        format!("{head}  - let: {{ {} }}\n", many(5_000, &|n| format!("n{n}: 1, "))),
        format!("{head}  - let: {{ a: [{}] }}\n", "[],".repeat(30_000)),
        format!("{head}  - when: \"${{ {} }}\"\n    fail: a\n", vec!["input.a"; 300].join(" || ")),
        format!(
            "{head}  - when: \"${{ {} }}\"\n    fail: a\n",
            many(20, &|n| format!("(input.n == {n} || input.n == 1{n}) && ")) + "true"
        ),
        // The same, read by conditions that are as long as they may be.
        format!(
            "{head}{}{}",
            many(9, &|n| format!("  - {{when: \"${{ input.n == {n} }}\", let: {{l{n}: {n}}}}}\n")),
            many(55, &|_| format!("  - {{when: \"${{ {} }}\", attention: a}}\n", balanced(0..220))),
        ),
        // Scopes in scopes, each of which fails with what the inner ones leave.
        nested(
            head,
            20,
            "attempt: ",
            "else: { none: [] }",
            &many(60, &|n| format!("{{fail: c{n}}}, {{sleep: 1m}}, ")),
        ),
        nested(
            head,
            20,
            "attempt: ",
            "else: { any: [] }, cancel_on: { event: order.cancel_requested, match: a, fail: c }",
            &many(90, &|n| {
                format!(
                    "{{when: \"${{input.n == {n}}}\", call: pricing.convert, with: {{amount: 1}}}}, {{sleep: 1m}}, "
                )
            }),
        ),
        // Branches whose ways multiply.
        format!(
            "{head}  - parallel:\n{}{}",
            many(40, &|n| format!(
                "      b{n}: [{}]\n",
                many(6, &|m| format!("{{when: \"${{ input.n == {n}{m} }}\", let: {{ l{n}x{m}: 1 }}}}, "))
            )),
            many(240, &|n| format!("  - {{when: \"${{ input.n == {}{} }}\", attention: a}}\n", n / 6, n % 6)),
        ),
        format!(
            "{head}  - race: {{ {} late: {{ timeout: 5m }} }}\n    result: \"${{ has(r1.order_id) }}\"\n",
            many(900, &|n| format!("r{n}: {{ wait: order.noted, match: a }}, "))
        ),
        nested(head, 30, "foreach: '${ [1, 2] }', as: x, max: 2, do: ", "id: y", "{ fail: a }, "),
        format!("{{\"flow\": {}", "\"\\u0041".repeat(30_000)),
        format!("{head}  - attention: {}{}", "'${ [".repeat(50), "]'".repeat(50)),
    ];
    for text in &texts {
        answer(text.as_bytes());
    }
    answer(&[0xff; 100]);
    answer(b"flow: a\x00\xc3");
    answer("\u{feff}flow: a".as_bytes());
}

#[test]
fn places_are_exact_in_json_too() {
    let text = "{\n\t\"flow\": \"a\", \"version\": 1, \"internal\": true,\n\t\"input\": {\"type\": \"object\"},\n\t\"steps\": [{\"attention\": \"\\u00fc\\t${ inptu }\"}]\n}";
    let (_, found) = answer(text.as_bytes());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].line, found[0].column, found[0].code.as_str()), (4, 38, "unknown-name"));
    assert_eq!(&text[found[0].bytes.0..found[0].bytes.0 + found[0].bytes.1], "inptu");
}

fn edit() -> impl Strategy<Value = (f64, f64, usize)> {
    (0.0..1.0, 0.0..0.05, 0..WORDS.len())
}

/// What mutations put in.
const WORDS: [&str; 51] = [
    "",
    "\n",
    "  ",
    "- ",
    ": ",
    "${ ",
    " }",
    "[",
    "]",
    "{",
    "}",
    "'",
    "\"",
    "#",
    "&a ",
    "*a",
    "!!x ",
    "---\n",
    "|\n",
    ">\n",
    "input.",
    "has(",
    " && ",
    " ? ",
    "null",
    "0",
    "99999999999999999999",
    "id: quote\n",
    "when: ${ true }\n",
    "fail: a\n",
    "pivot: x\n",
    "max: 1\n",
    "- answer: {}\n",
    "with: {}\n",
    "é",
    "\u{7f}",
    "\t",
    "on: { any: [] }\n",
    "call: pricing.quote\n",
    "result: ${ quote }\n",
    "parallel: { a: [], b: [] }\n",
    "race: { a: { timeout: 5m } }\n",
    "repeat: round\n",
    "attempt: []\n",
    "else: { any: [] }\n",
    "start: insure\n",
    "tcc: [{ call: credit.hold }]\n",
    "do: []\n",
    "until: ${ true }\n",
    "cancel_on: { event: order.cancel_requested, match: a, fail: a }\n",
    "- fail: cancelled\n",
];

fn mutated(text: &str, edits: &[(f64, f64, usize)]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (at, length, word) in edits {
        let start = ((chars.len() as f64) * at) as usize;
        let end = (start + ((chars.len() as f64) * length * length) as usize).min(chars.len());
        chars.splice(start..end, WORDS[*word].chars());
    }
    chars.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        answer(&bytes);
    }

    #[test]
    fn any_yaml_gets_an_answer(words in proptest::collection::vec(0..WORDS.len(), 0..80)) {
        let text: String = words.into_iter().map(|word| WORDS[word]).collect();
        answer(text.as_bytes());
    }

    #[test]
    fn any_expression_gets_an_answer(source in "[a-z0-9.()\\[\\]{}'\"?:&|!=<>+*/%, -]{0,60}") {
        let quoted = source.replace('\'', "''");
        let text = format!("flow: a\nversion: 1\ninternal: true\ninput: {{ type: object }}\nsteps:\n  - let: {{ a: '${{ {quoted} }}' }}\n");
        answer(text.as_bytes());
    }

    #[test]
    fn a_mutated_flow_gets_an_answer_and_what_is_accepted_compiles(
        edits in proptest::collection::vec(edit(), 1..6),
        which in 0..3_usize,
    ) {
        let text = mutated([FIXED_PRICE, ALL_FEATURES, ALL_STEPS][which], &edits);
        let (flow, found) = answer(text.as_bytes());
        if let Some(flow) = flow.filter(|_| !found.iter().any(Diagnostic::is_error)) {
            let compiled = Program::compile(&flow, &contracts(), &text);
            prop_assert!(compiled.is_ok(), "{compiled:?}\n{text}");
        }
    }
}
