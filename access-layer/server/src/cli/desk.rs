//! What is deployed, as commands: names, help, defaults. What a command does is in `commands/desk`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{EXIT_CODES, Format};
use crate::place::Place;

/// Deploying extensions: the commands on what a platform has.
#[derive(Debug, Subcommand)]
pub(crate) enum Desk {
    /// Deploys an extension: verifies it, and lets it answer its points for a tenant, a line or a channel.
    ///
    /// Every deploy is a numbered revision with who, when, what and why. A running server turns to it within a second,
    /// without a restart; trades under way finish with what they began with. An extension may first be tried: --shadow asks
    /// it beside what is live and records the difference in money; --canary lets it count for some customers, and takes
    /// it back by itself when it fails, is slow, or differs too much.
    ///
    /// For example, live for one line:
    ///   mortise ext deploy ./loyal-price --data ./data --tenant demo --line grocery --reason "loyalty week"
    /// tried first, and live only if the difference stays within 10.00:
    ///   mortise ext deploy ./loyal-price --data ./data --tenant demo --line grocery --shadow
    ///   mortise ext deploy ./loyal-price --data ./data --tenant demo --line grocery --after-shadow --max-difference 1000
    /// for 5 of 100 customers:
    ///   mortise ext deploy ./loyal-price --data ./data --tenant demo --line grocery --canary 5
    #[command(verbatim_doc_comment)]
    Deploy(Box<DeskDeploy>),
    /// Takes the last change of an extension back, or goes back to a revision.
    ///
    /// The former bindings become a new revision; a second rollback goes further back. Trades under way keep what they
    /// began with, unless it is --hard: then they leave what is taken back too, at once.
    ///
    /// For example:
    ///   mortise ext rollback loyal-price --data ./data --reason "prices too low"
    ///   mortise ext rollback --to 12 --hard --data ./data --reason "gives goods away"
    #[command(verbatim_doc_comment)]
    Rollback(DeskRollback),
    /// Lists what is deployed, what trials have shown, and the history with its reasons.
    ///
    /// For example:
    ///   mortise ext list --data ./data
    #[command(verbatim_doc_comment)]
    List(DeskList),
    /// Says who is asked in a scope and why in this order; or, for a trade, who was asked, what each answered, and what counts.
    ///
    /// For example:
    ///   mortise ext explain --data ./data --tenant demo --line grocery --channel web
    ///   mortise ext explain --data ./data --tenant demo --trade ORDER_ID
    #[command(verbatim_doc_comment)]
    Explain(DeskExplain),
    /// Prints the whole table of a tenant: point by line, with the winner.
    ///
    /// For example:
    ///   mortise ext matrix --data ./data --tenant demo
    #[command(verbatim_doc_comment)]
    Matrix(DeskMatrix),
    /// Asks an extension for stored orders' own calls, beside what is live, and prints the difference in money.
    ///
    /// Nothing is stored or changed. The calls run with the input and at the moment that each order's journal has, on the price
    /// lists and attributes that are there now. The difference is printed by order, SKU and department, with a histogram.
    ///
    /// For example:
    ///   mortise ext replay ./loyal-price --orders 1000 --data ./data --tenant demo --line grocery
    #[command(verbatim_doc_comment)]
    Replay(Box<DeskReplay>),
}

/// Where the deployments are.
#[derive(Debug, Args, Clone)]
pub(crate) struct Reach {
    /// The data, as of `serve`; if a server has the directory, that server is asked.
    #[arg(
        long,
        env = "MORTISE_DATA",
        hide_env_values = true,
        value_name = "DIR|URL",
        required_unless_present = "url",
        conflicts_with = "url"
    )]
    pub(crate) data: Option<Place>,
    /// A running server, at its address on this machine.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Who changes it, and why: both are kept with the revision.
#[derive(Debug, Args, Clone)]
pub(crate) struct By {
    /// Who: 1 to 64 of A-Z a-z 0-9 - _ . @
    #[arg(long, env = "USER", default_value = "somebody", value_name = "NAME", hide_env_values = true)]
    pub(crate) by: String,
    /// Why.
    #[arg(long, default_value = "not said", value_name = "TEXT")]
    pub(crate) reason: String,
}

/// An extension and where it is bound.
#[derive(Debug, Args, Clone)]
pub(crate) struct Bind {
    /// The extension's folder, built: with its extension.toml.
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// For which tenant.
    #[arg(long, default_value = "demo", value_name = "TENANT")]
    pub(crate) tenant: String,
    /// For one business line; all where left out.
    #[arg(long, value_name = "LINE")]
    pub(crate) line: Option<String>,
    /// For one channel; all where left out.
    #[arg(long, value_name = "CHANNEL")]
    pub(crate) channel: Option<String>,
    /// At this point only, which may be said several times; all points of its manifest where left out.
    #[arg(long = "point", value_name = "POINT")]
    pub(crate) points: Vec<String>,
    /// Among those bound in the same place, the lowest number is asked first. Where left out, that of the version whose place
    /// it takes, else 100.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) priority: Option<i32>,
    /// What the binding sets, as JSON: a text that begins with {, or a file. Where left out, that of the version whose place
    /// it takes, else nothing.
    #[arg(long, value_name = "JSON")]
    pub(crate) config: Option<String>,
    /// What happens when it fails: `skip` goes on without it, `refuse` rejects the operation. Where left out, as the version
    /// whose place it takes, else `skip`.
    #[arg(long, value_enum)]
    pub(crate) on_failure: Option<OnFailure>,
}

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnFailure {
    /// It is as if it were not bound.
    Skip,
    /// The operation is rejected.
    Refuse,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct DeskDeploy {
    #[command(flatten)]
    pub(crate) bind: Bind,
    #[command(flatten)]
    pub(crate) reach: Reach,
    #[command(flatten)]
    pub(crate) by: By,
    /// Only asks it beside what is live, and records what it would have made of each order.
    #[arg(long, group = "rollout")]
    pub(crate) shadow: bool,
    /// Lets it count for so many of a hundred customers, 1 to 99, always the same ones.
    #[arg(long, group = "rollout", value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..=99))]
    pub(crate) canary: Option<u32>,
    /// Makes its shadow live, if what that has shown stays within the bounds below.
    #[arg(long, group = "rollout", requires = "max_difference")]
    pub(crate) after_shadow: bool,
    #[command(flatten)]
    pub(crate) bounds: Bounds,
}

/// Bounds of a trial.
#[derive(Debug, Args, Clone)]
#[command(next_help_heading = "Bounds of a trial")]
pub(crate) struct Bounds {
    /// After a shadow: the sum of all differences, either way, at most (minor units: 1000 is 10.00 EUR).
    #[arg(long, value_name = "MINOR", requires = "after_shadow")]
    pub(crate) max_difference: Option<i64>,
    /// The mean difference an order, either way, at most (minor units). A canary past it is taken back.
    #[arg(long, value_name = "MINOR")]
    pub(crate) max_difference_per_order: Option<i64>,
    /// So many orders at least, before a shadow is promoted or a canary judged.
    #[arg(long, default_value_t = 50, value_name = "ORDERS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) min_orders: u32,
    /// A canary with more failures than so many basis points of its calls (500 is 5%) is taken back.
    #[arg(long, default_value_t = 500, value_name = "BP", value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub(crate) max_failures_bp: u32,
    /// A canary whose calls take longer than this in the mean is taken back (microseconds).
    #[arg(long, default_value_t = 50_000, value_name = "US")]
    pub(crate) max_latency_us: u32,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct DeskRollback {
    /// The extension whose last change is taken back.
    #[arg(required_unless_present = "to", value_name = "EXTENSION")]
    pub(crate) extension: Option<String>,
    /// Back to this revision: all of it, or the extension's part of it; 0 is before the first.
    #[arg(long, value_name = "REVISION")]
    pub(crate) to: Option<i64>,
    /// Running trades leave what is taken back too, at once. It is kept with the revision.
    #[arg(long)]
    pub(crate) hard: bool,
    #[command(flatten)]
    pub(crate) reach: Reach,
    #[command(flatten)]
    pub(crate) by: By,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct DeskList {
    /// So many revisions of the history.
    #[arg(long, default_value_t = 10, value_name = "NUMBER", value_parser = clap::value_parser!(i64).range(1..=1_000))]
    pub(crate) revisions: i64,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct DeskExplain {
    #[command(flatten)]
    pub(crate) whose: super::Whose,
    /// A trade, by its id or by its flow's key (an order's id, as a rule), instead of a scope.
    #[arg(long, visible_alias = "order", value_name = "ID")]
    pub(crate) trade: Option<String>,
    /// One point; all where left out.
    #[arg(long, value_name = "POINT")]
    pub(crate) point: Option<String>,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct DeskMatrix {
    /// Whose table.
    #[arg(long, default_value = "demo", value_name = "TENANT")]
    pub(crate) tenant: String,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct DeskReplay {
    #[command(flatten)]
    pub(crate) bind: Bind,
    /// The newest so many orders.
    #[arg(long, default_value_t = 1_000, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) orders: u32,
    #[command(flatten)]
    pub(crate) reach: Reach,
}
