//! `mortise policy set | list`: the choices by scope. What a choice means is its capability's.

use mortise_capability::PolicyRow;
use mortise_store::Access;
use mortise_types::{Clock as _, SystemClock};
use serde_json::json;

use crate::cli::{Format, Policy, PolicyList, PolicySet};
use crate::failure::{Exit, Failure};
use crate::{compose, print};

pub(super) async fn run(command: Policy) -> Result<Exit, Failure> {
    match command {
        Policy::Set(command) => set(command).await,
        Policy::List(command) => list(command).await,
    }
}

async fn set(command: PolicySet) -> Result<Exit, Failure> {
    let any = |part: &str| if part.is_empty() { "any".to_owned() } else { part.to_owned() };
    mortise_types::Scope::new(&command.tenant, &any(&command.line), &any(&command.channel))
        .map_err(|error| Failure::unusable(error.to_string()))?;
    let row = PolicyRow {
        tenant: command.tenant,
        line: command.line,
        channel: command.channel,
        name: command.name,
        document: super::read_text(&command.file)?,
    };
    let rest = compose::at_rest(&command.data.data, Access::Together).await?;
    let known: Vec<&str> = rest.wired.registry.policies().map(|known| known.name).collect();
    if !known.contains(&row.name.as_str()) {
        let problem = format!("there is no policy `{}`", row.name);
        return Err(Failure::unusable(problem).mend(format!("there are {}", known.join(", "))));
    }
    rest.wired.registry.accepts_policy(&row).map_err(|error| {
        Failure::refused(error.to_string()).mend("`mortise policy list` shows every field with its default")
    })?;
    let (where_, name) =
        (format!("{}/{}/{}", row.tenant, any(&row.line), any(&row.channel)), row.name.clone());
    mortise_engine::set_policy(&rest.store, &rest.wired.policies, row, SystemClock.now()).await?;
    print::line(format_args!("{name} is set for {where_}"));
    Ok(Exit::Clean)
}

async fn list(command: PolicyList) -> Result<Exit, Failure> {
    let scope = super::scope(&command.whose)?;
    let wired = match &command.data {
        None => compose::contracts_only(&compose::Own::None)?,
        Some(data) => {
            let rest = compose::at_rest(data, Access::Reading).await?;
            mortise_engine::load_policies(&rest.store, &rest.wired.policies).await?;
            rest.wired
        }
    };
    for known in wired.registry.policies() {
        let (version, choices) = known.holding(&wired.policies, &scope);
        match command.format {
            Format::Json => {
                print::json(&json!({"policy": known.name, "version": version, "choices": choices}))
            }
            Format::Text => {
                let text = serde_json::to_string_pretty(&choices).unwrap_or_default();
                print::line(format_args!("{} ({version})\n{text}", known.name));
            }
        }
    }
    Ok(Exit::Clean)
}
