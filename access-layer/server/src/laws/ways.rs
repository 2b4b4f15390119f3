//! The flow laws: every world of every trade is explored. Each step fails, each call to a peer is lost or unheard, each event is
//! late, early, twice or never, each wait is cancelled, the process crashes at every record; and each time the books balance.

use std::collections::BTreeSet;
use std::path::Path;

use mortise_simulator::{Composition as _, Explored, Flows, Off, Simulator, World, worlds_in};

#[test]
fn every_way_of_every_flow_balances() {
    let simulation = super::simulation();
    let simulator = Simulator::new(&simulation);
    let mut off = Vec::new();
    for (folder, names) in super::trades() {
        let flow = folder.join("flow.yaml");
        let flows = Flows::beside(&flow, simulation.flows()).unwrap_or_else(|failure| panic!("{failure}"));
        let mut started = BTreeSet::new();
        let worlds = worlds_in(&folder.join("worlds")).unwrap_or_default();
        for path in worlds {
            let explored = World::read(&path).and_then(|world| simulator.explore(&flows, &world));
            let explored = explored.unwrap_or_else(|failure| panic!("{}: {failure}", path.display()));
            assert!(explored.ways > 1, "{}: nothing in it can go otherwise", path.display());
            off.extend(told(&flow, &path, &explored));
            started.extend(explored.flows);
        }
        let never = names.into_iter().filter(|name| !started.contains(name));
        off.extend(never.map(|name| format!("{}: no script in `worlds` starts `{name}`", folder.display())));
    }
    assert!(off.is_empty(), "{}", off.join("\n"));
}

fn told(flow: &Path, world: &Path, explored: &Explored) -> Vec<String> {
    let told = explored.off.iter().map(|Off { way, problems }| {
        let replay =
            format!("mortise flow simulate {} --world {} --way '{way}'", flow.display(), world.display());
        format!("{way}\n  {}\n  replay: {replay}", problems.join("\n  "))
    });
    told.collect()
}
