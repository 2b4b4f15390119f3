//! Time: how long after its deadline a call that overruns is ended, and what harm on one business line does to the calls of
//! another. The figures are printed (`cargo nextest run -p mortise-host --no-capture deadline`); what is asserted holds on a
//! machine that has other work too.

#![allow(clippy::disallowed_methods, reason = "measuring code")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mortise_host::{Ceilings, Host};
use mortise_points::{FailureKind, Verdict};

use crate::support::{ask, bind, host, hostile_extension, only, question, runtime_with};

const OVERRUNS: usize = 40;
const DEADLINE: Duration = Duration::from_millis(40);

/// Calls that fuel would let run for minutes.
fn unfuelled(deadline: Duration) -> Ceilings {
    Ceilings { fuel_per_call: u64::MAX / 64, fuel_per_line: u64::MAX / 64, deadline, ..Ceilings::default() }
}

fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values
}

#[test]
fn an_overrun_ends_within_5_ms_of_its_deadline() {
    let runtime = runtime_with(unfuelled(DEADLINE));
    let host = host(&runtime, [hostile_extension(&runtime)], &bind(&["loop"], "skip"));
    let late_us = (0..OVERRUNS).map(|_| {
        let outcome = ask(&host, "loop", &question(1)).unwrap();
        let answered = only(&outcome.answers);
        let Verdict::Skipped { why } = &answered.verdict else { panic!("{answered:?}") };
        assert_eq!(why.kind, FailureKind::Overran, "{why}");
        answered.took_us as i64 - DEADLINE.as_micros() as i64
    });
    let late_us = sorted(late_us.collect());
    let (earliest, median, ninth) = (late_us[0], late_us[OVERRUNS / 2], late_us[OVERRUNS * 9 / 10]);
    println!(
        "{OVERRUNS} overruns of {DEADLINE:?}: ended {earliest} us after it at the earliest, {median} us at the median, \
         {ninth} us at nine of ten, {} us at the latest",
        late_us[OVERRUNS - 1]
    );
    assert!(earliest >= 0, "ended before its deadline");
    // A thread that was not given a processor in time proves nothing about the clock; most are.
    assert!(late_us[OVERRUNS / 4] <= 5_000, "{late_us:?}");
}

const NEIGHBOURS_CALLS: usize = 400;

/// Ends the harm with the measuring, also where that fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn latencies_us(host: &Host) -> Vec<u128> {
    let calls = (0..NEIGHBOURS_CALLS).map(|_| {
        let start = Instant::now();
        let outcome = ask(host, "nothing", &question(10)).unwrap();
        let took_us = start.elapsed().as_micros();
        assert_eq!(only(&outcome.answers).verdict, Verdict::Answered);
        took_us
    });
    sorted(calls.collect())
}

/// One worker does harm all the time, as one of the two that a server reads with may be kept from its work; the other one
/// serves another line.
#[test]
fn harm_on_one_line_leaves_the_others_latency_alone() {
    let harms = ["loop", "eat memory", "recurse", "answer much", "print on", "panic"];
    let all: Vec<&str> = harms.into_iter().chain(["nothing"]).collect();
    // Long enough for an honest call on a busy machine.
    let runtime = runtime_with(unfuelled(Duration::from_millis(400)));
    let host = host(&runtime, [hostile_extension(&runtime)], &bind(&all, "skip"));
    drop(latencies_us(&host));
    let alone = latencies_us(&host);
    let (ended, mut harmful) = (AtomicBool::new(false), 0);
    let beside = thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let mut calls = 0;
            for harm in harms.into_iter().cycle().take_while(|_| !ended.load(Ordering::Relaxed)) {
                let outcome = ask(&host, harm, &question(10)).unwrap();
                assert!(
                    matches!(only(&outcome.answers).verdict, Verdict::Skipped { .. }),
                    "{harm}: {outcome:?}"
                );
                calls += 1;
            }
            calls
        });
        let measuring = Ends(&ended);
        let beside = (0..4).flat_map(|_| latencies_us(&host)).collect();
        drop(measuring);
        harmful = worker.join().unwrap();
        sorted::<u128>(beside)
    });
    let at = |all: &[u128], share: usize| all[all.len() * share / 100];
    println!(
        "an honest call of ten lines: alone {} us at the median and {} us at 99 of 100; beside {harmful} harmful calls {} us and {} us",
        at(&alone, 50),
        at(&alone, 99),
        at(&beside, 50),
        at(&beside, 99)
    );
    assert!(harmful > 0);
    // Half as much again would be harm; three times as much is what a busy machine may make of it.
    assert!(at(&beside, 50) <= 3 * at(&alone, 50) + 500, "{} us", at(&beside, 50));
}
