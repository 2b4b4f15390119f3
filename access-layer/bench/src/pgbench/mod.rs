//! The checkout on PostgreSQL, beside pgbench on the same server: the whole order as one function that the database runs itself,
//! with as many connections as there are callers. Both on fresh copies of one shop, in turns.

mod function;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Serialize;
use serde_json::{Map, Value};

use self::function::{Sample, Table};
use crate::args::{Format, OnPostgres};
use crate::failure::Failure;
use crate::ground::{Ground, WARM_UP, costing, speed};
use crate::load::{self, Load, Loop, Numbers, Until};
use crate::machine::Machine;
use crate::order::{self, Choice};
use crate::postgres::Postgres;
use crate::print;
use crate::report::{Cost, Speed, middle};
use crate::shop;

/// The script that pgbench runs.
const SCRIPT: &str = include_str!("order.pgbench");
/// The database of the shop before any order, which others are copied from.
const SHOP: &str = "shop";
const OURS: &str = "ours";
const PGBENCH: &str = "pgbench";
/// The order whose rows the function is made from: prices and stock are looked up, everything else is its.
const SAMPLE: u64 = 50;
/// What the server is started with beside its defaults; nothing of it makes a commit less durable.
const SETTINGS: [&str; 4] =
    ["shared_buffers=1GB", "max_wal_size=8GB", "checkpoint_timeout=30min", "max_connections=300"];

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Case {
    one_sku: bool,
    callers: u32,
}

#[derive(Debug, Serialize)]
struct Line {
    case: Case,
    ours: Vec<Speed>,
    costs: Vec<Cost>,
    pgbench: Vec<Pgbench>,
}

/// What pgbench says of itself.
#[derive(Debug, Clone, Copy, Serialize)]
struct Pgbench {
    orders_per_second: f64,
    mean_ms: f64,
}

#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    program: String,
    server: String,
    settings: Vec<String>,
    seconds: u32,
    rounds: u32,
    skus: u32,
    rows_an_order: usize,
    lines: Vec<Line>,
}

pub(crate) async fn run(wish: OnPostgres) -> Result<(), Failure> {
    let ground = Ground::empty(&wish.ground)?;
    let server = Postgres::start_on(&ground.bench.path(""), &SETTINGS)?;
    let mut run = Run { ground, server, bindings: PathBuf::new(), rows_an_order: 0 };
    run.set_up()?;
    let mut cases: Vec<Case> =
        wish.crowds.iter().map(|callers| Case { one_sku: false, callers: *callers }).collect();
    cases.extend(wish.crowds.iter().max().map(|callers| Case { one_sku: true, callers: *callers }));
    let mut lines: Vec<Line> = cases
        .into_iter()
        .map(|case| Line { case, ours: Vec::new(), costs: Vec::new(), pgbench: Vec::new() })
        .collect();
    for round in 1..=wish.ground.rounds {
        for line in &mut lines {
            let (speed, cost) = run.ours(line.case).await?;
            let beside = run.pgbench(line.case)?;
            let what = if line.case.one_sku { "one SKU" } else { "all SKUs" };
            print::progress(&format!(
                "round {round} of {}, {} callers, {what}: {:.0} orders a second, pgbench {:.0}",
                wish.ground.rounds, line.case.callers, speed.orders_per_second, beside.orders_per_second
            ));
            line.ours.push(speed);
            line.costs.push(cost);
            line.pgbench.push(beside);
        }
    }
    let report = Report {
        machine: run.ground.machine.clone(),
        program: run.ground.platform.version()?,
        server: run.server.query("postgres", "SELECT version()")?,
        settings: run.settings()?,
        seconds: wish.ground.seconds,
        rounds: wish.ground.rounds,
        skus: wish.ground.skus,
        rows_an_order: run.rows_an_order,
        lines,
    };
    print::result(&match wish.ground.format {
        Format::Text => text(&report),
        Format::Json => serde_json::to_string(&report)?,
    });
    Ok(())
}

struct Run {
    ground: Ground,
    server: Postgres,
    bindings: PathBuf,
    rows_an_order: usize,
}

impl Run {
    /// A shop, the bindings of its line, and a copy of it with the function.
    fn set_up(&mut self) -> Result<(), Failure> {
        // The platform asks for it where it can be had; the function is to store the same bytes.
        let has_lz4 =
            "SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression'";
        if self.server.query("postgres", has_lz4)?.trim() == "t" {
            self.server.query("postgres", "ALTER SYSTEM SET default_toast_compression = 'lz4'")?;
            self.server.query("postgres", "SELECT pg_reload_conf()")?;
        }
        self.server.query("postgres", &format!("CREATE DATABASE {SHOP}"))?;
        let shop = self.place(SHOP);
        shop::open(&self.ground.platform, &shop, self.ground.skus)?;
        shop::stock_of(&self.ground.platform, &shop, self.ground.skus, shop::STOCK)?;
        self.server.query(SHOP, "VACUUM ANALYZE")?;
        self.bindings = self.ground.bench.path("bindings.toml");
        std::fs::write(&self.bindings, shop::bindings())
            .map_err(|error| Failure::file(&self.bindings, &error))
    }

    /// A database as `--data` names it.
    fn place(&self, database: &str) -> PathBuf {
        PathBuf::from(self.server.url(database))
    }

    /// A fresh copy of the shop.
    fn copy(&self, name: &str) -> Result<PathBuf, Failure> {
        self.server.query("postgres", &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
        self.server.query("postgres", &format!("CREATE DATABASE {name} TEMPLATE {SHOP}"))?;
        self.server.query("postgres", "CHECKPOINT")?;
        Ok(self.place(name))
    }

    fn settings(&self) -> Result<Vec<String>, Failure> {
        [
            "fsync",
            "synchronous_commit",
            "full_page_writes",
            "wal_sync_method",
            "shared_buffers",
            "max_wal_size",
            "default_toast_compression",
        ]
        .into_iter()
        .map(|name| Ok(format!("{name}={}", self.server.query("postgres", &format!("SHOW {name}"))?.trim())))
        .collect()
    }

    fn choice(&self, case: Case) -> Choice {
        if case.one_sku { Choice::One(self.ground.skus) } else { Choice::Uniform(self.ground.skus) }
    }

    /// Orders on a fresh copy; when the server was killed, what it acknowledged is there, no more and no less.
    async fn ours(&mut self, case: Case) -> Result<(Speed, Cost), Failure> {
        let data = self.copy(OURS)?;
        let numbers = Numbers::default();
        let (speed, cost) = {
            let server = self.ground.platform.serve(&data, Some(&self.bindings))?;
            let wish = |until: Until| Loop {
                address: server.address,
                callers: case.callers,
                choice: self.choice(case),
                until,
                numbers: Arc::clone(&numbers),
            };
            load::run(&wish(Until::Passed(WARM_UP))).await?;
            let measured = wish(Until::Passed(self.ground.time()));
            let (load, cost) = costing(&server, load::run(&measured), Load::orders).await?;
            (speed(&load), cost)
        };
        self.ground.platform.verify(&data)?;
        let placed = numbers.load(Ordering::Relaxed);
        self.held(OURS, case, placed)?;
        if self.rows_an_order == 0 {
            let sample = self.sample(&data)?;
            self.rows_an_order = sample.len();
            let function = self.ground.bench.path("order.sql");
            std::fs::write(&function, sample.function()).map_err(|error| Failure::file(&function, &error))?;
        }
        Ok((speed, cost))
    }

    /// As many orders, and as many units sold, as were acknowledged.
    fn held(&self, database: &str, case: Case, placed: u64) -> Result<(), Failure> {
        let count = |query: &str| -> Result<u64, Failure> {
            let said = self.server.query(database, query)?;
            said.trim().parse().map_err(|_| Failure::words(format!("`{query}` says {said:?}")))
        };
        let there = count("SELECT count(*) FROM order_header")?;
        let sold = match case.one_sku {
            false => count("SELECT sum(reserved + claimed) FROM inventory_stock")?,
            true => count(&format!(
                "SELECT reserved + claimed FROM inventory_stock WHERE sku = '{}'",
                shop::sku(self.ground.skus)
            ))?,
        };
        if there == placed && sold == placed * order::UNITS {
            return Ok(());
        }
        Err(Failure::words(format!(
            "{database}: {placed} orders were acknowledged, {there} are there, with {sold} units"
        )))
    }

    /// The rows of an order of ours.
    fn sample(&self, data: &Path) -> Result<Sample, Failure> {
        let order_id = order::id(SAMPLE);
        let header = self.server.query(
            OURS,
            &format!(
                "SELECT to_jsonb(t) FROM order_header t WHERE tenant = '{}' AND order_id = '{order_id}'",
                shop::TENANT
            ),
        )?;
        let header: Map<String, Value> = serde_json::from_str(&header)
            .map_err(|error| Failure::words(format!("{}: order {order_id}: {error}", data.display())))?;
        let items = order::items(SAMPLE, Choice::Uniform(self.ground.skus));
        let mut sample = Sample {
            order_id: order_id.clone(),
            customer: header["customer_id"].as_str().unwrap_or_default().to_owned(),
            skus: [shop::sku(items[0]), shop::sku(items[1])],
            placed_at: header["placed_at"].as_i64().unwrap_or_default(),
            rows: Vec::new(),
        };
        let mut names = BTreeSet::from([order_id]);
        // The second look finds what names the trade, the payment, the reservation.
        for _ in 0..2 {
            let tables: Vec<Table> = serde_json::from_str(&self.server.query(OURS, function::TABLES)?)?;
            sample.rows.clear();
            for table in tables {
                let rows = self.server.query(OURS, &function::rows_query(&table, &names))?;
                sample.rows.push((table, serde_json::from_str(&rows)?));
            }
            names.extend(sample.ids());
        }
        Ok(sample)
    }

    fn pgbench(&self, case: Case) -> Result<Pgbench, Failure> {
        self.copy(PGBENCH)?;
        self.server.run_file(PGBENCH, &self.ground.bench.path("order.sql"))?;
        let script = self.ground.bench.path("order.pgbench");
        std::fs::write(&script, SCRIPT).map_err(|error| Failure::file(&script, &error))?;
        let said = self.server.pgbench(
            PGBENCH,
            &script,
            &[
                ("--client", case.callers.to_string()),
                ("--time", self.ground.seconds.to_string()),
                ("--define", format!("skus={}", self.ground.skus)),
                ("--define", format!("one={}", u8::from(case.one_sku))),
            ],
        )?;
        let figure = |begin: &str| -> Result<f64, Failure> {
            let line = said.lines().find_map(|line| line.strip_prefix(begin));
            let figure = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            figure.ok_or_else(|| Failure::words(format!("pgbench says no `{begin}`: {said}")))
        };
        let placed = figure("number of transactions actually processed: ")? as u64;
        self.held(PGBENCH, case, placed)?;
        Ok(Pgbench { orders_per_second: figure("tps = ")?, mean_ms: figure("latency average = ")? })
    }
}

fn text(report: &Report) -> String {
    let mut lines = vec![
        "Checkout on PostgreSQL: fixed price, paid on invoice, two lines, over HTTP; beside it pgbench with the whole order as one function"
            .to_owned(),
        report.machine.to_string(),
        format!("{}; {}", report.program, report.server.trim().split(" on ").next().unwrap_or_default()),
        report.settings.join(", "),
        format!(
            "{} SKUs, {} rounds of {} s, medians; an order is {} rows; callers and connections in a closed loop on the same cores",
            report.skus, report.rounds, report.seconds, report.rows_an_order
        ),
        format!(
            "\n{:>10}{:>10}{:>12}{:>10}{:>10}{:>14}{:>10}{:>12}",
            "", "callers", "a second", "p50 ms", "p99 ms", "pgbench", "mean ms", "to pgbench"
        ),
    ];
    let uniform = |callers: u32| {
        let line = report.lines.iter().find(|line| !line.case.one_sku && line.case.callers == callers)?;
        middle(line.ours.iter().map(|one| one.orders_per_second).collect())
    };
    for Line { case, ours, pgbench, .. } in &report.lines {
        let of = |figure: fn(&Speed) -> f64| middle(ours.iter().map(figure).collect()).unwrap_or_default();
        let beside =
            |figure: fn(&Pgbench) -> f64| middle(pgbench.iter().map(figure).collect()).unwrap_or_default();
        let (rate, theirs) = (of(|s| s.orders_per_second), beside(|p| p.orders_per_second));
        lines.push(format!(
            "{:>10}{:>10}{rate:>12.0}{:>10.2}{:>10.2}{theirs:>14.0}{:>10.2}{:>12.2}",
            if case.one_sku { "one SKU" } else { "all SKUs" },
            case.callers,
            of(|s| s.p50_ms),
            of(|s| s.p99_ms),
            beside(|p| p.mean_ms),
            rate / theirs,
        ));
        if let (true, Some(all)) = (case.one_sku, uniform(case.callers)) {
            lines.push(format!("one SKU is {:.0} % of all SKUs", 100.0 * rate / all));
        }
    }
    for Line { case, ours, pgbench, .. } in &report.lines {
        let words =
            |rates: Vec<f64>| rates.iter().map(|rate| format!("{rate:.0}")).collect::<Vec<_>>().join(" ");
        lines.push(format!(
            "  rounds: {}, {} callers: {}; pgbench {}",
            if case.one_sku { "one SKU" } else { "all SKUs" },
            case.callers,
            words(ours.iter().map(|one| one.orders_per_second).collect()),
            words(pgbench.iter().map(|one| one.orders_per_second).collect()),
        ));
    }
    lines.extend(report.lines.iter().filter_map(|line| {
        let cost = line.costs.last()?;
        let threads: Vec<String> =
            cost.server_cpu_us.iter().filter(|(_, us)| **us >= 1.0).map(|(name, us)| format!("{name} {us:.0}")).collect();
        Some(format!(
            "  costs: {} callers{}: {:.1} statements, {:.2} commits an order, {:.1} orders a batch, stale {:.2}; CPU us of {}",
            line.case.callers,
            if line.case.one_sku { ", one SKU" } else { "" },
            cost.statements,
            cost.commits,
            cost.orders_a_batch,
            cost.stale,
            threads.join(", ")
        ))
    }));
    lines.join("\n")
}
