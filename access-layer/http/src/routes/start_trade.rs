//! `POST /v1/{tenant}/{line}/trades/{flow}`: starts a trade of a published flow and waits for its answer. The hot path:
//! the body is read once, into a value, and the answer is written from one. Where an extension maps bodies, it is asked
//! first.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use mortise_contract::{Schema, Text, Value};
use mortise_engine::{Published, StartRequest};
use mortise_flow::Begin;
use mortise_types::Scope;

use crate::answer::{Packing, answer};
use crate::app::App;
use crate::body::JsonBody;
use crate::caller::Caller;
use crate::customer;
use crate::edge::{CustomerField, Edge};
use crate::idempotency::{IdempotencyKey, Turn, request_hash};
use crate::mapping::{self, Mapped};
use crate::money;
use crate::place::Place;
use crate::problem::Problem;

pub(super) async fn handle(
    State(app): State<Arc<App>>,
    Place { scope, names: [flow] }: Place<1>,
    caller: Caller,
    key: IdempotencyKey,
    body: JsonBody,
) -> Result<Response, Problem> {
    if app.is_draining() {
        return Err(Problem::draining());
    }
    let catalogue = app.engine.catalogue();
    let public = |flow: &str| catalogue.find(&scope, flow).filter(|published| published.public);
    let published = public(&flow).ok_or_else(|| {
        let names = catalogue.names(&scope);
        Problem::unknown_flow(&flow, names.iter().map(|name| &**name).filter(|name| public(name).is_some()))
    })?;
    let edge = app.edges.flow(app.contracts(), &published);
    // What says nothing of a customer is about the whole shop, and staff's, as it is with reads.
    if edge.customer == CustomerField::None {
        caller.staff()?;
    }
    let hash = request_hash("trades", &flow, &body.0);
    let turn = app.under_way.enter(&key, &scope, &caller, hash)?;
    let (key, body) = (turn.kept.0.as_str(), &body);
    let request = mapping::Request { scope: &scope, flow: &flow, caller: &caller, key, body };
    let Mapped { input, by } = mapping::input(&app, request).await?;
    let start = Start { scope, flow, caller, published, edge };
    mapping::signed(start.trade(&app, input, turn).await, by.as_ref())
}

/// What is to be started, where and by whom.
struct Start {
    scope: Scope,
    flow: String,
    caller: Caller,
    published: Arc<Published>,
    edge: Arc<Edge>,
}

impl Start {
    async fn trade(self, app: &App, mut input: Value, mut turn: Turn) -> Result<Response, Problem> {
        let Self { scope, flow, caller, published, edge } = self;
        customer::fill(&mut input, edge.customer, &caller)?;
        let currency = currency(app, &scope, &published, &edge, &mut input)?;
        let begun = app.engine.begin_trade(StartRequest {
            scope: scope.clone(),
            flow,
            input,
            caller: caller.customer().cloned(),
            idempotency: Some(std::mem::take(&mut turn.kept)),
        })?;
        answer(app, (&scope, &caller), begun, Packing { edge, currency }).await
    }
}

/// The trade's currency; amounts of the input are unwrapped and checked against it.
fn currency(
    app: &App,
    scope: &Scope,
    published: &Published,
    edge: &Edge,
    input: &mut Value,
) -> Result<String, Problem> {
    let line_currency = || app.line_currency(scope).to_string();
    let said = said(app, published, input, scope);
    money::unwrap(input, &edge.input, said.as_deref())?;
    Ok(said.unwrap_or_else(line_currency))
}

/// What the flow's head says of this input; none if it says nothing. An input that leaves its currency to a default is
/// asked again with its defaults; one that does not fit is the engine's to refuse.
fn said(app: &App, published: &Published, input: &Value, scope: &Scope) -> Option<String> {
    let fields = [
        ("tenant", scope.tenant.as_str()),
        ("line", scope.line.as_str()),
        ("channel", scope.channel.as_str()),
    ];
    let scope = Value::record(fields.map(|(name, text)| (Text::Static(name), Value::from(text))));
    let begin = Begin { input: input.clone(), scope };
    published.program.currency(&begin).unwrap_or_else(|_| {
        let schema = app.contracts().resolve(published.program.input_schema())?;
        let input = with_defaults(schema, input)?;
        published.program.currency(&Begin { input, ..begin }).ok().flatten()
    })
}

/// The input with the defaults of its own fields; what lies deeper is left as it is.
fn with_defaults(schema: &Schema, input: &Value) -> Option<Value> {
    let mut record = input.as_record()?.clone();
    for (name, field) in &schema.properties {
        if let (None, Some(default)) = (record.get(name), &field.default) {
            record.insert(name.as_str(), default.clone());
        }
    }
    Some(Value::Record(record.into()))
}
