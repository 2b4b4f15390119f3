//! `ext list`: what is deployed, what trials have shown, and the history.

use mortise_bindings::{Binding, Rollout};
use mortise_deployments::{Revision, Seen};
use mortise_points::OnFailure;
use serde_json::json;

use super::Desk;
use super::request::{Answer, List};
use crate::failure::Failure;
use crate::print;

/// Orders that are named of a trial.
const FURTHEST: i64 = 3;

impl Desk {
    pub(super) async fn list(&self, wish: &List) -> Result<Answer, Failure> {
        let history = self.registry.revisions(wish.revisions.clamp(1, 1_000)).await?;
        let Some(newest) = history.first() else {
            let text = "nothing is deployed; `mortise ext deploy --help` shows how".to_owned();
            return Ok(Answer { text, document: json!({ "revision": null, "history": [] }) });
        };
        let mut text = format!("revision {}: {}\n", newest.number, made(newest));
        let (mut bindings, mut trials) = (newest.change.bindings.clone(), Vec::new());
        bindings.sort_by_key(|binding| {
            (binding.point.clone(), std::cmp::Reverse(binding.place()), binding.priority, binding.since)
        });
        if bindings.is_empty() {
            text.push_str("  nobody is bound\n");
        }
        for binding in &bindings {
            text.push_str(&format!("  {}\n", line(binding)));
            if binding.rollout.is_live() {
                continue;
            }
            let seen = self.registry.seen(binding).await?;
            let furthest = self.registry.furthest(binding, FURTHEST).await?;
            text.push_str(&figures(&seen));
            for (trade, currency, live, tried) in &furthest {
                let (live, tried) = (print::money(*live, currency), print::money(*tried, currency));
                text.push_str(&format!("      trade {trade}: {live} live, {tried} tried\n"));
            }
            trials.push(json!({ "extension": binding.id(), "point": binding.point, "since": binding.since, "seen": seen }));
        }
        text.push_str("history\n");
        for revision in &history {
            text.push_str(&format!("  {:>4}  {}\n", revision.number, made(revision)));
        }
        let document = json!({ "revision": newest, "trials": trials, "history": history });
        Ok(Answer { text: text.trim_end().to_owned(), document })
    }
}

/// `rollback to revision 3 by ada at ..., running trades too: why`
fn made(revision: &Revision) -> String {
    let Revision { made_at, made_by, change, .. } = revision;
    let back = change.restores.map(|restores| format!(" to revision {restores}")).unwrap_or_default();
    let hard = if change.withdrawn.is_empty() { "" } else { ", running trades too" };
    format!("{}{back} by {made_by} at {made_at}{hard}: {}", change.kind.word(), change.reason)
}

fn line(binding: &Binding) -> String {
    let on_failure = match binding.on_failure {
        OnFailure::Refuse => "refuse",
        OnFailure::Skip => "skip",
    };
    let live = if binding.rollout.is_live() { ", live" } else { "" };
    format!("{binding}{live}, on failure {on_failure}, since revision {}", binding.since)
}

/// What a trial has shown, in lines.
fn figures(seen: &[Seen]) -> String {
    let mut text = String::new();
    for seen in seen {
        let mean_us = seen.took_us / seen.calls.max(1);
        text.push_str(&format!(
            "      asked {} times for {} orders, {} failed, {mean_us} us a call",
            seen.calls, seen.orders, seen.failures
        ));
        if !seen.currency.is_empty() {
            let all = print::money(seen.difference_minor, &seen.currency);
            let mean = print::money(seen.off_minor / seen.orders.max(1), &seen.currency);
            text.push_str(&format!("; difference {all} in all, {mean} off an order"));
        }
        text.push('\n');
    }
    if text.is_empty() { "      not asked yet\n".to_owned() } else { text }
}

/// `canary 5%`, for tables.
pub(super) fn short(rollout: &Rollout) -> String {
    if rollout.is_live() { String::new() } else { format!(" ({rollout})") }
}
