//! What a call leaves in the log: a line for each line that the guest prints, with the trade's id, within bounds; and a
//! trace of the call.

use std::io;
use std::sync::{Arc, Mutex};

use mortise_points::Verdict;
use serde_json::Value as Json;

use crate::support::{ask, bind, host, hostile_extension, only, question, runtime};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The log of one call of a harm: level and fields of each line.
fn logged(harm: &str, times: usize) -> Vec<Json> {
    let runtime = runtime();
    let host = host(&runtime, [hostile_extension(&runtime)], &bind(&[harm], "skip"));
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..times {
            assert_eq!(ask(&host, harm, &question(1)).unwrap().answers.len(), 1);
        }
    });
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let all = text.lines().map(|line| serde_json::from_str(line).unwrap());
    all.filter(|line: &Json| line["target"].as_str().is_some_and(|target| target.starts_with("mortise_host")))
        .collect()
}

fn with<'a>(lines: &'a [Json], message: &str) -> Vec<&'a Json> {
    lines.iter().filter(|line| line["message"] == message).collect()
}

#[test]
fn what_a_guest_prints_is_logged_with_the_trade_and_within_bounds() {
    let lines = logged("print", 1);
    let said = with(&lines, "an extension says");
    assert_eq!(said.len(), 16);
    assert_eq!(said[0]["level"], "INFO");
    assert_eq!(
        (&said[0]["trade"], &said[0]["extension"], &said[0]["point"], &said[0]["said"]),
        (
            &"trade-1".into(),
            &"hostile@6.6.6".into(),
            &"unit-price".into(),
            &"line 0 of a long story that nobody asked for".into()
        )
    );
    let more = with(&lines, "an extension says more than is logged");
    assert!(more[0]["unsaid"].as_u64().unwrap() > 50, "{more:?}");
}

#[test]
fn a_guest_that_prints_at_every_call_does_not_fill_the_log() {
    let lines = logged("print", 60);
    assert_eq!(with(&lines, "an extension says").len(), 600);
    assert_eq!(with(&lines, "an extension was asked").len(), 60);
}

#[test]
fn every_call_is_traced_with_what_it_cost_and_what_came_of_it() {
    let lines = logged("nothing", 1);
    let asked = with(&lines, "an extension was asked")[0];
    assert_eq!(asked["level"], "DEBUG");
    for (field, value) in [
        ("point", "unit-price"),
        ("extension", "hostile"),
        ("version", "6.6.6"),
        ("trade", "trade-1"),
        ("outcome", "answered"),
    ] {
        assert_eq!(asked[field], value, "{asked}");
    }
    assert!(asked["fuel_used"].as_u64().unwrap() > 0 && asked["took_us"].is_u64(), "{asked}");
    let failed = logged("panic", 3);
    assert_eq!(with(&failed, "an extension was asked")[2]["outcome"], "trapped");
    assert_eq!(with(&failed, "an extension failed").len(), 2, "the first and the second, not the third");
}

#[test]
fn counts_outlive_the_bindings() {
    let runtime = runtime();
    for _ in 0..2 {
        let host = host(&runtime, [hostile_extension(&runtime)], &bind(&["nothing"], "skip"));
        assert_eq!(only(&ask(&host, "nothing", &question(1)).unwrap().answers).verdict, Verdict::Answered);
    }
    let counted = runtime.counted();
    assert_eq!(counted.len(), 1);
    let counters = &counted[0].counters;
    assert_eq!((counters.calls, counters.answered()), (2, 2));
    assert!(counters.took_within_us.iter().any(|(_, within)| *within > 0) || counters.took_us > 500_000);
}
