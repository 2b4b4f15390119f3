//! Probe.
#[test]
fn probe() {
    let contracts: mortise_contract::Contracts = serde_json::from_str(&std::fs::read_to_string("/tmp/contracts.json").unwrap()).unwrap();
    for line in mortise_flow::check_contracts(&contracts) { eprintln!("CONTRACT {line}"); }
    let text = std::fs::read_to_string("../../orchestrations/trades/fixed-price/flow.yaml").unwrap();
    let (_, found) = mortise_flow::check_text(text.as_bytes(), &contracts);
    eprintln!("{}", mortise_flow::render("flow.yaml", &text, &found));
}
