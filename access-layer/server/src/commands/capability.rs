//! `mortise capability list | describe | export | call`: what the platform can do, as its contracts say, and single calls.
//! A pure operation runs against nothing, a reading one on a data directory, any other as a trade of one call.

use mortise_capability::Registry;
use mortise_contract::{CallTemplate, Contracts, Effect, OperationContract, Schema, Undo, Value};
use mortise_engine::{Engine, EngineError, Freshness, Mistake, ReadOutcome, Started, Trouble};
use mortise_flow::Answer;
use mortise_types::{CustomerId, Scope};
use serde_json::json;

use crate::cli::{Call, Capability, Format};
use crate::compose::{Answering, Opening, Own, Peers};
use crate::failure::{Exit, Failure};
use crate::place::Place;
use crate::{compose, print};

pub(super) async fn run(command: Capability) -> Result<Exit, Failure> {
    match command {
        Capability::List { extensions, format } => {
            list(&compose::contracts_only(&Own::described(&extensions)?)?.registry, format)
        }
        Capability::Describe { name, extensions, format } => {
            describe(&compose::contracts_only(&Own::described(&extensions)?)?.registry, &name, format)
        }
        Capability::Export { extensions } => {
            let text = serde_json::to_string_pretty(&compose::contracts(&Own::described(&extensions)?)?);
            print::line(text.map_err(|error| Failure::unusable(error.to_string()))?);
            Ok(Exit::Clean)
        }
        Capability::Call(command) => call(*command).await,
    }
}

const fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Pure => "pure",
        Effect::Read => "read",
        Effect::Write => "write",
        Effect::Remote => "remote",
    }
}

/// Whether an operation is a capability's: `pricing.quote`, `custom/instalments`.
fn is_of(capability: &str, operation: &str) -> bool {
    operation.strip_prefix(capability).is_some_and(|rest| rest.starts_with(['.', '/']))
}

fn list(registry: &Registry, format: Format) -> Result<Exit, Failure> {
    for (capability, summary) in registry.capabilities() {
        let all = registry.contracts().operations.iter();
        let operations: Vec<(&String, &OperationContract)> =
            all.filter(|(name, _)| is_of(capability, name)).collect();
        match format {
            Format::Json => {
                let operations: Vec<_> = operations
                    .iter()
                    .map(|(name, operation)| json!({"name": name, "effect": operation.effect, "summary": operation.summary}))
                    .collect();
                print::json(&json!({"capability": capability, "summary": summary, "operations": operations}));
            }
            Format::Text => {
                print::line(format_args!("{capability}: {summary}"));
                for (name, operation) in operations {
                    print::line(format_args!(
                        "  {name:<36} {:<7} {}",
                        word(operation.effect),
                        operation.summary
                    ));
                }
            }
        }
    }
    Ok(Exit::Clean)
}

fn describe(registry: &Registry, name: &str, format: Format) -> Result<Exit, Failure> {
    let contracts = registry.contracts();
    if let Some(operation) = contracts.operations.get(name) {
        show(name, operation, format, || operation_text(name, operation, contracts));
    } else if let Some(event) = contracts.events.get(name) {
        show(name, event, format, || {
            let mut text =
                format!("event {name}: {}\n\npayload\n{}", event.summary, fields(&event.payload, contracts));
            if let Some(late) = &event.late {
                text.push_str(&format!("\nif nobody waits for it any more: {}\n", template(late)));
            }
            text
        });
    } else if let Some(schema) = contracts.types.get(name) {
        show(name, schema, format, || format!("type {name}\n{}", fields(schema, contracts)));
    } else if let Some(page) = registry.page(name) {
        show(name, &page, format, || page.to_owned());
    } else if let Some((capability, summary)) = registry.capabilities().find(|(known, _)| *known == name) {
        let operations: Vec<_> = contracts.operations.keys().filter(|name| is_of(capability, name)).collect();
        for operation in operations {
            describe(registry, operation, format)?;
        }
        if format == Format::Text {
            print::line(format_args!("{capability}: {summary}"));
        }
    } else {
        let names = contracts.operations.keys().chain(contracts.events.keys()).map(String::as_str);
        return Err(unknown(name, names.chain(registry.capabilities().map(|(name, _)| name))));
    }
    Ok(Exit::Clean)
}

fn show(name: &str, contract: &impl serde::Serialize, format: Format, text: impl FnOnce() -> String) {
    match format {
        Format::Json => print::json(&json!({"name": name, "contract": contract})),
        Format::Text => print::line(text()),
    }
}

fn operation_text(name: &str, operation: &OperationContract, contracts: &Contracts) -> String {
    let mut text = format!("{name} ({}): {}\n\ninput\n", word(operation.effect), operation.summary);
    text.push_str(&fields(&operation.input, contracts));
    text.push_str("output\n");
    text.push_str(&fields(&operation.output, contracts));
    let mut say = |what: &str, words: String| {
        if !words.is_empty() {
            text.push_str(&format!("{what:<9} {words}\n"));
        }
    };
    say("rejects", operation.rejections.keys().cloned().collect::<Vec<_>>().join(", "));
    say(
        "undo",
        match &operation.undo {
            Some(Undo::Nothing) => "nothing to take back".to_owned(),
            Some(Undo::Call(call)) => template(call),
            None => "cannot be taken back".to_owned(),
        },
    );
    say(
        "acquires",
        operation
            .acquires
            .iter()
            .map(|a| format!("{} ({})", a.resource, a.handle))
            .collect::<Vec<_>>()
            .join(", "),
    );
    say(
        "settles",
        operation
            .settles
            .iter()
            .map(|s| format!("{} ({})", s.resource, s.handle))
            .collect::<Vec<_>>()
            .join(", "),
    );
    say("leads to", operation.leads_to.join(", "));
    say("points", operation.points.join(", "));
    say("events", operation.events.join(", "));
    let lag = |ms: u32| format!("up to {ms} ms where a replica answers; never in a flow");
    say("may lag", operation.staleness_ms.map(lag).unwrap_or_default());
    text
}

fn template(call: &CallTemplate) -> String {
    format!("{} {}", call.call, call.with.to_json())
}

/// A schema's fields, a line each, and beneath a list of records those of a row; what is deeper is described by its name.
fn fields(schema: &Schema, contracts: &Contracts) -> String {
    let mut text = own_fields(schema, contracts, "  ");
    let lists = contracts.resolve(schema).into_iter().flat_map(|schema| &schema.properties);
    for (name, field) in lists {
        let row = contracts.resolve(field).and_then(|list| contracts.resolve(list.items.as_deref()?));
        if let Some(row) = row.filter(|row| !row.properties.is_empty()) {
            text.push_str(&format!("  each of {name}\n{}", own_fields(row, contracts, "    ")));
        }
    }
    text
}

fn own_fields(schema: &Schema, contracts: &Contracts, indent: &str) -> String {
    let resolved = contracts.resolve(schema).unwrap_or(schema);
    let mut text = String::new();
    for (name, field) in &resolved.properties {
        let need = if resolved.required.contains(name) { "" } else { "?" };
        let about = field.description.as_deref().or_else(|| contracts.resolve(field)?.description.as_deref());
        let about = about.unwrap_or_default().lines().next().unwrap_or_default();
        text.push_str(&format!("{indent}{:<24} {:<28} {about}\n", format!("{name}{need}"), kind(field)));
    }
    if resolved.properties.is_empty() {
        text.push_str(&format!("{indent}{}\n", kind(resolved)));
    }
    text
}

fn kind(schema: &Schema) -> String {
    if let Some(name) = &schema.reference {
        return name.clone();
    }
    let base = match (&schema.items, &schema.types) {
        (Some(items), _) => format!("list of {}", kind(items)),
        (None, _) if !schema.allowed.is_empty() => schema
            .allowed
            .iter()
            .map(|word| word.as_str().map_or_else(|| word.to_json(), str::to_owned))
            .collect::<Vec<_>>()
            .join(" | "),
        (None, Some(types)) => types.main().map_or("null", mortise_contract::Type::name).to_owned(),
        (None, None) => "anything".to_owned(),
    };
    let unit = schema.unit.and_then(|unit| serde_json::to_value(unit).ok());
    match unit.as_ref().and_then(|unit| unit.as_str()).or(schema.format.as_deref()) {
        Some(unit) => format!("{base} ({unit})"),
        None => base,
    }
}

/// There is nothing of this name.
pub(super) fn unknown<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Failure {
    let failure = Failure::unusable(format!("there is no `{name}`"));
    match mortise_types::nearest(name, known) {
        Some(near) => failure.mend(format!("did you mean `{near}`? `mortise capability list` shows all")),
        None => failure.mend("`mortise capability list` shows what there is"),
    }
}

async fn call(command: Call) -> Result<Exit, Failure> {
    let wired = compose::contracts_only(&Own::described(&command.extensions)?)?;
    let contracts = wired.registry.contracts();
    let Some(operation) = contracts.operations.get(&command.name) else {
        return Err(unknown(&command.name, contracts.operations.keys().map(String::as_str)));
    };
    let scope = super::scope(&command.whose)?;
    let caller = command.customer.as_deref().map(CustomerId::new).transpose();
    let caller = caller.map_err(|error| Failure::unusable(error.to_string()))?;
    let input = mortise_contract::json(&super::read_text(&command.input)?)
        .map_err(|error| Failure::unusable(format!("{}: {error}", command.input.display())))?;
    let nowhere;
    let data: Place = match (&command.data, operation.effect) {
        (Some(data), _) => data.clone(),
        (None, Effect::Pure) => {
            nowhere = tempfile::tempdir().map_err(|error| Failure::unusable(error.to_string()))?;
            nowhere.path().to_owned().into()
        }
        (None, effect) => {
            let sentence = format!("`{}` is a {} operation, which needs data", command.name, word(effect));
            return Err(Failure::unusable(sentence).mend("name a data directory with --data"));
        }
    };
    let answering = Answering::named_or_deployed(&command.extensions, &data)?;
    let peers = Peers::new(&command.peers, "http://127.0.0.1:8080");
    let engine = compose::idle(Opening { answering, ..Opening::of(&data, peers) }).await?;
    let answer = one_call(&engine, (scope, caller), (&command.name, operation.effect), input).await;
    engine.drain().await;
    let answer = answer?;
    print(&answer, command.format);
    Ok(match answer {
        Answer::Ok(_) => Exit::Clean,
        Answer::Failed { .. } => Exit::Refused,
    })
}

fn print(answer: &Answer, format: Format) {
    let document = match answer {
        Answer::Ok(output) => json!({ "output": output }),
        Answer::Failed { code, detail } => json!({ "rejected": { "code": code, "detail": detail } }),
    };
    match format {
        Format::Json => print::json(&document),
        Format::Text => match serde_json::to_string_pretty(&document) {
            Ok(text) => print::line(text),
            Err(error) => tracing::error!(%error, "an answer cannot be written"),
        },
    }
}

/// Runs one operation through the engine: reads at once, the others as a trade of one call.
pub(super) async fn one_call(
    engine: &Engine,
    (scope, caller): (Scope, Option<CustomerId>),
    (name, effect): (&str, Effect),
    input: Value,
) -> Result<Answer, Failure> {
    let refused = |error| match error {
        EngineError::Invalid(violations) => super::invalid(&format!("the input of `{name}`"), &violations),
        error => Failure::unusable(error.to_string()),
    };
    if matches!(effect, Effect::Pure | Effect::Read) {
        return Ok(
            match engine.read(scope, name, input, caller, Freshness::Current).await.map_err(refused)? {
                ReadOutcome::Done(output) => Answer::Ok(output),
                ReadOutcome::Rejected(rejection) => {
                    Answer::Failed { code: rejection.code, detail: rejection.detail }
                }
            },
        );
    }
    let answered = engine.call(scope, name, input, caller).await.map_err(refused)?.await;
    match answered {
        Ok(Started::Answered { answer, .. }) => Ok(answer),
        Ok(Started::Broken(Trouble { problem, mistake: Mistake::Ours })) => Err(Failure::unusable(problem)),
        Ok(Started::Broken(trouble)) => Err(Failure::refused(trouble.problem)),
        Ok(Started::KeyConflict | Started::IdempotencyMismatch) | Err(_) => {
            Err(Failure::unusable(format!("`{name}` was not answered; what it did is whole or nothing")))
        }
    }
}
