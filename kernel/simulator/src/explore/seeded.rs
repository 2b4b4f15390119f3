//! Worlds in which several things go otherwise at once, drawn from a seed: which ways there are is the plan's, what has to hold are
//! the laws. The same seed draws the same ways, as long as the world is the same.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::laws::Came;
use super::{Watching, Way, plan};
use crate::Failure;
use crate::script::World;
use crate::simulate::{Flows, Simulator};

/// So many things at least go otherwise, and up to so many more.
const AT_LEAST: u64 = 2;
const MORE: u64 = 3;

/// What seeds have found in a world.
#[derive(Debug, Clone, Default)]
pub struct Seeded {
    /// Worlds that were lived.
    pub lived: usize,
    /// Things that went otherwise in them.
    pub otherwise: usize,
    /// Those that do not balance.
    pub off: Vec<SeededOff>,
}

/// A seed whose world does not balance.
#[derive(Debug, Clone)]
pub struct SeededOff {
    /// Which.
    pub seed: u64,
    /// What goes otherwise in it.
    pub ways: Vec<Way>,
    /// What is off, a sentence each.
    pub problems: Vec<String>,
}

impl Simulator<'_> {
    /// Lives a world once a seed, each time with other ways at once, on all processors. Blocks; must not be called on a thread
    /// that drives an async runtime.
    ///
    /// # Errors
    /// A script or a shop that is off, a flow that is refused. A seed that goes wrong is in the answer.
    pub fn explore_seeded(&self, flows: &Flows, world: &World, seeds: &[u64]) -> Result<Seeded, Failure> {
        let image = &*self.image(flows, world)?;
        let (base, ways) = {
            let play = self.go(image, world, &[], Watching::No)?;
            (Came::of(&play)?, plan::ways(world, &play))
        };
        let (found, next) = (Mutex::new(Seeded::default()), AtomicUsize::new(0));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..threads.min(seeds.len()) {
                scope.spawn(|| {
                    while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let drawn = draw(*seed, &ways);
                        let problems = self.off_on(image, world, &drawn, &base);
                        let Ok(mut found) = found.lock() else { return };
                        found.lived += 1;
                        found.otherwise += drawn.len();
                        if !problems.is_empty() {
                            found.off.push(SeededOff { seed: *seed, ways: drawn, problems });
                        }
                    }
                });
            }
        });
        let mut found = found.into_inner().unwrap_or_default();
        found.off.sort_by_key(|off| off.seed);
        Ok(found)
    }
}

/// Some of the ways that can be gone at once: at most one of a kind about the same call or deed, at most one crash, one message
/// that is early, one cancellation. Kinds are drawn before ways, since there are many of some.
fn draw(seed: u64, ways: &[Way]) -> Vec<Way> {
    let mut dice = seed;
    let mut below = |bound: usize| {
        dice = dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (dice ^ (dice >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % (bound.max(1) as u64)).unwrap_or(0)
    };
    let kinds: Vec<&str> = ways.iter().map(kind).collect::<BTreeSet<_>>().into_iter().collect();
    let wanted = AT_LEAST as usize + below(MORE as usize + 1);
    let (mut drawn, mut taken): (Vec<Way>, BTreeSet<String>) = Default::default();
    // Where a world has few ways, some draws find nothing new.
    for _ in 0..wanted * 8 {
        if drawn.len() == wanted || kinds.is_empty() {
            break;
        }
        let kind_drawn = kinds[below(kinds.len())];
        let of: Vec<&Way> = ways.iter().filter(|way| kind(way) == kind_drawn).collect();
        let way = of[below(of.len())];
        if taken.insert(about(way)) {
            drawn.push(way.clone());
        }
    }
    drawn
}

fn kind(way: &Way) -> &'static str {
    match way {
        Way::AsWritten => "as-written",
        Way::Reject(..) => "reject",
        Way::Silent(..) => "silent",
        Way::Repeat(_) => "repeat",
        Way::Never(_) => "never",
        Way::Late(..) => "late",
        Way::Twice(..) => "twice",
        Way::Early(_) => "early",
        Way::Cancel(..) => "cancel",
        Way::Crash(_) => "crash",
    }
}

/// What two ways may not both be about.
fn about(way: &Way) -> String {
    match way {
        Way::Reject(call, _) | Way::Silent(call, ..) | Way::Repeat(call) => call.to_string(),
        Way::Never(deed) | Way::Late(deed, _) | Way::Twice(deed, _) => deed.0.to_string(),
        Way::AsWritten | Way::Early(_) | Way::Cancel(..) | Way::Crash(_) => kind(way).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ways() -> Vec<Way> {
        let text = "crash:1 crash:2 crash:3 repeat:payment.void:1 unasked:payment.void:1:12 twice:entry-3:1d never:entry-3 \
                    reject:inventory.reserve:1:out_of_stock cancel:ben:order.cancel_requested:1ms";
        text.split_whitespace().map(|way| way.parse().unwrap()).collect()
    }

    #[test]
    fn a_seed_draws_several_ways_the_same_again_and_no_two_that_exclude_each_other() {
        for seed in 0..500 {
            let drawn = draw(seed, &ways());
            assert_eq!(drawn, draw(seed, &ways()));
            assert!((2..=5).contains(&drawn.len()), "{drawn:?}");
            let abouts: BTreeSet<String> = drawn.iter().map(about).collect();
            assert_eq!(abouts.len(), drawn.len(), "{drawn:?}");
        }
        let all: BTreeSet<&str> =
            (0..500).flat_map(|seed| draw(seed, &ways())).map(|way| kind(&way)).collect();
        assert_eq!(all.len(), 7, "every kind is drawn: {all:?}");
    }
}
