//! The golden transcripts: what each world of a trade comes to. `UPDATE_EXPECT=1` rewrites what changed.

use std::path::Path;

use mortise_simulator::{Composition as _, Flows, Simulator, World, worlds_in};

#[test]
fn transcripts_are_what_the_simulator_says() {
    let simulation = super::simulation();
    let simulator = Simulator::new(&simulation);
    let mut off = Vec::new();
    for (trade, _) in super::trades() {
        let said = match transcript(&simulator, &trade) {
            Ok(Some(said)) => said,
            Ok(None) => continue,
            Err(failure) => {
                off.push(format!("{}: {failure}", trade.display()));
                continue;
            }
        };
        let golden = trade.join("transcript.md");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&golden, said).unwrap();
            continue;
        }
        let held = std::fs::read_to_string(&golden).unwrap_or_default();
        if let Some((line, (held, said))) = first_difference(&held, &said) {
            off.push(format!("{}:{line}\n  holds {held}\n  it is {said}", golden.display()));
        }
    }
    let mend =
        "`UPDATE_EXPECT=1 cargo nextest run -p mortise transcripts` rewrites them; read the difference";
    assert!(off.is_empty(), "{}\n{mend}", off.join("\n"));
}

/// All worlds of a trade in one document; none where the trade has no worlds.
fn transcript(simulator: &Simulator<'_>, trade: &Path) -> Result<Option<String>, mortise_simulator::Failure> {
    let Ok(worlds) = worlds_in(&trade.join("worlds")) else { return Ok(None) };
    let flows = Flows::beside(&trade.join("flow.yaml"), super::simulation().flows())?;
    let name = trade.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut text = format!(
        "# {name}: what happens\n\nWhat the simulator says of each script in `worlds`, on the real capabilities and a virtual clock. A test holds it; \
         `UPDATE_EXPECT=1` rewrites it.\n"
    );
    for world in worlds {
        let simulated = simulator.simulate(&flows, &World::read(&world)?, &[])?;
        text.push('\n');
        text.push_str(&simulated.transcript.markdown());
    }
    Ok(Some(text))
}

fn first_difference<'a>(held: &'a str, said: &'a str) -> Option<(usize, (&'a str, &'a str))> {
    let mut held_lines = held.lines();
    let mut said_lines = said.lines();
    for line in 1.. {
        match (held_lines.next(), said_lines.next()) {
            (None, None) => return None,
            (held, said) if held == said => {}
            (held, said) => return Some((line, (held.unwrap_or("nothing"), said.unwrap_or("nothing")))),
        }
    }
    None
}
