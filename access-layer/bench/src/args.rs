//! The command line as types: names, help, defaults.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Benchmarks of Mortise. Ratios of one run are worth more than figures of two.
#[derive(Debug, Parser)]
#[command(name = "mortise-bench", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) benchmark: Benchmark,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Benchmark {
    /// The fixed-price checkout paid on invoice, two lines, over HTTP, uniform and on one SKU, beside two baselines.
    Checkout(Checkout),
    /// What extensions cost: a call in a fresh instance, a checkout with three of them, a server with a thousand.
    Extensions(Extensions),
    /// What waiting trades cost: a server's memory with very many of them, and its start after it was killed.
    Standing(Standing),
    /// The checkout on PostgreSQL, beside pgbench with the whole order as one function on the same server.
    Postgres(OnPostgres),
    /// The checkout as circumstances change it: more callers, longer orders, payment at a provider, single steps, slower disks,
    /// growing tables, more arrivals than can be served.
    Conditions(Conditions),
    /// What must not be given up for speed: suites that kill the server and hold what is there against what was answered.
    Endure(Endure),
    /// The first baseline: a bare axum server that answers an order with itself. `checkout` starts it.
    #[command(hide = true)]
    Echo,
}

/// The shop that is measured, how long, and on what.
#[derive(Debug, clap::Args)]
pub(crate) struct Ground {
    /// How long each measurement of a round lasts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=3_600), value_name = "SECONDS")]
    pub(crate) seconds: u32,
    /// How often everything is measured, in turns; medians are reported.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99), value_name = "ROUNDS")]
    pub(crate) rounds: u32,
    /// Callers, each with one connection; each sends its next order when the last is answered.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=4_096), value_name = "CALLERS")]
    pub(crate) callers: u32,
    /// Items that are sold.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(200..=1_000_000), value_name = "SKUS")]
    pub(crate) skus: u32,
    /// The `mortise` to measure; the one beside this program where left out.
    #[arg(long, env = "MORTISE_BIN", value_name = "FILE")]
    pub(crate) mortise: Option<PathBuf>,
    /// The folder of extensions, built.
    #[arg(long, default_value = "examples/extensions", value_name = "DIR")]
    pub(crate) extensions: PathBuf,
    /// On which disk: data directories are made in this folder and removed again; the folder of this program where left out.
    #[arg(long, value_name = "DIR")]
    pub(crate) disk: Option<PathBuf>,
    /// Servers are told to end instead of being killed: one that counts its branches writes down what it has counted.
    #[arg(long, hide = true)]
    pub(crate) let_end: bool,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Checkout {
    #[command(flatten)]
    pub(crate) ground: Ground,
    /// Only these of a round's measurements, in the order of a round.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Part::Echo, Part::Uniform, Part::OneSku, Part::Rows, Part::Bids], value_name = "PARTS")]
    pub(crate) parts: Vec<Part>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Extensions {
    #[command(flatten)]
    pub(crate) ground: Ground,
    /// Calls of each case and kind.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(10..=1_000_000), value_name = "N")]
    pub(crate) calls: u32,
    /// Languages whose template is called too; their toolchains are installed where they are missing.
    #[arg(long, value_delimiter = ',', default_value = "typescript,python", value_name = "LANGS")]
    pub(crate) languages: Vec<String>,
    /// So many extensions are deployed at once.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000), value_name = "N")]
    pub(crate) deployed: u32,
    /// Only these, in the order of a run.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [OfExtensions::Calls, OfExtensions::Checkout, OfExtensions::Deployed], value_name = "PARTS")]
    pub(crate) parts: Vec<OfExtensions>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Standing {
    #[command(flatten)]
    pub(crate) ground: Ground,
    /// So many trades are open, each waiting for the warehouse.
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 100_000], value_parser = clap::value_parser!(u32).range(1..=10_000_000), value_name = "COUNTS")]
    pub(crate) trades: Vec<u32>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Conditions {
    #[command(flatten)]
    pub(crate) ground: Ground,
    /// Orders that are placed one after the other for the curve of growing tables.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(10_000..=10_000_000), value_name = "N")]
    pub(crate) growth: u32,
    /// Rows of the long price list, beside those of the shop.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(10_000..=10_000_000), value_name = "N")]
    pub(crate) prices: u32,
    /// Only these, in the order of a run.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Condition::ALL, value_name = "PARTS")]
    pub(crate) parts: Vec<Condition>,
}

/// What is otherwise than usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Condition {
    /// 1 and 64 callers.
    Callers,
    /// Ten lines an order.
    Lines,
    /// Paid at the provider, over HTTP.
    Paid,
    /// Every step journalled before the next begins.
    Steps,
    /// A flush takes 1 ms, and 4 ms, longer.
    Disk,
    /// A long price list.
    Prices,
    /// Three times as many arrivals as can be served.
    Open,
    /// Tables that grow.
    Growth,
}

impl Condition {
    const ALL: [Self; 8] = [
        Self::Callers,
        Self::Lines,
        Self::Paid,
        Self::Steps,
        Self::Disk,
        Self::Prices,
        Self::Open,
        Self::Growth,
    ];
}

#[derive(Debug, clap::Args)]
pub(crate) struct OnPostgres {
    #[command(flatten)]
    pub(crate) ground: Ground,
    /// So many callers, and connections of pgbench, one measurement each; the most of them also on one SKU.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64], value_parser = clap::value_parser!(u32).range(1..=200), value_name = "COUNTS")]
    pub(crate) crowds: Vec<u32>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Endure {
    /// Only these, in this order.
    #[arg(value_enum, default_values_t = Suite::ALL, value_name = "SUITE")]
    pub(crate) suites: Vec<Suite>,
    /// What everything random is drawn from: the same number draws the same.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub(crate) seed: u64,
    /// A few seconds each, for the tests, also on the debug build.
    #[arg(long)]
    pub(crate) short: bool,
    /// Callers, each with one request at a time.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=4_096), value_name = "CALLERS")]
    pub(crate) callers: u32,
    /// The `mortise` to try; the one beside this program where left out.
    #[arg(long, env = "MORTISE_BIN", value_name = "FILE")]
    pub(crate) mortise: Option<PathBuf>,
    /// On which disk: data directories are made in this folder and removed again; the folder of this program where left out.
    #[arg(long, value_name = "DIR")]
    pub(crate) disk: Option<PathBuf>,
}

/// A suite of endurance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// One item until it is sold out and beyond, under SIGKILLs: sold to the unit.
    OneSku,
    /// Idempotency keys again and again at two servers: one effect each, the same bytes.
    Keys,
    /// Random orders through buying, cancelling, refunding: no drift between our books and the provider's.
    Ledger,
    /// Trades under kills at random and at every named point: none stuck, none doubled.
    Kills,
    /// A database that is stopped, full, read-only or slow: clear errors, and on it goes.
    Database,
}

impl Suite {
    const ALL: [Self; 5] = [Self::OneSku, Self::Keys, Self::Ledger, Self::Kills, Self::Database];

    /// Its name on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// A measurement of extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OfExtensions {
    /// Single calls, beside a bare engine's.
    Calls,
    /// Orders with three extensions, beside orders with none.
    Checkout,
    /// A server with very many deployed.
    Deployed,
}

/// A measurement of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Baseline 1: a bare JSON echo.
    Echo,
    /// Orders over all SKUs.
    Uniform,
    /// All callers on one SKU until it is sold out.
    OneSku,
    /// Baseline 2: the rows of the uniform orders, written by hand.
    Rows,
    /// All callers bid in one auction.
    Bids,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table.
    Text,
    /// One JSON document.
    Json,
}
