//! `mortise sandbox`: the payment provider and the carrier as a process of its own, until it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use mortise_sandbox::{Sandbox, SandboxConfig};
use mortise_types::{SystemClock, SystemIds};

use crate::cli;
use crate::commands::ending::{Ending, told_to_stop};
use crate::failure::{Exit, Failure};
use crate::print;

pub(super) async fn run(command: cli::Sandbox) -> Result<Exit, Failure> {
    let mut config = SandboxConfig::new(command.listen, command.webhook_secret);
    config.data = command.data;
    config.default_webhook_url = command.webhook_url;
    config.public_url = command.public_url;
    config.auto_advance = command.auto_advance_ms.map(Duration::from_millis);
    config.seed = command.seed;
    let running = Sandbox::start(config, Arc::new(SystemClock), Arc::new(SystemIds))
        .await
        .map_err(|error| Failure::unusable(error.to_string()))?;
    print::line(format_args!("listening on http://{}", running.address()));
    told_to_stop(Ending::of(command.stop_with_stdin)).await;
    running.shutdown().await;
    Ok(Exit::Clean)
}
