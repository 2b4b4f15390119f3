//! How a story reads: a line a step with its outcome and its money, the price proof where one is shown, the stock before and
//! after. With `--format json` a line is a JSON document.

use std::path::Path;

use serde_json::{Value as Json, json};

use crate::cli::Format;
use crate::print;

/// What a step came to.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// In words.
    outcome: String,
    /// Every amount at the top of the answer.
    money: Vec<(String, i64, String)>,
    /// A price proof, where the step shows one.
    proof: Option<Json>,
}

/// A figure of an item's stock before and after a scene.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) sku: String,
    pub(super) location: String,
    pub(super) figure: String,
    pub(super) was: i64,
    pub(super) now: i64,
}

impl Told {
    /// Something that is no answer.
    pub(super) fn said(outcome: String) -> Self {
        Self { outcome, ..Self::default() }
    }

    pub(super) fn of(status: u16, body: &Json, proof: Option<Json>) -> Self {
        let text = |name: &str| body.get(name).and_then(Json::as_str);
        let outcome = match (text("reason").or_else(|| text("code")), text("status")) {
            (Some(reason), _) if status >= 400 => format!("{status} {reason}"),
            (_, Some(state)) if status < 400 => format!("{status} {state}"),
            _ => status.to_string(),
        };
        let fields = body.as_object().into_iter().flatten();
        let money = fields.filter_map(|(name, value)| {
            amount(value).map(|(amount, currency)| (name.clone(), amount, currency))
        });
        Self { outcome, money: money.collect(), proof }
    }
}

fn amount(value: &Json) -> Option<(i64, String)> {
    let record = value.as_object().filter(|record| record.len() == 2)?;
    Some((record.get("amount")?.as_i64()?, record.get("currency")?.as_str()?.to_owned()))
}

/// Tells a story as it happens.
#[derive(Debug)]
pub(super) struct Teller {
    format: Format,
    scenes: usize,
}

impl Teller {
    pub(super) const fn new(format: Format) -> Self {
        Self { format, scenes: 0 }
    }

    /// Something between the scenes.
    pub(super) fn note(&self, event: &str, text: &str) {
        match self.format {
            Format::Text => print::line(text),
            Format::Json => print::json(&json!({"event": event, "text": text})),
        }
    }

    pub(super) fn scene(&mut self, scene: &str, line: &str, customer: &str) {
        self.scenes += 1;
        match self.format {
            Format::Text => {
                print::line(format_args!("\n{}. {scene}   ({customer}, line {line})", self.scenes))
            }
            Format::Json => print::json(
                &json!({"event": "scene", "number": self.scenes, "scene": scene, "line": line, "customer": customer}),
            ),
        }
    }

    pub(super) fn step(&self, step: &str, told: &Told) {
        if self.format == Format::Json {
            let money: serde_json::Map<String, Json> = told
                .money
                .iter()
                .map(|(name, amount, currency)| {
                    (name.clone(), json!({"amount": amount, "currency": currency}))
                })
                .collect();
            return print::json(
                &json!({"event": "step", "step": step, "outcome": told.outcome, "money": money, "proof": told.proof}),
            );
        }
        let money: Vec<String> = told
            .money
            .iter()
            .map(|(name, amount, currency)| format!("{name} {}", print::money(*amount, currency)))
            .collect();
        print::line(format_args!("   {step:<66} {:<20} {}", told.outcome, money.join(", ")));
        for line in told.proof.iter().flat_map(proof_lines) {
            print::line(format_args!("        {line}"));
        }
    }

    pub(super) fn stock(&self, changes: &[Change]) {
        if self.format == Format::Json {
            let changes: Vec<Json> = changes
                .iter()
                .map(|c| json!({"sku": c.sku, "location": c.location, "figure": c.figure, "before": c.was, "after": c.now}))
                .collect();
            return print::json(&json!({"event": "stock", "changes": changes}));
        }
        let mut places: Vec<(&str, &str)> =
            changes.iter().map(|change| (&*change.sku, &*change.location)).collect();
        places.dedup();
        for (sku, location) in places {
            let figures = changes.iter().filter(|change| change.sku == sku && change.location == location);
            let figures: Vec<String> = figures
                .map(|change| match change.was == change.now {
                    true => format!("{} {}", change.figure, change.now),
                    false => format!("{} {} -> {}", change.figure, change.was, change.now),
                })
                .collect();
            print::line(format_args!("   stock of {sku} at {location}: {}", figures.join(", ")));
        }
    }

    /// Where the shop stays open.
    pub(super) fn serving(&self, server: &str, sandbox: &str, data: &Path) {
        if self.format == Format::Json {
            let (docs, openapi) = (format!("{server}/docs"), format!("{server}/openapi.json"));
            return print::json(
                &json!({"event": "serving", "server": server, "docs": docs, "openapi": openapi, "sandbox": sandbox, "data": data}),
            );
        }
        print::line(format_args!("\nserving on {server}"));
        print::line(format_args!("  the API, to read    {server}/docs"));
        print::line(format_args!("  and for programs    {server}/openapi.json"));
        print::line(format_args!("  provider, carrier   {sandbox}"));
        print::line(format_args!("  data                {}", data.display()));
        print::line("Ctrl-C ends it.");
    }

    pub(super) fn broken(&self, problem: &str) {
        match self.format {
            Format::Text => print::line(format_args!("   DOES NOT HOLD: {problem}")),
            Format::Json => print::json(&json!({"event": "broken", "problem": problem})),
        }
    }
}

/// From list price to payable amount, a line an adjustment.
fn proof_lines(proof: &Json) -> Vec<String> {
    let mut told = Vec::new();
    for part in ["lines", "fees"].into_iter().filter_map(|part| proof.get(part)?.as_array()).flatten() {
        let text = |of: &Json, name: &str| of.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let money = |of: &Json, name: &str| {
            of.get(name)
                .and_then(amount)
                .map_or_else(String::new, |(amount, currency)| print::money(amount, &currency))
        };
        let what = if part.get("sku").is_some() { text(part, "sku") } else { text(part, "kind") };
        let quantity =
            part.get("quantity").and_then(Json::as_i64).map_or_else(String::new, |n| format!("{n} x "));
        told.push(format!("{:<34} {:>14}  list price", format!("{quantity}{what}"), money(part, "list")));
        for adjustment in part.get("adjustments").and_then(Json::as_array).into_iter().flatten() {
            let source = format!("{} {}", text(adjustment, "kind"), text(adjustment, "source"));
            told.push(format!(
                "  {source:<32} {:>14}  {}",
                money(adjustment, "amount"),
                text(adjustment, "reason")
            ));
        }
        told.push(format!("  {:<32} {:>14}", "to pay", money(part, "payable")));
    }
    told
}
