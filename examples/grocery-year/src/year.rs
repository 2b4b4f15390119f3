//! The chosen part of the year in memory: baskets by week, what is left open by the data, and what stock is needed.
//! Talks to nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use crate::chart::{COLOURS, Chart, ChartWeek};
use crate::data::{Basket, Data, DataError, Demand, Skipped, Summary};
use crate::order::{BusinessLine, Order};
use crate::selection::{Stores, Week, Weeks};
use crate::tally::Tally;

/// The chosen baskets.
#[derive(Debug)]
pub(crate) struct Year {
    weeks: Vec<(Week, Vec<Arc<Basket>>)>,
}

/// Baskets that share a reason for not being priced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) baskets: usize,
    /// What the till charged for them, in cents.
    pub(crate) till: i64,
}

impl Year {
    /// Reads the chosen baskets.
    pub(crate) fn read(data: &Data, weeks: &Weeks, stores: &Stores) -> Result<Self, DataError> {
        let read = |week| Ok((week, data.baskets(week, stores)?.into_iter().map(Arc::new).collect()));
        Ok(Self { weeks: weeks.iter().map(read).collect::<Result<_, _>>()? })
    }

    /// The orders of one business line, week by week.
    pub(crate) fn orders(&self, line: BusinessLine) -> impl Iterator<Item = (Week, Vec<Order>)> {
        self.weeks.iter().map(move |(week, baskets)| (*week, Order::of_week(baskets, *week, line)))
    }

    /// How many orders of a business line there are.
    pub(crate) fn order_count(&self, line: BusinessLine) -> usize {
        self.orders(line).map(|(_, orders)| orders.len()).sum()
    }

    /// How much of each product all orders of these business lines ask for.
    pub(crate) fn demand(&self, lines: [BusinessLine; 2]) -> Demand {
        let mut demand = Demand::default();
        for line in lines {
            for order in self.orders(line).flat_map(|(_, orders)| orders) {
                order.lines().for_each(|line| demand.add(order.basket.store, line));
            }
        }
        demand
    }

    /// The baskets that are not ordered, by reason.
    pub(crate) fn open(&self) -> BTreeMap<String, Open> {
        let mut open: BTreeMap<_, Open> = BTreeMap::new();
        for (_, basket) in self.open_baskets() {
            let found = open.entry(basket.verdict.name().to_owned()).or_default();
            found.baskets += 1;
            found.till += basket.till;
        }
        open
    }

    /// The lines that are left out of all chosen baskets.
    pub(crate) fn skipped(&self) -> Skipped {
        let baskets = self.weeks.iter().flat_map(|(_, baskets)| baskets);
        baskets.fold(Skipped::default(), |sum, basket| Skipped {
            fuel: sum.fuel + basket.skipped.fuel,
            quantity_zero: sum.quantity_zero + basket.skipped.quantity_zero,
        })
    }

    /// What is ordered, by product, with its department.
    pub(crate) fn departments(&self) -> BTreeMap<u32, u16> {
        let baskets = self.weeks.iter().flat_map(|(_, baskets)| baskets);
        baskets.flat_map(|basket| &basket.lines).map(|line| (line.sku, line.department)).collect()
    }

    /// Everybody who buys.
    pub(crate) fn households(&self) -> BTreeSet<u32> {
        let baskets = self.weeks.iter().flat_map(|(_, baskets)| baskets);
        baskets.map(|basket| basket.household).collect()
    }

    fn open_baskets(&self) -> impl Iterator<Item = (Week, &Basket)> {
        let all =
            self.weeks.iter().flat_map(|(week, baskets)| baskets.iter().map(|basket| (*week, &**basket)));
        all.filter(|(_, basket)| !basket.verdict.is_exact())
    }

    /// Writes the list of the baskets that are not ordered: each with its reason and the products that it is about.
    pub(crate) fn write_open(&self, path: &Path) -> std::io::Result<()> {
        let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
        writeln!(file, "week,basket,store,till,reason,products")?;
        for (week, basket) in self.open_baskets() {
            let (reason, products) = (basket.verdict.name(), basket.because.join(" "));
            let Basket { id, store, till, .. } = basket;
            writeln!(file, "{},{id},{store},{till},{reason},{products}", week.number())?;
        }
        file.flush()
    }

    /// The chart of what was sold, beside what the tills took.
    pub(crate) fn chart(&self, summary: &Summary, tally: &Tally) -> Chart {
        let mut ranked: Vec<_> = (0..tally.departments.len()).collect();
        ranked.sort_by_key(|department| std::cmp::Reverse(tally.departments[*department].sold));
        let (named, others) = ranked.split_at(ranked.len().min(COLOURS.len() - 1));
        let names = named.iter().map(|department| summary.departments[*department].clone());
        let week = |(week, baskets): &(Week, Vec<Arc<Basket>>)| {
            let sold = tally.weeks.get(&week.number());
            let amount = |department: &usize| sold.map_or(0, |sold| sold.departments[*department]);
            let other = others.iter().map(amount).sum();
            let is_open = |basket: &&Arc<Basket>| !basket.verdict.is_exact() && !basket.lines.is_empty();
            ChartWeek {
                week: week.number(),
                sold: named.iter().map(amount).chain([other]).collect(),
                till: baskets.iter().map(|basket| basket.till).sum(),
                exact: sold.map_or(0, |sold| sold.orders),
                open: baskets.iter().filter(is_open).count(),
            }
        };
        Chart {
            title: "Grocery baskets of 2017, sold through Mortise".to_owned(),
            subtitle: subtitle(tally, &summary.currency),
            currency: summary.currency.clone(),
            series: names.chain(["other".to_owned()]).collect(),
            weeks: self.weeks.iter().map(week).collect(),
        }
    }
}

fn subtitle(tally: &Tally, currency: &str) -> String {
    let count = |number: usize| crate::chart::thousands(number as f64);
    format!(
        "{} of {} orders came out at the till's total to the cent: {} {currency}",
        count(tally.exact),
        count(tally.orders),
        crate::report::money(tally.sold)
    )
}
