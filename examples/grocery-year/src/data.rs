//! The prepared data as the runner reads it: the summary, and week by week the baskets and the rows to import.
//! Decides nothing about prices: prepare.py has done so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::selection::{Stores, Week, Weeks};

/// A file of the prepared data is missing or is not what this version writes.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {problem}", path = path.display())]
pub(crate) struct DataError {
    path: PathBuf,
    problem: String,
}

impl DataError {
    fn new(path: &Path, problem: impl std::fmt::Display) -> Self {
        Self { path: path.to_owned(), problem: problem.to_string() }
    }
}

/// Why a basket can be priced exactly from entries, or cannot: `exact`, else a reason that the summary explains.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub(crate) struct Verdict(String);

impl Verdict {
    /// The basket's entries are unambiguous.
    pub(crate) fn is_exact(&self) -> bool {
        self.0 == "exact"
    }

    /// The reason's name.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }
}

/// What was found in the year.
#[derive(Debug, Deserialize)]
pub(crate) struct Summary {
    /// ISO 4217 code of all amounts.
    pub(crate) currency: String,
    /// Names of departments; lines refer to them by position.
    pub(crate) departments: Vec<String>,
    /// What each verdict means, in words.
    pub(crate) reasons: BTreeMap<Verdict, String>,
    /// All weeks, in order.
    pub(crate) weeks: Vec<WeekSummary>,
}

/// A week's period; its entries are valid in it.
#[derive(Debug, Deserialize)]
pub(crate) struct WeekSummary {
    week: u8,
    /// RFC 3339, inclusive.
    pub(crate) valid_from: String,
}

impl Summary {
    /// The instant at which a week begins, RFC 3339.
    pub(crate) fn begin(&self, week: Week) -> Option<&str> {
        self.weeks.iter().find(|found| found.week == week.number()).map(|found| found.valid_from.as_str())
    }
}

/// A till receipt. Amounts are in cents; fuel and lines of quantity 0 are not in it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Basket {
    #[serde(rename = "basket", deserialize_with = "number")]
    pub(crate) id: u64,
    #[serde(deserialize_with = "number")]
    pub(crate) store: u32,
    #[serde(deserialize_with = "number")]
    pub(crate) household: u32,
    pub(crate) verdict: Verdict,
    /// The products that the verdict is about.
    pub(crate) because: Vec<String>,
    /// Lines of it that are not sold by the unit, by kind.
    #[serde(default)]
    pub(crate) skipped: Skipped,
    /// What the till charged: the sum of the lines.
    pub(crate) till: i64,
    pub(crate) lines: Vec<Line>,
}

/// Counts of lines that are left out of a receipt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Skipped {
    pub(crate) fuel: usize,
    /// Lines of quantity 0: returns, deposits, coupons rung up as articles.
    pub(crate) quantity_zero: usize,
}

/// A line of a receipt, written as `[sku, quantity, till, department, learned]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "(Number, u32, i64, u16, Option<i64>)")]
pub(crate) struct Line {
    pub(crate) sku: u32,
    pub(crate) quantity: u32,
    /// What the till charged for the whole quantity.
    pub(crate) till: i64,
    /// Position in `Summary::departments`.
    pub(crate) department: u16,
    /// What the entries of the even baskets make of it; only in odd baskets, and where they know the product.
    pub(crate) learned: Option<i64>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Number(#[serde(deserialize_with = "number")] u32);

impl From<(Number, u32, i64, u16, Option<i64>)> for Line {
    fn from((sku, quantity, till, department, learned): (Number, u32, i64, u16, Option<i64>)) -> Self {
        Self { sku: sku.0, quantity, till, department, learned }
    }
}

fn number<'de, D, N>(deserializer: D) -> Result<N, D::Error>
where
    D: serde::Deserializer<'de>,
    N: std::str::FromStr<Err: std::fmt::Display>,
{
    let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

/// A file of rows to import, one a week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entries {
    /// Regular prices.
    Prices,
    /// The store's discounts.
    Discounts,
    /// Regular prices that the even baskets tell.
    LearnedPrices,
    /// Discounts that the even baskets tell.
    LearnedDiscounts,
}

impl Entries {
    fn file(self) -> &'static str {
        match self {
            Self::Prices => "prices.csv",
            Self::Discounts => "discounts.csv",
            Self::LearnedPrices => "learned-prices.csv",
            Self::LearnedDiscounts => "learned-discounts.csv",
        }
    }
}

/// The folder that prepare.py has filled.
#[derive(Debug)]
pub(crate) struct Data {
    folder: PathBuf,
    pub(crate) summary: Summary,
}

impl Data {
    /// Opens the folder and reads its summary.
    pub(crate) fn open(folder: &Path) -> Result<Self, DataError> {
        let path = folder.join("summary.json");
        let file = File::open(&path).map_err(|error| DataError::new(&path, error))?;
        let summary =
            serde_json::from_reader(BufReader::new(file)).map_err(|error| DataError::new(&path, error))?;
        Ok(Self { folder: folder.to_owned(), summary })
    }

    /// The baskets of a week in the chosen stores, in the order of the till's clock.
    pub(crate) fn baskets(&self, week: Week, stores: &Stores) -> Result<Vec<Basket>, DataError> {
        let path = self.week_file(week, "baskets.jsonl");
        let mut baskets = Vec::new();
        for line in lines_of(&path)? {
            let line = line.map_err(|error| DataError::new(&path, error))?;
            let basket: Basket = serde_json::from_str(&line).map_err(|error| DataError::new(&path, error))?;
            if stores.contains(basket.store) {
                baskets.push(basket);
            }
        }
        Ok(baskets)
    }

    /// The rows of some weeks to import for the chosen stores, CSV with its head.
    pub(crate) fn entries(&self, weeks: &Weeks, stores: &Stores, which: Entries) -> Result<Rows, DataError> {
        let (mut head, mut rows) = (String::new(), Vec::new());
        for week in weeks.iter() {
            head = add_entries(&self.week_file(week, which.file()), stores, &mut rows)?;
        }
        // A store's product stands together through all weeks, as in the table's key: a chunk meets its pages side by side.
        rows.sort_unstable();
        Ok(Rows::below(&head, rows))
    }

    fn week_file(&self, week: Week, name: &str) -> PathBuf {
        self.folder.join("weeks").join(format!("{:02}", week.number())).join(name)
    }
}

/// Adds the rows of a file that are of the chosen stores; the answer is its head, which is that of all files of its kind.
fn add_entries(path: &Path, stores: &Stores, rows: &mut Vec<String>) -> Result<String, DataError> {
    let mut lines = lines_of(path)?.map(|line| line.map_err(|error| DataError::new(path, error)));
    let head = lines.next().ok_or_else(|| DataError::new(path, "has no head"))??;
    let location = head.split(',').position(|name| name == "location");
    let location = location.ok_or_else(|| DataError::new(path, "has no column `location`"))?;
    for line in lines {
        let line = line?;
        let store = line.split(',').nth(location).and_then(|field| field.parse().ok());
        let store = store.ok_or_else(|| DataError::new(path, format!("`{line}` names no store")))?;
        if stores.contains(store) {
            rows.push(line);
        }
    }
    Ok(head)
}

fn lines_of(path: &Path) -> Result<std::io::Lines<BufReader<File>>, DataError> {
    File::open(path).map(|file| BufReader::new(file).lines()).map_err(|error| DataError::new(path, error))
}

/// Rows to import: CSV text with a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rows {
    pub(crate) csv: String,
    /// Rows without the head.
    pub(crate) count: usize,
}

impl Rows {
    fn below(head: &str, rows: impl IntoIterator<Item = String>) -> Self {
        let mut all = Self { csv: format!("{head}\n"), count: 0 };
        for row in rows {
            all.csv.push_str(&row);
            all.csv.push('\n');
            all.count += 1;
        }
        all
    }
}

/// Stock that ends at exactly zero when everything is sold: how much of each product the orders of each store ask for.
#[derive(Debug, Default)]
pub(crate) struct Demand(BTreeMap<(u32, u32), i64>);

impl Demand {
    /// Adds what a line asks for.
    pub(crate) fn add(&mut self, store: u32, line: &Line) {
        *self.0.entry((store, line.sku)).or_default() += i64::from(line.quantity);
    }

    /// Rows of stock on hand, in the order of the table's key: a chunk then meets its pages side by side.
    pub(crate) fn rows(&self) -> Rows {
        let row = |((store, sku), on_hand): (&(u32, u32), &i64)| format!("{sku},{store},{on_hand}");
        let mut rows: Vec<_> = self.0.iter().map(row).collect();
        rows.sort_unstable();
        Rows::below("sku,location,on_hand", rows)
    }

    /// The stores, each a location.
    pub(crate) fn locations(&self) -> Rows {
        let stores: BTreeSet<u32> = self.0.keys().map(|(store, _)| *store).collect();
        let row = |store: u32| format!("{store},Store {store},US");
        Rows::below("location,name,country", stores.into_iter().map(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASKETS: &str = concat!(
        r#"{"basket":"31","store":"367","household":"9","at":"2017-01-02T06:00:00Z","verdict":"exact","because":[],"skipped":{"fuel":1,"quantity_zero":0},"till":150,"#,
        r#""lines":[["1095275",3,150,4,null]]}"#,
        "\n",
        r#"{"basket":"33","store":"2","household":"9","at":"2017-01-02T06:00:01Z","verdict":"price_several","because":["7"],"till":10,"#,
        r#""lines":[["7",1,10,0,11]]}"#,
        "\n"
    );
    const PRICES: &str = "price_list,location,sku,amount\nshelf,2,7,10\nshelf,367,1095275,50\n";
    const SUMMARY: &str = r#"{"currency":"USD","departments":["A"],"reasons":{"exact":"agrees"},
        "weeks":[{"week":2,"valid_from":"2017-01-02T05:00:00Z"}]}"#;

    fn with_data(check: impl FnOnce(Data, Week)) {
        let folder = tempfile::tempdir().unwrap();
        let week = folder.path().join("weeks/02");
        std::fs::create_dir_all(&week).unwrap();
        std::fs::write(folder.path().join("summary.json"), SUMMARY).unwrap();
        std::fs::write(week.join("baskets.jsonl"), BASKETS).unwrap();
        std::fs::write(week.join("prices.csv"), PRICES).unwrap();
        let next_week = folder.path().join("weeks/03");
        std::fs::create_dir(&next_week).unwrap();
        std::fs::write(next_week.join("prices.csv"), "price_list,location,sku,amount\nshelf,367,4,5\n")
            .unwrap();
        check(Data::open(folder.path()).unwrap(), Week::new(2).unwrap());
    }

    #[test]
    fn baskets_of_chosen_stores_are_read() {
        with_data(|data, week| {
            let baskets = data.baskets(week, &"2".parse().unwrap()).unwrap();
            let [basket] = baskets.as_slice() else { panic!("one basket is of store 2") };
            assert_eq!(
                (basket.id, basket.store, basket.till, basket.verdict.name()),
                (33, 2, 10, "price_several")
            );
            assert_eq!((basket.lines[0].sku, basket.lines[0].learned), (7, Some(11)));
            let all = data.baskets(week, &Stores::All).unwrap();
            assert_eq!(all.iter().map(|basket| basket.skipped.fuel).collect::<Vec<_>>(), [1, 0]);
        });
    }

    #[test]
    fn rows_of_chosen_stores_stand_below_one_head() {
        with_data(|data, _| {
            let read = |weeks: &str, stores: &str, which| {
                data.entries(&weeks.parse().unwrap(), &stores.parse().unwrap(), which)
            };
            let rows = read("2,3", "367", Entries::Prices).unwrap();
            assert_eq!(rows.csv, "price_list,location,sku,amount\nshelf,367,1095275,50\nshelf,367,4,5\n");
            assert_eq!(rows.count, 2);
            assert_eq!(read("2", "9", Entries::Prices).unwrap().count, 0);
            assert!(read("2", "all", Entries::Discounts).is_err(), "the file is missing");
        });
    }

    #[test]
    fn the_summary_knows_when_a_week_begins() {
        with_data(|data, week| {
            assert_eq!(data.summary.begin(week), Some("2017-01-02T05:00:00Z"));
            assert_eq!(data.summary.begin(Week::new(3).unwrap()), None);
        });
    }

    #[test]
    fn demand_is_summed_by_store_and_product() {
        with_data(|data, week| {
            let mut demand = Demand::default();
            for basket in data.baskets(week, &Stores::All).unwrap() {
                demand.add(basket.store, &basket.lines[0]);
                demand.add(basket.store, &basket.lines[0]);
            }
            assert_eq!(demand.rows().csv, "sku,location,on_hand\n1095275,367,6\n7,2,2\n");
            assert_eq!(demand.locations().csv, "location,name,country\n2,Store 2,US\n367,Store 367,US\n");
        });
    }
}
