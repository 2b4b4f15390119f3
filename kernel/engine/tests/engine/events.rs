//! Very many events, and subscribers and engines that crash while they are delivered: none is lost, their order is kept. So many and
//! from which seed says the environment: `MORTISE_EVENTS` (2,000 where it is not set), `MORTISE_SEED`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use mortise_engine::{Delivered, Subscriber};
use tokio::sync::Notify;

use crate::house::House;

/// Each of its trades tells ten events.
const TELL: &str = r#"
flow: tell
version: 1
input:
  type: object
  required: [order]
  properties: { order: { type: string } }
key: ${ input.order }
steps:
  - { emit: shop.given_up, with: { order: "${ input.order + '-0' }" } }
  - { emit: shop.given_up, with: { order: "${ input.order + '-1' }" } }
  - { emit: shop.given_up, with: { order: "${ input.order + '-2' }" } }
  - { emit: shop.given_up, with: { order: "${ input.order + '-3' }" } }
  - { emit: shop.given_up, with: { order: "${ input.order + '-4' }" } }
  - { emit: shop.given_up, with: { order: "${ input.order + '-5' }" } }
  - { emit: shop.given_up, with: { order: "${ input.order + '-6' }" } }
  - { emit: shop.given_up, with: { order: "${ input.order + '-7' }" } }
  - { emit: shop.given_up, with: { order: "${ input.order + '-8' }" } }
  - { emit: shop.given_up, with: { order: "${ input.order + '-9' }" } }
  - answer: { order: "${ input.order }" }
"#;
const EACH: u64 = 10;
/// Trades that are begun at a time.
const TOGETHER: u64 = 64;
/// How long the rest of the deliveries is looked at, and for how many times.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS: u32 = 12_000;

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

/// What is on the other side: it outlives whoever delivers, and takes what it has not had.
struct Consumer {
    seed: u64,
    deliveries: AtomicU64,
    taken: Mutex<Taken>,
    /// Who delivered has died, or is to.
    died: Notify,
}

#[derive(Default)]
struct Taken {
    events: Vec<(i64, String)>,
    again: u64,
    refusals: u64,
    panics: u64,
    crashes: u64,
    gaps: Vec<String>,
    /// The whole engine is to crash, not its subscriber alone.
    engine_too: bool,
}

impl Consumer {
    fn draw(&self) -> u64 {
        let mut drawn =
            self.seed ^ self.deliveries.fetch_add(1, Ordering::SeqCst).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        drawn ^ (drawn >> 31)
    }

    /// As a consumer does who keeps what he has had by its position, which is what a delivery may repeat.
    fn take(&self, events: &[Delivered]) {
        let mut taken = self.taken.lock().unwrap();
        let last = taken.events.last().map_or(0, |(position, _)| *position);
        if let Some(first) = events.first().filter(|_| !events.is_sorted_by(|a, b| a.position < b.position)) {
            taken.gaps.push(format!("a delivery from {} on is in no order", first.position));
        }
        for event in events {
            if event.position > last {
                taken.events.push((event.position, event.key.clone()));
            } else {
                taken.again += 1;
            }
        }
    }
}

impl Subscriber for Consumer {
    fn name(&self) -> &str {
        "consumer"
    }

    fn deliver<'a>(&'a self, events: &'a [Delivered]) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let drawn = self.draw();
            // Half of those who fail have taken it before, and it comes again.
            let had = (drawn >> 32).is_multiple_of(2);
            let fate = drawn % 6;
            if fate > 2 || had {
                self.take(events);
            }
            match fate {
                0 => {
                    self.taken.lock().unwrap().refusals += 1;
                    Err("not now".to_owned())
                }
                1 => {
                    self.taken.lock().unwrap().panics += 1;
                    self.died.notify_one();
                    std::panic::resume_unwind(Box::new("the subscriber dies"));
                }
                2 => {
                    {
                        let mut taken = self.taken.lock().unwrap();
                        taken.crashes += 1;
                        taken.engine_too = true;
                    }
                    self.died.notify_one();
                    std::future::pending().await
                }
                _ => Ok(()),
            }
        })
    }
}

fn subscribe(house: &House, consumer: &Arc<Consumer>) {
    house.runtime().block_on(async { house.engine().subscribe(Arc::clone(consumer) as _) });
}

/// Where a subscriber has died, within so long, another one goes on, of the same engine or of the next.
fn revive(house: &mut House, consumer: &Arc<Consumer>, within: Duration) {
    let died = async { tokio::time::timeout(within, consumer.died.notified()).await.is_ok() };
    if !house.runtime().block_on(died) {
        return;
    }
    if std::mem::take(&mut consumer.taken.lock().unwrap().engine_too) {
        house.restart();
    }
    subscribe(house, consumer);
}

#[test]
fn none_is_lost_and_their_order_is_kept_whoever_crashes() {
    let (events, seed) = (setting("MORTISE_EVENTS", 2_000), setting("MORTISE_SEED", 1));
    let mut house = House::new(TELL);
    let consumer = Arc::new(Consumer {
        seed,
        deliveries: AtomicU64::new(0),
        taken: Mutex::default(),
        died: Notify::new(),
    });
    subscribe(&house, &consumer);
    let mut next = 0;
    while next < events / EACH {
        let some: Vec<u64> = (next..(next + TOGETHER).min(events / EACH)).collect();
        let begun: Vec<_> =
            some.iter().map(|n| house.begin("tell", &format!(r#"{{"order":"o{n}"}}"#))).collect();
        for begun in begun {
            house.answer(begun);
        }
        next += TOGETHER;
        revive(&mut house, &consumer, Duration::ZERO);
    }
    let all = house.rows("SELECT position || ' ' || key FROM outbox ORDER BY outbox.position");
    for _ in 0..LOOKS {
        if consumer.taken.lock().unwrap().events.len() >= all.len() {
            break;
        }
        revive(&mut house, &consumer, LOOK);
    }
    let taken = consumer.taken.lock().unwrap();
    let had: Vec<String> = taken.events.iter().map(|(position, key)| format!("{position} {key}")).collect();
    let Taken { again, refusals, panics, crashes, gaps, .. } = &*taken;
    let of_trade =
        |key: &str| key.rsplit_once('-').map(|(trade, nth)| (trade.to_owned(), nth.parse::<u64>().unwrap()));
    let mut told = BTreeMap::new();
    for (trade, nth) in taken.events.iter().filter_map(|(_, key)| of_trade(key)) {
        let next = told.entry(trade).or_insert(0);
        assert_eq!(nth, *next, "the events of a trade come in its order");
        *next += 1;
    }
    eprintln!(
        "events    seed {seed}: {events} events, {} taken once and in order, {again} delivered again; subscribers refused {refusals} \
         times and died {panics} times, engines {crashes} times",
        had.len()
    );
    assert_eq!(all.len() as u64, events, "the outbox has every event once");
    assert!(gaps.is_empty(), "{gaps:?}");
    assert!(had == all, "what was taken is what was told, in its order");
    assert!(refusals + panics + crashes > 0, "nobody crashed");
    drop(taken);
    assert_eq!(house.verify(), Vec::<String>::new());
}
