//! A shop that has grown: many items, a long price list, and orders that are placed until its tables are full. How fast it takes
//! orders on the way, and at the end in turns with the usual shop, which is fresh each time: minutes lie between the first and
//! the last order of a curve, and the machine is not the same in all of them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use serde::Serialize;

use super::Run;
use crate::failure::Failure;
use crate::ground::{WARM_UP, costing, speed};
use crate::load::{self, Load, Loop, Numbers, Until};
use crate::order::Choice;
use crate::platform::Server;
use crate::print;
use crate::report::{Cost, Measured, middle};
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
    pub(super) turns: Vec<(Measured, Measured)>,
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
        let wish = grown.load(run, &server, Until::Passed(run.ground.time()));
        let (large, cost) = costing(&server, load::run(&wish), Load::orders).await?;
        let large = Measured { speed: speed(&large), cost: Some(cost) };
        let (before, behind) = (usual.speed.orders_per_second, large.speed.orders_per_second);
        print::progress(&format!(
            "round {round} of {rounds}: as usual {before:.0}, grown {behind:.0} a second"
        ));
        turns.push((usual, large));
    }
    run.ground.hold(&grown.data, grown.numbers.load(Ordering::Relaxed), "the shop that grew")?;
    Ok(Growth { skus: SKUS, prices: run.prices, curve, turns })
}

impl Growth {
    /// For people; `bar` draws a rate beside the highest one.
    pub(super) fn lines(&self, bar: impl Fn(f64, f64) -> String) -> Vec<String> {
        let Self { skus, prices, curve, turns } = self;
        let mut lines = vec![format!(
            "\nA shop of {skus} SKUs and {prices} prices more: orders in its tables, and orders a second meanwhile"
        )];
        let most = curve.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
        lines.extend(
            curve.iter().map(|(orders, rate)| format!("{orders:>12}{rate:>10.0}  {}", bar(*rate, most))),
        );
        let rate = |one: &Measured| one.speed.orders_per_second;
        let ratio = |(usual, grown): &(Measured, Measured)| rate(grown) / rate(usual);
        lines.push("At its end, in turns: the usual shop, this one".to_owned());
        lines.extend(turns.iter().map(|turn| {
            let (usual, grown) = (rate(&turn.0), rate(&turn.1));
            format!("{usual:>12.0}{grown:>10.0}{:>10.2}", ratio(turn))
        }));
        if let Some(median) = middle(turns.iter().map(ratio).collect()) {
            lines.push(format!("{median:>32.2}  in the middle"));
        }
        let usual: Vec<&Cost> = turns.iter().filter_map(|turn| turn.0.cost.as_ref()).collect();
        let grown: Vec<&Cost> = turns.iter().filter_map(|turn| turn.1.cost.as_ref()).collect();
        let of = |costs: &[&Cost], figure: &dyn Fn(&Cost) -> f64| {
            middle(costs.iter().map(|cost| figure(cost)).collect()).unwrap_or_default()
        };
        lines.push("What an order costs in the usual shop and in this one".to_owned());
        let threads: BTreeSet<&String> = usual.iter().flat_map(|cost| cost.server_cpu_us.keys()).collect();
        lines.extend(threads.into_iter().filter_map(|name| {
            let time = |cost: &Cost| cost.server_cpu_us.get(name).copied().unwrap_or_default();
            let (usual, grown) = (of(&usual, &time), of(&grown, &time));
            (usual >= 1.0).then(|| format!("{usual:>12.0}{grown:>10.0} us of CPU in {name}"))
        }));
        let written = |cost: &Cost| cost.written_bytes / 1_024.0;
        let (usual, grown) = (of(&usual, &written), of(&grown, &written));
        lines.push(format!("{usual:>12.0}{grown:>10.0} KiB written"));
        lines
    }
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
