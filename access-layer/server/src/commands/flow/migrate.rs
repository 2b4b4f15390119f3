//! `mortise flow migrate`: running trades go on by another version of their flow, if that is proved. The proof and the moving
//! are the kernel's.

use mortise_engine::{Attempt, MigrateError, definition_hash};
use mortise_flow::Obstacle;
use mortise_store::Access;
use mortise_types::{Clock as _, SystemClock, TenantId};
use serde_json::json;

use crate::cli::{FlowMigrate, Format};
use crate::failure::{Exit, Failure};
use crate::{compose, print};

pub(super) async fn run(command: FlowMigrate) -> Result<Exit, Failure> {
    let tenant =
        TenantId::new(command.tenant.as_str()).map_err(|error| Failure::unusable(error.to_string()))?;
    let rest = compose::at_rest(&command.data.data, Access::Alone).await?;
    let old = definition_hash(&rest.store, &command.old).await.map_err(failure)?;
    let new = definition_hash(&rest.store, &command.new).await.map_err(failure)?;
    if old == new {
        let sentence =
            format!("{} and {} are one definition: nothing is to be moved", command.old, command.new);
        return Err(
            Failure::refused(sentence).mend("`mortise flow history FLOW` shows the versions of a flow")
        );
    }
    let attempt = if command.prove { Attempt::Prove } else { Attempt::Move };
    let now = SystemClock.now();
    let moved =
        mortise_engine::migrate(&rest.store, &rest.catalogue, &tenant, (&old, &new), now, attempt).await;
    match moved {
        Ok(count) => {
            said(&command, count);
            Ok(Exit::Clean)
        }
        Err(MigrateError::Obstacles(obstacles)) => {
            refused(&command, &obstacles);
            Ok(Exit::Refused)
        }
        Err(error) => Err(failure(error)),
    }
}

fn said(command: &FlowMigrate, count: usize) {
    if command.format == Format::Json {
        let moved = if command.prove { 0 } else { count };
        return print::json(&json!({"movable": count, "moved": moved, "obstacles": []}));
    }
    let trades = if count == 1 { "1 open trade".to_owned() } else { format!("{count} open trades") };
    let verb = if command.prove { "could be moved" } else { "moved" };
    print::line(format_args!(
        "{trades} of {} {verb} from {} to {}",
        command.tenant, command.old, command.new
    ));
}

fn refused(command: &FlowMigrate, obstacles: &[Obstacle]) {
    if command.format == Format::Json {
        return print::json(&json!({"movable": 0, "moved": 0, "obstacles": obstacles}));
    }
    for Obstacle { place, old_line, new_line, problem, help } in obstacles {
        let new_line = new_line.map(|line| format!(", line {line} of the new one")).unwrap_or_default();
        print::line(format_args!(
            "{place} (line {old_line} of the old definition{new_line}): {problem}\n  help: {help}"
        ));
    }
    let count = obstacles.len();
    let places = if count == 1 { "1 thing stands".to_owned() } else { format!("{count} things stand") };
    print::line(format_args!("nothing was moved: {places} in the way"));
}

fn failure(error: MigrateError) -> Failure {
    match error {
        MigrateError::Definition(sentence) => Failure::refused(sentence)
            .mend("`mortise flow history FLOW` shows hashes and versions; `flow publish` publishes the new one first"),
        MigrateError::Trade { .. } => Failure::refused(error.to_string())
            .mend("nothing was moved; `mortise trade show` tells where this trade stands"),
        MigrateError::Obstacles(_) => Failure::refused(error.to_string()),
        MigrateError::Store(error) => error.into(),
    }
}
