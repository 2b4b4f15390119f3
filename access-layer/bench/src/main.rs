//! `mortise-bench`: measures what a checkout costs, beside baselines of the same run. It drives the real binary from outside,
//! over HTTP and its command line; nothing of the platform is linked in.

mod args;
mod bids;
mod checkout;
mod client;
mod conditions;
mod echo;
mod endure;
mod extensions;
mod failure;
mod files;
mod ground;
mod load;
mod machine;
mod order;
mod patient;
mod pgbench;
mod platform;
mod postgres;
mod print;
mod proc;
mod report;
mod request;
mod rows;
mod shop;
mod standing;
mod stopwatch;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Args, Benchmark};
use crate::failure::Failure;

fn main() -> ExitCode {
    let outcome = match Args::parse().benchmark {
        Benchmark::Checkout(wish) => on_one_thread(checkout::run(wish)),
        Benchmark::Extensions(wish) => on_one_thread(extensions::run(wish)),
        Benchmark::Standing(wish) => on_one_thread(standing::run(wish)),
        Benchmark::Postgres(wish) => on_one_thread(pgbench::run(wish)),
        Benchmark::Conditions(wish) => on_one_thread(conditions::run(wish)),
        Benchmark::Endure(wish) => on_one_thread(endure::run(wish)),
        Benchmark::Echo => echo::serve(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            print::progress(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

/// The load generator has one thread, so that what it costs can be told from what the platform costs.
fn on_one_thread(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(Box::pin(work))
}
