//! A rollout on real baskets: three extensions of the cookbook are tried on one business line beside another that has none,
//! first as shadows, then for some customers, then for all; each order's difference must be what its price proof says.
//! The order of things only: what is compared is in `proof`, what is deployed in `trial`.

mod proof;
mod report;
mod trial;

use std::collections::BTreeMap;

use crate::Arguments;
use crate::client::Client;
use crate::data::Data;
use crate::order::{BusinessLine, Order};
use crate::platform::{Platform, Server, TENANT, absolute};
use crate::prepare::prepare;
use crate::progress::Stage;
use crate::rollout::proof::{Compared, Proof};
use crate::rollout::report::{PhaseReport, Report};
use crate::run::{Outcome, RunError, begin};
use crate::selection;
use crate::send::send;
use crate::shop;
use crate::year::Year;

/// What the extensions do during some of the weeks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// They are asked and do not count.
    Shadow,
    /// They count for some customers.
    Canary,
    /// They count for all.
    Live,
}

impl Phase {
    /// In order, each with the first of its weeks in the slice.
    const ALL: [(Self, u8); 3] = [(Self::Shadow, 8), (Self::Canary, 11), (Self::Live, 14)];

    /// The phase of a week.
    fn of(week: u8) -> Self {
        let begun = Self::ALL.into_iter().rev().find(|(_, first)| week >= *first);
        begun.map_or(Self::Shadow, |(phase, _)| phase)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Shadow => "shadow",
            Self::Canary => "canary",
            Self::Live => "live",
        }
    }
}

/// Runs it all and prints the report.
pub(crate) async fn run(arguments: &Arguments) -> Result<Outcome, RunError> {
    let cache = absolute(&arguments.cache)?;
    let data = Data::open(&prepare(&cache).await?)?;
    let (weeks, stores) = selection::slice();
    let year = Year::read(&data, &weeks, &stores)?;

    let own_data = tempfile::tempdir()?;
    let program = arguments.mortise.clone().map_or_else(Platform::beside_us, Ok)?;
    let kept = arguments.data.as_deref().unwrap_or(own_data.path());
    let platform = Platform::new(program, absolute(kept)?);
    shop::set_up(&platform, &data, &year, (&weeks, &stores), BusinessLine::ROLLOUT).await?;
    trial::set_up(&platform, &data, &year).await?;

    let server = platform.serve(begin(&data, weeks.first())?).await?;
    let phases = phases(&platform, &server, &data, &year, arguments).await;
    server.kill().await?;
    let report = Report { phases: phases?, verified: platform.verify().await? };
    report.write(&mut std::io::stdout().lock())?;
    Ok(if report.holds() { Outcome::Holds } else { Outcome::Fails })
}

async fn phases(
    platform: &Platform,
    server: &Server,
    data: &Data,
    year: &Year,
    arguments: &Arguments,
) -> Result<Vec<PhaseReport>, RunError> {
    let http = reqwest::Client::builder().pool_max_idle_per_host(arguments.callers).build()?;
    let client = Client::new(http.clone(), &server.url, TENANT, &data.summary.currency)?;
    let stage = Stage::begin("selling baskets twice", 2 * year.order_count(BusinessLine::Year));
    let mut reports: Vec<PhaseReport> = Vec::new();
    let weeks = year.orders(BusinessLine::Year).zip(year.orders(BusinessLine::Tried));
    for ((week, plain), (_, tried)) in weeks {
        server.set_clock(&http, begin(data, week)?).await?;
        let phase = Phase::of(week.number());
        if reports.last().is_none_or(|last| last.phase != phase) {
            if let Some(last) = reports.last_mut() {
                last.trials = trial::seen(platform).await?;
            }
            trial::begin(platform, &arguments.extensions, phase).await?;
            reports.push(PhaseReport::new(phase));
        }
        let Some(report) = reports.last_mut() else { continue };
        report.weeks.push(week.number());
        let plain = sold(&client, plain, arguments.callers, &stage).await;
        let tried = sold(&client, tried, arguments.callers, &stage).await;
        compare(report, plain, tried);
    }
    if let Some(last) = reports.last_mut() {
        last.trials = trial::seen(platform).await?;
    }
    stage.end();
    Ok(reports)
}

/// An order that was taken, with its proof; or why not.
type Sold = (Order, Result<Proof, String>);

/// Places the orders and reads their proofs, by basket.
async fn sold(client: &Client, orders: Vec<Order>, callers: usize, stage: &Stage) -> BTreeMap<u64, Sold> {
    use futures::StreamExt as _;
    let answered = send(client, orders, callers, || stage.add(1)).await;
    let read = async |answered: crate::send::Answered| {
        let order = answered.order;
        let proof = match answered.payable {
            Ok(payable) => client.read_proof(&order).await.and_then(|proof: Proof| proof.paying(payable)),
            Err(refusal) => Err(format!("{}: {}", refusal.code, refusal.detail)),
        };
        (order.basket.id, (order, proof))
    };
    futures::stream::iter(answered).map(read).buffer_unordered(callers).collect().await
}

fn compare(report: &mut PhaseReport, plain: BTreeMap<u64, Sold>, mut tried: BTreeMap<u64, Sold>) {
    for (basket, (order, plain)) in plain {
        let Some((_, tried)) = tried.remove(&basket) else {
            report.wrong.push(format!("basket {basket} was not sold on the line of the trial"));
            continue;
        };
        match (plain, tried) {
            (Ok(plain), Ok(tried)) => {
                report.add(order.basket.household, &Compared::new(&order, &plain, &tried));
            }
            (plain, tried) => report.wrong.extend(
                [plain.err(), tried.err()].into_iter().flatten().map(|why| format!("{basket}: {why}")),
            ),
        }
    }
}
