//! The checkout benchmark: round by round the baselines and the real thing, each on a fresh copy of the same shop, so that what
//! one measurement leaves or the machine does meanwhile falls on all of them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::json;

use crate::args::{Checkout, Format, Part};
use crate::bids;
use crate::failure::Failure;
use crate::files::{self, Bench};
use crate::load::{self, Load, Loop, Numbers, Until};
use crate::machine::Machine;
use crate::order::{self, Choice};
use crate::platform::{Platform, Server};
use crate::print;
use crate::proc::{self, Usage};
use crate::report::{Cost, Measured, Report, Series, Speed};
use crate::rows::{self, Rows};
use crate::shop;
use crate::stopwatch::Stopwatch;

/// How long a server runs before it is measured: statements are prepared and code is warm then, as in a shop that is open.
const WARM_UP: Duration = Duration::from_secs(1);
/// Stock of the one SKU for a run that has not measured how fast it will go.
const ORDERS_PER_SECOND_GUESSED: f64 = 1_000.0;

pub(crate) async fn run(wish: Checkout) -> Result<(), Failure> {
    let (mut run, mut report) = prepare(&wish)?;
    for round in 1..=wish.rounds {
        for part in &wish.parts {
            let measured = run.measure(*part, &mut report).await?;
            print::progress(&format!(
                "round {round} of {}: {part:?}: {:.0} a second",
                wish.rounds, measured.speed.orders_per_second
            ));
            series(&mut report, *part).add(measured);
        }
    }
    print::result(&match wish.format {
        Format::Text => report.text(),
        Format::Json => report.json().to_string(),
    });
    Ok(())
}

fn series(report: &mut Report, part: Part) -> &mut Series {
    match part {
        Part::Echo => &mut report.echo,
        Part::Uniform => &mut report.uniform,
        Part::OneSku => &mut report.one_sku,
        Part::Rows => &mut report.rows,
        Part::Bids => &mut report.bids,
    }
}

/// What all measurements of a run share.
struct Run {
    bench: Bench,
    platform: Platform,
    callers: u32,
    skus: u32,
    seconds: u32,
    /// What the latest uniform orders left, for the second baseline.
    rows: Option<Rows>,
}

fn prepare(wish: &Checkout) -> Result<(Run, Report), Failure> {
    let us = std::env::current_exe()?;
    let beside = |name: &str| us.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let disk = wish.disk.clone().unwrap_or_else(|| us.with_file_name(""));
    let bench = Bench::on(&disk)?;
    let bindings = bench.path("bindings.toml");
    std::fs::create_dir_all(bench.path(""))?;
    std::fs::write(&bindings, shop::bindings())?;
    let program = wish.mortise.clone().unwrap_or_else(|| beside("mortise"));
    let platform = Platform { program, extensions: wish.extensions.clone(), bindings };
    let machine = Machine::look(&bench.path(""), &bench.file_system)?;
    print::progress(&format!("a shop of {} SKUs is set up", wish.skus));
    shop::open(&platform, &bench.path("shop"), wish.skus)?;
    let report = Report {
        machine,
        program: platform.version()?,
        callers: wish.callers,
        seconds: wish.seconds,
        rounds: wish.rounds,
        skus: wish.skus,
        echo: Series::default(),
        uniform: Series::default(),
        one_sku: Series::default(),
        rows: Series::default(),
        bids: Series::default(),
        bids_decided: 0,
        bids_taken: 0,
        one_sku_stock: 0,
        one_sku_sold: 0,
        inserted_rows: rows::Counts::new(),
        updated_rows: rows::Counts::new(),
    };
    let run =
        Run { bench, platform, callers: wish.callers, skus: wish.skus, seconds: wish.seconds, rows: None };
    // The extensions are compiled here once; every copy of the shop finds them compiled.
    drop(run.platform.serve(&run.bench.path("shop"))?);
    merge_log(&database(&run.bench.path("shop")))?;
    Ok((run, report))
}

fn database(data: &Path) -> PathBuf {
    data.join("mortise.db")
}

/// Brings everything into the database's one file, so that copying it copies everything.
fn merge_log(database: &Path) -> Result<(), Failure> {
    let connection = Connection::open(database)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

impl Run {
    async fn measure(&mut self, part: Part, report: &mut Report) -> Result<Measured, Failure> {
        match part {
            Part::Echo => self.echo().await,
            Part::Uniform => self.uniform(report).await,
            Part::OneSku => self.one_sku(report).await,
            Part::Rows => self.by_hand(),
            Part::Bids => self.bids(report).await,
        }
    }

    fn time(&self) -> Duration {
        Duration::from_secs(u64::from(self.seconds))
    }

    fn all_skus(&self, server: &Server, until: Until, numbers: &Numbers) -> Loop {
        let (address, callers, numbers) = (server.address, self.callers, Arc::clone(numbers));
        Loop { address, callers, choice: Choice::Uniform(self.skus), until, numbers }
    }

    /// A fresh copy of the shop.
    fn data(&self) -> Result<PathBuf, Failure> {
        let data = self.bench.path("data");
        if data.exists() {
            std::fs::remove_dir_all(&data).map_err(|error| Failure::file(&data, &error))?;
        }
        files::copy(&self.bench.path("shop"), &data)?;
        Ok(data)
    }

    async fn echo(&self) -> Result<Measured, Failure> {
        let server = Server::start(Command::new(std::env::current_exe()?).arg("echo"))?;
        let numbers = Numbers::default();
        load::run(&self.all_skus(&server, Until::Passed(WARM_UP), &numbers)).await?;
        let load = load::run(&self.all_skus(&server, Until::Passed(self.time()), &numbers)).await?;
        Ok(Measured { speed: speed(&load), cost: None })
    }

    async fn uniform(&mut self, report: &mut Report) -> Result<Measured, Failure> {
        let data = self.data()?;
        let numbers = Numbers::default();
        let measured = {
            let server = self.platform.serve(&data)?;
            load::run(&self.all_skus(&server, Until::Passed(WARM_UP), &numbers)).await?;
            {
                let wish = self.all_skus(&server, Until::Passed(self.time()), &numbers);
                let (load, cost) = costing(&server, load::run(&wish), Load::orders).await?;
                Measured { speed: speed(&load), cost: Some(cost) }
            }
        };
        // The server was killed: what it acknowledged is there, no more and no less.
        self.platform.verify(&data)?;
        let placed = numbers.load(Ordering::Relaxed);
        let there = orders(&database(&data))?;
        if there != placed {
            return Err(Failure::words(format!("{placed} orders were acknowledged, {there} are there")));
        }
        let kept = usize::try_from(placed).unwrap_or(usize::MAX).min(rows::ORDERS_MAX);
        let rows = Rows::compare(&database(&self.bench.path("shop")), &database(&data), 0, kept)?;
        (report.inserted_rows, report.updated_rows) = rows.counts();
        self.rows = Some(rows);
        Ok(measured)
    }

    /// All callers buy one item until it is sold out, and not one unit more.
    async fn one_sku(&self, report: &mut Report) -> Result<Measured, Failure> {
        let data = self.data()?;
        let hot = self.skus;
        let per_second = report.uniform.per_second().unwrap_or(ORDERS_PER_SECOND_GUESSED);
        let expected = (per_second * f64::from(self.seconds)).ceil().max(f64::from(self.callers)) as u64;
        let stock = expected * order::UNITS;
        shop::stock_of(&self.platform, &data, hot, stock)?;
        let numbers = Numbers::default();
        let (load, measured) = {
            let server = self.platform.serve(&data)?;
            load::run(&self.all_skus(&server, Until::Passed(WARM_UP), &numbers)).await?;
            let (address, callers, numbers) = (server.address, self.callers, Arc::clone(&numbers));
            let wish = Loop { address, callers, choice: Choice::One(hot), until: Until::SoldOut, numbers };
            let (load, cost) = costing(&server, load::run(&wish), Load::orders).await?;
            let measured = Measured { speed: speed(&load), cost: Some(cost) };
            (load, measured)
        };
        self.platform.verify(&data)?;
        let sold = load.orders() * order::UNITS;
        let shelf = self.platform.call(&data, "inventory.get_stock", &json!({ "skus": [shop::sku(hot)] }))?;
        let (row, rest) = (&shelf["output"]["rows"][0], stock.saturating_sub(sold));
        let promised = row["claimed"]
            .as_u64()
            .zip(row["reserved"].as_u64())
            .map(|(claimed, reserved)| claimed + reserved);
        if row["on_hand"].as_u64() != Some(stock) || promised != Some(sold) || rest != 0 {
            return Err(Failure::words(format!(
                "of {stock} units {sold} were sold, but the shelf says {shelf}"
            )));
        }
        report.one_sku_stock += stock;
        report.one_sku_sold += sold;
        Ok(measured)
    }

    /// All callers bid in one auction; no bid that was answered is lost, and the auction is where its bids lead one by one.
    async fn bids(&self, report: &mut Report) -> Result<Measured, Failure> {
        let data = self.data()?;
        let numbers = Numbers::default();
        let (mut taken, bidding, cost) = {
            let server = self.platform.serve(&data)?;
            bids::open(server.address, self.callers).await?;
            let warm = bids::run(server.address, self.callers, WARM_UP, &numbers).await?;
            let run = bids::run(server.address, self.callers, self.time(), &numbers);
            let (bidding, cost) = costing(&server, run, |bidding| bidding.load.orders()).await?;
            (warm.taken, bidding, cost)
        };
        // The server was killed: what it answered is there, no more and no less.
        self.platform.verify(&data)?;
        report.bids_decided += bidding.load.orders();
        report.bids_taken += bidding.taken.len() as u64;
        let speed = speed(&bidding.load);
        taken.extend(bidding.taken);
        bids::hold(self.platform.serve(&data)?.address, &taken).await?;
        Ok(Measured { speed, cost: Some(cost) })
    }

    fn by_hand(&self) -> Result<Measured, Failure> {
        let rows = self.rows.as_ref().ok_or_else(|| {
            Failure::words("rows can be written when real orders have left some: measure `uniform` too")
        })?;
        let took = rows.write(&database(&self.data()?))?;
        let orders_per_second = rows.orders() as f64 / took.as_secs_f64().max(1e-9);
        Ok(Measured { speed: Speed { orders_per_second, p50_ms: 0.0, p99_ms: 0.0 }, cost: None })
    }
}

fn orders(database: &Path) -> Result<u64, Failure> {
    let connection = Connection::open(database)?;
    let count = connection.query_row("SELECT count(*) FROM order_header", [], |row| row.get::<_, i64>(0))?;
    Ok(count.unsigned_abs())
}

fn speed(load: &Load) -> Speed {
    Speed {
        orders_per_second: load.per_second(),
        p50_ms: load.percentile_ms(50),
        p99_ms: load.percentile_ms(99),
    }
}

/// Runs a load and says what each of its orders has cost, `count` of them.
async fn costing<T>(
    server: &Server,
    run: impl Future<Output = Result<T, Failure>>,
    count: impl Fn(&T) -> u64,
) -> Result<(T, Cost), Failure> {
    let us = std::process::id();
    let before = (server.figures().await?, server.usage(), Usage::of(us), proc::machine_busy());
    let began = Stopwatch::start();
    let ran = run.await?;
    let took = began.passed();
    let after = (server.figures().await?, server.usage(), Usage::of(us), proc::machine_busy());
    let (figures, used, generator) =
        (after.0.since(&before.0), after.1.since(&before.1), after.2.since(&before.2).cpu_in_all());
    let orders = count(&ran).max(1) as f64;
    let each = |count: u64| count as f64 / orders;
    let us_each = |time: Duration| time.as_secs_f64() * 1e6 / orders;
    let others = after.3.saturating_sub(before.3).saturating_sub(used.cpu_in_all() + generator);
    let machine_time =
        took.as_secs_f64() * std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let cost = Cost {
        statements: each(figures.statements),
        executions: each(figures.executions),
        commits: each(figures.commits),
        orders_a_batch: figures.stretches as f64 / figures.batches.max(1) as f64,
        stretches: each(figures.stretches),
        stale: each(figures.stale),
        journal_bytes: each(figures.journal_bytes),
        written_bytes: each(used.written),
        server_cpu_us: used.cpu.iter().map(|(name, time)| (name.clone(), us_each(*time))).collect(),
        generator_cpu_us: us_each(generator),
        others_percent: 100.0 * others.as_secs_f64() / machine_time.max(1e-9),
    };
    Ok((ran, cost))
}
