//! Types of expressions, as text.

use mortise_contract::Contracts;

use super::*;
use crate::ast::Place;
use crate::diagnostic::Diagnostic;

struct One<'c>(Ty<'c>);

impl<'c> Names<'c> for One<'c> {
    fn find(&mut self, name: &str, place: Place, found: &mut Vec<Diagnostic>) -> Ty<'c> {
        if name == "x" {
            return self.0.clone();
        }
        found.push(Diagnostic::error("unknown-name", place, format!("nothing is named `{name}`"), ""));
        Ty::unknown()
    }

    fn is_bound(&self, name: &str) -> bool {
        name == "x"
    }
}

const X: &str = r#"{"type":"object","required":["id","other","money","quantity","lines","mode","at","count","plain"],"properties":{
    "id":{"$ref":"order/OrderId"},"other":{"$ref":"customer/CustomerId"},
    "money":{"type":"integer","x-unit":"money"},"quantity":{"type":"integer","x-unit":"quantity"},
    "count":{"type":"integer","x-unit":"count"},"plain":{"type":"integer"},
    "mode":{"enum":["fast","slow"]},"at":{"type":"string","format":"date-time"},
    "tree":{"$ref":"test/Tree"},
    "lines":{"type":"array","minItems":1,"maxItems":9,"items":{"type":"object","required":["amount"],"properties":{"amount":{"type":"integer","x-unit":"money"},"note":{"type":"string"}}}},
    "labels":{"type":"object","additionalProperties":{"type":"string"}}}}"#;

fn contracts() -> Contracts {
    serde_json::from_str(
        r#"{"types":{"order/OrderId":{"type":"string"},"customer/CustomerId":{"type":"string"},
            "test/Tree":{"type":"object","properties":{"children":{"type":"array","items":{"$ref":"test/Tree"}}}}}}"#,
    )
    .unwrap()
}

/// The type of an expression, or the codes of what is wrong with it.
fn ty(source: &str) -> String {
    let contracts = contracts();
    let schema: Schema = serde_json::from_str(X).unwrap();
    let node = crate::parse::expression::parse(source, &|_| Place::default()).unwrap();
    let mut found = Vec::new();
    let mut names = One(Ty::of(&schema, &contracts));
    let ty = Typing::new(&contracts, &mut names, &mut found).node(&node);
    if found.is_empty() {
        return ty.shown(&contracts);
    }
    found.iter().map(|finding| finding.code.clone()).collect::<Vec<_>>().join(" ")
}

#[test]
fn expressions_have_types() {
    for (source, expected) in [
        ("1 + 2 * 3", "an integer"),
        ("x.money + 1", "an integer (money)"),
        ("x.money * x.quantity", "an integer (money)"),
        ("x.count * x.money", "an integer (money)"),
        ("2 * x.money - x.money", "an integer (money)"),
        ("x.quantity / 2", "an integer (quantity)"),
        ("x.id", "text (order/OrderId)"),
        ("x.id + '-1'", "text"),
        ("x.mode == 'fast' ? 1 : 2", "an integer"),
        ("has(x.labels) && x.id in ['a', 'b']", "a boolean"),
        ("x.lines.map(l, l.amount)", "a list of an integer (money)"),
        ("sum(x.lines.map(l, l.amount))", "an integer (money)"),
        ("x.lines.map(l, {'a': l.amount, 'b': 'c'})", "a list of a record"),
        ("x.lines.filter(l, l.amount > 0)", "a list of a record"),
        ("x.lines.exists(l, has(l.note) && l.note.contains('a'))", "a boolean"),
        ("max(x.money, 0)", "an integer (money)"),
        ("x.at + duration('30m') < timestamp('2027-01-01T00:00:00Z')", "a boolean"),
        ("x.at - x.at", "a duration"),
        ("x.labels.a", "text"),
        ("x.labels['a']", "text"),
        ("x.tree.children[0].children", "a list of a record (test/Tree)"),
        ("size(x.lines) + size('a')", "an integer"),
        ("[x.money, 1]", "a list of an integer (money)"),
        ("true ? x.id : null", "text (order/OrderId), or null"),
        ("-x.money", "an integer (money)"),
        ("[1] + [2]", "a list of an integer"),
    ] {
        assert_eq!(ty(source), expected, "{source}");
    }
}

#[test]
fn what_does_not_go_together_has_a_code() {
    for (source, expected) in [
        ("x.money + x.quantity", "unit-mismatch"),
        ("x.money * x.money", "unit-mismatch"),
        ("x.money / 2", "unit-mismatch"),
        ("x.money % 2", "unit-mismatch"),
        ("x.money < x.count", "unit-mismatch"),
        ("true ? x.money : x.count", "unit-mismatch"),
        ("x.id == x.other", "type-mismatch"),
        ("x.id == 1", "type-mismatch"),
        ("x.mode == 'fsat'", "type-mismatch"),
        ("x.id && true", "type-mismatch"),
        ("!x.id", "type-mismatch"),
        ("-x.id", "type-mismatch"),
        ("x.money + 'a'", "type-mismatch"),
        ("x.lines + 1", "type-mismatch"),
        ("x.id.length", "type-mismatch"),
        ("x.money[0]", "type-mismatch"),
        ("x.lines['a']", "type-mismatch"),
        ("x.lnies", "unknown-name"),
        ("y", "unknown-name"),
        ("lenght(x.lines)", "unknown-name"),
        ("size(x.lines, 1)", "type-mismatch"),
        ("size(1)", "type-mismatch"),
        ("duration('soon')", "type-mismatch"),
        ("timestamp('soon')", "type-mismatch"),
        ("sum(['a'])", "type-mismatch"),
        ("x.lines.map(x, 1)", "shadowed-name"),
        ("x.money.map(l, 1)", "type-mismatch"),
        ("1 in 2", "type-mismatch"),
        ("'a' in [1]", "type-mismatch"),
        ("[1, 'a']", "type-mismatch"),
        ("min(x.money, x.count)", "unit-mismatch"),
        ("x.at + 1", "type-mismatch"),
    ] {
        assert_eq!(ty(source), expected, "{source}");
    }
}

#[test]
fn a_type_that_holds_itself_is_compared_in_finite_time() {
    let contracts: Contracts = serde_json::from_str(
        r#"{"types":{"a/A":{"type":"object","required":["next"],"properties":{"next":{"$ref":"a/A"}}},
                     "b/B":{"type":"object","required":["next"],"properties":{"next":{"$ref":"b/B"}}}}}"#,
    )
    .unwrap();
    let (a, b) = (Schema::reference("a/A"), Schema::reference("b/B"));
    assert_eq!(Ty::of(&a, &contracts).fits(&Ty::of(&b, &contracts), &contracts), Ok(()));
    assert!(Ty::of(&a, &contracts).join(&Ty::of(&b, &contracts), &contracts).is_ok());
}
