//! `mortise flow ...`: a file a subcommand.

mod check;
mod explain;
mod graph;
mod history;
mod list;
mod migrate;
mod publish;
mod simulate;

use crate::cli::Flow;
use crate::failure::{Exit, Failure};

pub(super) async fn run(command: Flow) -> Result<Exit, Failure> {
    match command {
        Flow::Check(command) => check::run(&command),
        Flow::Explain(command) => explain::run(&command),
        Flow::Publish(command) => publish::run(command).await,
        Flow::List(command) => list::run(command).await,
        Flow::Migrate(command) => migrate::run(command).await,
        Flow::Graph(command) => graph::run(&command),
        Flow::History(command) => history::run(command).await,
        Flow::Simulate(command) => simulate::run(command).await,
    }
}
