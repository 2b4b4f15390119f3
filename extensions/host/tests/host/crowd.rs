//! Many calls at a time, good and bad, with more callers than places: everybody gets their own answer.

use std::sync::Arc;
use std::thread;

use mortise_host::Ceilings;
use mortise_points::{FailureKind, Verdict};

use crate::support::{ask, bind, each, host, hostile_extension, only, question, runtime_with};

const CALLERS: usize = 64;
const ROUNDS: usize = 12;

#[test]
fn a_crowd_with_harm_in_it_gets_the_right_answers() {
    // Fewer places than callers, so that some wait. What a call may compute is little, so that no deadline passes.
    let runtime = runtime_with(Ceilings {
        concurrent_calls: 8,
        deadline: std::time::Duration::from_secs(30),
        ..Ceilings::default()
    });
    let harms = ["panic", "loop", "eat memory", "negative price"];
    let all: Vec<&str> = harms.into_iter().chain(["nothing"]).collect();
    let host = Arc::new(host(&runtime, [hostile_extension(&runtime)], &bind(&all, "skip")));

    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let host = Arc::clone(&host);
            thread::spawn(move || {
                for round in 0..ROUNDS {
                    let lines = 1 + (caller + round) % 7;
                    if (caller + round) % 3 == 0 {
                        let harm = harms[(caller + round) % harms.len()];
                        let outcome = ask(&host, harm, &question(lines)).unwrap();
                        assert!(
                            matches!(only(&outcome.answers).verdict, Verdict::Skipped { .. }),
                            "{harm}: {outcome:?}"
                        );
                    } else {
                        let outcome = ask(&host, "nothing", &question(lines)).unwrap();
                        assert_eq!(only(&outcome.answers).verdict, Verdict::Answered);
                        let prices: Vec<_> = outcome.reduced.iter().map(|won| won.price).collect();
                        assert_eq!(prices, vec![each(999); lines]);
                    }
                }
            })
        })
        .collect();
    callers.into_iter().for_each(|caller| caller.join().unwrap());

    let counters = host.counted().remove(0).counters;
    assert_eq!(counters.calls, (CALLERS * ROUNDS) as u64);
    let failed: u64 = counters.failures.iter().map(|(_, count)| count).sum();
    let harmful = (0..CALLERS).flat_map(|c| (0..ROUNDS).map(move |r| c + r)).filter(|n| n % 3 == 0).count();
    assert_eq!(failed, harmful as u64);
    assert!(counters.failures.iter().all(|(kind, _)| *kind != FailureKind::Overran), "{counters:?}");
}
