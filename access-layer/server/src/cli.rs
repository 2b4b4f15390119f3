//! The command line as types: names, help, defaults. What a command does is in `commands`.

pub(crate) mod desk;
pub(crate) mod ext;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::place::{Place, Replica};

/// Exit codes of all commands, at the end of every help.
const EXIT_CODES: &str = "\
Exit codes:
  0  done; nothing is off
  1  refused: the checker, a business rule, or `verify` says no, with the reason
  2  could not be tried: wrong usage, a file that cannot be read, an address or a data directory in use";

/// Mortise: capabilities, joined into trades by flows, changed by extensions, reached over HTTP.
///
/// One binary runs all of it on an embedded SQLite, or on PostgreSQL. `mortise demo` shows it selling.
#[derive(Debug, Parser)]
#[command(name = "mortise", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) logging: Logging,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where and how the log is written: always to stderr, so that stdout holds answers only.
#[derive(Debug, Args)]
#[command(next_help_heading = "Log")]
pub(crate) struct Logging {
    /// What is logged: a level, or `target=level` parts, as in `info,mortise_engine=debug`.
    #[arg(long, global = true, env = "MORTISE_LOG", default_value = "warn", value_name = "FILTER")]
    pub(crate) log: String,
    /// The form of a log line.
    #[arg(long, global = true, env = "MORTISE_LOG_FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) log_format: Format,
}

/// For people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document, or one a line where there are several.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serves the published flows over HTTP, on a data directory or a database of its own.
    Serve(Serve),
    /// Plays a payment provider and a parcel carrier over real HTTP, with faults on demand.
    Sandbox(Sandbox),
    /// Shows what the platform can do, and runs single operations.
    #[command(subcommand)]
    Capability(Capability),
    /// Checks and publishes flows.
    #[command(subcommand)]
    Flow(Flow),
    /// Writes, deploys and explains extensions, in Rust, TypeScript, Python, Go or C.
    #[command(subcommand)]
    Ext(ext::Ext),
    /// Brings rows from a CSV or JSON file into a capability, in bulk.
    ///
    /// For example: mortise import pricing.import_entries prices.csv --tenant acme --line grocery --data ./data. What a row
    /// may hold shows `mortise capability describe pricing.import_entries`. Rows that are there already are replaced, so a
    /// file may be imported again.
    Import(Import),
    /// Chooses how a shop rounds, stacks, splits, and shows what is chosen.
    #[command(subcommand)]
    Policy(Policy),
    /// Shows what trades did.
    #[command(subcommand)]
    Trade(Trade),
    /// Lists what waits for a person, and does what he decides: retry, skip, compensate, done.
    Attention(Attention),
    /// Runs a trade again from its journal and reports every difference from what is stored.
    Replay(Replay),
    /// Checks every invariant of the data and names what is off.
    ///
    /// Stock, ledger, price proofs, journal, outbox, flows; with --sandbox also our books beside the provider's and the
    /// carrier's own. No server may have a directory; beside one on PostgreSQL it sees one moment. Nothing is driven or changed.
    Verify(Verify),
    /// Seeds a small shop and lets customers buy, with everything real; then keeps serving.
    ///
    /// The shop, its prices and all that happens are files (examples/shop). The server and the sandbox are processes of their
    /// own, the customers buy over HTTP, and the clock is moved where half an hour has to pass.
    Demo(Demo),
}

/// Where the data is. Whatever writes makes a directory that is missing.
#[derive(Debug, Args, Clone)]
pub(crate) struct Data {
    /// A data directory, which one process has at a time, or a PostgreSQL database as `postgres://user@host/database`, which
    /// servers share.
    #[arg(long, env = "MORTISE_DATA", hide_env_values = true, value_name = "DIR|URL")]
    pub(crate) data: Place,
}

/// Whose data a command is about.
#[derive(Debug, Args, Clone)]
pub(crate) struct Whose {
    /// The tenant.
    #[arg(long, default_value = "demo", value_name = "TENANT")]
    pub(crate) tenant: String,
    /// The business line.
    #[arg(long, default_value = "main", value_name = "LINE")]
    pub(crate) line: String,
    /// The channel.
    #[arg(long, default_value = "api", value_name = "CHANNEL")]
    pub(crate) channel: String,
}

/// The extensions of a platform.
#[derive(Debug, Args, Clone, Default)]
pub(crate) struct Extensions {
    /// A folder of extensions: each in a folder of its own with an `extension.toml`.
    #[arg(long, env = "MORTISE_EXTENSIONS", value_name = "DIR")]
    pub(crate) extensions: Option<PathBuf>,
    /// Who answers which point where; `bindings.toml` in the folder of extensions where left out.
    #[arg(long, env = "MORTISE_BINDINGS", value_name = "FILE", requires = "extensions")]
    pub(crate) bindings: Option<PathBuf>,
}

/// The providers that remote operations reach.
#[derive(Debug, Args, Clone)]
pub(crate) struct Peers {
    /// Where the payment provider and the carrier are reached: a `mortise sandbox`.
    #[arg(
        long,
        env = "MORTISE_SANDBOX_URL",
        default_value = "http://127.0.0.1:4600",
        value_name = "URL",
        value_parser = http_address
    )]
    pub(crate) sandbox_url: String,
    /// The secret by which their webhooks are verified.
    #[arg(
        long,
        env = "MORTISE_WEBHOOK_SECRET",
        default_value = "whsec_demo",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub(crate) webhook_secret: String,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) data: Data,
    /// A standby of the PostgreSQL database, by an address of its own; several are named one by one. Reads whose contract lets
    /// them lag go there. All servers of a database are given the same.
    #[arg(long, env = "MORTISE_REPLICAS", hide_env_values = true, value_delimiter = ' ', value_name = "URL")]
    pub(crate) replica: Vec<Replica>,
    /// Where to listen; port 0 takes a free one. The first line on stdout is `listening on http://...`.
    #[arg(long, env = "MORTISE_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// Under which address peers and people reach it, if that is not `http://<listen>`.
    #[arg(long, env = "MORTISE_PUBLIC_URL", value_name = "URL", value_parser = http_address)]
    pub(crate) public_url: Option<String>,
    #[command(flatten)]
    pub(crate) extensions: Extensions,
    #[command(flatten)]
    pub(crate) peers: Peers,
    /// `system`; or, for development, a clock that `POST /dev/clock` may move and that starts at `now` or at an RFC 3339 moment.
    #[arg(long, default_value = "system", value_name = "CLOCK")]
    pub(crate) clock: ClockChoice,
    /// Makes every step durable before the next begins, instead of every stretch of steps.
    #[arg(long)]
    pub(crate) single_steps: bool,
    /// Also stops when its stdin ends, and so with the process that started it.
    #[arg(long)]
    pub(crate) stop_with_stdin: bool,
}

/// An address that HTTP reaches, as it was written.
fn http_address(text: &str) -> Result<String, String> {
    let parsed = reqwest::Url::parse(text);
    let is_http = parsed.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if is_http {
        Ok(text.to_owned())
    } else {
        Err("write an address such as http://127.0.0.1:4600".to_owned())
    }
}

/// Which clock a server shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClockChoice {
    /// The machine's, which nobody moves through us.
    System,
    /// One that can be moved and starts at the machine's moment.
    Now,
    /// One that can be moved and starts there.
    From(mortise_types::Timestamp),
}

impl std::str::FromStr for ClockChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "system" => Ok(Self::System),
            "now" => Ok(Self::Now),
            moment => moment
                .parse()
                .map(Self::From)
                .map_err(|_| "write `system`, `now`, or a moment such as 2027-01-31T12:00:00Z".to_owned()),
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Sandbox {
    /// Where to listen; port 0 takes a free one. The first line on stdout is `listening on http://...`.
    #[arg(long, default_value = "127.0.0.1:4600", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// The directory of its book; without it the book is kept in memory.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The secret by which webhooks are signed.
    #[arg(
        long,
        env = "MORTISE_WEBHOOK_SECRET",
        default_value = "whsec_demo",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub(crate) webhook_secret: String,
    /// Where events go whose payment or shipment names no address of its own.
    #[arg(long, value_name = "URL", value_parser = http_address)]
    pub(crate) webhook_url: Option<String>,
    /// Under which address people and adapters reach it, if that is not `http://<listen>`.
    #[arg(long, value_name = "URL", value_parser = http_address)]
    pub(crate) public_url: Option<String>,
    /// After how many milliseconds a parcel takes its next step by itself.
    #[arg(long, value_name = "MS")]
    pub(crate) auto_advance_ms: Option<u64>,
    /// What the draws of faults begin from: the same seed, the same faults.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Also stops when its stdin ends, and so with the process that started it.
    #[arg(long)]
    pub(crate) stop_with_stdin: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Capability {
    /// Lists all operations with their effect.
    List {
        #[command(flatten)]
        extensions: Extensions,
        /// How the answer is printed.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Describes a capability (`pricing`), an operation (`pricing.quote`), an event or a rejection code.
    Describe {
        /// What to describe.
        name: String,
        #[command(flatten)]
        extensions: Extensions,
        /// How the answer is printed.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Writes all contracts as JSON, for `flow check --contracts` anywhere else.
    Export {
        #[command(flatten)]
        extensions: Extensions,
    },
    /// Runs one operation and prints its output. A pure one needs no data; a write runs as a trade of one call.
    Call(Box<Call>),
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Call {
    /// `capability.operation`, or `custom/name`.
    pub(crate) name: String,
    /// A file with the input as JSON; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// The data, as of `serve`; all but pure operations need it.
    #[arg(long, env = "MORTISE_DATA", hide_env_values = true, value_name = "DIR|URL")]
    pub(crate) data: Option<Place>,
    #[command(flatten)]
    pub(crate) whose: Whose,
    /// The signed-in customer.
    #[arg(long, value_name = "CUSTOMER")]
    pub(crate) customer: Option<String>,
    #[command(flatten)]
    pub(crate) extensions: Extensions,
    #[command(flatten)]
    pub(crate) peers: Peers,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Flow {
    /// Proves flows, or says what is wrong, where, on which way, and what would mend it. Flows that start each other are
    /// checked together; `mortise flow explain CODE` says more of a finding.
    Check(FlowCheck),
    /// Prints the page of one of the checker's codes: an example that is refused, and the same mended.
    Explain(FlowExplain),
    /// Checks a flow and lets its name mean it from now on; running trades keep theirs.
    Publish(FlowPublish),
    /// Lists the published flows.
    List(FlowList),
    /// Runs a flow in a world: the real capabilities on a database that is thrown away and a clock that jumps.
    ///
    /// A world script says what customers, staff, providers and carriers do; the transcript says what came of it. Scripts stand
    /// in the `worlds` folder beside a flow, and how they are written in kernel/simulator/README.md.
    Simulate(FlowSimulate),
    /// Shows a flow's versions, who runs on each, and when its name meant which.
    History(FlowHistory),
    /// Moves running trades to another version of their flow, or says what stands in the way.
    ///
    /// For each place where a trade of the old version may stand, the new one must have that place with every result that it
    /// needs from there on. All of a tenant's trades of that version are moved, or none.
    Migrate(FlowMigrate),
    /// Draws a flow: lanes by capability, the pivot marked, what takes back dotted.
    Graph(FlowGraph),
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct FlowHistory {
    /// The flow's name.
    #[arg(value_name = "FLOW")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) data: Data,
    /// The tenant.
    #[arg(long, default_value = "demo", value_name = "TENANT")]
    pub(crate) tenant: String,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct FlowMigrate {
    /// The version that trades run on: the beginning of its hash, or `flow@version`.
    #[arg(value_name = "OLD")]
    pub(crate) old: String,
    /// The version that they are moved to; published before.
    #[arg(value_name = "NEW")]
    pub(crate) new: String,
    #[command(flatten)]
    pub(crate) data: Data,
    /// Whose trades.
    #[arg(long, default_value = "demo", value_name = "TENANT")]
    pub(crate) tenant: String,
    /// Only says whether they could be moved.
    #[arg(long)]
    pub(crate) prove: bool,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// What a picture is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Picture {
    /// A file for any browser.
    #[default]
    Svg,
    /// Text for READMEs and wikis.
    Mermaid,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct FlowGraph {
    /// The flow, YAML or JSON; `-` is stdin.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// What is written.
    #[arg(long = "as", value_enum, default_value_t = Picture::Svg, value_name = "FORM")]
    pub(crate) picture: Picture,
    /// Where it is written; stdout where left out.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Contracts that say what a call is, as `capability export` writes them; those of this program where left out.
    #[arg(long, value_name = "FILE")]
    pub(crate) contracts: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) extensions: Extensions,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct FlowCheck {
    /// The flows, YAML or JSON.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Contracts to check against, as `capability export` writes them; those of this program where left out.
    #[arg(long, value_name = "FILE")]
    pub(crate) contracts: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) extensions: Extensions,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct FlowExplain {
    /// The code, such as `maybe-absent`.
    pub(crate) code: String,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct FlowPublish {
    /// The flow, YAML or JSON.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) data: Data,
    /// The tenant that it is for.
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: String,
    /// The business line that it is for; all lines where left out.
    #[arg(long, default_value = "", value_name = "LINE", hide_default_value = true)]
    pub(crate) line: String,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct FlowSimulate {
    /// The flow, YAML or JSON. Flows beside it and the shipped ones can be started too.
    pub(crate) file: PathBuf,
    /// What happens; every script of the folder `worlds` beside the flow where left out.
    #[arg(long, value_name = "SCRIPT")]
    pub(crate) world: Vec<PathBuf>,
    /// Tries every single thing that can go otherwise: each step fails, each event is late, early, twice or never, each wait is
    /// cancelled, the process crashes at every record. What does not balance is named, with the way.
    #[arg(long, conflicts_with = "way")]
    pub(crate) explore: bool,
    /// Goes a way that --explore has named; several at once where it stands several times.
    #[arg(long, value_name = "WAY")]
    pub(crate) way: Vec<mortise_simulator::Way>,
    #[command(flatten)]
    pub(crate) extensions: Extensions,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct FlowList {
    #[command(flatten)]
    pub(crate) data: Data,
    #[command(flatten)]
    pub(crate) whose: Whose,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Import {
    /// The operation that takes the rows, such as `pricing.import_entries`.
    pub(crate) operation: String,
    /// CSV whose columns are named as the row's fields, a JSON array, or JSON lines.
    pub(crate) file: PathBuf,
    /// Into this data, as of `serve`, while no server has it.
    #[arg(
        long,
        env = "MORTISE_DATA",
        hide_env_values = true,
        value_name = "DIR|URL",
        required_unless_present = "url",
        conflicts_with = "url"
    )]
    pub(crate) data: Option<Place>,
    /// Into the server at this address.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) whose: Whose,
    /// Of amounts in rows that name no currency; only with --url.
    #[arg(long, requires = "url", value_name = "CODE")]
    pub(crate) currency: Option<String>,
    /// Rows a call: 5,000 into a directory, 2,000 over HTTP where left out.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000), value_name = "ROWS")]
    pub(crate) chunk: Option<u32>,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Stores a choice for a tenant, a line or a channel; it holds for what begins from now on.
    Set(PolicySet),
    /// Lists every policy with its defaults, or what a data directory chose.
    List(PolicyList),
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct PolicySet {
    /// The policy, as `policy list` names it.
    pub(crate) name: String,
    /// Its choices as JSON; what is left out has its default. `-` is stdin.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) data: Data,
    /// The tenant.
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: String,
    /// The business line; all lines where left out.
    #[arg(long, default_value = "", value_name = "LINE", hide_default_value = true)]
    pub(crate) line: String,
    /// The channel of the line; all channels where left out.
    #[arg(long, default_value = "", value_name = "CHANNEL", hide_default_value = true, requires = "line")]
    pub(crate) channel: String,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyList {
    /// Data, as of `serve`: what holds there for the scope, instead of the defaults.
    #[arg(long, env = "MORTISE_DATA", hide_env_values = true, value_name = "DIR|URL")]
    pub(crate) data: Option<Place>,
    #[command(flatten)]
    pub(crate) whose: Whose,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES, args_conflicts_with_subcommands = true)]
pub(crate) struct Attention {
    #[command(subcommand)]
    pub(crate) decision: Option<Decide>,
    #[command(flatten)]
    pub(crate) list: AttentionList,
}

#[derive(Debug, Args)]
pub(crate) struct AttentionList {
    /// The data, as of `serve`, while no server has it.
    #[arg(long, env = "MORTISE_DATA", hide_env_values = true, value_name = "DIR|URL", required = true)]
    pub(crate) data: Option<Place>,
    /// Whose trades.
    #[arg(long, default_value = "demo", value_name = "TENANT")]
    pub(crate) tenant: String,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// What a person decides.
#[derive(Debug, Subcommand)]
pub(crate) enum Decide {
    /// Lets a held step try again: what was in its way is gone.
    Retry(Decided),
    /// Goes on behind a held step as if it had not run: somebody has done it by hand.
    Skip(Decided),
    /// Lets a trade go backward that has not passed its pivot.
    Compensate(Decided),
    /// Says of what goes on or is over that it has been seen to.
    Done(Decided),
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Decided {
    /// The trade, by its id or by its flow's key.
    #[arg(value_name = "ID")]
    pub(crate) name: String,
    /// Why: it is kept with the trade.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) data: Data,
    /// Whose trade it is.
    #[arg(long, default_value = "demo", value_name = "TENANT")]
    pub(crate) tenant: String,
    #[command(flatten)]
    pub(crate) extensions: Extensions,
    #[command(flatten)]
    pub(crate) peers: Peers,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Trade {
    /// Prints a trade's timeline: step, outcome, time taken, money, what it holds, who was asked.
    Show(TradeShow),
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct TradeShow {
    /// The trade, by its id or by its flow's key (an order's id, as a rule).
    #[arg(value_name = "ID")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) data: Data,
    /// Whose trade it is.
    #[arg(long, default_value = "demo", value_name = "TENANT")]
    pub(crate) tenant: String,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Replay {
    /// The trade, by its id or by its flow's key (an order's id, as a rule).
    #[arg(value_name = "ID")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) data: Data,
    /// Whose trade it is.
    #[arg(long, default_value = "demo", value_name = "TENANT")]
    pub(crate) tenant: String,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) data: Data,
    /// A sandbox whose own book of payments, refunds and shipments is compared with ours.
    #[arg(long, value_name = "URL")]
    pub(crate) sandbox: Option<String>,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Demo {
    /// Exits when the story is told: 0 only if every expectation and every invariant held.
    #[arg(long)]
    pub(crate) once: bool,
    /// Where the shop's data goes; a temporary directory where left out.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The shop: its files, and the story as `story.yaml`; found from the working directory where left out.
    #[arg(long, env = "MORTISE_SHOP", value_name = "DIR")]
    pub(crate) shop: Option<PathBuf>,
    /// Where the server listens; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// How the answer is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
