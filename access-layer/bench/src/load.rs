//! A closed loop: so many callers, each with one connection, each sending its next order when the last is answered. It says
//! how long every answer took; what was answered is judged here only as placed, sold out, or a failure.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::client::{Answer, Connection};
use crate::failure::Failure;
use crate::order::{self, Choice};
use crate::patient::Patient;
use crate::stopwatch::Stopwatch;

/// When callers stop.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// After this time; what is under way is waited for.
    Passed(Duration),
    /// When there is no stock left.
    SoldOut,
    /// After so many orders in all, those of earlier loops with the same numbers among them.
    Placed(u64),
    /// After so many were asked for in all, whatever becomes of each and of the server meanwhile: what is not decided is
    /// asked again, and an empty shelf is a decision.
    Decided(u64),
}

/// What callers saw.
#[derive(Debug, Default, Clone)]
pub(crate) struct Load {
    /// How long each placed order took, in microseconds, sorted.
    pub(crate) latencies_us: Vec<u32>,
    /// From the first request to the last order that was placed.
    pub(crate) took: Duration,
    /// Orders for which there was nothing left.
    pub(crate) sold_out: u64,
    /// Requests that were sent again.
    pub(crate) repeats: u64,
}

impl Load {
    pub(crate) fn orders(&self) -> u64 {
        self.latencies_us.len() as u64
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.latencies_us.len() as f64 / self.took.as_secs_f64().max(1e-9)
    }

    /// The latency that so many of 100 orders do not exceed, in milliseconds.
    pub(crate) fn percentile_ms(&self, percent: usize) -> f64 {
        percentile_ms(&self.latencies_us, percent)
    }
}

/// The latency that so many of 100 do not exceed, in milliseconds, of sorted ones in microseconds; 0 of none.
pub(crate) fn percentile_ms(sorted_us: &[u32], percent: usize) -> f64 {
    let rank = (sorted_us.len() * percent).div_ceil(100).max(1);
    sorted_us.get(rank - 1).map_or(0.0, |us| f64::from(*us) / 1_000.0)
}

/// Numbers of orders, none given twice.
pub(crate) type Numbers = Arc<AtomicU64>;

/// A loop that is to be run.
#[derive(Debug, Clone)]
pub(crate) struct Loop {
    pub(crate) address: SocketAddr,
    pub(crate) callers: u32,
    pub(crate) choice: Choice,
    pub(crate) until: Until,
    pub(crate) numbers: Numbers,
}

impl Loop {
    /// The next order's number; none when there are enough.
    fn draw(&self) -> Option<u64> {
        let enough = match self.until {
            Until::Placed(count) | Until::Decided(count) => count,
            Until::Passed(_) | Until::SoldOut => u64::MAX,
        };
        let next = |number| (number < enough).then_some(number + 1);
        self.numbers.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()
    }
}

#[derive(Debug)]
enum Caller {
    Hasty(Connection),
    Patient(Patient),
}

#[derive(Debug)]
enum Said {
    Placed,
    SoldOut,
}

/// Runs the loop.
///
/// # Errors
/// The first order that is neither placed nor, on the way to being sold out, out of stock.
pub(crate) async fn run(wish: &Loop) -> Result<Load, Failure> {
    let mut connections = Vec::new();
    for _ in 0..wish.callers {
        connections.push(match wish.until {
            Until::Decided(_) => Caller::Patient(Patient::new(wish.address)),
            _ => Caller::Hasty(Connection::open(wish.address).await?),
        });
    }
    let (began, stop) = (Stopwatch::start(), Arc::new(AtomicBool::new(false)));
    let mut callers = JoinSet::new();
    for connection in connections {
        let (wish, stop) = (wish.clone(), Arc::clone(&stop));
        match connection {
            Caller::Hasty(connection) => callers.spawn(caller(connection, wish, began, stop)),
            Caller::Patient(patient) => callers.spawn(patiently(patient, wish, began)),
        };
    }
    let mut load = Load::default();
    while let Some(ended) = callers.join_next().await {
        let one = ended.map_err(|error| Failure::words(format!("a caller: {error}")))??;
        load.latencies_us.extend(one.latencies_us);
        load.took = load.took.max(one.took);
        load.sold_out += one.sold_out;
        load.repeats += one.repeats;
    }
    load.latencies_us.sort_unstable();
    Ok(load)
}

async fn caller(
    mut connection: Connection,
    wish: Loop,
    began: Stopwatch,
    stop: Arc<AtomicBool>,
) -> Result<Load, Failure> {
    let (mut load, mut request) = (Load::default(), Vec::new());
    while !stop.load(Ordering::Relaxed) {
        if matches!(wish.until, Until::Passed(time) if began.passed() >= time) {
            break;
        }
        let Some(number) = wish.draw() else { break };
        order::request(number, wish.choice, &mut request);
        let asked = Stopwatch::start();
        let Answer { status, body, .. } = connection.exchange(&request).await?;
        match said(status, body, wish.until).inspect_err(|_| stop.store(true, Ordering::Relaxed))? {
            Said::Placed => {
                load.latencies_us.push(u32::try_from(asked.passed().as_micros()).unwrap_or(u32::MAX));
                load.took = began.passed();
            }
            // Another caller's order may still be undone: each goes on until it meets an empty shelf itself.
            Said::SoldOut => break,
        }
    }
    Ok(load)
}

/// Orders, each until it is decided.
async fn patiently(mut patient: Patient, wish: Loop, began: Stopwatch) -> Result<Load, Failure> {
    let (mut load, mut request) = (Load::default(), Vec::new());
    while let Some(number) = wish.draw() {
        order::request(number, wish.choice, &mut request);
        let asked = Stopwatch::start();
        let (status, body) = patient.ask(&request).await?;
        match said(status, &body, Until::SoldOut)? {
            Said::Placed => {
                load.latencies_us.push(u32::try_from(asked.passed().as_micros()).unwrap_or(u32::MAX));
                load.took = began.passed();
            }
            Said::SoldOut => load.sold_out += 1,
        }
    }
    load.repeats = patient.repeats;
    Ok(load)
}

fn said(status: u16, body: &[u8], until: Until) -> Result<Said, Failure> {
    let text = String::from_utf8_lossy(body);
    match (status, until) {
        (200, _) => Ok(Said::Placed),
        (422, Until::SoldOut) if text.contains("\"out_of_stock\"") => Ok(Said::SoldOut),
        (status, _) => Err(Failure::words(format!("an order was answered with {status}: {text}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_latency_that_was_measured() {
        let load = Load {
            latencies_us: (1..=200).map(|ms| ms * 1_000).collect(),
            took: Duration::from_secs(2),
            ..Load::default()
        };
        assert_eq!(
            (load.percentile_ms(50), load.percentile_ms(99), load.percentile_ms(100)),
            (100.0, 198.0, 200.0)
        );
        assert_eq!(load.per_second(), 100.0);
        assert_eq!(Load::default().percentile_ms(50), 0.0);
    }

    #[test]
    fn only_a_placed_order_counts() {
        let refused = br#"{"code":"trade-failed","reason":"out_of_stock"}"#;
        assert!(matches!(said(200, b"{}", Until::SoldOut), Ok(Said::Placed)));
        assert!(matches!(said(422, refused, Until::SoldOut), Ok(Said::SoldOut)));
        assert!(said(422, refused, Until::Passed(Duration::ZERO)).is_err());
        assert!(said(202, b"{}", Until::SoldOut).is_err());
    }
}
