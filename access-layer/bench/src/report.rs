//! What was measured, as medians over the rounds: a table for people, the same as JSON. Arithmetic only; nothing is measured here.

pub(crate) mod extensions;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::machine::Machine;
use crate::rows::{self, Counts};

/// A measurement: how many orders a second, and how long one took.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Speed {
    pub(crate) orders_per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// What an order costs, in the middle of a measurement.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Cost {
    /// Statements as a batch sees them: one for all its orders.
    pub(crate) statements: f64,
    /// Statements as SQLite ran them: one for each item.
    pub(crate) executions: f64,
    pub(crate) commits: f64,
    pub(crate) orders_a_batch: f64,
    pub(crate) stretches: f64,
    pub(crate) stale: f64,
    pub(crate) journal_bytes: f64,
    pub(crate) written_bytes: f64,
    /// CPU time of the server's threads in microseconds, by name.
    pub(crate) server_cpu_us: BTreeMap<String, f64>,
    /// CPU time of the load generator in microseconds.
    pub(crate) generator_cpu_us: f64,
    /// How much of the machine other programs had meanwhile, in percent.
    pub(crate) others_percent: f64,
}

/// One part of one round.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Measured {
    pub(crate) speed: Speed,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cost: Option<Cost>,
}

/// All rounds of a part.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Series {
    rounds: Vec<Measured>,
}

/// A whole run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) program: String,
    pub(crate) callers: u32,
    pub(crate) seconds: u32,
    pub(crate) rounds: u32,
    pub(crate) skus: u32,
    pub(crate) echo: Series,
    pub(crate) uniform: Series,
    pub(crate) one_sku: Series,
    pub(crate) rows: Series,
    pub(crate) bids: Series,
    /// Bids that were decided, and those of them that were taken, over all rounds.
    pub(crate) bids_decided: u64,
    pub(crate) bids_taken: u64,
    /// Units of the one SKU that were on the shelf, and that were sold, over all rounds.
    pub(crate) one_sku_stock: u64,
    pub(crate) one_sku_sold: u64,
    pub(crate) inserted_rows: Counts,
    pub(crate) updated_rows: Counts,
}

impl Series {
    pub(crate) fn add(&mut self, measured: Measured) {
        self.rounds.push(measured);
    }

    /// The middle of a figure over the rounds; `None` if it was not measured.
    fn middle(&self, figure: impl Fn(&Measured) -> Option<f64>) -> Option<f64> {
        middle(self.rounds.iter().filter_map(figure).collect())
    }

    fn rounds_in_words(&self) -> String {
        let rates = self.rounds.iter().map(|one| format!("{:.0}", one.speed.orders_per_second));
        rates.collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn per_second(&self) -> Option<f64> {
        self.middle(|measured| Some(measured.speed.orders_per_second))
    }

    fn cost(&self, figure: impl Fn(&Cost) -> f64) -> Option<f64> {
        self.middle(|measured| measured.cost.as_ref().map(&figure))
    }

    /// Names of the server's threads, the busiest first, with their CPU time.
    fn threads(&self) -> Vec<(String, f64)> {
        let names: std::collections::BTreeSet<&String> = self
            .rounds
            .iter()
            .filter_map(|measured| measured.cost.as_ref())
            .flat_map(|cost| cost.server_cpu_us.keys())
            .collect();
        let time = |name: &String| {
            self.cost(|cost| cost.server_cpu_us.get(name).copied().unwrap_or(0.0)).unwrap_or(0.0)
        };
        let mut threads: Vec<(String, f64)> =
            names.into_iter().map(|name| (name.clone(), time(name))).collect();
        threads.sort_unstable_by(|a, b| b.1.total_cmp(&a.1));
        threads
    }
}

/// The middle of some figures; `None` of none.
pub(crate) fn middle(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_unstable_by(f64::total_cmp);
    let middle = figures.len() / 2;
    let upper = figures.get(middle)?;
    Some(if figures.len().is_multiple_of(2) { f64::midpoint(figures[middle - 1], *upper) } else { *upper })
}

impl Report {
    pub(crate) fn json(&self) -> serde_json::Value {
        let ratio = |of: &Series, to: &Series| Some(of.per_second()? / to.per_second()?);
        serde_json::json!({
            "run": self,
            "medians": {
                "echo_per_second": self.echo.per_second(),
                "rows_per_second": self.rows.per_second(),
                "uniform_per_second": self.uniform.per_second(),
                "one_sku_per_second": self.one_sku.per_second(),
                "bids_per_second": self.bids.per_second(),
                "uniform_to_echo": ratio(&self.uniform, &self.echo),
                "uniform_to_rows": ratio(&self.uniform, &self.rows),
                "one_sku_to_uniform": ratio(&self.one_sku, &self.uniform),
            },
        })
    }

    pub(crate) fn text(&self) -> String {
        let mut text = self.head();
        self.speeds(&mut text);
        self.costs(&mut text);
        text
    }

    fn head(&self) -> String {
        format!(
            "Checkout: fixed price, paid on invoice, two lines, over HTTP, SQLite, flushed before an answer\n\
             {}\n{}, {} callers in a closed loop on the same cores, {} SKUs, {} rounds of {} s; medians\n",
            self.machine, self.program, self.callers, self.skus, self.rounds, self.seconds,
        )
    }

    fn speeds(&self, text: &mut String) {
        let parts = [
            ("bare axum JSON echo", &self.echo),
            ("the same rows, written by hand", &self.rows),
            ("Mortise, all SKUs", &self.uniform),
            ("Mortise, all callers on one SKU", &self.one_sku),
            ("Mortise, bids in one auction", &self.bids),
        ];
        line(
            text,
            format_args!(
                "\n{:<34}{:>10}{:>10}{:>10}{:>10}{:>10}",
                "", "a second", "p50 ms", "p99 ms", "to echo", "to rows"
            ),
        );
        for (name, series) in parts {
            let Some(rate) = series.per_second() else { continue };
            let latency = |figure: fn(&Speed) -> f64| {
                let ms = series.middle(|measured| Some(figure(&measured.speed))).filter(|ms| *ms > 0.0);
                ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.2}"))
            };
            let to = |other: &Series| {
                other.per_second().map_or_else(|| "-".to_owned(), |other| format!("{:.3}", rate / other))
            };
            let (p50, p99) = (latency(|speed| speed.p50_ms), latency(|speed| speed.p99_ms));
            line(
                text,
                format_args!(
                    "{name:<34}{rate:>10.0}{p50:>10}{p99:>10}{:>10}{:>10}",
                    to(&self.echo),
                    to(&self.rows)
                ),
            );
        }
        if let (Some(one), Some(all)) = (self.one_sku.per_second(), self.uniform.per_second()) {
            let (stock, sold) = (self.one_sku_stock, self.one_sku_sold);
            line(
                text,
                format_args!(
                    "one SKU is {:.0} % of all SKUs; of {stock} units {sold} were sold",
                    100.0 * one / all
                ),
            );
        }
        if let (Some(rate), 1..) = (self.bids.per_second(), self.bids_decided) {
            let (decided, taken) = (self.bids_decided, self.bids_taken);
            let taken_rate = rate * taken as f64 / decided as f64;
            line(
                text,
                format_args!(
                    "of {decided} bids {taken} were taken ({taken_rate:.0} a second), the others were overtaken on their way; leader \
                     and price are those of the bids one by one"
                ),
            );
        }
        for (name, series) in parts {
            line(text, format_args!("  rounds: {name:<34}{}", series.rounds_in_words()));
        }
    }

    fn costs(&self, text: &mut String) {
        let (all, one, bids) = (&self.uniform, &self.one_sku, &self.bids);
        let shown =
            |figure: Option<f64>| figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.2}"));
        line(text, format_args!("\n{:<46}{:>12}{:>12}{:>12}", "Each costs", "all SKUs", "one SKU", "a bid"));
        let mut row = |name: &str, figure: &dyn Fn(&Cost) -> f64| {
            line(
                text,
                format_args!(
                    "  {name:<44}{:>12}{:>12}{:>12}",
                    shown(all.cost(figure)),
                    shown(one.cost(figure)),
                    shown(bids.cost(figure))
                ),
            );
        };
        row("statements, as a batch sees them", &|cost| cost.statements);
        row("statements, as SQLite ran them", &|cost| cost.executions);
        row("commits", &|cost| cost.commits);
        row("of them in a batch", &|cost| cost.orders_a_batch);
        row("stretches", &|cost| cost.stretches);
        row("stretches that ran again", &|cost| cost.stale);
        row("bytes of journal", &|cost| cost.journal_bytes);
        row("bytes written to the disk", &|cost| cost.written_bytes);
        let threads = if all.rounds.is_empty() { bids.threads() } else { all.threads() };
        for (name, _) in threads.into_iter().filter(|(_, us)| *us >= 0.5) {
            row(&format!("CPU us of {name}"), &|cost| cost.server_cpu_us.get(&name).copied().unwrap_or(0.0));
        }
        row("CPU us of the server", &|cost| cost.server_cpu_us.values().sum());
        row("CPU us of the load generator", &|cost| cost.generator_cpu_us);
        row("% of the machine for other programs", &|cost| cost.others_percent);
        if self.inserted_rows.is_empty() {
            return;
        }
        line(
            text,
            format_args!(
                "\nRows of an order (the second baseline writes them, {} orders a transaction)",
                rows::BATCH
            ),
        );
        for (what, counts) in [("inserted", &self.inserted_rows), ("updated", &self.updated_rows)] {
            line(text, format_args!("  {what}: {:.1}", counts.values().sum::<f64>()));
            for (table, count) in counts {
                line(text, format_args!("    {table:<42}{count:>12.2}"));
            }
        }
    }
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing into a string cannot fail.
    let _ = writeln!(text, "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(rates: &[f64]) -> Series {
        let measured = |rate: &f64| Measured {
            speed: Speed { orders_per_second: *rate, p50_ms: 1.0, p99_ms: 2.0 },
            cost: None,
        };
        Series { rounds: rates.iter().map(measured).collect() }
    }

    #[test]
    fn the_middle_is_of_the_rounds_that_were_measured() {
        assert_eq!(series(&[3.0, 1.0, 2.0]).per_second(), Some(2.0));
        assert_eq!(series(&[4.0, 1.0, 2.0, 3.0]).per_second(), Some(2.5));
        assert_eq!(series(&[]).per_second(), None);
        assert_eq!(series(&[1.0]).cost(|cost| cost.commits), None);
    }
}
