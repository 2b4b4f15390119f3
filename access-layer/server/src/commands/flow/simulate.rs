//! `mortise flow simulate`: worlds are the simulator's; which scripts are meant and how they are printed is decided here.

use std::path::{Path, PathBuf};

use mortise_simulator::{Composition as _, Explored, Flows, Off, Simulator, World};
use mortise_types::{Clock as _, Span, SystemClock};
use serde_json::json;

use crate::cli::{FlowSimulate, Format};
use crate::compose::{Answering, Simulation};
use crate::failure::{Exit, Failure};
use crate::print;

pub(super) async fn run(command: FlowSimulate) -> Result<Exit, Failure> {
    let temporary = tempfile::tempdir().map_err(|error| Failure::unusable(error.to_string()))?;
    let answering = Answering::open(&command.extensions, &temporary.path().to_owned().into())?;
    // Each world's engine has a runtime of its own, which must not be driven from within this one.
    let simulating = tokio::task::spawn_blocking(move || simulate(&command, &Simulation { answering }));
    simulating.await.map_err(|error| Failure::unusable(error.to_string()))?
}

fn simulate(command: &FlowSimulate, simulation: &Simulation) -> Result<Exit, Failure> {
    let worlds = match command.world.as_slice() {
        [] => beside(&command.file)?,
        named => named.to_vec(),
    };
    let flows = Flows::beside(&command.file, simulation.flows()).map_err(told)?;
    let simulator = Simulator::new(simulation);
    let mut exit = Exit::Clean;
    for path in worlds {
        let world = World::read(&path).map_err(told)?;
        flows.are_met_by(&path, &world).map_err(told)?;
        if command.explore {
            let began = SystemClock.now();
            let explored = simulator.explore(&flows, &world).map_err(told)?;
            report(command, &path, &explored, SystemClock.now().since(began));
            if !explored.off.is_empty() {
                exit = Exit::Refused;
            }
            continue;
        }
        let simulated = simulator.simulate(&flows, &world, &command.way).map_err(told)?;
        match command.format {
            Format::Json => print::json(&simulated.transcript),
            Format::Text => print::line(simulated.transcript.markdown()),
        }
    }
    Ok(exit)
}

/// What exploring a world found, with the command lines that replay it.
fn report(command: &FlowSimulate, path: &Path, explored: &Explored, took: Span) {
    let Explored { ways, off, .. } = explored;
    let seconds = took.to_duration().as_secs_f64();
    if command.format == Format::Json {
        let off =
            off.iter().map(|Off { way, problems }| json!({"way": way.to_string(), "problems": problems}));
        return print::json(&json!({
            "world": path.display().to_string(), "ways": ways, "seconds": seconds, "off": off.collect::<Vec<_>>(),
        }));
    }
    for Off { way, problems } in off {
        print::line(format_args!("{way}"));
        for problem in problems {
            print::line(format_args!("  {problem}"));
        }
        let (file, world) = (command.file.display(), path.display());
        print::line(format_args!("  replay: mortise flow simulate {file} --world {world} --way '{way}'"));
    }
    let verdict = match off.len() {
        0 => "every one balances".to_owned(),
        1 => "1 DOES NOT BALANCE".to_owned(),
        count => format!("{count} DO NOT BALANCE"),
    };
    print::line(format_args!("{}: {ways} ways in {:.1} s, {verdict}", path.display(), seconds));
}

/// The scripts beside a flow, by name.
fn beside(file: &Path) -> Result<Vec<PathBuf>, Failure> {
    let folder = file.parent().unwrap_or(Path::new(".")).join("worlds");
    let found = mortise_simulator::worlds_in(&folder).map_err(|error| Failure::file(&folder, &error))?;
    if found.is_empty() {
        return Err(Failure::unusable(format!("{} holds no world script", folder.display()))
            .mend("name one with --world; kernel/simulator/README.md shows how they are written"));
    }
    Ok(found)
}

/// What the simulator could not do, as the script's or the flow's author reads it.
fn told(failure: mortise_simulator::Failure) -> Failure {
    match &failure {
        mortise_simulator::Failure::Refused { file, .. } => {
            Failure::refused(failure.to_string()).mend(format!("`mortise flow check {file}` says all"))
        }
        _ => Failure::unusable(failure.to_string()),
    }
}
