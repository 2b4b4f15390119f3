//! Sets the shop up before anything is sold: its stores, its promotion, prices, stock. Each is one `mortise import`.
//! Decides nothing about prices: prepare.py has done so.

use std::time::Duration;

use crate::data::{Data, DataError, Entries};
use crate::measure::Stopwatch;
use crate::order::BusinessLine;
use crate::platform::{Platform, PlatformError};
use crate::progress::Stage;
use crate::selection::{Stores, Weeks};
use crate::year::Year;

/// The promotion of each business line: what it takes off which product of which store is in its sheet.
const WEEKLY_SPECIALS: &str = r#"[{"promotion": "weekly-specials", "title": "Weekly specials", "target": "items", "benefit": "sheet",
"lane": "catalogue"}]"#;

/// Nothing is delivered: the customers carried their baskets home.
const DELIVERY_FEES: &str = "line,country,currency,amount\n*,US,USD,0\n";

/// What was imported, and how long it took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Imported {
    pub(crate) prices: Count,
    pub(crate) discounts: Count,
    pub(crate) stock: Count,
}

/// Rows with the time that they took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    pub(crate) rows: usize,
    pub(crate) elapsed: Duration,
}

/// Why the shop was not set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShopError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Platform(#[from] PlatformError),
}

/// Imports all that the chosen part of the year needs on these business lines.
pub(crate) async fn set_up(
    platform: &Platform,
    data: &Data,
    year: &Year,
    (weeks, stores): (&Weeks, &Stores),
    lines: [BusinessLine; 2],
) -> Result<Imported, ShopError> {
    let demand = year.demand(lines);
    let stage = Stage::begin("importing files", lines.len() * 3 + 3);
    let import = async |operation, line, text: &str| -> Result<Duration, PlatformError> {
        let watch = Stopwatch::start();
        platform.import(operation, line, text).await?;
        stage.add(1);
        Ok(watch.elapsed())
    };
    let mut imported = Imported::default();
    import("delivery.import_fees", BusinessLine::Year, DELIVERY_FEES).await?;
    import("inventory.import_locations", BusinessLine::Year, &demand.locations().csv).await?;
    for line in lines {
        import("discount.define", line, WEEKLY_SPECIALS).await?;
        let (prices, discounts) = sheets(line);
        let prices = data.entries(weeks, stores, prices)?;
        let elapsed = import("pricing.import_entries", line, &prices.csv).await?;
        imported.prices.add(prices.count, elapsed);
        let discounts = data.entries(weeks, stores, discounts)?;
        let elapsed = import("discount.import_entries", line, &discounts.csv).await?;
        imported.discounts.add(discounts.count, elapsed);
    }
    let stock = demand.rows();
    let elapsed = import("inventory.import_stock", BusinessLine::Year, &stock.csv).await?;
    imported.stock.add(stock.count, elapsed);
    stage.end();
    Ok(imported)
}

/// Which files of the data a business line sells by.
fn sheets(line: BusinessLine) -> (Entries, Entries) {
    match line {
        BusinessLine::Year | BusinessLine::Tried => (Entries::Prices, Entries::Discounts),
        BusinessLine::Learned => (Entries::LearnedPrices, Entries::LearnedDiscounts),
    }
}

impl Imported {
    /// Everything together.
    pub(crate) fn all(&self) -> Count {
        let mut all = Count::default();
        for count in [self.prices, self.discounts, self.stock] {
            all.add(count.rows, count.elapsed);
        }
        all
    }
}

impl Count {
    fn add(&mut self, rows: usize, elapsed: Duration) {
        self.rows += rows;
        self.elapsed += elapsed;
    }
}
