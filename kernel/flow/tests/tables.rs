//! What the checker says, as tables: a flow, or only its steps, and the findings.

use mortise_contract::Contracts;
use mortise_flow::diagnostic::{Diagnostic, Severity};
use mortise_flow::{check, check_contracts, check_text, parse};
use mortise_testkit::table;

/// What stands in front of a case that is only steps.
const HEAD: &str = "\
flow: case
version: 1
internal: true
input:
  type: object
  required: [order_id, customer_id, lines, ship_to, amount, gift, mode, at, count]
  properties:
    order_id:    { $ref: order/OrderId }
    customer_id: { $ref: order/CustomerId }
    lines:       { type: array, minItems: 1, maxItems: 500, items: { $ref: pricing/RequestedLine } }
    ship_to:     { $ref: delivery/Address }
    amount:      { type: integer, x-unit: money }
    count:       { type: integer, x-unit: count }
    quantity:    { type: integer, x-unit: quantity }
    gift:        { type: boolean }
    mode:        { enum: [fast, slow, net] }
    at:          { type: string, format: date-time }
    coupon:      { type: string }
    payment_id:  { $ref: payment/PaymentId }
    names:       { type: array, items: { type: string }, default: [] }
    rest:        { type: [string, 'null'], default: null }
    labels:      { type: object, additionalProperties: { type: string }, default: {} }
steps:
";

fn contracts() -> Contracts {
    serde_json::from_str(include_str!("contracts.json")).expect("the contracts of these tests are JSON")
}

fn show(finding: &Diagnostic, above: u32) -> String {
    let mark = if finding.severity == Severity::Warning { "warning " } else { "" };
    let line = finding.line.saturating_sub(above);
    let message = shift(&finding.message, above);
    let way: String = finding
        .way
        .iter()
        .map(|point| format!("\n  way {}: {}", point.line.saturating_sub(above), point.what))
        .collect();
    format!("{line}:{} {mark}{}: {}\n  help: {}{way}", finding.column, finding.code, message, finding.help)
}

/// `line 27` as the case counts lines.
fn shift(message: &str, above: u32) -> String {
    let mut parts = message.split("line ");
    let mut out = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let line = part[..digits].parse::<u32>().map(|line| (line - above).to_string());
        out.push_str(&format!("line {}{}", line.unwrap_or_default(), &part[digits..]));
    }
    out
}

fn findings(input: &str) -> String {
    let whole = input.starts_with("flow:") || input.starts_with('{') || input.starts_with('!');
    let text = if whole {
        input.trim_start_matches('!').trim_start().to_owned()
    } else {
        let steps: String = input.lines().map(|line| format!("  {line}\n")).collect();
        format!("{HEAD}{steps}")
    };
    let above = if whole { 0 } else { u32::try_from(HEAD.lines().count()).unwrap_or(0) };
    let (flow, found) = check_text(text.as_bytes(), &contracts());
    if found.is_empty() {
        assert!(flow.is_some());
        return "accepted".to_owned();
    }
    found.iter().map(|finding| show(finding, above)).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_checker_says() {
    table::run("tests/cases", findings);
}

#[test]
fn the_contracts_of_these_tests_are_sound() {
    assert_eq!(check_contracts(&contracts()), Vec::<String>::new());
}

#[test]
fn the_fixed_price_flow_is_accepted_and_typed() {
    let text = include_str!("flows/fixed-price.yaml");
    let flow = parse(text).unwrap();
    let contracts = contracts();
    let checked = check(&flow, &contracts);
    let found: Vec<String> = checked.diagnostics.iter().map(|finding| show(finding, 0)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(checked.is_accepted());
    assert_eq!(
        checked.fails,
        [
            "cancelled",
            "limit_reached",
            "no_price",
            "out_of_stock",
            "payment_timeout",
            "refused",
            "unavailable",
            "used_up"
        ]
    );
    assert_eq!(
        serde_json::to_string(&checked.answer).unwrap(),
        r#"{"type":"object","properties":{"invoice":{"$ref":"payment/PaymentId"},"order_id":{"$ref":"order/OrderId"},"pay_url":{"type":"string"},"payable":{"type":"integer","x-unit":"money"}},"required":["order_id","payable"],"additionalProperties":false}"#
    );
    assert!(checked.operations.contains("payment.give_back"));
    assert_eq!(checked.operations.len(), 24);
    assert_eq!(checked.events.len(), 4);
}
