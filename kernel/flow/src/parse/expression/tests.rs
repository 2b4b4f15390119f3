//! Expressions as a second opinion sees them: what the `cel` crate's parser takes and refuses, this one does too, but for
//! what the language leaves out on purpose.

use super::*;
use crate::typing::written;

fn tree(source: &str) -> Result<Node, String> {
    let place = |range: Range<usize>| Place { line: 1, column: 1, offset: range.start, length: range.len() };
    parse(source, &place).map_err(|error| error.message)
}

/// The source text of every node, inside out.
fn texts(source: &str) -> Vec<String> {
    fn walk(node: &Node, source: &str, out: &mut Vec<String>) {
        crate::walk::children(node, &mut |child| walk(child, source, out));
        out.push(source[node.place.offset..node.place.offset + node.place.length].to_owned());
    }
    let mut out = Vec::new();
    walk(&tree(source).unwrap(), source, &mut out);
    out
}

#[test]
fn every_node_has_its_place() {
    assert_eq!(
        texts("a.b + -f(c)[1] * 2"),
        ["a", "a.b", "c", "f(c)", "1", "f(c)[1]", "-f(c)[1]", "2", "-f(c)[1] * 2", "a.b + -f(c)[1] * 2"]
    );
    assert_eq!(texts("(x ? y : z).w"), ["x", "y", "z", "x ? y : z", "(x ? y : z).w"]);
    assert_eq!(texts("l.map(e, {'k': e.f})"), ["l", "e", "e.f", "{'k': e.f}", "l.map(e, {'k': e.f})"]);
    assert_eq!(texts("has(a.b)"), ["a", "has(a.b)"]);
}

#[test]
fn the_cel_crate_agrees_on_what_is_an_expression() {
    let sources = [
        "1",
        "-1",
        "- 1",
        "--1",
        "!!a",
        "-9223372036854775808",
        "9223372036854775807",
        "0xFF",
        "1.5e-3",
        ".5",
        "1.",
        "a.b.c",
        "a . b",
        "a[0][\"x\"]",
        "a ? b : c ? d : e",
        "(a ? b : c) ? d : e",
        "a ? b ? c : d : e",
        "a && b || c && !d",
        "a < b",
        "a < b == c",
        "a in [1, 2,]",
        "a in",
        "1 + ",
        "()",
        "(a",
        "a)",
        "a b",
        "a..b",
        "f()",
        "f(a,)",
        "f(,)",
        "a.f(b).g()",
        "[1, 2",
        "[,]",
        "[]",
        "x.exists(e, e > 1)",
        "x.map(e, e > 1, e)",
        "x.all(e)",
        "has(a.b)",
        "has(a)",
        "has(a.b.c)",
        "'a' + \"b\"",
        "'''a\nb'''",
        "r'\\d'",
        "'\\n\\x41\\u00e9\\101'",
        "'\\z'",
        "'a",
        "'a\nb'",
        "a = b",
        "a & b",
        "a # b",
        "a /* */ b",
        "a // comment",
        "true",
        "null",
        "if",
        "for.x",
        "a.in",
        "1 2",
        "@",
        "é",
        "'é'",
        "a ?",
        "a ? b",
        "a ? b :",
        "a == b != c",
        "-x.y",
        "!x.y",
        "- - x",
        "1..2",
    ];
    // Ours is stricter here (words as fields, macros with too few arguments, an empty element) or follows the grammar of
    // lists for arguments too.
    let left_out = ["a.in", "f(a,)", "[,]", "x.all(e)"];
    let mut differ = Vec::new();
    for source in sources {
        let theirs =
            std::panic::catch_unwind(|| cel::parser::Parser::new().parse(source).is_ok()).unwrap_or(false);
        let ours = tree(source);
        if !left_out.contains(&source) && ours.is_ok() != theirs {
            differ.push(format!("{source}: ours {:?}, theirs {theirs}", ours.map(|node| written(&node))));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn what_the_language_leaves_out_is_refused_with_words() {
    for (source, part) in [
        ("1u", "unsigned"),
        ("b'x'", "bytes"),
        ("{'a': 1}", "record"),
        ("Type{a: 1}", "message"),
        (".a", "dot"),
        ("a.?b", "optional"),
        ("a[?b]", "optional"),
        ("", "empty"),
        ("[1].map(x, x + size({'a': 1}))", "record"),
        ("9223372036854775808", "64 bits"),
        ("99999999999999999999", "64 bits"),
        ("has(a)", "field"),
    ] {
        let message = tree(source).unwrap_err();
        assert!(message.contains(part), "{source}: {message}");
    }
}

#[test]
fn depth_is_limited_in_every_direction() {
    for source in [
        "(".repeat(2_000),
        "[".repeat(2_000),
        "!".repeat(2_000),
        "-".repeat(2_000),
        format!("a{}", ".b".repeat(1_000)),
        format!("1{}", "+1".repeat(1_000)),
        format!("a{}", "[a".repeat(1_000)),
        "f(".repeat(1_000),
        "a?b:".repeat(1_000),
        format!("a{}", "[0]".repeat(1_000)),
        format!("a{}", ".f()".repeat(500)),
        "a ? ".repeat(900),
        "x".repeat(5_000),
    ] {
        assert!(tree(&source).is_err(), "{source}");
    }
    assert!(tree(&format!("{}1{}", "(".repeat(40), ")".repeat(40))).is_ok());
}
