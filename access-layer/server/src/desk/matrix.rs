//! `ext matrix`: point by line, with the winner. Lines and channels without bindings of their own share an entry.

use std::collections::BTreeSet;

use mortise_bindings::{Binding, Bindings};
use mortise_types::{BusinessLine, Channel, Scope};
use serde_json::json;

use super::list::short;
use super::request::{Answer, Matrix};
use super::{Desk, tenant};
use crate::failure::Failure;

impl Desk {
    pub(super) async fn matrix(&self, wish: &Matrix) -> Result<Answer, Failure> {
        let tenant = tenant(&wish.tenant)?;
        let newest = self.registry.revisions(1).await?.into_iter().next();
        let all = newest.map(|newest| newest.change.bindings).unwrap_or_default();
        let all: Vec<Binding> = all.into_iter().filter(|binding| binding.tenant == tenant).collect();
        let bindings = Bindings::new(all).map_err(|error| Failure::unusable(error.to_string()))?;
        let table = Table::of(&bindings, &wish.tenant)?;
        Ok(Answer { text: table.text(), document: table.document() })
    }
}

/// Rows are a point and a channel, columns are lines; the last of each is what all others get.
struct Table {
    columns: Vec<String>,
    rows: Vec<(String, String, Vec<Cell>)>,
}

struct Cell {
    /// Those that are asked, the highest rank first.
    asked: Vec<String>,
    /// What is tried beside them.
    trial: Option<String>,
}

impl Table {
    fn of(bindings: &Bindings, tenant: &str) -> Result<Table, Failure> {
        let tried = bindings.with_trials().map_err(|error| Failure::unusable(error.to_string()))?;
        let points: BTreeSet<&str> = bindings.all().iter().map(|binding| &*binding.point).collect();
        let lines: BTreeSet<&str> = bindings
            .all()
            .iter()
            .filter_map(|binding| binding.line.as_ref().map(BusinessLine::as_str))
            .collect();
        let lines = with_others(lines);
        let mut rows = Vec::new();
        for point in points {
            let here = bindings.all().iter().filter(|binding| *binding.point == *point);
            let channels: BTreeSet<&str> =
                here.filter_map(|binding| binding.channel.as_ref().map(Channel::as_str)).collect();
            for (channel, shown) in with_others(channels) {
                let mut cells = Vec::new();
                for (line, _) in &lines {
                    let scope = Scope::new(tenant, line, &channel)
                        .map_err(|error| Failure::unusable(error.to_string()))?;
                    let asked = bindings.resolve(point, &scope).iter();
                    let trial =
                        tried.resolve(point, &scope).iter().find(|binding| !binding.rollout.is_live());
                    cells.push(Cell {
                        asked: asked.map(|binding| binding.id().to_string()).collect(),
                        trial: trial.map(|trial| format!("{}{}", trial.id(), short(&trial.rollout))),
                    });
                }
                rows.push((point.to_owned(), shown, cells));
            }
        }
        Ok(Table { columns: lines.into_iter().map(|(_, shown)| shown).collect(), rows })
    }

    fn text(&self) -> String {
        if self.rows.is_empty() {
            return "nobody is bound at any point".to_owned();
        }
        let mut rows = vec![[vec!["point".to_owned(), "channel".to_owned()], self.columns.clone()].concat()];
        for (point, channel, cells) in &self.rows {
            let mut row = vec![point.clone(), channel.clone()];
            row.extend(cells.iter().map(Cell::text));
            rows.push(row);
        }
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        rows.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn document(&self) -> serde_json::Value {
        let entries = self.rows.iter().flat_map(|(point, channel, cells)| {
            cells.iter().zip(&self.columns).map(move |(cell, line)| {
                json!({ "point": point, "line": line, "channel": channel, "asked": cell.asked, "trial": cell.trial })
            })
        });
        json!({ "matrix": entries.collect::<Vec<_>>() })
    }
}

impl Cell {
    /// `promo@1.0.0 +2 (promo@2.0.0 (canary 5%))`
    fn text(&self) -> String {
        let mut text = match self.asked.split_first() {
            None => "-".to_owned(),
            Some((winner, [])) => winner.clone(),
            Some((winner, others)) => format!("{winner} +{}", others.len()),
        };
        if let Some(trial) = &self.trial {
            text.push_str(&format!(", {trial}"));
        }
        text
    }
}

/// The names with a name for all others, which none of them has; each with what is shown for it.
fn with_others(named: BTreeSet<&str>) -> Vec<(String, String)> {
    let mut other = "other".to_owned();
    while named.contains(other.as_str()) {
        other.push('x');
    }
    let shown = if named.is_empty() { "all" } else { "others" };
    let named = named.into_iter().map(|name| (name.to_owned(), name.to_owned()));
    named.chain([(other, shown.to_owned())]).collect()
}
