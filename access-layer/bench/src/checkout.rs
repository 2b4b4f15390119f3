//! The checkout benchmark: round by round the baselines and the real thing, each on a fresh copy of the same shop.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use serde_json::json;

use crate::args::{Checkout, Format, Part};
use crate::bids;
use crate::failure::Failure;
use crate::ground::{Ground, WARM_UP, costing, database, speed};
use crate::load::{self, Load, Loop, Numbers, Until};
use crate::order::{self, Choice};
use crate::platform::Server;
use crate::print;
use crate::report::{Measured, Report, Series, Speed};
use crate::rows::{self, Rows};
use crate::shop;

/// Stock of the one SKU for a run that has not measured how fast it will go.
const ORDERS_PER_SECOND_GUESSED: f64 = 1_000.0;

pub(crate) async fn run(wish: Checkout) -> Result<(), Failure> {
    let (mut run, mut report) = prepare(&wish)?;
    for round in 1..=wish.ground.rounds {
        for part in &wish.parts {
            let measured = run.measure(*part, &mut report).await?;
            print::progress(&format!(
                "round {round} of {}: {part:?}: {:.0} a second",
                wish.ground.rounds, measured.speed.orders_per_second
            ));
            series(&mut report, *part).add(measured);
        }
    }
    print::result(&match wish.ground.format {
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

/// What a run has besides its ground.
struct Run {
    ground: Ground,
    bindings: PathBuf,
    /// What the latest uniform orders left, for the second baseline.
    rows: Option<Rows>,
}

fn prepare(wish: &Checkout) -> Result<(Run, Report), Failure> {
    let ground = Ground::prepare(&wish.ground)?;
    let bindings = ground.bindings("bindings.toml", &shop::bindings())?;
    let report = Report {
        machine: ground.machine.clone(),
        program: ground.platform.version()?,
        callers: wish.ground.callers,
        seconds: wish.ground.seconds,
        rounds: wish.ground.rounds,
        skus: wish.ground.skus,
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
    Ok((Run { ground, bindings, rows: None }, report))
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

    async fn echo(&self) -> Result<Measured, Failure> {
        let server = Server::start(Command::new(std::env::current_exe()?).arg("echo"))?;
        let numbers = Numbers::default();
        load::run(&self.ground.all_skus(&server, Until::Passed(WARM_UP), &numbers)).await?;
        let load =
            load::run(&self.ground.all_skus(&server, Until::Passed(self.ground.time()), &numbers)).await?;
        Ok(Measured { speed: speed(&load), cost: None })
    }

    async fn uniform(&mut self, report: &mut Report) -> Result<Measured, Failure> {
        let (measured, data, placed) = self.ground.uniform(Some(&self.bindings)).await?;
        let kept = usize::try_from(placed).unwrap_or(usize::MAX).min(rows::ORDERS_MAX);
        let rows = Rows::compare(&self.ground.untouched(), &database(&data), 0, kept)?;
        (report.inserted_rows, report.updated_rows) = rows.counts();
        self.rows = Some(rows);
        Ok(measured)
    }

    /// All callers buy one item until it is sold out, and not one unit more.
    async fn one_sku(&self, report: &mut Report) -> Result<Measured, Failure> {
        let data = self.ground.fresh()?;
        let hot = self.ground.skus;
        let per_second = report.uniform.per_second().unwrap_or(ORDERS_PER_SECOND_GUESSED);
        let expected =
            (per_second * f64::from(self.ground.seconds)).ceil().max(f64::from(self.ground.callers)) as u64;
        let stock = expected * order::UNITS;
        shop::stock_of(&self.ground.platform, &data, hot, stock)?;
        let numbers = Numbers::default();
        let (load, measured) = {
            let server = self.ground.platform.serve(&data, Some(&self.bindings))?;
            load::run(&self.ground.all_skus(&server, Until::Passed(WARM_UP), &numbers)).await?;
            let (address, callers, numbers) = (server.address, self.ground.callers, Arc::clone(&numbers));
            let wish = Loop { address, callers, choice: Choice::One(hot), until: Until::SoldOut, numbers };
            let (load, cost) = costing(&server, load::run(&wish), Load::orders).await?;
            let measured = Measured { speed: speed(&load), cost: Some(cost) };
            (load, measured)
        };
        self.ground.platform.verify(&data)?;
        let sold = load.orders() * order::UNITS;
        let shelf =
            self.ground.platform.call(&data, "inventory.get_stock", &json!({ "skus": [shop::sku(hot)] }))?;
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
        let data = self.ground.fresh()?;
        let numbers = Numbers::default();
        let (mut taken, bidding, cost) = {
            let server = self.ground.platform.serve(&data, Some(&self.bindings))?;
            bids::open(server.address, self.ground.callers).await?;
            let warm = bids::run(server.address, self.ground.callers, WARM_UP, &numbers).await?;
            let run = bids::run(server.address, self.ground.callers, self.ground.time(), &numbers);
            let (bidding, cost) = costing(&server, run, |bidding| bidding.load.orders()).await?;
            (warm.taken, bidding, cost)
        };
        // The server was killed: what it answered is there, no more and no less.
        self.ground.platform.verify(&data)?;
        report.bids_decided += bidding.load.orders();
        report.bids_taken += bidding.taken.len() as u64;
        let speed = speed(&bidding.load);
        taken.extend(bidding.taken);
        bids::hold(self.ground.platform.serve(&data, Some(&self.bindings))?.address, &taken).await?;
        Ok(Measured { speed, cost: Some(cost) })
    }

    fn by_hand(&self) -> Result<Measured, Failure> {
        let rows = self.rows.as_ref().ok_or_else(|| {
            Failure::words("rows can be written when real orders have left some: measure `uniform` too")
        })?;
        let took = rows.write(&database(&self.ground.fresh()?))?;
        let orders_per_second = rows.orders() as f64 / took.as_secs_f64().max(1e-9);
        Ok(Measured { speed: Speed { orders_per_second, p50_ms: 0.0, p99_ms: 0.0 }, cost: None })
    }
}
