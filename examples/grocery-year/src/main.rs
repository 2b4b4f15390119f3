//! Sells a year of real grocery baskets through Mortise over HTTP and compares each order with the till, to the cent.
//! Prices come from the receipts (prepare.py); this program imports them, orders, and reports.

mod chart;
mod client;
mod data;
mod measure;
mod order;
mod platform;
mod prepare;
mod progress;
mod report;
mod rollout;
mod run;
mod selection;
mod send;
mod shop;
mod tally;
mod year;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use crate::run::Outcome;
use crate::selection::{Stores, Weeks};

/// Sell a year of real grocery baskets through Mortise, and compare each order with the till.
#[derive(Debug, Parser)]
#[command(name = "grocery-year")]
pub(crate) struct Arguments {
    /// Which weeks, such as 1-4,9; by default the year.
    #[arg(long, default_value = "1-53")]
    weeks: Weeks,
    /// Which stores, such as 367,406, or all.
    #[arg(long, default_value = "all")]
    stores: Stores,
    /// A small part of the year with every kind of basket, as it runs with the tests.
    #[arg(long, conflicts_with_all = ["weeks", "stores"])]
    slice: bool,
    /// Tries three extensions on a second business line, over the slice: as shadows, for some customers, for all.
    #[arg(long, conflicts_with_all = ["weeks", "stores", "slice", "out"])]
    rollout: bool,
    /// The folder of extensions for --rollout, built.
    #[arg(long, default_value_os_t = default_extensions(), requires = "rollout")]
    extensions: PathBuf,
    /// How many orders are under way at once.
    #[arg(long, default_value_t = 16, value_parser = callers)]
    callers: usize,
    /// The mortise program; by default the one beside this program.
    #[arg(long, env = "MORTISE_BIN")]
    mortise: Option<PathBuf>,
    /// Keep the platform's data here, in a new or empty folder; by default it is temporary.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Where the prepared data is kept.
    #[arg(long, default_value_os_t = prepare::default_cache())]
    cache: PathBuf,
    /// Where the chart, the list of the rest and the figures go; by default `out` beside the prepared data, for the slice `out-slice`.
    #[arg(long)]
    out: Option<PathBuf>,
}

impl Arguments {
    /// Where the report's files go: what runs with the tests does not replace the year's.
    fn reports(&self, cache: &Path) -> PathBuf {
        let folder = if self.slice { "out-slice" } else { "out" };
        self.out.clone().unwrap_or_else(|| cache.join(folder))
    }

    /// The chosen part of the year.
    fn chosen(&self) -> (Weeks, Stores) {
        if self.slice { selection::slice() } else { (self.weeks.clone(), self.stores.clone()) }
    }
}

fn default_extensions() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../extensions")
}

fn callers(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|callers| (1..=1024).contains(callers)).ok_or_else(|| "1 to 1024".to_owned())
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ran = match arguments.rollout {
        true => rollout::run(&arguments).await,
        false => run::run(&arguments).await,
    };
    match ran {
        Ok(Outcome::Holds) => ExitCode::SUCCESS,
        Ok(Outcome::Fails) => ExitCode::FAILURE,
        Err(error) => {
            progress::say(format_args!("grocery-year: {error}"));
            ExitCode::from(2)
        }
    }
}
