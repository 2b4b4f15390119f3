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
    let said =
        simulate(WORLD, &["--way", "reject:order.place:1:order_exists", "--format", "json"]).ok().json();
    assert_eq!(said["trades"], serde_json::json!([["finn", "failed: order_exists"]]), "{said}");
    let said = simulate(WORLD, &["--explore", "--format", "json"]).ok().json();
    assert!(said["ways"].as_u64().unwrap() > 30, "{said}");
    assert_eq!(said["off"], serde_json::json!([]), "{said}");
}

#[test]
fn a_copied_trade_is_not_told_of_the_one_that_it_was_copied_from() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(root().join(FLOW)).unwrap();
    let own = folder.path().join("flow.yaml");
    std::fs::write(&own, text.replacen("flow: fixed-price", "flow: click-and-collect", 1)).unwrap();
    // What lies beside it and is of no concern to this world hinders nothing.
    std::fs::write(folder.path().join("broken.yaml"), "flow: broken\nversion: 1\nsteps: [{ call: no.such }]")
        .unwrap();
    let world = root().join(WORLD);
    let simulated = |world: &std::path::Path| {
        mortise(&[
            "flow",
            "simulate",
            own.to_str().unwrap(),
            "--world",
            world.to_str().unwrap(),
            "--format",
            "json",
        ])
    };
    let said = simulated(&world);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("it starts `fixed-price`, and never `click-and-collect`"), "{}", said.err);
    let text = std::fs::read_to_string(&world).unwrap();
    let shop = root().join("orchestrations/trades/shop.yaml");
    let text = text
        .replace("start: fixed-price", "start: click-and-collect")
        .replace("../../shop.yaml", shop.to_str().unwrap());
    let world = folder.path().join("world.yaml");
    std::fs::write(&world, text).unwrap();
    // Nor is another version of it.
    let other =
        std::fs::read_to_string(&own).unwrap().replacen("version: 1", "version: 2\nsteps: []\nx: y", 1);
    std::fs::write(folder.path().join("z.yaml"), other).unwrap();
    assert_eq!(simulated(&world).ok().json()["trades"], serde_json::json!([["finn", "failed: cancelled"]]));
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
        (
            "world: x\nscript: [{ operation: order.request_cancel, with: { order_id: \"${ nobody.answer }\" } }]",
            "nobody.answer",
        ),
    ] {
        std::fs::write(&world, script).unwrap();
        let said = simulate(world.to_str().unwrap(), &[]);
        assert_eq!(said.code, Some(2), "{script}: {}{}", said.out, said.err);
        assert!(said.err.contains(wanted), "{script}: {}", said.err);
    }
    let said = simulate(WORLD, &["--way", "sideways:1"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
}
