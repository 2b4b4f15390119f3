//! What the measurements of a run share: the program, a shop on a disk that is set up once, and a fresh copy of it for each,
//! so that what one measurement leaves or the machine does meanwhile falls on all of them. What is measured is not decided here.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::Connection;

use crate::args::Ground as Wish;
use crate::failure::Failure;
use crate::files::{self, Bench};
use crate::load::{self, Load, Loop, Numbers, Until};
use crate::machine::Machine;
use crate::order::Choice;
use crate::platform::{Ending, Platform, Server};
use crate::print;
use crate::proc::{self, Usage};
use crate::report::{Cost, Measured, Speed};
use crate::shop;
use crate::stopwatch::Stopwatch;

/// How long a server runs before it is measured: statements are prepared and code is warm then, as in a shop that is open.
pub(crate) const WARM_UP: Duration = Duration::from_secs(1);

/// Where a data directory keeps compiled extensions.
const COMPILED: &str = "extensions";

/// A shop that is set up, and the machine below it.
pub(crate) struct Ground {
    pub(crate) bench: Bench,
    pub(crate) platform: Platform,
    pub(crate) machine: Machine,
    pub(crate) callers: u32,
    pub(crate) skus: u32,
    pub(crate) seconds: u32,
}

impl Ground {
    /// Sets one up; nobody is bound to its line.
    ///
    /// # Errors
    /// A disk that is none, a program that cannot be run, an import that fails.
    pub(crate) fn prepare(wish: &Wish) -> Result<Self, Failure> {
        let ground = Self::empty(wish)?;
        shop::open(&ground.platform, &ground.shop(), wish.skus)?;
        merge_log(&database(&ground.shop()))?;
        Ok(ground)
    }

    /// The program, the machine and a disk, before there is a shop.
    ///
    /// # Errors
    /// A disk that is none, a program that cannot be run.
    pub(crate) fn empty(wish: &Wish) -> Result<Self, Failure> {
        let us = std::env::current_exe()?;
        let beside = |name: &str| us.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        let disk = wish.disk.clone().unwrap_or_else(|| us.with_file_name(""));
        let bench = Bench::on(&disk)?;
        std::fs::create_dir_all(bench.path(""))?;
        let program = wish.mortise.clone().unwrap_or_else(|| beside("mortise"));
        let ending = if wish.let_end { Ending::Told } else { Ending::Killed };
        let platform = Platform { program, extensions: wish.extensions.clone(), ending };
        let machine = Machine::look(&bench.path(""), &bench.file_system)?;
        print::progress(&format!("a shop of {} SKUs is set up", wish.skus));
        Ok(Self { bench, platform, machine, callers: wish.callers, skus: wish.skus, seconds: wish.seconds })
    }

    fn shop(&self) -> PathBuf {
        self.bench.path("shop")
    }

    /// The shop's database, as it is before any order.
    pub(crate) fn untouched(&self) -> PathBuf {
        database(&self.shop())
    }

    /// Writes a file of bindings, and has their extensions compiled: every copy of the shop finds them compiled.
    pub(crate) fn bindings(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let file = self.bench.path(name);
        std::fs::write(&file, text).map_err(|error| Failure::file(&file, &error))?;
        let data = self.fresh()?;
        drop(self.platform.serve(&data, Some(&file))?);
        files::copy(&data.join(COMPILED), &self.shop().join(COMPILED))?;
        Ok(file)
    }

    /// Gives another shop what was compiled for this one.
    pub(crate) fn copy_compiled(&self, data: &Path) -> Result<(), Failure> {
        files::copy(&self.shop().join(COMPILED), &data.join(COMPILED))
    }

    /// A fresh copy of the shop.
    pub(crate) fn fresh(&self) -> Result<PathBuf, Failure> {
        let data = self.bench.path("data");
        if data.exists() {
            std::fs::remove_dir_all(&data).map_err(|error| Failure::file(&data, &error))?;
        }
        files::copy(&self.shop(), &data)?;
        Ok(data)
    }

    pub(crate) fn time(&self) -> Duration {
        Duration::from_secs(u64::from(self.seconds))
    }

    pub(crate) fn all_skus(&self, server: &Server, until: Until, numbers: &Numbers) -> Loop {
        let (address, callers, numbers) = (server.address, self.callers, Arc::clone(numbers));
        Loop { address, callers, choice: Choice::Uniform(self.skus), until, numbers }
    }

    /// Orders over all SKUs on a fresh copy of the shop, with the extensions of these bindings or none; and the copy as
    /// the server left it when it was killed: what was acknowledged is there, no more and no less.
    pub(crate) async fn uniform(&self, bindings: Option<&Path>) -> Result<(Measured, PathBuf, u64), Failure> {
        let data = self.fresh()?;
        let numbers = Numbers::default();
        let measured = {
            let server = self.platform.serve(&data, bindings)?;
            load::run(&self.all_skus(&server, Until::Passed(WARM_UP), &numbers)).await?;
            let wish = self.all_skus(&server, Until::Passed(self.time()), &numbers);
            let (load, cost) = costing(&server, load::run(&wish), Load::orders).await?;
            Measured { speed: speed(&load), cost: Some(cost) }
        };
        let placed = numbers.load(Ordering::Relaxed);
        self.hold(&data, placed, "the usual shop")?;
        Ok((measured, data, placed))
    }

    /// A shop that `verify` finds in order, and that has as many orders as were acknowledged.
    pub(crate) fn hold(&self, data: &Path, placed: u64, shop: &str) -> Result<(), Failure> {
        self.platform.verify(data)?;
        let there = orders(&database(data))?;
        if there != placed {
            let told = format!("{shop}: {placed} orders were acknowledged, {there} are there");
            return Err(Failure::words(told));
        }
        Ok(())
    }
}

pub(crate) fn database(data: &Path) -> PathBuf {
    data.join("mortise.db")
}

/// Brings everything into the database's one file, so that copying it copies everything.
fn merge_log(database: &Path) -> Result<(), Failure> {
    let connection = Connection::open(database)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

/// How many orders are in a database.
pub(crate) fn orders(database: &Path) -> Result<u64, Failure> {
    let connection = Connection::open(database)?;
    let count = connection.query_row("SELECT count(*) FROM order_header", [], |row| row.get::<_, i64>(0))?;
    Ok(count.unsigned_abs())
}

pub(crate) fn speed(load: &Load) -> Speed {
    Speed {
        orders_per_second: load.per_second(),
        p50_ms: load.percentile_ms(50),
        p99_ms: load.percentile_ms(99),
    }
}

/// Runs a load and says what each of its orders has cost, `count` of them.
pub(crate) async fn costing<T>(
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
