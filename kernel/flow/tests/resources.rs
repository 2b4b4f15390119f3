//! What a flow acquires it settles, once, on every way: tables of small flows that do, and that do not.

use mortise_contract::Contracts;
use mortise_flow::diagnostic::{Diagnostic, Severity};
use mortise_flow::{check_contracts, check_text};
use mortise_testkit::table;

/// What stands in front of a case that is only steps.
const HEAD: &str = "\
flow: case
version: 1
internal: true
input:
  type: object
  required: [order, gift, mode, names]
  properties:
    order:       { type: string }
    gift:        { type: boolean }
    mode:        { enum: [fast, slow] }
    n:           { type: integer, default: 1 }
    names:       { type: array, minItems: 1, maxItems: 9, items: { type: string } }
    some:        { type: array, maxItems: 9, items: { type: string }, default: [] }
    reservation: { $ref: stock/Reservation, default: r }
    held:        { type: array, maxItems: 9, items: { $ref: stock/Share }, default: [] }
";

fn contracts() -> Contracts {
    serde_json::from_str(include_str!("resources/contracts.json")).expect("they are JSON")
}

fn show(finding: &Diagnostic, above: u32) -> String {
    let mark = if finding.severity == Severity::Warning { "warning " } else { "" };
    let line = finding.line.saturating_sub(above);
    let way: String = finding
        .way
        .iter()
        .map(|point| format!("\n  line {} {}", point.line.saturating_sub(above), shift(&point.what, above)))
        .collect();
    format!(
        "{line}: {mark}{}: {}\n  help: {}{way}",
        finding.code,
        shift(&finding.message, above),
        finding.help
    )
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

/// A case is steps; lines in front of `steps:` belong to the head.
fn findings(input: &str) -> String {
    let (head, steps) = input.split_once("steps:\n").unwrap_or(("", input));
    let steps: String = steps.lines().map(|line| format!("  {line}\n")).collect();
    let head = format!("{HEAD}{head}steps:\n");
    let above = u32::try_from(head.lines().count()).unwrap_or(0);
    let (_, found) = check_text(format!("{head}{steps}").as_bytes(), &contracts());
    if found.is_empty() {
        return "accepted".to_owned();
    }
    found.iter().map(|finding| show(finding, above)).collect::<Vec<_>>().join("\n")
}

#[test]
fn resources_are_followed() {
    table::run("tests/resources/cases", findings);
}

#[test]
fn the_contracts_of_these_tests_are_sound() {
    assert_eq!(check_contracts(&contracts()), Vec::<String>::new());
}

/// A contract that leaves something of what it acquires is refused when contracts load.
#[test]
fn contracts_that_leave_something_are_unsound() {
    let edited = |edit: fn(&mut Contracts)| {
        let mut contracts = contracts();
        edit(&mut contracts);
        check_contracts(&contracts).join("\n")
    };
    assert_eq!(
        edited(|contracts| {
            let undo = r#"{"call": "stock.unclaim", "with": {"reservation": "${ output.reservation }"}}"#;
            contracts.operations.get_mut("stock.reserve").unwrap().undo =
                Some(serde_json::from_str(undo).unwrap());
        }),
        "the undo of `stock.reserve` calls `stock.unclaim`, which does not settle all that was acquired"
    );
    assert_eq!(
        edited(|contracts| {
            contracts.operations.get_mut("stock.split").unwrap().undo = Some(mortise_contract::Undo::Nothing);
        }),
        "`stock.split` acquires something, and there is nothing that takes it back"
    );
    assert_eq!(
        edited(|contracts| contracts.operations.get_mut("pay.give_back").unwrap().settles.clear()),
        "the undo of `pay.take` calls `pay.give_back`, which does not settle all that was acquired\n\
         the late call of `pay.captured` calls `pay.give_back`, which does not settle all that was acquired"
    );
    assert_eq!(
        edited(|contracts| {
            contracts.operations.get_mut("pay.request").unwrap().leads_to = vec!["pay.come".to_owned()];
        }),
        "`pay.request` leads to the event `pay.come`, which nothing declares"
    );
}
