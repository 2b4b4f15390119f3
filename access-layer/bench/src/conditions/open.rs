//! An open loop: orders arrive at a rate of their own, whether or not the ones before are answered. Each takes a connection
//! that is free, or a new one. What is refused as busy is counted beside what is placed.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::{JoinSet, LocalSet};

use crate::client::{Answer, Connection};
use crate::failure::Failure;
use crate::load::Numbers;
use crate::order::{self, Choice};
use crate::stopwatch::Stopwatch;

/// How far apart arrivals are looked at.
const BEAT: Duration = Duration::from_millis(1);

/// What became of the arrivals.
#[derive(Debug, Default)]
pub(super) struct Offered {
    pub(super) sent: u64,
    /// How long each that was placed took, in microseconds, sorted.
    pub(super) placed_us: Vec<u32>,
    /// The same of those that were refused as busy.
    pub(super) refused_us: Vec<u32>,
    /// From the first arrival to the last.
    pub(super) took: Duration,
    /// Placed until the last arrival.
    pub(super) placed_meanwhile: u64,
}

/// Offers so many orders a second for a time, and waits for the answers of all.
///
/// # Errors
/// An answer that is neither an order nor a refusal as busy.
pub(super) async fn run(
    address: SocketAddr,
    rate: f64,
    time: Duration,
    choice: Choice,
    numbers: &Numbers,
) -> Result<Offered, Failure> {
    let free: Rc<RefCell<Vec<Connection>>> = Rc::default();
    let mut offered = Offered::default();
    let mut under_way: JoinSet<Result<(u16, u32), Failure>> = JoinSet::new();
    let local = LocalSet::new();
    let began = Stopwatch::start();
    let arriving = async {
        while began.passed() < time {
            let due = (began.passed().as_secs_f64() * rate) as u64;
            while offered.sent < due {
                offered.sent += 1;
                let (number, free) = (numbers.fetch_add(1, Ordering::Relaxed), Rc::clone(&free));
                under_way.spawn_local(async move {
                    let began = Stopwatch::start();
                    let idle = free.borrow_mut().pop();
                    let mut connection = match idle {
                        Some(connection) => connection,
                        None => Connection::open(address).await?,
                    };
                    let mut request = Vec::new();
                    order::request(number, choice, &mut request);
                    let Answer { status, says_when, .. } = connection.exchange(&request).await?;
                    if status == 503 && !says_when {
                        return Err(Failure::words("an order was refused as busy without Retry-After"));
                    }
                    let us = u32::try_from(began.passed().as_micros()).unwrap_or(u32::MAX);
                    free.borrow_mut().push(connection);
                    Ok((status, us))
                });
            }
            while let Some(ended) = under_way.try_join_next() {
                offered.count(ended)?;
            }
            tokio::time::sleep(BEAT).await;
        }
        offered.took = began.passed();
        offered.placed_meanwhile = offered.placed_us.len() as u64;
        while let Some(ended) = under_way.join_next().await {
            offered.count(ended)?;
        }
        Ok::<_, Failure>(())
    };
    local.run_until(arriving).await?;
    offered.placed_us.sort_unstable();
    offered.refused_us.sort_unstable();
    Ok(offered)
}

impl Offered {
    fn count(
        &mut self,
        ended: Result<Result<(u16, u32), Failure>, tokio::task::JoinError>,
    ) -> Result<(), Failure> {
        match ended.map_err(|error| Failure::words(format!("an arrival: {error}")))?? {
            (200, us) => self.placed_us.push(us),
            (503, us) => self.refused_us.push(us),
            (status, _) => return Err(Failure::words(format!("an order was answered with {status}"))),
        }
        Ok(())
    }

    pub(super) fn placed_per_second(&self) -> f64 {
        self.placed_meanwhile as f64 / self.took.as_secs_f64().max(1e-9)
    }
}
