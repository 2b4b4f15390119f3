//! What a run found, in words for a person and as JSON for machines.
//! Adds up nothing that tally.rs and year.rs have not.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::chart::thousands;
use crate::data::{Skipped, Summary};
use crate::measure::per_second;
use crate::platform::Verified;
use crate::shop::{Count, Imported};
use crate::tally::{Share, Tally};
use crate::year::Open;

/// How many of the orders that came out wrong are shown one by one.
const SHOWN: usize = 10;

/// All that a run found.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) summary: &'a Summary,
    pub(crate) callers: usize,
    pub(crate) imported: Imported,
    pub(crate) year: &'a Tally,
    pub(crate) learned: &'a Tally,
    pub(crate) open: &'a BTreeMap<String, Open>,
    pub(crate) skipped: Skipped,
    pub(crate) verified: Verified,
}

impl Report<'_> {
    /// Whether everything that must come out to the cent did.
    pub(crate) fn holds(&self) -> bool {
        let sold = self.year.orders > 0 && self.year.holds() && self.learned.holds();
        sold && self.verified == Verified::Clean
    }

    /// The report for a person.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        self.write_imported(out)?;
        self.write_year(out)?;
        self.write_open(out)?;
        self.write_learned(out)?;
        let verified = match self.verified {
            Verified::Clean => "every invariant holds after the server was killed",
            Verified::Broken => "BROKEN  `mortise verify` found what it names above",
        };
        writeln!(out, "\nverified  {verified}")
    }

    fn write_imported(&self, out: &mut impl Write) -> io::Result<()> {
        let Imported { prices, discounts, stock } = self.imported;
        let Count { rows, elapsed } = self.imported.all();
        writeln!(
            out,
            "imported  {} prices, {} discounts, {} rows of stock in {:.1} s, {} rows/s",
            count(prices.rows),
            count(discounts.rows),
            count(stock.rows),
            elapsed.as_secs_f64(),
            thousands(per_second(rows, elapsed).round())
        )
    }

    fn write_year(&self, out: &mut impl Write) -> io::Result<()> {
        let currency = &self.summary.currency;
        writeln!(out, "\nBaskets whose prices the data tells without doubt, sold at the till's totals")?;
        writeln!(out, "  {} to the cent, {} {currency}", self.year.exact_share(), money(self.year.sold))?;
        self.write_speed(out, self.year)?;
        write_failures(out, self.year)?;
        writeln!(out, "\n  {:<20}{:>12}{:>18}", "department", "lines", currency)?;
        for (name, department) in self.departments(self.year) {
            writeln!(out, "  {name:<20}{:>12}{:>18}", count(department.lines.of), money(department.sold))?;
        }
        Ok(())
    }

    fn write_open(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "\nThe rest, by reason (each basket is listed in open.csv)")?;
        for (reason, open) in self.by_count() {
            let meaning = self.meaning(reason);
            writeln!(out, "  {:>8}  {:<24}{meaning}", count(open.baskets), reason)?;
        }
        let Skipped { fuel, quantity_zero } = self.skipped;
        writeln!(out, "  lines left out: {} of fuel, {} of quantity 0", count(fuel), count(quantity_zero))?;
        Ok(())
    }

    fn write_learned(&self, out: &mut impl Write) -> io::Result<()> {
        let tally = self.learned;
        writeln!(
            out,
            "\nNot circular: prices learned from the even baskets, tried on what the odd ones share with them"
        )?;
        if tally.orders == 0 {
            return writeln!(out, "  nothing is shared here");
        }
        writeln!(out, "  {} priced as the learned entries say", tally.exact_share())?;
        writeln!(out, "  {} of the lines at the till's amount", share(tally.lines()))?;
        writeln!(
            out,
            "  {} of the baskets that are known as a whole at the till's total",
            share(tally.whole)
        )?;
        writeln!(
            out,
            "  together {}, at the tills {} {}",
            money(tally.sold),
            money(tally.till),
            self.summary.currency
        )?;
        self.write_speed(out, tally)?;
        write_failures(out, tally)?;
        writeln!(out, "\n  {:<20}{:>12}{:>18}", "department", "lines", "at the till's")?;
        for (name, department) in self.departments(tally) {
            writeln!(out, "  {name:<20}{:>12}{:>18}", count(department.lines.of), percent(department.lines))?;
        }
        Ok(())
    }

    fn write_speed(&self, out: &mut impl Write, tally: &Tally) -> io::Result<()> {
        let milliseconds = |percent| tally.latencies.percentile(percent).as_secs_f64() * 1000.0;
        writeln!(
            out,
            "  {:.0} orders/s with {} callers, p50 {:.1} ms, p99 {:.1} ms",
            per_second(tally.orders, tally.elapsed),
            self.callers,
            milliseconds(50),
            milliseconds(99)
        )
    }

    fn departments<'a>(&'a self, tally: &'a Tally) -> Vec<(&'a str, &'a crate::tally::Department)> {
        let names = self.summary.departments.iter().map(String::as_str);
        let mut departments: Vec<_> =
            names.zip(&tally.departments).filter(|(_, it)| it.lines.of > 0).collect();
        departments.sort_by_key(|(_, it)| std::cmp::Reverse((it.sold, it.lines.of)));
        departments
    }

    fn by_count(&self) -> Vec<(&str, Open)> {
        let mut open: Vec<_> = self.open.iter().map(|(reason, open)| (reason.as_str(), *open)).collect();
        open.sort_by_key(|(reason, open)| (std::cmp::Reverse(open.baskets), *reason));
        open
    }

    fn meaning(&self, reason: &str) -> &str {
        let found = self.summary.reasons.iter().find(|(verdict, _)| verdict.name() == reason);
        found.map_or("", |(_, meaning)| meaning)
    }

    /// The report for machines; money in cents, durations in milliseconds.
    pub(crate) fn json(&self) -> Value {
        let open = self.open.iter().map(|(reason, open)| {
            (reason.clone(), json!({"baskets": open.baskets, "till_minor": open.till}))
        });
        json!({
            "holds": self.holds(),
            "verified": self.verified == Verified::Clean,
            "currency": self.summary.currency,
            "callers": self.callers,
            "imported": {
                "prices": count_json(self.imported.prices),
                "discounts": count_json(self.imported.discounts),
                "stock": count_json(self.imported.stock),
            },
            "year": self.tally_json(self.year),
            "learned": self.tally_json(self.learned),
            "open": open.collect::<serde_json::Map<_, _>>(),
            "lines_left_out": {"fuel": self.skipped.fuel, "quantity_zero": self.skipped.quantity_zero},
        })
    }

    fn tally_json(&self, tally: &Tally) -> Value {
        let departments = self.departments(tally).into_iter().map(|(name, it)| {
            (
                name.to_owned(),
                json!({"lines": it.lines.of, "lines_at_till": it.lines.some, "sold_minor": it.sold}),
            )
        });
        let refused = tally.refused.iter().map(|(code, refused)| (code.clone(), json!(refused.orders)));
        json!({
            "orders": tally.orders,
            "exact": tally.exact,
            "at_till": tally.at_till,
            "whole_baskets": tally.whole.of,
            "whole_baskets_at_till": tally.whole.some,
            "sold_minor": tally.sold,
            "till_minor": tally.till,
            "wrong": tally.wrong.len(),
            "refused": refused.collect::<serde_json::Map<_, _>>(),
            "orders_per_second": per_second(tally.orders, tally.elapsed),
            "p50_ms": tally.latencies.percentile(50).as_secs_f64() * 1000.0,
            "p99_ms": tally.latencies.percentile(99).as_secs_f64() * 1000.0,
            "departments": departments.collect::<serde_json::Map<_, _>>(),
        })
    }
}

impl Tally {
    fn exact_share(&self) -> String {
        format!("{} of {} orders", count(self.exact), count(self.orders))
    }
}

fn count_json(Count { rows, elapsed }: Count) -> Value {
    json!({"rows": rows, "elapsed_ms": elapsed.as_millis() as u64, "rows_per_second": per_second(rows, elapsed)})
}

fn write_failures(out: &mut impl Write, tally: &Tally) -> io::Result<()> {
    for wrong in tally.wrong.iter().take(SHOWN) {
        writeln!(out, "  WRONG  {}: {} instead of {}", wrong.order, money(wrong.payable), money(wrong.due))?;
    }
    if tally.wrong.len() > SHOWN {
        writeln!(out, "  WRONG  and {} more", count(tally.wrong.len() - SHOWN))?;
    }
    for (code, refused) in &tally.refused {
        writeln!(out, "  REFUSED  {} with {code}, such as {}", count(refused.orders), refused.example)?;
    }
    Ok(())
}

fn count(number: usize) -> String {
    thousands(number as f64)
}

fn share(share: Share) -> String {
    format!("{} of {} ({})", count(share.some), count(share.of), percent(share))
}

fn percent(share: Share) -> String {
    format!("{:.1}%", share.some as f64 * 100.0 / share.of.max(1) as f64)
}

/// Cents as an amount: `1,234.05`.
pub(crate) fn money(cents: i64) -> String {
    let (sign, cents) = (if cents < 0 { "-" } else { "" }, cents.unsigned_abs());
    format!("{sign}{}.{:02}", thousands((cents / 100) as f64), cents % 100)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::client::Refusal;
    use crate::order::BusinessLine;
    use crate::order::tests::order;
    use crate::send::Answered;

    const BASKET: &str = r#"{"basket":"33","store":"2","household":"9","verdict":"exact","because":[],
        "till":12030,"lines":[["7",3,12010,0,12011],["8",1,20,1,20]]}"#;

    fn summary() -> Summary {
        serde_json::from_value(json!({
            "currency": "USD", "departments": ["GROCERY", "DELI"], "weeks": [],
            "reasons": {"exact": "agrees", "price_several": "several unit prices"},
        }))
        .unwrap()
    }

    fn tally(line: BusinessLine, answers: &[Result<i64, Refusal>]) -> Tally {
        let mut tally = Tally::new(2);
        for payable in answers {
            let latency = Duration::from_millis(4);
            tally.add(Answered { order: order(line, BASKET), payable: payable.clone(), latency });
        }
        tally.elapsed = Duration::from_millis(20);
        tally
    }

    fn report_on(answers: &[Result<i64, Refusal>], check: impl FnOnce(Report<'_>)) {
        let open = BTreeMap::from([("price_several".to_owned(), Open { baskets: 1200, till: 5 })]);
        check(Report {
            summary: &summary(),
            callers: 16,
            imported: Imported {
                prices: Count { rows: 1_305_515, elapsed: Duration::from_millis(4000) },
                discounts: Count { rows: 2, elapsed: Duration::from_millis(200) },
                stock: Count { rows: 3, elapsed: Duration::from_millis(10) },
            },
            year: &tally(BusinessLine::Year, answers),
            learned: &tally(BusinessLine::Learned, &[Ok(12031)]),
            open: &open,
            skipped: Skipped { fuel: 12_997, quantity_zero: 1 },
            verified: Verified::Clean,
        });
    }

    #[test]
    fn a_run_that_holds() {
        report_on(&[Ok(12030), Ok(12030)], |report| {
            let mut text = Vec::new();
            report.write(&mut text).unwrap();
            insta::assert_snapshot!(String::from_utf8(text).unwrap());
            assert!(report.holds());
            assert_eq!(report.json()["year"]["departments"]["GROCERY"]["sold_minor"], 24020);
        });
    }

    #[test]
    fn one_cent_or_one_refusal_is_a_failure_that_is_named() {
        let refusal = Refusal { code: "trade-failed".to_owned(), detail: "out_of_stock".to_owned() };
        for (answer, named) in [
            (Ok(12031), "WRONG  year-33: 120.31 instead of 120.30"),
            (Err(refusal), "REFUSED  1 with trade-failed, such as year-33: out_of_stock"),
        ] {
            report_on(&[Ok(12030), answer], |report| {
                let mut text = Vec::new();
                report.write(&mut text).unwrap();
                let text = String::from_utf8(text).unwrap();
                assert!(text.contains(named), "{text}");
                assert!(!report.holds());
            });
        }
    }

    #[test]
    fn a_broken_invariant_is_a_failure() {
        report_on(&[Ok(12030)], |report| assert!(!Report { verified: Verified::Broken, ..report }.holds()));
    }

    #[test]
    fn a_run_that_sold_nothing_does_not_hold() {
        report_on(&[], |report| assert!(!report.holds()));
    }

    #[test]
    fn amounts_have_two_decimals() {
        assert_eq!([5, 123_405, -250].map(money), ["0.05", "1,234.05", "-2.50"]);
    }
}
