//! `mortise attention`: what waits for a person, and what he decides about it. The trades that it decides about are driven as
//! far as they go; all others stay where they are.

use mortise_engine::{Choice, Decision, Happened, Standing, Timeline, TradeId, Waiting};
use mortise_types::{Clock as _, SystemClock, TenantId};

use crate::cli::{Attention, AttentionList, Decide, Decided, Format};
use crate::compose::{Answering, Opening, Peers};
use crate::failure::{Exit, Failure};
use crate::{compose, print};

pub(super) async fn run(command: Attention) -> Result<Exit, Failure> {
    match command.decision {
        None => list(command.list).await,
        Some(Decide::Retry(decided)) => decide(decided, "retry", Some(Decision::Retry)).await,
        Some(Decide::Skip(decided)) => decide(decided, "skip", Some(Decision::Skip)).await,
        Some(Decide::Compensate(decided)) => decide(decided, "compensate", Some(Decision::Compensate)).await,
        Some(Decide::Done(decided)) => decide(decided, "done", None).await,
    }
}

fn tenant(name: &str) -> Result<TenantId, Failure> {
    TenantId::new(name).map_err(|error| Failure::unusable(error.to_string()))
}

async fn list(command: AttentionList) -> Result<Exit, Failure> {
    let data = command.data.ok_or_else(|| Failure::unusable("--data is missing"))?;
    let rest = compose::at_rest(&data).await?;
    let waiting = mortise_engine::waiting(&rest.store, &tenant(&command.tenant)?).await?;
    if command.format == Format::Json {
        print::json(&waiting);
        return Ok(Exit::Clean);
    }
    for waiting in &waiting {
        print::line(told(waiting));
    }
    match waiting.len() {
        0 => print::line("nothing waits for a person"),
        1 => print::line("1 trade waits for a person"),
        count => print::line(format_args!("{count} trades wait for a person")),
    }
    Ok(Exit::Clean)
}

fn told(waiting: &Waiting) -> String {
    let standing = match waiting.standing {
        Standing::Held => "is held",
        Standing::GoesOn => "goes on",
        Standing::Over => "is over",
    };
    let name = waiting.key.as_deref().unwrap_or(&waiting.trade);
    let mut text =
        format!("{} {name} on {} {standing} (trade {})", waiting.flow, waiting.line, waiting.trade);
    for note in &waiting.notes {
        let step = if note.step.is_empty() { "the trade" } else { &note.step };
        text.push_str(&format!("\n  {} {step}: {}", note.at, note.text));
    }
    let choices = waiting.choices.iter().map(|choice| match choice {
        Choice::Retry => "retry",
        Choice::Skip => "skip",
        Choice::Compensate => "compensate",
        Choice::Done => "done",
    });
    text.push_str(&format!("\n  you can: {}", choices.collect::<Vec<_>>().join(", ")));
    text
}

async fn decide(command: Decided, how: &'static str, decision: Option<Decision>) -> Result<Exit, Failure> {
    let Decided { name, reason, data, tenant: of, extensions, peers } = command;
    let tenant = tenant(&of)?;
    let answering = Answering::open(&extensions, &data.data)?;
    let peers = Peers::new(&peers, "http://127.0.0.1:9");
    let engine = compose::idle(Opening { answering, ..Opening::of(&data.data, peers) }).await?;
    let found = mortise_engine::find_trades(engine.store(), &tenant, &name).await;
    let ids = found.map_err(|error| super::trade::failure(error, &of))?;
    let [id] = ids.as_slice() else {
        let ids: Vec<&str> = ids.iter().map(|id| &*id.id).collect();
        return Err(Failure::refused(format!("several trades have the key `{name}`: {}", ids.join(", ")))
            .mend("name one of them by its id"));
    };
    let waiting = mortise_engine::waiting(engine.store(), &tenant).await?;
    let Some(waiting) = waiting.iter().find(|waiting| *waiting.trade == *id.id) else {
        return Err(Failure::refused(format!("trade {} does not wait for a person", id.id))
            .mend("`mortise attention` lists what does"));
    };
    allowed(&engine, id, waiting, decision).await?;
    mortise_engine::settle(engine.store(), id, how, &reason, SystemClock.now()).await?;
    if let Some(decision) = decision {
        engine.decide(id.clone(), decision);
        engine.rest().await;
    }
    let position = timeline(&engine, id).await?.position;
    engine.drain().await;
    print::line(format_args!("trade {}: {position}", id.id));
    Ok(Exit::Clean)
}

/// Whether the decision is one that can be taken about a trade that stands so.
async fn allowed(
    engine: &mortise_engine::Engine,
    id: &TradeId,
    waiting: &Waiting,
    decision: Option<Decision>,
) -> Result<(), Failure> {
    let held = waiting.standing == Standing::Held;
    let refused = match decision {
        Some(Decision::Compensate) if passed_pivot(engine, id).await? => {
            return Err(Failure::refused(format!(
                "trade {} has passed its pivot: nothing takes it back",
                id.id
            ))
            .mend("skip the held step, or start the trade that reverses this one"));
        }
        Some(Decision::Compensate) => waiting.standing == Standing::Over,
        Some(Decision::Retry | Decision::Skip) => !held,
        None => held,
    };
    if refused {
        let sentence = format!("trade {} {}", id.id, if held { "is held" } else { "is not held" });
        return Err(Failure::refused(sentence).mend("`mortise attention` says what can be done about it"));
    }
    Ok(())
}

async fn passed_pivot(engine: &mortise_engine::Engine, id: &TradeId) -> Result<bool, Failure> {
    let timeline = timeline(engine, id).await?;
    Ok(timeline.entries.iter().any(|entry| entry.happened == Happened::PassedPivot))
}

async fn timeline(engine: &mortise_engine::Engine, id: &TradeId) -> Result<Timeline, Failure> {
    let told = mortise_engine::timeline(engine.store(), engine.registry(), engine.catalogue(), id).await;
    told.map_err(|error| super::trade::failure(error, id.tenant.as_str()))
}
