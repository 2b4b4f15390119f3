//! The trades that the platform makes itself, and a program's identity.

use std::sync::Arc;

use mortise_contract::value::json;
use proptest::prelude::*;

use mortise_flow::{Begin, Command, CompileError, Persistence, Program, parse};

use crate::trade::{Trade, contracts, flow, lines, program};

const PAY_FIRST: &str = include_str!("pay-first.yaml");

#[test]
fn one_call_answers_its_output_or_fails_with_its_rejection() {
    let program = Arc::new(Program::one_call("stock.reserve", &contracts()).unwrap());
    assert_eq!((&**program.name(), program.version()), ("stock.reserve", 1));
    let (mut trade, said) = Trade::begin_with(program.clone(), r#"{"sku":"milk"}"#);
    assert_eq!(said, r#"call stock.reserve: stock.reserve {"sku":"milk"}"#);
    assert_eq!(
        trade.done("stock.reserve", r#"{"reservation":"r"}"#),
        lines([r#"answer {"reservation":"r"}"#, "end"])
    );
    let (mut trade, _) = Trade::begin_with(program, r#"{"sku":"milk"}"#);
    assert_eq!(
        trade.rejected("stock.reserve", "out_of_stock", r#"{"sku":"milk"}"#),
        lines([r#"answer failed out_of_stock {"sku":"milk"}"#, "end failed out_of_stock"])
    );
    assert_eq!(
        Program::one_call("no.such", &contracts()).unwrap_err(),
        CompileError::UnknownOperation("no.such".into())
    );
}

#[test]
fn a_late_call_is_driven_forward_without_end() {
    let program = Arc::new(Program::late_call("pay.captured", &contracts()).unwrap());
    let (mut trade, said) = Trade::begin_with(program, r#"{"payment_id":"p1","amount":5}"#);
    assert_eq!(said, lines(["pivot", r#"call pay.give_back: pay.give_back {"payment_id":"p1","amount":5}"#]));
    assert!(matches!(trade.commands[1], Command::Call { persistence: Persistence::WithoutEnd, .. }));
    assert!(trade.rejected("pay.give_back", "odd", "{}").starts_with("stuck pay.give_back:"));
    trade.tell(mortise_flow::Input::Resume);
    assert_eq!(trade.done("pay.give_back", "{}"), lines(["answer {}", "end"]));
    assert_eq!(
        Program::late_call("pick.packed", &contracts()).unwrap_err(),
        CompileError::NoLateCall("pick.packed".into())
    );
}

#[test]
fn the_key_and_the_currency_come_from_the_input() {
    let program = program(PAY_FIRST);
    let begin = |input: &str| Begin { input: json(input).unwrap(), scope: json("{}").unwrap() };
    assert_eq!(program.key(&begin(r#"{"order_id":"o7"}"#)), Ok(Some("o7".into())));
    assert_eq!(program.currency(&begin(r#"{"order_id":"o7"}"#)), Ok(Some("EUR".into())));
    assert!(program.key(&begin("{}")).is_err());
    assert_eq!(flow("\n  - sleep: 1s").key(&begin("{}")), Ok(None));
}

#[test]
fn the_identity_is_that_of_the_text_and_of_the_contracts_that_it_names() {
    let parsed = parse(PAY_FIRST).unwrap();
    let base = Program::compile(&parsed, &contracts(), PAY_FIRST).unwrap();
    assert_eq!(base.hash().len(), 64);
    assert_eq!(Program::compile(&parsed, &contracts(), PAY_FIRST).unwrap().hash(), base.hash());
    assert!(base.contract_hashes().contains_key("pay.void"), "undo calls count");
    assert!(base.contract_hashes().contains_key("pay.give_back"), "late calls count");
    assert!(!base.contract_hashes().contains_key("mail.send"));

    let edit = |name: &str| {
        let mut edited = contracts();
        edited.operations.get_mut(name).unwrap().rejections.insert("new".into(), Default::default());
        Program::compile(&parsed, &edited, PAY_FIRST).unwrap().hash().clone()
    };
    assert_eq!(&edit("mail.send"), base.hash(), "a contract that the flow does not name");
    assert_ne!(&edit("stock.reserve"), base.hash());
    let other = PAY_FIRST.replace("30m", "31m");
    assert_ne!(Program::compile(&parse(&other).unwrap(), &contracts(), &other).unwrap().hash(), base.hash());
}

#[test]
fn what_cannot_be_compiled_is_refused() {
    let refused = |steps: &str| {
        let text = format!("flow: f\nversion: 1\ninput: {{type: object}}\nsteps:\n{steps}");
        Program::compile(&parse(&text).unwrap(), &contracts(), &text).unwrap_err()
    };
    assert_eq!(refused("  - call: no.such\n    with: {}"), CompileError::UnknownOperation("no.such".into()));
    assert_eq!(refused("  - emit: no.such\n    with: {}"), CompileError::UnknownEvent("no.such".into()));
    let unknown = CompileError::UnknownName { name: "nobody".into(), line: 5 };
    assert_eq!(refused("  - answer: {a: '${ nobody.name }'}"), unknown);
}

#[test]
fn programs_and_states_are_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Program>();
    shared::<mortise_flow::State>();
    shared::<Command>();
}

#[test]
fn a_pending_call_is_found_by_its_number() {
    let (trade, _) = Trade::begin(flow("\n  - id: q\n    call: price.quote\n    with: {sku: milk}"));
    let call = trade.call("q");
    assert_eq!(trade.state.pending_call(call), Some(&trade.commands[0]));
    assert_eq!(trade.state.pending_call(mortise_flow::CallNo(99)), None);
}

/// Words of the definition and of the language, so that much of what comes out still parses.
fn word() -> impl Strategy<Value = String> {
    let words: Vec<String> =
        PAY_FIRST.split([' ', '"', '\n']).filter(|word| word.len() > 1).map(str::to_owned).collect();
    let more = [
        "rejection",
        "now",
        "any",
        "100000d",
        "${ [1].map(x, x) }",
        "stock.reserve",
        "pay.captured",
        "input.parcels",
    ];
    prop::sample::select(words.into_iter().chain(more.map(str::to_owned)).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_flow_that_nobody_checked_is_compiled_or_refused(edits in prop::collection::vec((any::<prop::sample::Index>(), word()), 0..4)) {
        let mut words: Vec<String> = PAY_FIRST.split(' ').map(str::to_owned).collect();
        for (at, word) in edits {
            let at = at.index(words.len());
            let end = if words[at].ends_with('\n') { "\n" } else { "" };
            words[at] = format!("{word}{end}");
        }
        let text = words.join(" ");
        if let Ok(flow) = parse(&text)
            && let Ok(program) = Program::compile(&flow, &contracts(), &text)
        {
            let (trade, _) = Trade::begin(Arc::new(program));
            prop_assert!(trade.state.is_begun());
        }
    }
}
