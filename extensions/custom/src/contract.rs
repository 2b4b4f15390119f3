//! What a manifest says of its operation, as a contract like any other's: schemas in the language's subset, codes that
//! nobody else can mean, and the one rejection that every such operation may come to.

use mortise_contract::{
    Effect, NormaliseError, OperationContract, Schema, Type, Types, Undo, foreign_schema,
};
use mortise_host::Manifest;
use serde_json::{Value as Json, json};

/// What is in front of an extension's name.
pub const PREFIX: &str = "custom/";
/// Rejection: the component gave no answer that its contract allows.
pub const CUSTOM_FAILED: &str = "custom_failed";

/// A contract that cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContractProblem {
    /// The extension has no operation.
    #[error("extension.toml has no [operation]")]
    None,
    /// A schema is outside of the subset.
    #[error("extension.toml: operation.{place}: {source}")]
    Schema {
        /// Whose.
        place: String,
        /// What does not fit.
        source: NormaliseError,
    },
    /// Input and output are records.
    #[error("extension.toml: operation.{0}: has to be of type object, with properties")]
    NoRecord(&'static str),
    /// A code that another operation could mean something else by.
    #[error(
        "extension.toml: operation.rejections.{code}: has to begin with `{prefix}`, so that it means one thing everywhere"
    )]
    Code {
        /// The code.
        code: String,
        /// The extension's name, as codes are written.
        prefix: String,
    },
    /// What the platform finds.
    #[error("{0}")]
    Platform(String),
}

/// `custom/NAME`: what a flow calls.
#[must_use]
pub fn name_of(manifest: &Manifest) -> String {
    format!("{PREFIX}{}", manifest.name)
}

/// The contract of the manifest's operation.
///
/// # Errors
/// What is off, by its place in the manifest.
pub fn contract(manifest: &Manifest) -> Result<OperationContract, ContractProblem> {
    let own = manifest.operation.as_ref().ok_or(ContractProblem::None)?;
    let prefix = format!("{}_", manifest.name.replace('-', "_"));
    let mut rejections = std::collections::BTreeMap::new();
    for (code, rejection) in &own.rejections {
        if !code.starts_with(&prefix) {
            return Err(ContractProblem::Code { code: code.clone(), prefix });
        }
        rejections.insert(code.clone(), schema(&format!("rejections.{code}.detail"), &rejection.detail)?);
    }
    rejections.insert(CUSTOM_FAILED.to_owned(), schema("", &failed())?);
    Ok(OperationContract {
        summary: manifest.summary.clone(),
        effect: Effect::Pure,
        input: record("input", &own.input)?,
        output: record("output", &own.output)?,
        undo: Some(Undo::Nothing),
        tcc: None,
        rejections,
        acquires: Vec::new(),
        settles: Vec::new(),
        leads_to: Vec::new(),
        // By this the engine knows that an extension is asked, and asks none inside of a transaction.
        points: vec![name_of(manifest)],
        events: Vec::new(),
        stale: false,
        deadline_ms: None,
        attempts: None,
        staleness_ms: None,
    })
}

fn record(place: &'static str, json: &Json) -> Result<Schema, ContractProblem> {
    let schema = schema(place, json)?;
    let is_record = schema.types.as_ref().and_then(Types::main) == Some(Type::Object);
    if is_record { Ok(schema) } else { Err(ContractProblem::NoRecord(place)) }
}

fn schema(place: &str, json: &Json) -> Result<Schema, ContractProblem> {
    let problem = |source| ContractProblem::Schema { place: place.to_owned(), source };
    foreign_schema(json, "custom").map_err(problem)
}

/// The detail of [`CUSTOM_FAILED`].
fn failed() -> Json {
    json!({
        "type": "object",
        "required": ["extension", "kind", "why"],
        "properties": {
            "extension": { "type": "string", "description": "Which version of which extension." },
            "kind": { "type": "string", "description": "What sort of failure, such as `trapped` or `invalid`." },
            "why": { "type": "string", "description": "What happened, for the extension's author." },
        },
    })
}
