//! `mortise flow simulate`: a transcript, a way, exploring, and what is said of a script that is off.

use crate::support::{mortise, root};

const FLOW: &str = "orchestrations/trades/fixed-price/flow.yaml";
const WORLD: &str = "orchestrations/trades/fixed-price/worlds/4-cancelled.yaml";

fn simulate(world: &str, more: &[&str]) -> crate::support::Said {
    let (flow, world) = (root().join(FLOW), root().join(world));
    let mut arguments = vec!["flow", "simulate", flow.to_str().unwrap(), "--world", world.to_str().unwrap()];
    arguments.extend(more);
    mortise(&arguments)
}

#[test]
fn a_world_is_told_for_people_and_for_programs() {
    let said = simulate(WORLD, &[]).ok();
    assert!(said.out.contains("| 5m |") && said.out.contains("**failed: cancelled**"), "{}", said.out);
    let said = simulate(WORLD, &["--format", "json"]).ok().json();
    assert_eq!(said["trades"], serde_json::json!([["finn", "failed: cancelled"]]), "{said}");
    assert_eq!(said["moved"], serde_json::json!([]), "{said}");
}

#[test]
fn a_way_is_replayed_and_every_way_is_explored() {
    let said = simulate(WORLD, &["--way", "reject:order.place:1:order_exists", "--format", "json"]).ok().json();
    assert_eq!(said["trades"], serde_json::json!([["finn", "failed: order_exists"]]), "{said}");
    let said = simulate(WORLD, &["--explore", "--format", "json"]).ok().json();
    assert!(said["ways"].as_u64().unwrap() > 30, "{said}");
    assert_eq!(said["off"], serde_json::json!([]), "{said}");
}

#[test]
fn a_script_that_is_off_is_named_with_what_is_off() {
    let folder = tempfile::tempdir().unwrap();
    let world = folder.path().join("world.yaml");
    for (script, wanted) in [
        ("world: x\nscript: [{ start: fixed-price, with: {} }]", "entry-1"),
        ("world: x\nscript: [{ start: a, operation: b }]", "one of `start`"),
        ("world: x\nscript: [{ wait: a }]", "unknown field `wait`"),
        ("world: x\nhabits: { paying: never }\nscript: []", "no habit `paying`"),
        ("world: x\nscript: [{ operation: order.request_cancel, with: { order_id: \"${ nobody.answer }\" } }]", "nobody.answer"),
    ] {
        std::fs::write(&world, script).unwrap();
        let said = simulate(world.to_str().unwrap(), &[]);
        assert_eq!(said.code, Some(2), "{script}: {}{}", said.out, said.err);
        assert!(said.err.contains(wanted), "{script}: {}", said.err);
    }
    let said = simulate(WORLD, &["--way", "sideways:1"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
}
