//! The explorer finds what is built in to be found, and nothing where nothing is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod till;

use mortise_simulator::{Explored, Flows, Simulator, World};
use till::{Fault, Till};

const FLOW: &str = r#"
flow: pen
version: 1
summary: A pen is taken, paid and sold.
input: { type: object, required: [order], properties: { order: { type: string } } }
key: ${ input.order }
steps:
  - call: till.take
    with: { order: "${ input.order }" }
  - id: payment
    call: till.pay
    with: { order: "${ input.order }" }
  - answer: { charge: "${ payment.charge }" }
  - wait: till.paid
    match: ${ payment.charge }
    timeout: 30m
    on_timeout:
      - fail: unpaid
  - pivot: it is paid
  - call: till.sell
    with: { order: "${ input.order }" }
"#;

const WORLD: &str = r#"
world: Somebody buys a pen
habits:
  telling: { on: till.pay, after: 5m, peer: bank.tell, with: { charge: "${ output.charge }", order: "${ output.order }" } }
script:
  - { start: pen, as: ben, with: { order: o-1 } }
"#;

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.yaml");
    std::fs::write(&path, WORLD).unwrap();
    World::read(&path).unwrap()
}

fn flows() -> Flows {
    Flows::of(vec![("pen.yaml".to_owned(), FLOW.to_owned())])
}

fn explored(fault: Fault) -> Explored {
    let till = Till(fault);
    Simulator::new(&till).explore(&flows(), &world()).unwrap()
}

fn off(explored: &Explored) -> Vec<String> {
    explored.off.iter().map(|off| format!("{}: {}", off.way, off.problems.join("; "))).collect()
}

#[test]
fn a_sound_flow_balances_on_every_way() {
    let explored = explored(Fault::Nothing);
    assert_eq!(off(&explored), Vec::<String>::new());
    assert!(explored.ways > 20, "{} ways", explored.ways);
    assert!(explored.flows.contains("pen"));
}

#[test]
fn what_is_not_put_back_is_found_on_every_way_that_fails() {
    let off = off(&explored(Fault::Forgets));
    for way in [
        "reject:till.pay:1:declined",
        "unasked:till.pay:1:12",
        "never:telling-1",
        "late:telling-1-message-1:26m",
    ] {
        let found = off.iter().find(|off| off.starts_with(way));
        assert!(found.is_some_and(|found| found.contains("pens of o-1: 1 is left")), "{way}: {off:#?}");
    }
    assert!(!off.iter().any(|off| off.starts_with("as-written")), "{off:#?}");
}

#[test]
fn a_message_that_counts_twice_is_found() {
    let off = off(&explored(Fault::CountsTwice));
    assert!(
        off.iter().any(|off| off == "twice:telling-1-message-1:1s: heard too often of o-1: 1 instead of 0"),
        "{off:#?}"
    );
    assert!(off.iter().all(|off| off.starts_with("twice:telling-1")), "{off:#?}");
}

#[test]
fn a_peer_that_charges_twice_is_found() {
    let off = off(&explored(Fault::ChargesTwice));
    for way in ["repeat:till.pay:1", "unheard:till.pay:1:1"] {
        let found = off.iter().find(|off| off.starts_with(way));
        assert!(
            found.is_some_and(|found| found.contains("money of o-1: 1: the peer has 2")),
            "{way}: {off:#?}"
        );
    }
}

#[test]
fn a_world_is_the_same_every_time_and_passes_in_no_time() {
    let till = Till(Fault::Nothing);
    let simulator = Simulator::new(&till);
    let transcript = || simulator.simulate(&flows(), &world(), &[]).unwrap().transcript.markdown();
    let first = transcript();
    assert_eq!(first, transcript());
    assert!(first.contains("| 5m |"), "{first}");
    assert!(first.contains("**completed**"), "{first}");
}
