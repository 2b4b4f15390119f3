//! Idempotency keys that come again and again, at two servers of one PostgreSQL database, several at once: each has one effect, and
//! the same bytes for everybody.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;

use super::house::orders;
use super::{Counts, Dice, Yard};
use crate::failure::Failure;
use crate::order::{self, Choice};
use crate::patient::Patient;
use crate::platform::Serving;
use crate::postgres::Postgres;
use crate::shop;

/// How often each key comes.
const REPLAYS: u64 = 20;
/// Keys that come mixed with each other: several callers have the same one at a time.
const MIXED: u64 = 40;

pub(super) async fn run(yard: &Yard) -> Result<Counts, Failure> {
    let keys = yard.size.pick(80, 10_000);
    let (ground, mut dice) = (&yard.ground, yard.dice("keys"));
    let postgres = Postgres::start()?;
    let url = postgres.url("postgres");
    let data = Path::new(&url);
    shop::open(&ground.platform, data, ground.skus)?;
    let serve = || ground.platform.serve_as(data, &Serving::default());
    let servers = [serve()?, serve()?];
    let asking = Arc::new(Asking {
        requests: mixed_up(keys, &mut dice),
        next: AtomicUsize::new(0),
        servers: servers.each_ref().map(|server| server.address),
        skus: ground.skus,
        first: Mutex::default(),
    });
    let mut callers = JoinSet::new();
    for _ in 0..ground.callers {
        callers.spawn(Arc::clone(&asking).call());
    }
    let mut repeats = 0;
    while let Some(ended) = callers.join_next().await {
        repeats += ended.map_err(|error| Failure::words(format!("a caller: {error}")))??;
    }
    let there = orders(asking.servers[1]).await?.len() as u64;
    drop(servers);
    ground.platform.verify(data)?;
    if there != keys {
        return Err(Failure::words(format!("{keys} keys have had {there} effects")));
    }
    Ok(vec![
        ("keys", keys),
        ("requests", asking.requests.len() as u64),
        ("of them sent again while the first was under way", repeats),
        ("servers", 2),
        ("effects", there),
        ("answers that differ", 0),
    ])
}

/// Every key as often as it comes, in some order, each at one of two servers.
fn mixed_up(keys: u64, dice: &mut Dice) -> Vec<(u64, usize)> {
    let mut all = Vec::new();
    for window in (0..keys).step_by(MIXED as usize) {
        let mine = window..keys.min(window + MIXED);
        let mut some: Vec<(u64, usize)> =
            mine.flat_map(|key| (0..REPLAYS).map(move |nth| (key, nth as usize % 2))).collect();
        for last in (1..some.len()).rev() {
            some.swap(last, dice.below(last as u64 + 1) as usize);
        }
        all.extend(some);
    }
    all
}

struct Asking {
    requests: Vec<(u64, usize)>,
    next: AtomicUsize,
    servers: [SocketAddr; 2],
    skus: u32,
    /// The first answer of each key.
    first: Mutex<BTreeMap<u64, Vec<u8>>>,
}

impl Asking {
    /// How many requests had to be sent again.
    async fn call(self: Arc<Self>) -> Result<u64, Failure> {
        let (mut patients, mut request) = (self.servers.map(Patient::new), Vec::new());
        loop {
            let next = self.next.fetch_add(1, Ordering::Relaxed);
            let Some((key, server)) = self.requests.get(next).copied() else {
                return Ok(patients.iter().map(|patient| patient.repeats).sum());
            };
            order::request(key, Choice::Uniform(self.skus), &mut request);
            let (status, body) = patients[server].ask(&request).await?;
            if status != 200 {
                let text = String::from_utf8_lossy(&body);
                return Err(Failure::words(format!("key {key} was answered with {status}: {text}")));
            }
            self.same(key, body)?;
        }
    }

    fn same(&self, key: u64, body: Vec<u8>) -> Result<(), Failure> {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        let told = first.entry(key).or_insert_with(|| body.clone());
        if *told == body {
            return Ok(());
        }
        let [told, body] = [&told[..], &body[..]].map(String::from_utf8_lossy);
        Err(Failure::words(format!("key {key} was answered with {told}, and then with {body}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_comes_as_often_as_it_is_to_and_at_both_servers() {
        let all = mixed_up(100, &mut Dice(1));
        assert_eq!(all.len() as u64, 100 * REPLAYS);
        for key in 0..100 {
            let at = |server: usize| all.iter().filter(|one| **one == (key, server)).count() as u64;
            assert_eq!((at(0), at(1)), (REPLAYS / 2, REPLAYS / 2));
        }
        assert_ne!(all[..20], mixed_up(100, &mut Dice(2))[..20]);
    }
}
