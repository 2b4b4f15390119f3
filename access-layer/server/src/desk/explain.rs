//! `ext explain`: who is asked in a scope, in which order and why; or who was asked in a trade, what each answered, who won
//! and why, from the trade's own journal.

use mortise_bindings::{Binding, Bindings, Place};
use mortise_contract::Value;
use mortise_deployments::began_at;
use mortise_engine::{PastCall, TradeId};
use mortise_flow::CallOutcome;
use mortise_types::{BusinessLine, Channel, Scope};
use serde_json::json;

use super::list::short;
use super::request::{Answer, Explain, Target};
use super::{Desk, tenant};
use crate::commands::trade;
use crate::failure::Failure;

impl Desk {
    pub(super) async fn explain(&self, wish: &Explain) -> Result<Answer, Failure> {
        match &wish.trade {
            None => self.explain_scope(wish).await,
            Some(name) => self.explain_trade(wish, name).await,
        }
    }

    async fn explain_scope(&self, wish: &Explain) -> Result<Answer, Failure> {
        let Target { tenant, line, channel } = &wish.target;
        let scope =
            Scope::new(tenant, line.as_deref().unwrap_or("main"), channel.as_deref().unwrap_or("api"));
        let scope = scope.map_err(|error| Failure::unusable(error.to_string()))?;
        let newest = self.registry.revisions(1).await?.into_iter().next();
        let all = newest.as_ref().map(|newest| newest.change.bindings.clone()).unwrap_or_default();
        let unusable = |error: mortise_bindings::BindingError| Failure::unusable(error.to_string());
        let bindings = Bindings::new(all).map_err(unusable)?;
        let tried = bindings.with_trials().map_err(unusable)?;
        let mut text = format!(
            "for {}/{}/{}, by revision {}\n",
            scope.tenant,
            scope.line,
            scope.channel,
            newest.map_or(0, |newest| newest.number)
        );
        let mut document = Vec::new();
        let mut points: Vec<&str> = bindings.all().iter().map(|binding| &*binding.point).collect();
        points.sort_unstable();
        points.dedup();
        for point in
            points.into_iter().filter(|point| wish.point.as_deref().is_none_or(|only| only == *point))
        {
            let asked = bindings.resolve(point, &scope);
            text.push_str(&format!("{point}\n"));
            if asked.is_empty() {
                text.push_str("  nobody is asked\n");
            }
            for (rank, binding) in asked.iter().enumerate() {
                text.push_str(&format!("  {}. {}\n", rank + 1, why_there(binding)));
            }
            let trial = tried.resolve(point, &scope).iter().find(|binding| !binding.rollout.is_live());
            if let Some(trial) = trial {
                text.push_str(&format!("  beside them: {}{}\n", why_there(trial), short(&trial.rollout)));
            }
            let ids: Vec<_> = asked.iter().map(|binding| binding.id()).collect();
            document.push(json!({ "point": point, "asked": ids, "trial": trial.map(|trial| trial.id()) }));
        }
        Ok(Answer {
            text: text.trim_end().to_owned(),
            document: json!({ "scope": scope, "points": document }),
        })
    }

    async fn explain_trade(&self, wish: &Explain, name: &str) -> Result<Answer, Failure> {
        let of = tenant(&wish.target.tenant)?;
        let failed = |error| trade::failure(error, &wish.target.tenant);
        let ids = mortise_engine::find_trades(&self.store, &of, name).await.map_err(failed)?;
        let (mut text, mut document) = (String::new(), Vec::new());
        for id in &ids {
            let calls = mortise_engine::past_calls(&self.store, &self.catalogue, id).await.map_err(failed)?;
            let told = self.told(id, &calls, wish.point.as_deref());
            text.push_str(&told.text);
            document.push(told.document);
        }
        Ok(Answer { text: text.trim_end().to_owned(), document: json!({ "trades": document }) })
    }

    fn told(&self, id: &TradeId, calls: &[PastCall], only: Option<&str>) -> Answer {
        let revision = began_at(&id.id).map(|began| self.live.snapshot().revision_of(began));
        let by = revision.map_or_else(String::new, |revision| format!(", on revision {revision}"));
        let mut text = format!("trade {}{by}\n", id.id);
        let mut document = Vec::new();
        for call in calls.iter().filter(|call| !call.extensions.is_empty()) {
            text.push_str(&format!("{} {}\n", call.step, call.operation));
            for (rank, asked) in call.extensions.iter().enumerate() {
                if only.is_some_and(|only| only != asked.point) {
                    continue;
                }
                let counted = counted(call, &asked.extension);
                text.push_str(&format!(
                    "  {}. {} at {}: {}, {} units of fuel\n",
                    rank + 1,
                    asked.extension,
                    asked.point,
                    asked.outcome,
                    asked.fuel
                ));
                for place in &counted {
                    text.push_str(&format!("       counts: {place}\n"));
                }
                if counted.is_empty() && asked.outcome == "answered" {
                    text.push_str(
                        "       nothing of its answer counts: it had nothing to say, or others came first\n",
                    );
                }
                document.push(json!({
                    "step": call.step, "operation": call.operation, "point": asked.point, "extension": asked.extension,
                    "outcome": asked.outcome, "fuel": asked.fuel, "counts": counted,
                }));
            }
        }
        if document.is_empty() {
            text.push_str("  no extension was asked, or its journal is no longer kept\n");
        }
        let document = json!({ "trade": id.id, "revision": revision, "asked": document });
        Answer { text, document }
    }
}

/// `promo@1.0.0: the line's, priority 10`
fn why_there(binding: &Binding) -> String {
    let place = match binding.place() {
        Place::Tenant(_) => "the tenant's",
        Place::Channel(..) => "the channel's",
        Place::Line(..) => "the line's",
        Place::LineChannel(..) => "the line's on this channel",
    };
    let Binding { line, channel, priority, .. } = binding;
    let line = line.as_ref().map_or("*", BusinessLine::as_str);
    let channel = channel.as_ref().map_or("*", Channel::as_str);
    format!("{}: {place} ({line}/{channel}), priority {priority}", binding.id())
}

/// The places of a call's answer that name an extension: what counts of what it said.
fn counted(call: &PastCall, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    match &call.outcome {
        CallOutcome::Done(output) => search(output, extension, "", &mut found),
        CallOutcome::Rejected { code, detail } => search(detail, extension, code, &mut found),
        CallOutcome::Unavailable { .. } => {}
    }
    found
}

fn search(value: &Value, extension: &str, place: &str, found: &mut Vec<String>) {
    match value {
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                search(item, extension, &format!("{place}[{index}]"), found);
            }
        }
        Value::Record(record) => {
            let text = |name: &str| record.get(name).and_then(Value::as_str);
            let named = record.iter().any(|(_, field)| field.as_str() == Some(extension));
            let in_parts = text("source")
                .zip(text("version"))
                .is_some_and(|(source, version)| extension.split_once('@') == Some((source, version)));
            if named || in_parts {
                let plain =
                    record.iter().filter(|(_, field)| !matches!(field, Value::List(_) | Value::Record(_)));
                let said: Vec<String> =
                    plain.map(|(name, field)| format!("{name} {}", field.to_json())).collect();
                found.push(format!("{place}: {}", said.join(", ")));
                return;
            }
            for (name, field) in record.iter() {
                let dot = if place.is_empty() { "" } else { "." };
                search(field, extension, &format!("{place}{dot}{name}"), found);
            }
        }
        _ => {}
    }
}
