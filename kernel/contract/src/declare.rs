//! How a capability states its contract in Rust: typed inputs and outputs in, contracts as data out.
//! What does not fit the language's subset is refused here, when the program starts, never at a call.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::Value as Json;

use crate::contracts::{
    Acquires, CallTemplate, Contracts, Effect, EventContract, How, OperationContract, Settles, Tcc, Undo,
};
use crate::normalise::{Names, NormaliseError, normalise};
use crate::schema::{Schema, Type};
use crate::value::{Value, to_value};

/// A contract that cannot be declared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeclarationError {
    /// A Rust type is outside of the subset.
    #[error("{owner}: {source}")]
    Schema {
        /// The operation, event or type.
        owner: String,
        /// What does not fit.
        source: NormaliseError,
    },
    /// Something is declared twice, or two types of one name differ.
    #[error("`{0}` is declared twice, and differently")]
    Twice(String),
    /// An operation or event of another capability's name.
    #[error("`{0}` has to be a plain name: the capability's name is put before it")]
    Name(String),
}

/// Makes the schema of a rejection's detail.
type Detail = Box<dyn FnOnce(&mut SchemaGenerator) -> Json>;
type Build = Box<dyn FnOnce(&mut SchemaGenerator) -> Schemas>;

struct Schemas {
    first: Json,
    second: Json,
}

/// An operation on its way into a declaration.
pub struct Operation {
    name: &'static str,
    summary: &'static str,
    effect: Effect,
    schemas: Build,
    undo: Option<Undo>,
    tcc: Option<Tcc>,
    rejections: Vec<(&'static str, Detail)>,
    acquires: Vec<Acquires>,
    settles: Vec<Settles>,
    leads_to: Vec<String>,
    points: Vec<String>,
    events: Vec<String>,
    stale: bool,
    deadline_ms: Option<u64>,
    attempts: Option<u32>,
    staleness_ms: Option<u32>,
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operation")
            .field("name", &self.name)
            .field("effect", &self.effect)
            .finish_non_exhaustive()
    }
}

fn template(call: &str, with: Json) -> CallTemplate {
    CallTemplate { call: call.to_owned(), with: serde_json::from_value(with).unwrap_or_default() }
}

impl Operation {
    fn new<I: JsonSchema, O: JsonSchema>(name: &'static str, effect: Effect, summary: &'static str) -> Self {
        Self {
            name,
            summary,
            effect,
            schemas: Box::new(|generator| Schemas {
                first: generator.subschema_for::<I>().to_value(),
                second: generator.subschema_for::<O>().to_value(),
            }),
            undo: match effect {
                Effect::Pure | Effect::Read => Some(Undo::Nothing),
                Effect::Write | Effect::Remote => None,
            },
            tcc: None,
            rejections: Vec::new(),
            acquires: Vec::new(),
            settles: Vec::new(),
            leads_to: Vec::new(),
            points: Vec::new(),
            events: Vec::new(),
            stale: false,
            deadline_ms: (effect == Effect::Remote).then_some(5_000),
            attempts: (effect == Effect::Remote).then_some(4),
            staleness_ms: None,
        }
    }

    /// A function of its input and of extensions.
    pub fn pure<I: JsonSchema, O: JsonSchema>(name: &'static str, summary: &'static str) -> Self {
        Self::new::<I, O>(name, Effect::Pure, summary)
    }

    /// Reads the database.
    pub fn read<I: JsonSchema, O: JsonSchema>(name: &'static str, summary: &'static str) -> Self {
        Self::new::<I, O>(name, Effect::Read, summary)
    }

    /// Writes in the stretch's transaction.
    pub fn write<I: JsonSchema, O: JsonSchema>(name: &'static str, summary: &'static str) -> Self {
        Self::new::<I, O>(name, Effect::Write, summary)
    }

    /// Leaves the database; one attempt may take 5 s and there are 4 of them unless said otherwise.
    pub fn remote<I: JsonSchema, O: JsonSchema>(name: &'static str, summary: &'static str) -> Self {
        Self::new::<I, O>(name, Effect::Remote, summary)
    }

    /// There is nothing to take back.
    #[must_use]
    pub fn nothing_to_undo(mut self) -> Self {
        self.undo = Some(Undo::Nothing);
        self
    }

    /// Taken back by `call`; `with` is a template over `input` and `output`.
    #[must_use]
    pub fn undo(mut self, call: &str, with: Json) -> Self {
        self.undo = Some(Undo::Call(template(call, with)));
        self
    }

    /// The try of a triple: confirm and cancel, templates over `input` and `output`.
    #[must_use]
    pub fn tcc(mut self, confirm: (&str, Json), cancel: (&str, Json)) -> Self {
        self.tcc =
            Some(Tcc { confirm: template(confirm.0, confirm.1), cancel: template(cancel.0, cancel.1) });
        self
    }

    /// May be rejected with `code`, whose detail is a `D`.
    #[must_use]
    pub fn rejects<D: JsonSchema>(mut self, code: &'static str) -> Self {
        self.rejections.push((code, Box::new(|generator| generator.subschema_for::<D>().to_value())));
        self
    }

    /// The output's field `handle` holds `resource` until it is settled.
    #[must_use]
    pub fn acquires(mut self, resource: &str, handle: &str) -> Self {
        self.acquires.push(Acquires { resource: resource.into(), handle: handle.into() });
        self
    }

    /// The input's field `handle` gives `resource` back.
    #[must_use]
    pub fn releases(mut self, resource: &str, handle: &str) -> Self {
        self.settles.push(Settles { resource: resource.into(), handle: handle.into(), how: How::Release });
        self
    }

    /// The input's field `handle` uses `resource` up.
    #[must_use]
    pub fn consumes(mut self, resource: &str, handle: &str) -> Self {
        self.settles.push(Settles { resource: resource.into(), handle: handle.into(), how: How::Consume });
        self
    }

    /// An event, `capability.event`, may come from outside because of it. If it acquires, whoever calls has to wait for it.
    #[must_use]
    pub fn leads_to(mut self, event: &str) -> Self {
        self.leads_to.push(event.into());
        self
    }

    /// Opens an extension point.
    #[must_use]
    pub fn opens(mut self, point: &str) -> Self {
        self.points.push(point.into());
        self
    }

    /// Writes an event, `capability.event`.
    #[must_use]
    pub fn emits(mut self, event: &str) -> Self {
        self.events.push(event.into());
        self
    }

    /// May find that what was read before no longer holds.
    #[must_use]
    pub fn may_be_stale(mut self) -> Self {
        self.stale = true;
        self
    }

    /// How long one attempt of a remote operation may take, and how many there are before it is unavailable.
    #[must_use]
    pub fn deadline(mut self, deadline_ms: u64, attempts: u32) -> Self {
        self.deadline_ms = Some(deadline_ms);
        self.attempts = Some(attempts);
        self
    }

    /// How old an answer of a read may be that is asked for outside of any flow, in milliseconds: a standby may give it.
    #[must_use]
    pub fn may_lag(mut self, staleness_ms: u32) -> Self {
        self.staleness_ms = Some(staleness_ms);
        self
    }
}

/// An event on its way into a declaration.
pub struct Event {
    name: &'static str,
    summary: &'static str,
    key_from: &'static str,
    schemas: Build,
    acquires: Vec<Acquires>,
    late: Option<CallTemplate>,
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Event {
    /// An event with payload `P`, whose field `key_from`, a `K`, is what waits match.
    pub fn new<P: JsonSchema, K: JsonSchema>(
        name: &'static str,
        key_from: &'static str,
        summary: &'static str,
    ) -> Self {
        Self {
            name,
            summary,
            key_from,
            schemas: Box::new(|generator| Schemas {
                first: generator.subschema_for::<P>().to_value(),
                second: generator.subschema_for::<K>().to_value(),
            }),
            acquires: Vec::new(),
            late: None,
        }
    }

    /// The payload's field `handle` brings `resource`; `late` is called, over `event`, when nobody waits any more.
    #[must_use]
    pub fn acquires(mut self, resource: &str, handle: &str, late_call: &str, with: Json) -> Self {
        self.acquires.push(Acquires { resource: resource.into(), handle: handle.into() });
        self.late = Some(template(late_call, with));
        self
    }
}

/// The contract of one capability, growing.
pub struct Declaration {
    capability: &'static str,
    operations: Vec<Operation>,
    events: Vec<Event>,
}

impl std::fmt::Debug for Declaration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Declaration").field("capability", &self.capability).finish_non_exhaustive()
    }
}

impl Declaration {
    /// Nothing yet, for `capability` (the name before the dot: `purchase_limit`).
    pub const fn new(capability: &'static str) -> Self {
        Self { capability, operations: Vec::new(), events: Vec::new() }
    }

    /// With one operation more.
    #[must_use]
    pub fn operation(mut self, operation: Operation) -> Self {
        self.operations.push(operation);
        self
    }

    /// With one event more.
    #[must_use]
    pub fn event(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }

    /// The contracts as data.
    ///
    /// # Errors
    /// A type outside of the subset, a name that stands twice.
    pub fn finish(self) -> Result<Contracts, DeclarationError> {
        let capability = self.capability;
        let names = Names { capability };
        let mut generator = SchemaSettings::draft2020_12().into_generator();
        let mut contracts = Contracts::default();
        let mut inline = Inline { names: &names, raw: Vec::new() };
        for operation in self.operations {
            let (name, contract) = inline.operation(capability, operation, &mut generator)?;
            if contracts.operations.insert(name.clone(), contract).is_some() {
                return Err(DeclarationError::Twice(name));
            }
        }
        for event in self.events {
            let (name, contract) = inline.event(capability, event, &mut generator)?;
            if contracts.events.insert(name.clone(), contract).is_some() {
                return Err(DeclarationError::Twice(name));
            }
        }
        let definitions = generator.take_definitions(true);
        let mut types = BTreeMap::new();
        for (name, json) in &definitions {
            let schema = normalise(json, &names, "")
                .map_err(|source| DeclarationError::Schema { owner: names.qualify(name), source })?;
            types.insert(names.qualify(name), schema);
        }
        inline.unfold(&mut contracts, &types);
        contracts.types = types;
        keep_reachable(&mut contracts);
        Ok(contracts)
    }
}

/// Inputs, outputs and payloads stand in the contract itself; only what they name stands in `types`.
struct Inline<'a> {
    names: &'a Names<'a>,
    raw: Vec<String>,
}

impl Inline<'_> {
    fn schema(&mut self, owner: &str, json: &Json) -> Result<Schema, DeclarationError> {
        self.raw.push(owner.to_owned());
        normalise(json, self.names, "")
            .map_err(|source| DeclarationError::Schema { owner: owner.to_owned(), source })
    }

    fn operation(
        &mut self,
        capability: &str,
        operation: Operation,
        generator: &mut SchemaGenerator,
    ) -> Result<(String, OperationContract), DeclarationError> {
        let name = qualified(capability, operation.name)?;
        let schemas = (operation.schemas)(generator);
        let mut rejections = BTreeMap::new();
        for (code, detail) in operation.rejections {
            let detail = detail(generator);
            rejections.insert(code.to_owned(), self.schema(&name, &detail)?);
        }
        let contract = OperationContract {
            summary: operation.summary.to_owned(),
            effect: operation.effect,
            input: self.schema(&name, &schemas.first)?,
            output: self.schema(&name, &schemas.second)?,
            undo: operation.undo,
            tcc: operation.tcc,
            rejections,
            acquires: operation.acquires,
            settles: operation.settles,
            leads_to: operation.leads_to,
            points: operation.points,
            events: operation.events,
            stale: operation.stale,
            deadline_ms: operation.deadline_ms,
            attempts: operation.attempts,
            staleness_ms: operation.staleness_ms,
        };
        Ok((name, contract))
    }

    fn event(
        &mut self,
        capability: &str,
        event: Event,
        generator: &mut SchemaGenerator,
    ) -> Result<(String, EventContract), DeclarationError> {
        let name = qualified(capability, event.name)?;
        let schemas = (event.schemas)(generator);
        let contract = EventContract {
            summary: event.summary.to_owned(),
            key: self.schema(&name, &schemas.second)?,
            key_from: Some(event.key_from.to_owned()),
            payload: self.schema(&name, &schemas.first)?,
            acquires: event.acquires,
            late: event.late,
        };
        Ok((name, contract))
    }

    /// Replaces a top-level reference to a record by the record.
    fn unfold(&self, contracts: &mut Contracts, types: &BTreeMap<String, Schema>) {
        let unfold = |schema: &mut Schema| {
            if let Some(found) = schema.reference.as_ref().and_then(|name| types.get(name))
                && found.types.as_ref().and_then(crate::schema::Types::main) == Some(Type::Object)
            {
                *schema = found.clone();
            }
        };
        for operation in contracts.operations.values_mut() {
            unfold(&mut operation.input);
            unfold(&mut operation.output);
            operation.rejections.values_mut().for_each(unfold);
        }
        for event in contracts.events.values_mut() {
            unfold(&mut event.payload);
        }
    }
}

fn qualified(capability: &str, name: &str) -> Result<String, DeclarationError> {
    if name.contains('.') {
        Err(DeclarationError::Name(name.to_owned()))
    } else {
        Ok(format!("{capability}.{name}"))
    }
}

fn keep_reachable(contracts: &mut Contracts) {
    let roots = contracts
        .operations
        .values()
        .flat_map(|o| [&o.input, &o.output].into_iter().chain(o.rejections.values()))
        .chain(contracts.events.values().flat_map(|e| [&e.key, &e.payload]));
    let mut open: Vec<String> = roots.flat_map(Schema::references).map(str::to_owned).collect();
    let mut kept = BTreeMap::new();
    while let Some(name) = open.pop() {
        if let Some(schema) = contracts.types.get(&name)
            && kept.insert(name, schema.clone()).is_none()
        {
            open.extend(schema.references().into_iter().map(str::to_owned));
        }
    }
    contracts.types = kept;
}

impl Contracts {
    /// These contracts and those of `other` together.
    ///
    /// # Errors
    /// Two declarations of one name that differ.
    pub fn merge(&mut self, other: Contracts) -> Result<(), DeclarationError> {
        fn all<T: PartialEq>(
            into: &mut BTreeMap<String, T>,
            from: BTreeMap<String, T>,
        ) -> Result<(), DeclarationError> {
            for (name, value) in from {
                match into.get(&name) {
                    Some(old) if *old != value => return Err(DeclarationError::Twice(name)),
                    Some(_) => {}
                    None => {
                        into.insert(name, value);
                    }
                }
            }
            Ok(())
        }
        all(&mut self.types, other.types)?;
        all(&mut self.operations, other.operations)?;
        all(&mut self.events, other.events)
    }
}

/// The detail of a rejection that says nothing beyond its code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoDetail {}

impl NoDetail {
    /// The empty record.
    pub fn value() -> Value {
        to_value(&Self {}).unwrap_or_default()
    }
}
