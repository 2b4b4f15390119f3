//! Endurance: what must not be given up for speed, as named suites with a seed and a count each. They drive the real binary from
//! outside, kill it, and hold what is there against what was answered. Short forms run with the tests.

mod customers;
mod database;
mod house;
mod keys;
mod kills;
mod ledger;
mod one_sku;

use std::path::PathBuf;

use crate::args::{Endure, Ground as Wish, Suite};
use crate::failure::Failure;
use crate::ground::Ground;
use crate::order::mixed;
use crate::print;
use crate::stopwatch::Stopwatch;

/// What a suite has counted, in the order in which it is told.
type Counts = Vec<(&'static str, u64)>;

/// How much a suite does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    /// Some seconds, on the debug build too.
    Short,
    /// All of it.
    Long,
}

impl Size {
    fn pick<T>(self, short: T, long: T) -> T {
        match self {
            Self::Short => short,
            Self::Long => long,
        }
    }
}

/// Where suites run: a shop that is set up, and what is drawn from.
struct Yard {
    ground: Ground,
    size: Size,
    seed: u64,
}

impl Yard {
    /// A shop that suites share; each works on a copy.
    fn prepare(wish: &Endure, size: Size) -> Result<Self, Failure> {
        let ground = Ground::prepare(&Wish {
            seconds: 1,
            rounds: 1,
            callers: wish.callers,
            skus: size.pick(200, 1_000),
            mortise: wish.mortise.clone(),
            extensions: PathBuf::new(),
            disk: wish.disk.clone(),
            let_end: false,
            format: crate::args::Format::Text,
        })?;
        Ok(Self { ground, size, seed: wish.seed })
    }

    fn dice(&self, of: &str) -> Dice {
        Dice(of.bytes().fold(self.seed, |seed, byte| mixed(seed ^ u64::from(byte))))
    }
}

/// Numbers that look random, the same in every run of a seed.
#[derive(Debug, Clone)]
struct Dice(u64);

impl Dice {
    /// Below `bound`, which is not 0.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(1);
        mixed(self.0) % bound
    }

    /// As many different moments of a count up to `end` as there are, rising.
    fn moments(&mut self, count: u64, end: u64) -> Vec<u64> {
        let mut moments: Vec<u64> = (0..count).map(|_| self.below(end)).collect();
        moments.sort_unstable();
        moments
    }
}

/// Runs the suites that are named, or all, each to its verdict.
///
/// # Errors
/// The first suite that does not hold, with the command that repeats it.
pub(crate) async fn run(wish: Endure) -> Result<(), Failure> {
    let size = if wish.short { Size::Short } else { Size::Long };
    let yard = Yard::prepare(&wish, size)?;
    print::result(&format!(
        "{}\n{}, seed {}",
        yard.ground.machine,
        yard.ground.platform.version()?,
        wish.seed
    ));
    for suite in &wish.suites {
        let began = Stopwatch::start();
        let counts = hold(&yard, *suite).await.map_err(|failure| broken(&yard, *suite, &failure))?;
        let counts: Vec<String> = counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
        let took = began.passed().as_secs_f64();
        print::result(&format!("{:<9} held in {took:.1} s: {}", suite.name(), counts.join(", ")));
    }
    Ok(())
}

async fn hold(yard: &Yard, suite: Suite) -> Result<Counts, Failure> {
    match suite {
        Suite::OneSku => one_sku::run(yard).await,
        Suite::Keys => keys::run(yard).await,
        Suite::Ledger => ledger::run(yard).await,
        Suite::Kills => kills::run(yard).await,
        Suite::Database => database::run(yard).await,
    }
}

fn broken(yard: &Yard, suite: Suite, failure: &Failure) -> Failure {
    let short = yard.size.pick(" --short", "");
    Failure::words(format!(
        "{0}: broken: {failure}\n  repeat it: cargo xtask endure {0} --seed {1}{short}",
        suite.name(),
        yard.seed
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_the_same_again_and_each_suite_draws_its_own() {
        let draw = |seed: u64| Dice(seed).moments(5, 1_000);
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(700));
        assert!(draw(7).is_sorted() && draw(7).iter().all(|moment| *moment < 1_000));
    }
}
