//! A story as its file tells it: what the shop is seeded with, and scenes whose steps are requests with what they must
//! answer. It knows no trade: names, bodies and expectations are the file's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mortise_types::Span;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::failure::Failure;

/// A shop and what happens in it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Story {
    /// One line.
    pub(super) title: String,
    /// Whose shop it is.
    pub(super) tenant: String,
    /// The folder of extensions and the file of bindings, from the story's folder.
    pub(super) extensions: Extensions,
    /// What the shop is set up with, in order.
    pub(super) seed: Vec<Seed>,
    /// How stock is asked for.
    pub(super) stock: StockQuestion,
    /// What happens, in order.
    pub(super) scenes: Vec<Scene>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Extensions {
    pub(super) folder: PathBuf,
    pub(super) bindings: PathBuf,
    /// The components that have to be built, and how.
    pub(super) components: Vec<PathBuf>,
    pub(super) build: String,
}

/// One import or one policy.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seed {
    pub(super) line: String,
    /// The operation that takes the file's rows; or
    #[serde(default)]
    pub(super) import: Option<String>,
    /// the policy that the file chooses.
    #[serde(default)]
    pub(super) policy: Option<String>,
    pub(super) file: PathBuf,
}

/// The request that answers stock levels, with `${skus}` for those that a scene watches.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StockQuestion {
    /// A path below `/v1/{tenant}/{line}/`.
    pub(super) get: String,
    /// Where the rows stand in the answer.
    pub(super) rows: String,
}

/// Something that happens to one customer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scene {
    pub(super) scene: String,
    pub(super) line: String,
    pub(super) customer: String,
    /// The items whose stock is shown, each with the changes that are expected; what is not named may not change.
    #[serde(default)]
    pub(super) stock: BTreeMap<String, BTreeMap<String, i64>>,
    pub(super) steps: Vec<Step>,
}

/// One step of a scene: both clocks go forward, or a request with what it must answer. Any text may hold `${name}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    /// A sentence.
    pub(super) step: String,
    /// By how much both clocks go forward.
    #[serde(default)]
    pub(super) advance: Option<Span>,
    /// A path below `/v1/{tenant}/{line}/` of the server, or a whole URL.
    #[serde(default)]
    pub(super) get: Option<String>,
    #[serde(default)]
    pub(super) post: Option<String>,
    #[serde(default)]
    pub(super) body: Option<Json>,
    /// Who asks.
    #[serde(default)]
    pub(super) by: Asker,
    /// Which customer, where it is another one than the scene's.
    #[serde(default)]
    pub(super) customer: Option<String>,
    /// The request's idempotency key; one of its own where left out.
    #[serde(default)]
    pub(super) key: Option<String>,
    /// What the answer must be; objects may hold more, see `matching`.
    #[serde(default)]
    pub(super) expect: Expected,
    /// Whether it is asked again until it is so.
    #[serde(default)]
    pub(super) wait: Waiting,
    /// Parts of the answer that later steps may name: `${name}`, by JSON pointer.
    #[serde(default)]
    pub(super) keep: BTreeMap<String, String>,
    /// Where a price proof stands in the answer, to be shown.
    #[serde(default)]
    pub(super) proof: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Waiting {
    /// It is asked once.
    #[default]
    No,
    /// It is asked until the answer is what is expected, for a bounded time.
    Until,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Asker {
    /// The scene's customer, signed in.
    #[default]
    Customer,
    /// The shop's staff.
    Staff,
    /// A peer or a page that nobody is signed in to.
    Nobody,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    /// 200 where left out.
    #[serde(default = "ok")]
    pub(super) status: u16,
    #[serde(default)]
    pub(super) body: Option<Json>,
}

const fn ok() -> u16 {
    200
}

impl Default for Expected {
    fn default() -> Self {
        Self { status: ok(), body: None }
    }
}

impl Story {
    /// Reads `story.yaml` of a folder.
    ///
    /// # Errors
    /// A file that is missing or not a story, with the place.
    pub(super) fn read(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join("story.yaml");
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::file(&path, &error)
                .mend("run it from the project's folder, or name the shop's folder with --shop")
        })?;
        serde_saphyr::from_str(&text)
            .map_err(|error| Failure::unusable(format!("{}: {error}", path.display())))
    }
}
