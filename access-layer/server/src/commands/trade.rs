//! `mortise trade show` and `mortise replay`: what a trade did, and whether its journal still says so. They read a data
//! directory and drive nothing.

use mortise_engine::{Entry, Happened, Journal, Note, Replayed, RetraceError, Timeline, TradeId};
use mortise_store::Access;
use mortise_types::TenantId;

use crate::cli::{Format, Replay, Trade, TradeShow};
use crate::compose::AtRest;
use crate::failure::{Exit, Failure};
use crate::place::Place;
use crate::{compose, print};

pub(super) async fn run(command: Trade) -> Result<Exit, Failure> {
    match command {
        Trade::Show(command) => show(command).await,
    }
}

async fn show(command: TradeShow) -> Result<Exit, Failure> {
    let (rest, ids) = found(&command.data.data, &command.tenant, &command.name).await?;
    for id in &ids {
        let timeline = mortise_engine::timeline(&rest.store, &rest.wired.registry, &rest.catalogue, id)
            .await
            .map_err(|error| failure(error, &command.tenant))?;
        match command.format {
            Format::Json => print::json(&timeline),
            Format::Text => print::line(told(&timeline)),
        }
    }
    Ok(Exit::Clean)
}

pub(super) async fn replay(command: Replay) -> Result<Exit, Failure> {
    let (rest, ids) = found(&command.data.data, &command.tenant, &command.name).await?;
    let mut exit = Exit::Clean;
    for id in &ids {
        let replayed = mortise_engine::replay(&rest.store, &rest.wired.registry, &rest.catalogue, id)
            .await
            .map_err(|error| failure(error, &command.tenant))?;
        if !replayed.differences.is_empty() {
            exit = Exit::Refused;
        }
        match command.format {
            Format::Json => print::json(&replayed),
            Format::Text => print::line(compared(&replayed)),
        }
    }
    Ok(exit)
}

async fn found(data: &Place, tenant: &str, name: &str) -> Result<(AtRest, Vec<TradeId>), Failure> {
    let rest = compose::at_rest(data, Access::Reading).await?;
    let of = TenantId::new(tenant).map_err(|error| Failure::unusable(error.to_string()))?;
    let ids =
        mortise_engine::find_trades(&rest.store, &of, name).await.map_err(|error| failure(error, tenant))?;
    Ok((rest, ids))
}

pub(crate) fn failure(error: RetraceError, tenant: &str) -> Failure {
    match error {
        RetraceError::Unknown(_) => Failure::refused(format!("{error} (tenant `{tenant}`)"))
            .mend("name the trade by its id or by its flow's key, such as the order's id; --tenant says whose it is"),
        RetraceError::Unreadable { .. } => {
            Failure::refused(error.to_string()).mend("`mortise verify` says what else is off in this directory")
        }
        RetraceError::Store(error) => error.into(),
    }
}

/// The timeline as lines: when, where, what, how long, money, what is held, who was asked.
fn told(timeline: &Timeline) -> String {
    let mut text = format!(
        "{} {} of {} on {} ({})\n",
        timeline.flow,
        timeline.key.as_deref().unwrap_or(&timeline.trade),
        timeline.scope.tenant,
        timeline.scope.line,
        timeline.scope.channel
    );
    text.push_str(&format!(
        "trade {}, version {} of the flow, began {}{}\n{}\n\n",
        timeline.trade,
        timeline.version,
        timeline.started_at,
        timeline.caller.as_ref().map(|caller| format!(" for customer {caller}")).unwrap_or_default(),
        timeline.position
    ));
    for entry in &timeline.entries {
        text.push_str(&line_of(entry, timeline));
    }
    for note in &timeline.attention {
        text.push_str(&noted(note));
    }
    text.trim_end().to_owned()
}

/// What a person was told, and what he decided about it.
fn noted(note: &Note) -> String {
    let Note { step, text, at, settled } = note;
    let step = if step.is_empty() { "the trade" } else { step };
    let mut line = format!("a person was told at {at} ({step}): {text}\n");
    if let Some(settled) = settled {
        line.push_str(&format!("  decided at {}: {}, {}\n", settled.at, settled.how, settled.reason));
    }
    line
}

fn line_of(entry: &Entry, timeline: &Timeline) -> String {
    let after = entry.at.as_millis() - timeline.started_at.as_millis();
    let mut line = format!("{:>12}  {:<28} {}", passed(after), entry.step, what(&entry.happened));
    if entry.took_ms > 0 {
        line.push_str(&format!(", took {}", passed(entry.took_ms)));
    }
    for (field, minor) in &entry.money {
        let amount = match &timeline.currency {
            Some(currency) => print::money(*minor, currency),
            None => minor.to_string(),
        };
        line.push_str(&format!("; {field} {amount}"));
    }
    for effect in &entry.held {
        line.push_str(&format!("; {} {} {}", effect.resource, effect.handle, effect.change));
    }
    for asked in &entry.extensions {
        line.push_str(&format!("; {} {} ({})", asked.extension, asked.outcome, asked.point));
    }
    line.push('\n');
    line
}

fn what(happened: &Happened) -> String {
    match happened {
        Happened::Began => "begins".to_owned(),
        Happened::Called { operation, outcome } => format!("{operation}: {outcome}"),
        Happened::TakenBack { operation, outcome } => format!("taken back by {operation}: {outcome}"),
        Happened::Came { event } => format!("{event} comes"),
        Happened::TimedOut => "its time is over".to_owned(),
        Happened::Cancelled => "is cancelled".to_owned(),
        Happened::Decided { decision } => format!("a person decides: {decision}"),
        Happened::Answered { answer, problem: None } => format!("answers: {answer}"),
        Happened::Answered { answer, problem: Some(problem) } => format!("answers: {answer} ({problem})"),
        Happened::Told { event } => format!("tells {event}"),
        Happened::PassedPivot => "passes its pivot".to_owned(),
        Happened::Moved { to } => format!("is moved to version {}", &to[..to.len().min(12)]),
        Happened::Held { problem } => format!("is held for a person: {problem}"),
        Happened::Noted { text } => format!("tells a person: {text}"),
        Happened::Ended { outcome } => format!("ends: {outcome}"),
    }
}

/// A time since the trade began, short: `0s`, `1.250s`, `30m 0s`, `2d 3h`; `-45.421s` by a clock that was behind the trade's.
fn passed(ms: i64) -> String {
    if ms < 0 {
        return format!("-{}", passed(ms.saturating_neg()));
    }
    let (days, hours) = (ms / 86_400_000, ms / 3_600_000 % 24);
    let (minutes, seconds, rest) = (ms / 60_000 % 60, ms / 1_000 % 60, ms % 1_000);
    match ms {
        ms if ms < 60_000 && rest == 0 => format!("{seconds}s"),
        ms if ms < 60_000 => format!("{seconds}.{rest:03}s"),
        ms if ms < 3_600_000 => format!("{minutes}m {seconds}s"),
        ms if ms < 86_400_000 => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

fn compared(replayed: &Replayed) -> String {
    let Replayed { trade, journal, records, inputs, calls, differences } = replayed;
    if *journal == Journal::NeverKept {
        return format!("trade {trade}: nothing to replay: a trade of one call leaves no journal");
    }
    let mut text =
        format!("trade {trade}: {records} records, {inputs} inputs, {calls} pure calls run again: ");
    if differences.is_empty() {
        return text + "as it is stored";
    }
    text.push_str(&format!("{} otherwise", differences.len()));
    for difference in differences {
        text.push_str(&format!(
            "\n  {}\n    stored:   {}\n    replayed: {}",
            difference.place, difference.stored, difference.replayed
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::passed;

    #[test]
    fn times_read_short() {
        let said = [0, 1_250, 61_000, 3_660_000, 90_000_000].map(passed);
        assert_eq!(said, ["0s", "1.250s", "1m 1s", "1h 1m", "1d 1h"]);
        assert_eq!([-45_421, -61_000].map(passed), ["-45.421s", "-1m 1s"]);
    }
}
