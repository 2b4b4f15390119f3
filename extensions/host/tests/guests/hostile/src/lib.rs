//! An extension that does the harm that its config names, through the same SDK as any other.
//! Without harm to do it offers one minor unit less for each line.

use std::collections::HashMap;
use std::hint::black_box;
use std::io::Read;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mortise_extension::unit_price::{Offer, Order};
use mortise_extension::{Answer, Price, UnitPrice, export};

#[derive(serde::Deserialize)]
struct Config {
    r#do: String,
}

struct Hostile;

impl UnitPrice for Hostile {
    type Config = Config;

    fn offer_prices(config: &Config, order: &Order) -> Answer<Vec<Offer>> {
        let mut offers = honest(order);
        match config.r#do.as_str() {
            "nothing" => {}
            "panic" => panic!("on purpose"),
            "loop" => spin(),
            "recurse" => drop(black_box(recurse(black_box(0)))),
            "eat memory" => eat(),
            "exit" => std::process::exit(0),
            "decline" => return Err("not on a\nSaturday".to_owned()),
            "print" => print(200),
            "print on" => print(u64::MAX),
            "answer much" => offers[0].reason = "x".repeat(2 << 20),
            "unknown line" => offers[0].line_id = "nobody's".to_owned(),
            "same line twice" => offers[1] = offers[0].clone(),
            "too many" => offers.push(offers[0].clone()),
            "negative price" => offers[0].amount = -1,
            "absurd price" => offers[0].amount = i64::MAX,
            "per zero" => offers[0].per = 0,
            "no reason" => offers[0].reason.clear(),
            "long reason" => offers[0].reason = "x".repeat(201),
            "look around" => offers[0].reason = look_around(order),
            harm => return Err(format!("what harm is {harm:?}?")),
        }
        Ok(offers)
    }
}

fn honest(order: &Order) -> Vec<Offer> {
    let lower = |price: Price| Price { amount: price.amount - 1, ..price };
    order.lines.iter().map(|line| line.offer(lower(line.current()), "one less")).collect()
}

fn spin() {
    let mut turns = 0_u64;
    while black_box(turns) < u64::MAX {
        turns += 1;
    }
}

fn recurse(depth: u64) -> u64 {
    if black_box(depth) == u64::MAX { 0 } else { recurse(depth + 1) + black_box(depth) }
}

fn eat() {
    let mut eaten = Vec::new();
    loop {
        // Taken, and not written to: writing would cost fuel.
        eaten.push(black_box(Vec::<u8>::with_capacity(1 << 20)));
    }
}

fn print(lines: u64) {
    for line in 0..lines {
        eprintln!("line {line} of a long story that nobody asked for");
    }
}

/// Everything that would tell this call from another one, or this machine from another one.
#[expect(clippy::disallowed_methods, reason = "a guest that looks at clocks: the host freezes them")]
fn look_around(order: &Order) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(-1, |since| since.as_millis() as i64);
    let start = Instant::now();
    std::thread::sleep(Duration::from_secs(3_600));
    let seeds: HashMap<u32, u32> = (0..8).map(|n| (n, n)).collect();
    let random: Vec<String> = seeds.keys().map(u32::to_string).collect();
    let mut typed = String::new();
    let stdin = std::io::stdin().read_to_string(&mut typed).map_err(|error| error.kind());
    format!(
        "now {now} slept {:?} env {} args {} file {:?} dir {:?} stdin {stdin:?} random {} department {:?} brand {:?}",
        start.elapsed(),
        std::env::vars().count(),
        std::env::args().count(),
        std::fs::read("/etc/passwd").is_ok(),
        std::fs::read_dir("/").is_ok(),
        random.concat(),
        order.lines[0].attribute("department"),
        order.lines[0].attribute("brand"),
    )
}

export!(Hostile: UnitPrice);
