//! The flow laws: every world of every trade is explored. Each step fails, each call to a peer is lost or unheard, each event is
//! late, early, twice or never, each wait is cancelled, the process crashes at every record; and each time the books balance.

use mortise_simulator::{Composition as _, Flows, Off, Simulator, World, worlds_in};

#[test]
fn every_way_of_every_trade_balances() {
    let simulation = super::simulation();
    let simulator = Simulator::new(&simulation);
    let mut off = Vec::new();
    for trade in super::trades() {
        let flow = trade.join("flow.yaml");
        let worlds = worlds_in(&trade.join("worlds")).unwrap_or_default();
        if worlds.is_empty() {
            off.push(format!(
                "{} has no world to be explored: add one to its folder `worlds`",
                flow.display()
            ));
            continue;
        }
        let flows = Flows::beside(&flow, simulation.flows()).unwrap();
        for path in worlds {
            let world = World::read(&path).unwrap_or_else(|failure| panic!("{failure}"));
            let explored = simulator
                .explore(&flows, &world)
                .unwrap_or_else(|failure| panic!("{}: {failure}", path.display()));
            assert!(explored.ways > 1, "{}: nothing in it can go otherwise", path.display());
            for Off { way, problems } in explored.off {
                let (flow, path) = (flow.display(), path.display());
                let replay = format!("mortise flow simulate {flow} --world {path} --way '{way}'");
                off.push(format!("{way}\n  {}\n  replay: {replay}", problems.join("\n  ")));
            }
        }
    }
    assert!(off.is_empty(), "{}", off.join("\n"));
}
