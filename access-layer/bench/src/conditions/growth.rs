//! A shop that has grown: many items, a long price list, and orders that are placed until its tables are full. How fast it takes
//! orders on the way, and at the end in turns with the usual shop, which is fresh each time: minutes lie between the first and
//! the last order of a curve, and the machine is not the same in all of them.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use serde::Serialize;

use super::Run;
use crate::failure::Failure;
use crate::ground::{WARM_UP, speed};
use crate::load::{self, Loop, Numbers, Until};
use crate::order::Choice;
use crate::platform::Server;
use crate::print;
use crate::report::Speed;
use crate::shop;

/// So many points of the curve.
const POINTS: u32 = 10;
/// Items of the shop that grows.
const SKUS: u32 = 100_000;

/// What became of it.
#[derive(Debug, Serialize)]
pub(super) struct Growth {
    pub(super) skus: u32,
    pub(super) prices: u32,
    /// Orders in the tables, and orders a second meanwhile.
    pub(super) curve: Vec<(u64, f64)>,
    /// At its end, in turns: the usual shop, the one that has grown.
    pub(super) turns: Vec<(Speed, Speed)>,
}

/// Lets a shop grow until so many orders are in its tables.
///
/// # Errors
/// An order that is not placed, and what `verify` finds.
pub(super) async fn run(run: &Run, until: u32, rounds: u32) -> Result<Growth, Failure> {
    let grown = Grown::prepare(run)?;
    let mut curve = Vec::new();
    {
        let server = grown.serve(run)?;
        for point in 1..=POINTS {
            let aim = u64::from(until) * u64::from(point) / u64::from(POINTS);
            let rate = load::run(&grown.load(run, &server, Until::Placed(aim))).await?.per_second();
            print::progress(&format!("{aim} orders in the tables: {rate:.0} a second"));
            curve.push((aim, rate));
        }
    }
    let mut turns = Vec::new();
    for round in 1..=rounds {
        let (usual, ..) = run.ground.uniform(Some(&run.bindings)).await?;
        let server = grown.serve(run)?;
        load::run(&grown.load(run, &server, Until::Passed(WARM_UP))).await?;
        let large = speed(&load::run(&grown.load(run, &server, Until::Passed(run.ground.time()))).await?);
        let (before, behind) = (usual.speed.orders_per_second, large.orders_per_second);
        print::progress(&format!(
            "round {round} of {rounds}: as usual {before:.0}, grown {behind:.0} a second"
        ));
        turns.push((usual.speed, large));
    }
    run.ground.hold(&grown.data, grown.numbers.load(Ordering::Relaxed), "the shop that grew")?;
    Ok(Growth { skus: SKUS, prices: run.prices, curve, turns })
}

/// The shop, which its servers have one after the other.
struct Grown {
    data: PathBuf,
    numbers: Numbers,
}

impl Grown {
    fn prepare(run: &Run) -> Result<Self, Failure> {
        let data = run.ground.bench.path("grown");
        shop::open(&run.ground.platform, &data, SKUS)?;
        run.long_list(&data, SKUS)?;
        run.ground.copy_compiled(&data)?;
        Ok(Self { data, numbers: Numbers::default() })
    }

    fn serve(&self, run: &Run) -> Result<Server, Failure> {
        run.ground.platform.serve(&self.data, Some(&run.bindings))
    }

    fn load(&self, run: &Run, server: &Server, until: Until) -> Loop {
        Loop { choice: Choice::Uniform(SKUS), ..run.ground.all_skus(server, until, &self.numbers) }
    }
}
