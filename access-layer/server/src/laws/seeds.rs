//! The flow laws where several things go otherwise at once: every world of every trade is lived some times with the real
//! capabilities on SQLite, a seed each, with crashes, silent peers, repeats, events that are late, twice, early or never.
//! `MORTISE_SEEDS` says how many seeds each world has, `MORTISE_SEED` the first of them.

use std::path::Path;

use mortise_simulator::{Composition as _, Flows, SeededOff, Simulator, World, worlds_in};

/// Seeds of each world where nothing else is said.
const SEEDS: u64 = 4;

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

#[test]
fn every_seed_of_every_world_balances() {
    let simulation = super::simulation();
    let simulator = Simulator::new(&simulation);
    let first = setting("MORTISE_SEED", 1);
    let seeds: Vec<u64> = (first..first + setting("MORTISE_SEEDS", SEEDS)).collect();
    let (mut off, mut in_all, mut lived, mut otherwise) = (Vec::new(), 0, 0, 0);
    for (folder, _) in super::trades() {
        let flow = folder.join("flow.yaml");
        let flows = Flows::beside(&flow, simulation.flows()).unwrap_or_else(|failure| panic!("{failure}"));
        for path in worlds_in(&folder.join("worlds")).unwrap_or_default() {
            let seeded =
                World::read(&path).and_then(|world| simulator.explore_seeded(&flows, &world, &seeds));
            let seeded = seeded.unwrap_or_else(|failure| panic!("{}: {failure}", path.display()));
            in_all += 1;
            lived += seeded.lived;
            otherwise += seeded.otherwise;
            off.extend(seeded.off.iter().map(|off| told(&flow, &path, off)));
        }
    }
    eprintln!(
        "{lived} worlds of {in_all} scripts, from seed {first} on; {otherwise} things went otherwise in them"
    );
    assert!(off.is_empty(), "{} do not balance:\n{}", off.len(), off.join("\n"));
}

fn told(flow: &Path, world: &Path, off: &SeededOff) -> String {
    let ways: Vec<String> = off.ways.iter().map(|way| format!(" --way '{way}'")).collect();
    format!(
        "seed {}\n  {}\n  replay: mortise flow simulate {} --world {}{}",
        off.seed,
        off.problems.join("\n  "),
        flow.display(),
        world.display(),
        ways.concat()
    )
}
