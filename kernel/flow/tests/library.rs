//! Flows that start flows: what is known of a flow as a part of another, whatever order they come in.

use mortise_contract::Contracts;
use mortise_flow::{check, check_text, parse, with_flows};

fn contracts() -> Contracts {
    serde_json::from_str(include_str!("contracts.json")).expect("the contracts of these tests are JSON")
}

fn flow(name: &str, steps: &str) -> String {
    let input = "{ type: object, required: [order_id], properties: { order_id: { $ref: order/OrderId } } }";
    format!("flow: {name}\nversion: 1\ninternal: true\ninput: {input}\nsteps:\n{steps}")
}

fn start(name: &str) -> String {
    format!("  - start: {name}\n    with: {{ order_id: \"${{ input.order_id }}\" }}\n")
}

#[test]
fn flows_are_known_whatever_order_they_come_in() {
    let answers = "  - id: none\n    answer: { order_id: \"${ input.order_id }\", amount: 5 }\n";
    let texts = [flow("a", &start("b")), flow("b", &start("c")), flow("c", answers)];
    let known = with_flows(contracts(), texts.iter().map(String::as_str));
    for name in ["a", "b", "c"] {
        assert!(known.flows[name].undoable, "{name}");
    }
    assert_eq!(
        serde_json::to_string(&known.flows["c"].answer).unwrap(),
        r#"{"type":"object","properties":{"amount":{"type":"integer"},"order_id":{"$ref":"order/OrderId"}},"required":["amount","order_id"],"additionalProperties":false}"#
    );
    let checked = check(&parse(&texts[0]).unwrap(), &known);
    assert!(checked.is_accepted(), "{:?}", checked.diagnostics);
    assert_eq!(checked.flows.into_iter().collect::<Vec<_>>(), ["b"]);
}

#[test]
fn what_has_a_pivot_or_starts_what_has_one_is_not_taken_back() {
    let cancel = "  - call: order.cancel\n    with: { order_id: \"${ input.order_id }\" }\n";
    let texts = [
        flow("before", cancel),
        flow("behind", &format!("{cancel}  - pivot: it is done\n")),
        flow("fails", "  - pivot: it is done\n  - fail: never\n"),
        flow("starts", &format!("  - pivot: it is done\n{}", start("behind"))),
        flow("too-soon", &start("behind")),
    ];
    let known = with_flows(contracts(), texts.iter().map(String::as_str));
    let undoable = |name: &str| known.flows.get(name).map(|flow| flow.undoable);
    assert_eq!(undoable("before"), Some(true));
    assert_eq!(undoable("behind"), Some(false));
    assert_eq!(undoable("starts"), Some(false));
    // What is refused is known to nobody.
    assert_eq!(undoable("fails"), None);
    assert_eq!(undoable("too-soon"), None);
}

#[test]
fn flows_that_start_each_other_in_a_circle_are_refused() {
    let texts = [flow("a", &start("b")), flow("b", &start("a")), flow("self", &start("self"))];
    let known = with_flows(contracts(), texts.iter().map(String::as_str));
    for (text, code) in texts.iter().zip(["unknown-operation", "unknown-operation", "unbounded"]) {
        let (_, found) = check_text(text.as_bytes(), &known);
        assert_eq!(found.first().map(|finding| finding.code.as_str()), Some(code), "{found:?}");
    }
}

/// A new version takes the place of the old one, also where it is worse.
#[test]
fn a_flow_takes_the_place_of_one_of_its_name() {
    let known = with_flows(contracts(), [flow("insure", "  - pivot: it is done\n").as_str()]);
    assert!(!known.flows["insure"].undoable);
    assert!(known.flows.contains_key("gift-wrap"));
}
