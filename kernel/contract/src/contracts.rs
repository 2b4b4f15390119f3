//! Contracts as data: what `mortise capability export` writes and `flow check --contracts` reads.
//! The shape is specified in the flow language's chapter "Contracts as data".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::schema::Schema;
use crate::value::Value;

/// How far an operation reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// A function of its input and of extensions.
    Pure,
    /// Reads the database.
    Read,
    /// Writes in one local transaction.
    Write,
    /// Leaves the database: intent, send, settle.
    Remote,
}

/// A call with its input as a template of `${ }` expressions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallTemplate {
    /// `capability.operation`.
    pub call: String,
    /// The input; text may hold `${ }`.
    #[serde(default = "Value::empty_record")]
    pub with: Value,
}

/// How an effect is taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "UndoData", into = "UndoData")]
pub enum Undo {
    /// There is nothing to take back.
    Nothing,
    /// By this call, over `input` and `output` of the call that is undone.
    Call(CallTemplate),
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum UndoData {
    Word(Nothing),
    Call(CallTemplate),
}

#[derive(Clone, Serialize, Deserialize)]
enum Nothing {
    #[serde(rename = "nothing")]
    Nothing,
}

impl From<UndoData> for Undo {
    fn from(data: UndoData) -> Self {
        match data {
            UndoData::Word(Nothing::Nothing) => Self::Nothing,
            UndoData::Call(template) => Self::Call(template),
        }
    }
}

impl From<Undo> for UndoData {
    fn from(undo: Undo) -> Self {
        match undo {
            Undo::Nothing => Self::Word(Nothing::Nothing),
            Undo::Call(template) => Self::Call(template),
        }
    }
}

/// The second half of a try: confirm or cancel, over `input` and `output` of the try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tcc {
    /// Makes the try final.
    pub confirm: CallTemplate,
    /// Takes the try back.
    pub cancel: CallTemplate,
}

/// A field of an output or a payload that holds a resource until it is settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acquires {
    /// `stock`, `money`, or any other.
    pub resource: String,
    /// The field, or a path such as `shares[].share`.
    pub handle: String,
}

/// What becomes of a handle that is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// It goes back.
    Release,
    /// It is used up.
    Consume,
}

/// A field of an input through which a held resource is released or consumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settles {
    /// The resource.
    pub resource: String,
    /// The field, or a path.
    pub handle: String,
    /// What becomes of it.
    pub how: How,
}

/// An operation, as its callers see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationContract {
    /// One sentence for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// How far it reaches.
    pub effect: Effect,
    /// What it is given.
    pub input: Schema,
    /// What it answers.
    pub output: Schema,
    /// How it is taken back; absent: it cannot be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Undo>,
    /// For the try of a try/confirm/cancel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcc: Option<Tcc>,
    /// The codes that it may reject with, each with the schema of its detail.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rejections: BTreeMap<String, Schema>,
    /// The resources that its output holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acquires: Vec<Acquires>,
    /// The resources that its input settles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settles: Vec<Settles>,
    /// Events that may come from outside because of it: a payment that was asked for is captured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leads_to: Vec<String>,
    /// The extension points that it opens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<String>,
    /// The events that it writes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// Whether a write may find that what the flow read before no longer holds, so that the stretch runs again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stale: bool,
    /// For a remote one: how long one attempt may take, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
    /// For a remote one: how many attempts before its outcome is `unavailable`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// For a read: how old an answer may be, in milliseconds, when it is asked for outside of any flow; a standby of the database
    /// may give it then. Absent: it is what is committed. Flows always read what is committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staleness_ms: Option<u32>,
}

impl OperationContract {
    /// The bounds of a declared staleness, in milliseconds: below, no standby could be known to be near enough; above, nobody
    /// remembers how far the primary was.
    pub const STALENESS_MS: std::ops::RangeInclusive<u32> = 500..=60_000;

    /// What is off with the declared staleness, and what would mend it.
    pub fn staleness_problem(&self) -> Option<String> {
        let staleness_ms = self.staleness_ms?;
        let (least, most) = (Self::STALENESS_MS.start(), Self::STALENESS_MS.end());
        if self.effect != Effect::Read {
            return Some(
                "declares `staleness_ms`, which only a `read` operation may: leave it out".to_owned(),
            );
        }
        (!Self::STALENESS_MS.contains(&staleness_ms)).then(|| {
            format!("declares a `staleness_ms` of {staleness_ms}: write {least} to {most}, or leave it out")
        })
    }
}

/// An event, as those who wait for it see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventContract {
    /// One sentence for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// The type of the key that a wait matches.
    pub key: Schema,
    /// The field of the payload that is the key of an emitted event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_from: Option<String>,
    /// What it carries.
    pub payload: Schema,
    /// The resources that it brings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acquires: Vec<Acquires>,
    /// What is called, over `event`, if it comes when nobody waits any more; also what undoes its wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<CallTemplate>,
}

/// A published flow, as another flow's `start` sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowContract {
    /// What it is given.
    pub input: Schema,
    /// What it answers.
    pub answer: Schema,
    /// The codes that it may fail with.
    #[serde(default)]
    pub fails: Vec<String>,
    /// Whether the whole of it can be taken back.
    #[serde(default)]
    pub undoable: bool,
}

/// How much one trade may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Steps on the worst way.
    pub steps: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { steps: 100_000 }
    }
}

/// All that a checker needs to know of a platform.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contracts {
    /// Named schemas, `capability/Name`.
    #[serde(default)]
    pub types: BTreeMap<String, Schema>,
    /// Operations by `capability.operation`.
    #[serde(default)]
    pub operations: BTreeMap<String, OperationContract>,
    /// Events by `capability.event`.
    #[serde(default)]
    pub events: BTreeMap<String, EventContract>,
    /// Published flows by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub flows: BTreeMap<String, FlowContract>,
    /// The step budget.
    #[serde(default)]
    pub budget: Budget,
}

impl Contracts {
    /// What somebody has to own who calls an operation: resources that its output holds, and those that an event brings to
    /// which it leads.
    pub fn acquired_by<'a>(&'a self, operation: &'a OperationContract) -> impl Iterator<Item = &'a str> {
        let events = operation.leads_to.iter().filter_map(|event| self.events.get(event));
        let brought = events.flat_map(|event| &event.acquires);
        operation.acquires.iter().chain(brought).map(|acquired| acquired.resource.as_str())
    }

    /// The schema itself, references followed; a name that nothing declares is `None`.
    pub fn resolve<'a>(&'a self, schema: &'a Schema) -> Option<&'a Schema> {
        let mut schema = schema;
        for _ in 0..32 {
            match &schema.reference {
                None => return Some(schema),
                Some(name) => schema = self.types.get(name)?,
            }
        }
        None
    }

    /// The identity of an operation's contract with all types that it names: 32 hexadecimal digits. How old an answer may be is no
    /// part of it: no flow can tell.
    pub fn operation_hash(&self, name: &str) -> Option<String> {
        let operation = self.operations.get(name)?;
        let roots = [&operation.input, &operation.output].into_iter().chain(operation.rejections.values());
        match operation.staleness_ms {
            None => Some(self.hash(operation, roots)),
            Some(_) => Some(self.hash(&OperationContract { staleness_ms: None, ..operation.clone() }, roots)),
        }
    }

    /// The identity of an event's contract with all types that it names.
    pub fn event_hash(&self, name: &str) -> Option<String> {
        let event = self.events.get(name)?;
        Some(self.hash(event, [&event.key, &event.payload]))
    }

    fn hash<'a>(&'a self, contract: &impl Serialize, roots: impl IntoIterator<Item = &'a Schema>) -> String {
        let mut named = BTreeMap::new();
        let mut open: Vec<&str> = roots.into_iter().flat_map(Schema::references).collect();
        while let Some(name) = open.pop() {
            if let Some(schema) = self.types.get(name)
                && named.insert(name, schema).is_none()
            {
                open.extend(schema.references());
            }
        }
        let text = serde_json::to_vec(&(contract, named)).unwrap_or_default();
        blake3::hash(&text).to_hex()[..32].to_owned()
    }
}
