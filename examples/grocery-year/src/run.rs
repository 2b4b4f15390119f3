//! The run from end to end: prepare, import, sell week after week, kill, verify, report.
//! The order of things only; each is done elsewhere.

use std::path::Path;

use crate::Arguments;
use crate::chart;
use crate::client::{self, Client};
use crate::data::{Data, DataError};
use crate::measure::Stopwatch;
use crate::order::BusinessLine;
use crate::platform::{Platform, PlatformError, Server, TENANT, absolute};
use crate::prepare::{PrepareError, prepare};
use crate::progress::{Stage, say};
use crate::report::Report;
use crate::selection::Week;
use crate::send::send;
use crate::shop::{self, ShopError};
use crate::tally::Tally;
use crate::year::Year;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Shop(#[from] ShopError),
    #[error(transparent)]
    Platform(#[from] PlatformError),
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    Url(#[from] client::url::Wrong),
    #[error("week {} is not in the data", .0.number())]
    NoSuchWeek(Week),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Whether everything came out to the cent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Every order.
    Holds,
    /// The report names what did not.
    Fails,
}

/// Runs it all and writes the report.
pub(crate) async fn run(arguments: &Arguments) -> Result<Outcome, RunError> {
    let cache = absolute(&arguments.cache)?;
    let data = Data::open(&prepare(&cache).await?)?;
    let (weeks, stores) = arguments.chosen();
    let year = Year::read(&data, &weeks, &stores)?;

    let own_data = tempfile::tempdir()?;
    let program = arguments.mortise.clone().map_or_else(Platform::beside_us, Ok)?;
    let kept = arguments.data.as_deref().unwrap_or(own_data.path());
    let platform = Platform::new(program, absolute(kept)?);
    let imported = shop::set_up(&platform, &data, &year, (&weeks, &stores), BusinessLine::REPLAY).await?;

    let server = platform.serve(begin(&data, weeks.first())?).await?;
    let sold = sell(&server, &data, &year, arguments).await;
    server.kill().await?;
    let (sold, learned) = sold?;
    let verified = platform.verify().await?;

    let open = year.open();
    let report = Report {
        summary: &data.summary,
        callers: arguments.callers,
        imported,
        year: &sold,
        learned: &learned,
        open: &open,
        skipped: year.skipped(),
        verified,
    };
    report.write(&mut std::io::stdout().lock())?;
    write_files(&arguments.reports(&cache), &data, &year, &report)?;
    Ok(if report.holds() { Outcome::Holds } else { Outcome::Fails })
}

pub(crate) fn begin(data: &Data, week: Week) -> Result<&str, RunError> {
    data.summary.begin(week).ok_or(RunError::NoSuchWeek(week))
}

async fn sell(
    server: &Server,
    data: &Data,
    year: &Year,
    arguments: &Arguments,
) -> Result<(Tally, Tally), RunError> {
    let http = reqwest::Client::builder().pool_max_idle_per_host(arguments.callers).build()?;
    let client = Client::new(http.clone(), &server.url, TENANT, &data.summary.currency)?;
    let departments = data.summary.departments.len();
    let (mut sold, mut learned) = (Tally::new(departments), Tally::new(departments));
    let total = BusinessLine::REPLAY.map(|line| year.order_count(line)).iter().sum();
    let stage = Stage::begin("selling baskets", total);
    let weeks = year.orders(BusinessLine::Year).zip(year.orders(BusinessLine::Learned));
    for ((week, whole), (_, known)) in weeks {
        server.set_clock(&http, begin(data, week)?).await?;
        for (orders, tally) in [(whole, &mut sold), (known, &mut learned)] {
            let watch = Stopwatch::start();
            let answered = send(&client, orders, arguments.callers, || stage.add(1)).await;
            tally.elapsed += watch.elapsed();
            answered.into_iter().for_each(|answered| tally.add(answered));
        }
    }
    stage.end();
    Ok((sold, learned))
}

fn write_files(out: &Path, data: &Data, year: &Year, report: &Report<'_>) -> Result<(), RunError> {
    let out = absolute(out)?;
    std::fs::write(out.join("year.svg"), chart::svg(&year.chart(&data.summary, report.year)))?;
    std::fs::write(out.join("report.json"), format!("{:#}\n", report.json()))?;
    year.write_open(&out.join("open.csv"))?;
    say(format_args!("\nchart, list of the rest and figures: {}", out.display()));
    Ok(())
}
