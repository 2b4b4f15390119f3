//! What a replay came to: the difference in money by order, SKU and department, with a histogram. Sums only.

use std::collections::BTreeMap;

use mortise_points::PointMoney;
use serde::Serialize;
use serde_json::json;

use super::request::Answer;
use crate::print;

/// Rows of a table that are printed.
const ROWS: usize = 10;
/// The longest bar of the histogram.
const BAR: usize = 40;
/// Upper ends of the histogram's steps, either way, in minor units.
const STEPS: [i64; 5] = [10, 100, 1_000, 10_000, i64::MAX];

/// One call, live and tried.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) failure: Option<String>,
    pub(super) live: Option<PointMoney>,
    pub(super) tried: Option<PointMoney>,
}

/// Live and tried, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct Sums {
    live_minor: i64,
    tried_minor: i64,
}

impl Sums {
    const fn difference(self) -> i64 {
        self.tried_minor.saturating_sub(self.live_minor)
    }
}

/// All of one currency.
#[derive(Debug, Default, Serialize)]
struct OfCurrency {
    orders: BTreeMap<String, Sums>,
    skus: BTreeMap<String, Sums>,
    departments: BTreeMap<String, Sums>,
}

/// What a replay came to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    orders: usize,
    calls: usize,
    failures: BTreeMap<String, usize>,
    currencies: BTreeMap<String, OfCurrency>,
}

impl Tally {
    /// Orders in which something was compared.
    pub(super) const fn orders(&self) -> usize {
        self.orders
    }

    /// Adds what was compared in an order.
    pub(super) fn add(&mut self, order: &str, compared: Vec<Compared>) {
        self.orders += usize::from(!compared.is_empty());
        for Compared { failure, live, tried } in compared {
            self.calls += 1;
            if let Some(why) = failure {
                *self.failures.entry(why).or_default() += 1;
            }
            if let (Some(live), Some(tried)) = (live, tried) {
                let sums = self.currencies.entry(live.currency.code().to_owned()).or_default();
                sums.take(order, &live, |sums| &mut sums.live_minor);
                sums.take(order, &tried, |sums| &mut sums.tried_minor);
            }
        }
    }

    /// For people and for programs.
    pub(super) fn answer(&self, extension: &str, looked_at: usize) -> Answer {
        let failed: usize = self.failures.values().sum();
        let mut text = format!(
            "{extension} on {} orders ({looked_at} trades looked at): {} calls, {failed} failed",
            self.orders, self.calls
        );
        for (why, count) in &self.failures {
            text.push_str(&format!("\n  {count} times: {why}"));
        }
        if self.calls == 0 {
            text.push_str("\nno stored order asks at its points in this scope; --tenant, --line and --channel say which");
        } else if self.currencies.is_empty() {
            text.push_str("\nits points are not about money: there is no difference to sum");
        }
        for (currency, sums) in &self.currencies {
            text.push_str(&sums.text(currency));
        }
        let document = json!({
            "extension": extension, "orders": self.orders, "calls": self.calls, "failures": self.failures,
            "currencies": self.currencies,
        });
        Answer { text, document }
    }
}

impl OfCurrency {
    fn take(&mut self, order: &str, money: &PointMoney, side: impl Fn(&mut Sums) -> &mut i64) {
        let add = |sums: &mut BTreeMap<String, Sums>, key: &str, minor: i64| {
            let of = side(sums.entry(key.to_owned()).or_default());
            *of = of.saturating_add(minor);
        };
        add(&mut self.orders, order, 0);
        for part in &money.parts {
            add(&mut self.orders, order, part.minor);
            add(&mut self.skus, part.sku.as_ref().map_or("(no item)", |sku| sku.as_str()), part.minor);
            add(&mut self.departments, part.department.as_deref().unwrap_or("(no department)"), part.minor);
        }
    }

    fn text(&self, currency: &str) -> String {
        let total = self.orders.values().fold(Sums::default(), |all, sums| Sums {
            live_minor: all.live_minor.saturating_add(sums.live_minor),
            tried_minor: all.tried_minor.saturating_add(sums.tried_minor),
        });
        let differing = self.orders.values().filter(|sums| sums.difference() != 0).count();
        let money = |minor| print::money(minor, currency);
        let mut text = format!(
            "\n{} live, {} tried: {} difference; {differing} of {} orders differ",
            money(total.live_minor),
            money(total.tried_minor),
            money(total.difference()),
            self.orders.len()
        );
        text.push_str("\n\ndifference an order");
        text.push_str(&histogram(self.orders.values().map(|sums| sums.difference()), currency));
        for (title, sums) in
            [("orders", &self.orders), ("SKUs", &self.skus), ("departments", &self.departments)]
        {
            text.push_str(&table(title, sums, currency));
        }
        text
    }
}

/// Those that differ most.
fn table(title: &str, sums: &BTreeMap<String, Sums>, currency: &str) -> String {
    let mut rows: Vec<(&String, &Sums)> = sums.iter().filter(|(_, sums)| sums.difference() != 0).collect();
    rows.sort_by_key(|(key, sums)| (std::cmp::Reverse(sums.difference().unsigned_abs()), *key));
    let mut text = format!("\n\n{title} by difference");
    if rows.is_empty() {
        text.push_str("\n  none differs");
    }
    for (key, sums) in rows.iter().take(ROWS) {
        text.push_str(&format!("\n  {key:<34} {:>16}", print::money(sums.difference(), currency)));
    }
    if rows.len() > ROWS {
        text.push_str(&format!("\n  and {} more; --format json has all", rows.len() - ROWS));
    }
    text
}

/// How many orders differ by how much.
fn histogram(differences: impl Iterator<Item = i64>, currency: &str) -> String {
    let mut counts = [0_usize; STEPS.len() * 2 + 1];
    for difference in differences {
        let step = STEPS.iter().position(|most| difference.unsigned_abs() <= most.unsigned_abs());
        let step = step.unwrap_or(STEPS.len() - 1);
        let bucket = match difference {
            0 => STEPS.len(),
            less if less < 0 => STEPS.len() - 1 - step,
            _ => STEPS.len() + 1 + step,
        };
        counts[bucket] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let mut text = String::new();
    for (bucket, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
        let bar = "#".repeat((count * BAR).div_ceil(most));
        text.push_str(&format!("\n  {:<34} {count:>6} {bar}", named(bucket, currency)));
    }
    text
}

fn named(bucket: usize, currency: &str) -> String {
    let middle = STEPS.len();
    if bucket == middle {
        return "none".to_owned();
    }
    let (word, step) =
        if bucket < middle { ("less", middle - 1 - bucket) } else { ("more", bucket - middle - 1) };
    let from = if step == 0 { 1 } else { STEPS[step - 1] + 1 };
    match STEPS[step] {
        i64::MAX => format!("{} or more {word}", print::money(from, currency)),
        to => format!("{} to {} {word}", print::money(from, currency), print::money(to, currency)),
    }
}

#[cfg(test)]
mod tests {
    use mortise_points::MoneyPart;
    use mortise_types::{Currency, Sku};

    use super::*;

    fn money(parts: &[(&str, &str, i64)]) -> Option<PointMoney> {
        let part = |(sku, department, minor): &(&str, &str, i64)| MoneyPart {
            sku: Some(Sku::new(*sku).unwrap()),
            department: Some((*department).into()),
            minor: *minor,
        };
        Some(PointMoney { currency: Currency::new("EUR").unwrap(), parts: parts.iter().map(part).collect() })
    }

    fn compared(live: &[(&str, &str, i64)], tried: &[(&str, &str, i64)]) -> Compared {
        Compared { failure: None, live: money(live), tried: money(tried) }
    }

    #[test]
    fn differences_are_summed_by_order_item_and_department() {
        let mut tally = Tally::default();
        let milk = |minor| ("milk", "DAIRY", minor);
        tally.add(
            "t1",
            vec![compared(&[milk(1000), ("rye", "BAKERY", 200)], &[milk(950), ("rye", "BAKERY", 200)])],
        );
        tally.add("t2", vec![compared(&[milk(1000)], &[milk(1000)]), compared(&[milk(10)], &[milk(5000)])]);
        tally.add("t3", vec![]);
        let failed = Compared {
            failure: Some("trapped: unreachable".to_owned()),
            live: money(&[milk(7)]),
            tried: money(&[milk(7)]),
        };
        tally.add("t4", vec![failed]);
        let Answer { text, document } = tally.answer("promo@2.0.0", 9);
        assert_eq!(tally.orders(), 3);
        for line in [
            "promo@2.0.0 on 3 orders (9 trades looked at): 4 calls, 1 failed",
            "1 times: trapped: unreachable",
            "22.17 EUR live, 71.57 EUR tried: 49.40 EUR difference; 2 of 3 orders differ",
            "0.11 EUR to 1.00 EUR less",
            "10.01 EUR to 100.00 EUR more",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        let sums = &document["currencies"]["EUR"];
        assert_eq!(sums["departments"]["DAIRY"], json!({ "live_minor": 2017, "tried_minor": 6957 }));
        assert_eq!(sums["skus"]["rye"], json!({ "live_minor": 200, "tried_minor": 200 }));
    }
}
