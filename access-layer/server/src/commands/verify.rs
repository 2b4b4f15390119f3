//! `mortise verify`: every invariant of a platform's data, and, where a sandbox is named, our books beside its own. It drives
//! no trade and changes nothing; what is off is named.

use std::sync::Arc;

use mortise_capability::{Call, CallContext, Finding, Handler, Outcome, Staleness};
use mortise_contract::Value;
use mortise_store::Access;
use mortise_types::{Clock as _, IdSource as _, Scope, SystemClock, SystemIds, TenantId};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::cli::{Format, Verify};
use crate::compose::AtRest;
use crate::failure::{Exit, Failure};
use crate::{compose, print};

/// What the engine checks of its own, for the count.
const ENGINE_CHECKS: usize = 4;

pub(super) async fn run(command: Verify) -> Result<Exit, Failure> {
    let rest = compose::at_rest(&command.data.data, Access::Reading).await?;
    let mut found = mortise_engine::verify(&rest.store, &rest.wired.registry, &rest.catalogue).await?;
    let mut checks = ENGINE_CHECKS + rest.wired.registry.checks().count();
    if let Some(sandbox) = &command.sandbox {
        let book = book(sandbox).await?;
        found.extend(
            payments(&rest, &book)
                .await?
                .into_iter()
                .map(|finding| ("the provider's book".to_owned(), finding)),
        );
        found.extend(
            shipments(&rest, &book)
                .await?
                .into_iter()
                .map(|finding| ("the carrier's book".to_owned(), finding)),
        );
        checks += 2;
    }
    report(&found, checks, command.format);
    Ok(if found.is_empty() { Exit::Clean } else { Exit::Refused })
}

fn report(found: &[(String, Finding)], checks: usize, format: Format) {
    if format == Format::Json {
        let findings: Vec<_> = found
            .iter()
            .map(|(check, Finding { subject, problem })| json!({"check": check, "subject": subject, "problem": problem}))
            .collect();
        return print::json(&json!({"clean": found.is_empty(), "checks": checks, "findings": findings}));
    }
    for (check, Finding { subject, problem }) in found {
        print::line(format_args!("{check}: {subject}: {problem}"));
    }
    match found.len() {
        0 => print::line(format_args!("{checks} checks, nothing is off")),
        1 => print::line(format_args!("{checks} checks, 1 thing is off")),
        count => print::line(format_args!("{checks} checks, {count} things are off")),
    }
}

async fn book(sandbox: &str) -> Result<String, Failure> {
    let url = format!("{}/_control/book", sandbox.trim_end_matches('/'));
    let unreached = |error: reqwest::Error| {
        Failure::unusable(format!("{url}: {error}"))
            .mend("start the sandbox whose book is meant, or leave --sandbox out")
    };
    let response =
        reqwest::get(&url).await.and_then(reqwest::Response::error_for_status).map_err(unreached)?;
    response.text().await.map_err(unreached)
}

async fn payments(rest: &AtRest, book: &str) -> Result<Vec<Finding>, Failure> {
    let mut ours = Vec::new();
    for tenant in mortise_engine::tenants(&rest.store).await? {
        ours.extend(
            all::<mortise_payment_sandbox::OurPayment>(
                rest,
                &tenant,
                "payment.list",
                "payments",
                "payment_id",
            )
            .await?,
        );
    }
    let found = mortise_payment_sandbox::compare(&ours, book).map_err(|error| unreadable(&error))?;
    Ok(found
        .into_iter()
        .map(|off| Finding { subject: format!("payment {}", off.payment), problem: off.problem })
        .collect())
}

async fn shipments(rest: &AtRest, book: &str) -> Result<Vec<Finding>, Failure> {
    let mut ours = Vec::new();
    for tenant in mortise_engine::tenants(&rest.store).await? {
        ours.extend(
            all::<mortise_delivery_sandbox::OurShipment>(
                rest,
                &tenant,
                "delivery.list",
                "shipments",
                "shipment_id",
            )
            .await?,
        );
    }
    let found = mortise_delivery_sandbox::compare(&ours, book).map_err(|error| unreadable(&error))?;
    Ok(found
        .into_iter()
        .map(|off| Finding { subject: format!("shipment {}", off.shipment), problem: off.problem })
        .collect())
}

fn unreadable(error: &serde_json::Error) -> Failure {
    Failure::unusable(format!("the sandbox's book: {error}"))
}

/// Every page of a listing operation: `after` is the last one's id, and an empty page is the end.
async fn all<T: DeserializeOwned>(
    rest: &AtRest,
    tenant: &TenantId,
    operation: &str,
    list: &str,
    id: &str,
) -> Result<Vec<T>, Failure> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let input = Value::record(after.take().map(|last: Value| ("after", last)));
        let page = read(rest, tenant, operation, input).await?;
        let page = page.get(list).and_then(Value::as_list).unwrap_or_default();
        let Some(last) = page.last() else { return Ok(all) };
        after = last.get(id).cloned();
        for item in page {
            all.push(
                mortise_contract::from_value(item)
                    .map_err(|error| Failure::unusable(format!("`{operation}`: {error}")))?,
            );
        }
    }
}

/// A read operation without an engine.
async fn read(rest: &AtRest, tenant: &TenantId, operation: &str, input: Value) -> Result<Value, Failure> {
    let Some(Handler::Read(run)) = rest.wired.registry.handler(operation).cloned() else {
        return Err(Failure::unusable(format!("there is no read operation `{operation}`")));
    };
    let scope =
        Scope::new(tenant.as_str(), "any", "verify").map_err(|error| Failure::unusable(error.to_string()))?;
    let call: Arc<str> = SystemIds.next().simple().to_string().into();
    let context = CallContext {
        scope,
        now: SystemClock.now(),
        trade: Arc::clone(&call),
        call,
        caller: None,
        staleness: Staleness::Decide,
    };
    let calls = [Call { context: Arc::new(context), input }];
    let replies = rest.store.read(async move |reader| run(reader, &calls).await).await?;
    match replies.into_iter().next().map(|reply| reply.outcome) {
        Some(Outcome::Done(output)) => Ok(output),
        other => Err(Failure::unusable(format!("`{operation}` answered {other:?}"))),
    }
}
