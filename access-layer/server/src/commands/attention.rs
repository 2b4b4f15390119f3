//! `mortise attention`: what waits for a person, and what he decides about it. The trades that it decides about are driven as
//! far as they go; all others stay where they are.

use mortise_engine::{Choice, ChoiceError, Engine, Told, TradeId, Waiting};
use mortise_store::Access;
use mortise_types::TenantId;

use crate::cli::{Attention, AttentionList, Decide, Decided, Format};
use crate::compose::{Answering, Opening, Peers};
use crate::failure::{Exit, Failure};
use crate::{compose, print};

pub(super) async fn run(command: Attention) -> Result<Exit, Failure> {
    match command.decision {
        None => list(command.list).await,
        Some(Decide::Retry(decided)) => decide(decided, Choice::Retry).await,
        Some(Decide::Skip(decided)) => decide(decided, Choice::Skip).await,
        Some(Decide::Compensate(decided)) => decide(decided, Choice::Compensate).await,
        Some(Decide::Done(decided)) => decide(decided, Choice::Done).await,
    }
}

fn tenant(name: &str) -> Result<TenantId, Failure> {
    TenantId::new(name).map_err(|error| Failure::unusable(error.to_string()))
}

async fn list(command: AttentionList) -> Result<Exit, Failure> {
    let data = command.data.ok_or_else(|| Failure::unusable("--data is missing"))?;
    let rest = compose::at_rest(&data, Access::Reading).await?;
    let waiting = mortise_engine::waiting(&rest.store, &rest.catalogue, &tenant(&command.tenant)?).await?;
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
    let name = waiting.key.as_deref().unwrap_or(&waiting.trade);
    let mut text =
        format!("{} {name} on {} {} (trade {})", waiting.flow, waiting.line, waiting.standing, waiting.trade);
    for note in &waiting.notes {
        let step = if note.step.is_empty() { "the trade" } else { &note.step };
        text.push_str(&format!("\n  {} {step}: {}", note.at, note.text));
    }
    let choices = waiting.choices.iter().map(|choice| choice.name());
    text.push_str(&format!("\n  you can: {}", choices.collect::<Vec<_>>().join(", ")));
    text
}

async fn decide(command: Decided, choice: Choice) -> Result<Exit, Failure> {
    let Decided { name, reason, data, tenant: of, extensions, peers } = command;
    let tenant = tenant(&of)?;
    let answering = Answering::named_or_deployed(&extensions, &data.data)?;
    let peers = Peers::new(&peers, "http://127.0.0.1:9");
    let engine = compose::idle(Opening { answering, ..Opening::of(&data.data, peers) }).await?;
    let found = mortise_engine::find_trades(engine.store(), &tenant, &name).await;
    let ids = found.map_err(|error| super::trade::failure(error, &of))?;
    let [id] = ids.as_slice() else {
        let ids: Vec<&str> = ids.iter().map(|id| &*id.id).collect();
        return Err(Failure::refused(format!("several trades have the key `{name}`: {}", ids.join(", ")))
            .mend("name one of them by its id"));
    };
    let before = open_notes(&engine, id).await?;
    engine.choose(id, choice, &reason).await.map_err(refused)?;
    engine.rest().await;
    let after = open_notes(&engine, id).await?;
    let told = mortise_engine::timeline(engine.store(), engine.registry(), engine.catalogue(), id).await;
    let position = told.map_err(|error| super::trade::failure(error, &of))?.position;
    engine.drain().await;
    // Where a server may drive the trade, it takes the decision when it can.
    if !engine.store().is_shared() && before.iter().any(|note| after.contains(note)) {
        return Err(Failure::refused(format!("trade {} could not go on, and nothing is decided", id.id))
            .mend("the log says what failed; when that is mended, decide again"));
    }
    print::line(format_args!("trade {}: {position}", id.id));
    Ok(Exit::Clean)
}

/// What a person was told about the trade and nobody has settled.
async fn open_notes(engine: &Engine, id: &TradeId) -> Result<Vec<Told>, Failure> {
    let waiting = mortise_engine::waiting(engine.store(), engine.catalogue(), &id.tenant).await?;
    let found = waiting.into_iter().find(|waiting| *waiting.trade == *id.id);
    Ok(found.map(|waiting| waiting.notes).unwrap_or_default())
}

fn refused(error: ChoiceError) -> Failure {
    let sentence = error.to_string();
    match error {
        ChoiceError::NotWaiting(_) | ChoiceError::NotSo { .. } => Failure::refused(sentence)
            .mend("`mortise attention` lists what waits, and what can be done about it"),
        ChoiceError::PassedPivot(_) => {
            Failure::refused(sentence).mend("skip the held step, or start the trade that reverses this one")
        }
        ChoiceError::GoesBackward(_) => Failure::refused(sentence)
            .mend("retry or skip what holds it up; `mortise trade show` says where it stands"),
        ChoiceError::Store(error) => error.into(),
    }
}
