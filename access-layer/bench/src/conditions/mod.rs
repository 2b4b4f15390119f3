//! The checkout as circumstances change it, each beside the usual one of the same run: a bar for each, and what it comes to.
//! Each measurement has a fresh copy of the shop and ends with SIGKILL, `verify` and a count, as the usual one does.

mod growth;
mod open;
mod paid;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Serialize;

use self::growth::Growth;
use crate::args::{Condition, Conditions, Format};
use crate::failure::Failure;
use crate::ground::{Ground, WARM_UP, costing, database, speed};
use crate::load::{self, Load, Loop, Numbers, Until};
use crate::machine::Machine;
use crate::order::Choice;
use crate::platform::{Server, Serving, SlowDisk};
use crate::print;
use crate::report::{Cost, Speed, middle};
use crate::shop;

/// What is loaded to make flushes slower; compiled when it is needed.
const SLOW_DISK: &str = include_str!("slow_disk.c");
/// The usual condition, beside which all others are seen.
const USUAL: &str = "as usual";
/// Arrivals of an open loop, in what a closed one gets done.
const OFFERED: f64 = 3.0;
/// Marks of a whole bar.
const BAR: f64 = 40.0;

/// A circumstance and what it came to, in each round.
#[derive(Debug, Serialize)]
struct Line {
    name: String,
    speeds: Vec<Speed>,
    /// What else there is to say of it.
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    program: String,
    callers: u32,
    seconds: u32,
    rounds: u32,
    skus: u32,
    lines: Vec<Line>,
    growth: Option<Growth>,
}

/// A measurement: what is otherwise.
#[derive(Debug, Clone)]
struct Case {
    name: String,
    callers: u32,
    choice: Choice,
    serving: Serving,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Orders,
    Steps,
    Paid,
    Open,
    Prices,
}

pub(crate) async fn run(wish: Conditions) -> Result<(), Failure> {
    let ground = Ground::prepare(&wish.ground)?;
    let bindings = ground.bindings("bindings.toml", &shop::bindings())?;
    let run = Run { ground, bindings, prices: wish.prices };
    let cases = run.cases(&wish.parts)?;
    let mut lines: Vec<Line> = cases
        .iter()
        .map(|case| Line { name: case.name.clone(), speeds: Vec::new(), notes: Vec::new() })
        .collect();
    for round in 1..=wish.ground.rounds {
        for (case, at) in cases.iter().zip(0..) {
            let usual = lines[0].speeds.last().map_or(0.0, |speed| speed.orders_per_second);
            let (speed, note) = run.measure(case, usual).await?;
            let (name, rounds, rate) = (&case.name, wish.ground.rounds, speed.orders_per_second);
            print::progress(&format!("round {round} of {rounds}: {name}: {rate:.0} a second"));
            let line: &mut Line = &mut lines[at];
            line.speeds.push(speed);
            line.notes.extend(note);
        }
    }
    let growth = match wish.parts.contains(&Condition::Growth) {
        true => Some(growth::run(&run, wish.growth, wish.ground.rounds).await?),
        false => None,
    };
    let report = Report {
        machine: run.ground.machine.clone(),
        program: run.ground.platform.version()?,
        callers: wish.ground.callers,
        seconds: wish.ground.seconds,
        rounds: wish.ground.rounds,
        skus: wish.ground.skus,
        lines,
        growth,
    };
    print::result(&match wish.ground.format {
        Format::Text => text(&report),
        Format::Json => serde_json::to_string(&report)?,
    });
    Ok(())
}

struct Run {
    ground: Ground,
    bindings: PathBuf,
    prices: u32,
}

impl Run {
    fn cases(&self, parts: &[Condition]) -> Result<Vec<Case>, Failure> {
        let usual = Case {
            name: USUAL.to_owned(),
            callers: self.ground.callers,
            choice: Choice::Uniform(self.ground.skus),
            serving: Serving { bindings: Some(self.bindings.clone()), ..Serving::default() },
            kind: Kind::Orders,
        };
        let but = |name: &str, change: &dyn Fn(&mut Case)| {
            let mut case = Case { name: name.to_owned(), ..usual.clone() };
            change(&mut case);
            case
        };
        let mut cases = vec![usual.clone()];
        for part in parts {
            match part {
                Condition::Callers => {
                    cases.push(but("1 caller", &|case| case.callers = 1));
                    cases.push(but("64 callers", &|case| case.callers = 64));
                }
                Condition::Lines => cases.push(but("ten lines an order", &|case| {
                    case.choice = Choice::Many { skus: self.ground.skus, lines: 10 };
                })),
                Condition::Paid => {
                    cases.push(but("paid at the provider, over HTTP", &|case| case.kind = Kind::Paid));
                }
                Condition::Steps => cases.push(but("single steps, steps a second", &|case| {
                    (case.kind, case.serving.single_steps) = (Kind::Steps, true);
                })),
                Condition::Disk => {
                    let library = self.slow_disk()?;
                    for ms in [1, 4] {
                        cases.push(but(&format!("each flush {ms} ms longer"), &|case| {
                            let (library, delay) = (library.clone(), Duration::from_millis(ms));
                            case.serving.slow_disk = Some(SlowDisk { library, delay });
                        }));
                    }
                }
                Condition::Prices => {
                    let name = format!("{} prices more", self.prices);
                    cases.push(but(&name, &|case| case.kind = Kind::Prices));
                }
                Condition::Open => {
                    cases.push(but("three times as many arrive, placed", &|case| case.kind = Kind::Open));
                }
                Condition::Growth => {}
            }
        }
        Ok(cases)
    }

    /// Compiles what makes flushes slower.
    fn slow_disk(&self) -> Result<PathBuf, Failure> {
        let (source, library) =
            (self.ground.bench.path("slow_disk.c"), self.ground.bench.path("slow_disk.so"));
        std::fs::write(&source, SLOW_DISK).map_err(|error| Failure::file(&source, &error))?;
        let status =
            Command::new("cc").args(["-O2", "-shared", "-fPIC", "-o"]).args([&library, &source]).status();
        match status {
            Ok(status) if status.success() => Ok(library),
            told => Err(Failure::words(format!("a C compiler is needed for slower disks: cc: {told:?}"))),
        }
    }

    fn load(&self, case: &Case, server: &Server, until: Until, numbers: &Numbers) -> Loop {
        let (address, numbers) = (server.address, Arc::clone(numbers));
        Loop { address, callers: case.callers, choice: case.choice, until, numbers }
    }

    /// How fast it was, and what else there is to say.
    async fn measure(&self, case: &Case, usual: f64) -> Result<(Speed, Option<String>), Failure> {
        let data = self.ground.fresh()?;
        if case.kind == Kind::Prices {
            self.long_list(&data, self.ground.skus)?;
        }
        let numbers = Numbers::default();
        let sandbox = match case.kind {
            Kind::Paid => Some(self.ground.platform.sandbox(&self.ground.bench.path("provider"))?),
            _ => None,
        };
        let serving = Serving { sandbox: sandbox.as_ref().map(|it| it.address), ..case.serving.clone() };
        let server = self.ground.platform.serve_as(&data, &serving)?;
        let (time, mut refused) = (self.ground.time(), 0);
        let measured = match (case.kind, &sandbox) {
            (Kind::Paid, Some(sandbox)) => {
                let peers = (server.address, sandbox.address);
                let (paid, took) =
                    paid::run(peers, &database(&data), case.callers, time, case.choice, &numbers).await?;
                let rate = paid as f64 / took.as_secs_f64();
                (Speed { orders_per_second: rate, p50_ms: 0.0, p99_ms: 0.0 }, None)
            }
            (Kind::Open, _) => {
                load::run(&self.load(case, &server, Until::Passed(WARM_UP), &numbers)).await?;
                let offered = open::run(server.address, OFFERED * usual, time, case.choice, &numbers).await?;
                refused = offered.refused_us.len() as u64;
                let speed = Speed {
                    orders_per_second: offered.placed_per_second(),
                    p50_ms: load::percentile_ms(&offered.placed_us, 50),
                    p99_ms: load::percentile_ms(&offered.placed_us, 99),
                };
                let note = format!(
                    "{} arrived, {} were placed, {refused} refused as busy and told when to come again: half of these within {:.1} ms, \
                     99 % within {:.1} ms",
                    offered.sent,
                    offered.placed_us.len(),
                    load::percentile_ms(&offered.refused_us, 50),
                    load::percentile_ms(&offered.refused_us, 99),
                );
                (speed, Some(note))
            }
            (kind, _) => {
                load::run(&self.load(case, &server, Until::Passed(WARM_UP), &numbers)).await?;
                let wish = self.load(case, &server, Until::Passed(time), &numbers);
                let (load, cost) = costing(&server, load::run(&wish), Load::orders).await?;
                of_orders(kind, speed(&load), &cost)
            }
        };
        drop((server, sandbox));
        self.ground.hold(&data, numbers.load(Ordering::Relaxed) - refused, &case.name)?;
        Ok(measured)
    }

    /// Prices of customers whom nobody knows, for every item.
    fn long_list(&self, data: &Path, skus: u32) -> Result<(), Failure> {
        use std::fmt::Write as _;
        let mut rows = String::from("price_list,sku,currency,amount,customer_group\n");
        for number in 0..self.prices {
            let (sku, group) = (number % skus, number / skus);
            // Writing into a string cannot fail.
            let _ = writeln!(rows, "group-{group},{},{},999,group-{group}", shop::sku(sku), shop::CURRENCY);
        }
        self.ground.platform.import(data, "pricing.import_entries", &rows)
    }
}

fn of_orders(kind: Kind, speed: Speed, cost: &Cost) -> (Speed, Option<String>) {
    match kind {
        Kind::Steps => {
            let note =
                format!("{:.0} orders a second of {:.1} steps", speed.orders_per_second, cost.stretches);
            (Speed { orders_per_second: speed.orders_per_second * cost.stretches, ..speed }, Some(note))
        }
        _ => (speed, None),
    }
}

fn text(report: &Report) -> String {
    let rate_of = |line: &Line| {
        middle(line.speeds.iter().map(|one| one.orders_per_second).collect()).unwrap_or_default()
    };
    let usual = report.lines.first().map_or(0.0, rate_of);
    let most = report.lines.iter().map(rate_of).fold(usual, f64::max);
    let bar = |rate: f64, most: f64| "█".repeat((BAR * rate / most.max(1e-9)).round() as usize);
    let mut lines = vec![
        "The checkout as circumstances change it: fixed price, over HTTP, SQLite, flushed before an answer"
            .to_owned(),
        report.machine.to_string(),
        format!(
            "{}; as usual: paid on invoice, two lines, {} callers in a closed loop on the same cores, {} SKUs; {} rounds of {} s, medians",
            report.program, report.callers, report.skus, report.rounds, report.seconds
        ),
        format!("\n{:<38}{:>10}{:>10}{:>10}{:>10}", "", "a second", "p50 ms", "p99 ms", "to usual"),
    ];
    for line in &report.lines {
        let rate = rate_of(line);
        let of = |figure: fn(&Speed) -> f64| {
            let ms = middle(line.speeds.iter().map(figure).collect()).filter(|ms| *ms > 0.0);
            ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.2}"))
        };
        let (p50, p99) = (of(|speed| speed.p50_ms), of(|speed| speed.p99_ms));
        let name = &line.name;
        lines.push(format!(
            "{name:<38}{rate:>10.0}{p50:>10}{p99:>10}{:>10.2}  {}",
            rate / usual,
            bar(rate, most)
        ));
    }
    for line in &report.lines {
        let rounds: Vec<String> =
            line.speeds.iter().map(|one| format!("{:.0}", one.orders_per_second)).collect();
        lines.push(format!("  rounds: {}: {}", line.name, rounds.join(" ")));
        lines.extend(line.notes.iter().map(|note| format!("    {note}")));
    }
    if let Some(growth) = &report.growth {
        lines.extend(growth.lines(bar));
    }
    lines.join("\n")
}
