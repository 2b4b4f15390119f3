//! The OpenAPI 3.1 document of a business line: its published flows, the operations of all capabilities, webhooks. Only
//! what can be asked for here stands in it.

use mortise_contract::{Effect, OperationContract, Schema};
use mortise_engine::Published;
use mortise_points::RequestMapping;
use mortise_types::Scope;
use serde_json::{Map, Value as Json, json};

use crate::app::App;
use crate::edge::{CUSTOMER_FIELD, CustomerField};
use crate::openapi::sample;
use crate::openapi::schema::{component, components, written};
use crate::query;
use crate::routes::follow::after_of;

/// What is published in `scope`, with paths that begin with `prefix`.
pub(crate) fn of(app: &App, scope: &Scope, prefix: &str) -> Json {
    let mut paths = Map::new();
    for name in app.engine.catalogue().names(scope) {
        if let Some(published) =
            app.engine.catalogue().find(scope, &name).filter(|published| published.public)
        {
            let mut item = json!({ "post": flow(app, &name, &published) });
            if app.settings.points.open::<RequestMapping>(scope).is_some() {
                maps_bodies(&mut item);
            }
            paths.insert(format!("{prefix}/trades/{name}"), item);
        }
    }
    paths.insert(format!("{prefix}/trades/{{id}}"), json!({ "get": trade() }));
    for (name, contract) in &app.contracts().operations {
        let Some((capability, operation)) = name.split_once('.') else { continue };
        match contract.effect {
            Effect::Pure => {}
            Effect::Read => {
                paths.insert(format!("{prefix}/read/{capability}/{operation}"), reads(app, name, contract));
                if after_of(app, contract).is_some() {
                    let path = format!("{prefix}/follow/{capability}/{operation}");
                    paths.insert(path, json!({ "get": follow(app, name, contract) }));
                }
            }
            Effect::Write | Effect::Remote if app.contracts().acquired_by(contract).next().is_none() => {
                let path = format!("{prefix}/operations/{capability}/{operation}");
                paths.insert(path, json!({ "post": staff(name, contract) }));
            }
            Effect::Write | Effect::Remote => {}
        }
    }
    let mut peers: Vec<&String> = app.hooks.keys().collect();
    peers.sort_unstable();
    for peer in peers {
        paths.insert(format!("{prefix}/hooks/{peer}"), json!({ "post": hook(peer) }));
    }
    paths.insert("/health/live".into(), json!({ "get": health("Whether the process runs.") }));
    paths.insert("/health/ready".into(), json!({ "get": health("Whether the server takes requests.") }));
    if prefix.contains('{') {
        parameters_of_scope(&mut paths, prefix);
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Mortise",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
        },
        "paths": paths,
    });
    let schemas = components(app.contracts(), &document);
    document["components"] = json!({ "schemas": schemas });
    add_examples(&mut document);
    document
}

/// A body to start from, for each that is taken.
fn add_examples(document: &mut Json) {
    let mut examples = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        if let Some(schema) = item.pointer("/post/requestBody/content/application~1json/schema") {
            examples.push((path.clone(), sample::of(document, schema)));
        }
    }
    for (path, example) in examples {
        document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"] = example;
    }
}

const DESCRIPTION: &str = "Publishing a flow is what creates its endpoint. Money is {amount, currency} in minor units; \
    time is RFC 3339 in UTC. A POST of a trade or an operation carries an Idempotency-Key: the same key gets the same bytes \
    back, with Idempotent-Replayed: true. Errors are problems (RFC 9457).";

fn parameters_of_scope(paths: &mut Map<String, Json>, prefix: &str) {
    let parameter =
        |name: &str| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } });
    for (path, item) in paths.iter_mut() {
        if let (true, Json::Object(item)) = (path.starts_with(prefix), item) {
            item.insert("parameters".into(), json!([parameter("tenant"), parameter("line")]));
        }
    }
}

fn flow(app: &App, name: &str, published: &Published) -> Json {
    let edge = app.edges.flow(app.contracts(), published);
    let fails = match published.fails.as_slice() {
        [] => String::new(),
        fails => format!(" `reason` is one of {}.", fails.join(", ")),
    };
    let mut parameters = vec![idempotency_key()];
    parameters.push(match edge.customer {
        CustomerField::None => staff_name(),
        field => customer(field),
    });
    json!({
        "operationId": format!("start-{name}"),
        "tags": ["trades"],
        "summary": published.summary,
        "parameters": parameters,
        "requestBody": body(&without_customer(published.program.input_schema())),
        "responses": {
            "200": answer("The trade's answer.", written(&published.answer)),
            "202": answer("The trade has not answered yet: ask Location again.", component("Running")),
            "409": problem("The first request with this key is still running, the trade's key is taken, or what is there does not allow it."),
            "422": problem(&format!("The trade was refused or went backward.{fails}")),
            "default": problem("Anything else."),
        },
    })
}

/// Extensions of this line are asked first what a body means; what they know is theirs to describe.
fn maps_bodies(item: &mut Json) {
    item["post"]["requestBody"]["description"] = json!(
        "What the flow takes. Another JSON body is taken too where an extension of this line (at the point \
         `request-mapping`) makes this of it."
    );
    for status in ["200", "202", "422"] {
        item["post"]["responses"][status]["headers"]["Mortise-Mapped-By"] = json!({
            "description": "The extension that made the flow's input of the body, as name@version; left out where none did.",
            "schema": { "type": "string" },
        });
    }
}

fn trade() -> Json {
    json!({
        "operationId": "get-trade",
        "tags": ["trades"],
        "summary": "A trade's answer, or that it is still under way.",
        "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
        "responses": {
            "200": answer("The trade's answer, as its POST would have got it.", json!({ "type": "object" })),
            "202": answer("The trade has not answered yet.", component("Running")),
            "default": problem("Anything else."),
        },
    })
}

fn reads(app: &App, name: &str, contract: &OperationContract) -> Json {
    let answers = || {
        json!({
            "200": answer("What was asked for.", written(&contract.output)),
            "422": problem(&rejections(contract)),
            "default": problem("Anything else."),
        })
    };
    let mut item = Map::new();
    if let Some(mut parameters) = query_parameters(app, contract) {
        parameters.extend(told_of(contract));
        item.insert(
            "get".into(),
            json!({
                "operationId": format!("read-{name}"),
                "tags": ["reads"],
                "summary": contract.summary,
                "parameters": parameters,
                "responses": answers(),
            }),
        );
    }
    let by_body = [caller_of(contract), told_of(contract)].concat();
    item.insert(
        "post".into(),
        json!({
            "operationId": format!("read-{name}-by-body"),
            "tags": ["reads"],
            "summary": contract.summary,
            "parameters": by_body,
            "requestBody": body(&without_customer(&contract.input)),
            "responses": answers(),
        }),
    );
    Json::Object(item)
}

fn follow(app: &App, name: &str, contract: &OperationContract) -> Json {
    let mut parameters = query_parameters(app, contract).unwrap_or_default();
    parameters.push(json!({
        "name": "Last-Event-ID", "in": "header", "schema": { "type": "string" },
        "description": "The id of the last event that was seen; a browser sends it by itself.",
    }));
    json!({
        "operationId": format!("follow-{name}"),
        "tags": ["reads"],
        "summary": format!("{} As server-sent events: an event an entry, its id the position.", contract.summary),
        "parameters": parameters,
        "responses": {
            "200": { "description": "The entries, as they come.", "content": { "text/event-stream": { "schema": { "type": "string" } } } },
            "default": problem("Anything else."),
        },
    })
}

fn staff(name: &str, contract: &OperationContract) -> Json {
    json!({
        "operationId": format!("run-{name}"),
        "tags": ["operations"],
        "summary": contract.summary,
        "parameters": [idempotency_key(), staff_name()],
        "requestBody": body(&contract.input),
        "responses": {
            "200": answer("The operation's output.", written(&contract.output)),
            "202": answer("The operation has not answered yet: ask Location again.", component("Running")),
            "422": problem(&rejections(contract)),
            "default": problem("Anything else."),
        },
    })
}

fn hook(peer: &str) -> Json {
    json!({
        "operationId": format!("hook-{peer}"),
        "tags": ["hooks"],
        "summary": format!("Signed messages of {peer}."),
        "requestBody": { "required": true, "content": { "*/*": { "schema": {} } } },
        "responses": {
            "204": { "description": "Everything that the message asks for is committed." },
            "401": problem("The signature does not match, is missing, or is too old."),
            "default": problem("Anything else: the message is to be sent again."),
        },
    })
}

fn health(summary: &str) -> Json {
    json!({
        "tags": ["health"],
        "summary": summary,
        "responses": { "200": { "description": "Yes." }, "503": problem("No.") },
    })
}

fn rejections(contract: &OperationContract) -> String {
    let codes: Vec<&str> = contract.rejections.keys().map(String::as_str).collect();
    if codes.is_empty() {
        "The input does not fit.".into()
    } else {
        format!("The input does not fit, or the answer is no: `reason` is one of {}.", codes.join(", "))
    }
}

/// The input as query parameters; none where a field that has to be there cannot be written so.
fn query_parameters(app: &App, contract: &OperationContract) -> Option<Vec<Json>> {
    let mut parameters = caller_of(contract);
    for (name, field) in &contract.input.properties {
        let required = contract.input.required.contains(name);
        match (name == CUSTOMER_FIELD, query::takes(app.contracts(), field)) {
            (true, _) => {}
            (false, true) => parameters.push(json!({
                "name": name, "in": "query", "required": required, "schema": written(field),
            })),
            (false, false) if required => return None,
            (false, false) => {}
        }
    }
    Some(parameters)
}

/// A customer's own, or the whole shop's, which is for staff.
fn caller_of(contract: &OperationContract) -> Vec<Json> {
    if contract.input.properties.contains_key(CUSTOMER_FIELD) {
        vec![customer(CustomerField::Required)]
    } else {
        vec![staff_name()]
    }
}

/// What a caller has been told of, where the answer may lag.
fn told_of(contract: &OperationContract) -> Vec<Json> {
    let of = |staleness_ms: u32| {
        json!({
            "name": "Mortise-Position", "in": "header", "required": false,
            "schema": { "type": "string", "pattern": "^[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}$" },
            "description": format!(
                "Where the platform has replicas, an answer may lag by up to {staleness_ms} ms, but it shows what lies before \
                 this position: the header of this name of an answer to a write."
            ),
        })
    };
    contract.staleness_ms.map(of).into_iter().collect()
}

fn staff_name() -> Json {
    json!({
        "name": "Mortise-Staff", "in": "header", "required": true, "schema": { "type": "string" },
        "description": "Who of the staff it is; from the same machine only, until staff can sign in.",
    })
}

fn customer(field: CustomerField) -> Json {
    json!({
        "name": "Mortise-Customer", "in": "header", "required": field == CustomerField::Required,
        "schema": { "type": "string" },
        "description": "Who asks; from the same machine only, until customers can sign in. It fills customer_id.",
    })
}

fn idempotency_key() -> Json {
    json!({
        "name": "Idempotency-Key", "in": "header", "required": true,
        "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
        "description": "New for each request, the same when it is repeated.",
    })
}

/// The caller fills it.
fn without_customer(schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    schema.properties.remove(CUSTOMER_FIELD);
    schema.required.remove(CUSTOMER_FIELD);
    schema
}

fn body(schema: &Schema) -> Json {
    json!({ "required": true, "content": { "application/json": { "schema": written(schema) } } })
}

fn answer(description: &str, schema: Json) -> Json {
    json!({ "description": description, "content": { "application/json": { "schema": schema } } })
}

fn problem(description: &str) -> Json {
    json!({ "description": description, "content": { "application/problem+json": { "schema": component("Problem") } } })
}
