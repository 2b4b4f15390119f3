//! What extensions cost, as a table for people and as JSON. Arithmetic only; nothing is measured here.

use serde::Serialize;

use super::{Series, line, middle};
use crate::machine::Machine;
use crate::platform::Calls;
use crate::proc::{Memory, mib};

/// A whole run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) program: String,
    pub(crate) callers: u32,
    pub(crate) seconds: u32,
    pub(crate) rounds: u32,
    pub(crate) calls: Vec<Row>,
    pub(crate) none: Series,
    pub(crate) three: Series,
    pub(crate) deployed: Option<Deployed>,
}

/// The calls of one case.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) language: String,
    pub(crate) extension: String,
    pub(crate) calls: Calls,
}

/// A server with very many extensions.
#[derive(Debug, Serialize)]
pub(crate) struct Deployed {
    pub(crate) count: u32,
    pub(crate) component_bytes: u64,
    /// With none.
    pub(crate) before: Start,
    /// With all of them new.
    pub(crate) first: Start,
    /// With all of them known.
    pub(crate) starts: Vec<Start>,
}

/// One start of a server.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Start {
    pub(crate) took_s: f64,
    pub(crate) memory: Memory,
    pub(crate) first_order_ms: f64,
}

impl Report {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::json!({ "run": self, "three_to_none": self.kept() })
    }

    /// What three extensions leave of the orders without any.
    fn kept(&self) -> Option<f64> {
        Some(self.three.per_second()? / self.none.per_second()?)
    }

    pub(crate) fn text(&self) -> String {
        let mut text = format!("What extensions cost\n{}\n{}\n", self.machine, self.program);
        self.of_calls(&mut text);
        self.of_checkout(&mut text);
        self.of_deployed(&mut text);
        text
    }

    fn of_calls(&self, text: &mut String) {
        if self.calls.is_empty() {
            return;
        }
        line(
            text,
            format_args!(
                "\n{:<11}{:<24}{:<18}{:>9}{:>9}{:>10}{:>10}{:>7}{:>7}{:>11}",
                "A call, us", "", "case", "p50", "p99", "bare p50", "bare p99", "p50/", "p99/", "fuel"
            ),
        );
        for Row { language, extension, calls } in &self.calls {
            let Calls { case, p50_us, p99_us, bare_p50_us, bare_p99_us, fuel_used, .. } = calls;
            let (half, most) = (p50_us / bare_p50_us, p99_us / bare_p99_us);
            line(
                text,
                format_args!(
                    "{language:<11}{extension:<24}{case:<18}{p50_us:>9.1}{p99_us:>9.1}{bare_p50_us:>10.1}{bare_p99_us:>10.1}\
                     {half:>7.2}{most:>7.2}{fuel_used:>11}"
                ),
            );
        }
    }

    fn of_checkout(&self, text: &mut String) {
        let (Some(none), Some(three)) = (self.none.per_second(), self.three.per_second()) else { return };
        let Report { callers, seconds, rounds, .. } = self;
        line(text, format_args!("\nA two-line checkout, {callers} callers, {rounds} rounds of {seconds} s"));
        for (name, series, rate) in
            [("no extension", &self.none, none), ("three extensions", &self.three, three)]
        {
            line(
                text,
                format_args!(
                    "  {name:<20}{rate:>8.0} orders a second   rounds: {}",
                    series.rounds_in_words()
                ),
            );
        }
        line(text, format_args!("  three extensions leave {:.0} %", 100.0 * three / none));
    }

    fn of_deployed(&self, text: &mut String) {
        let Some(Deployed { count, component_bytes, before, first, starts }) = &self.deployed else { return };
        line(
            text,
            format_args!(
                "\n{count} deployed extensions, each another component, {:.0} MiB of WebAssembly",
                mib(*component_bytes)
            ),
        );
        let all = |figure: fn(&Start) -> f64| middle(starts.iter().map(figure).collect()).unwrap_or(0.0);
        let known = Start {
            took_s: all(|start| start.took_s),
            memory: starts.last().map(|start| start.memory).unwrap_or_default(),
            first_order_ms: all(|start| start.first_order_ms),
        };
        for (name, start) in [("none", before), ("new, compiled", first), ("known", &known)] {
            let Start { took_s, memory: Memory { resident, anonymous }, first_order_ms } = start;
            line(
                text,
                format_args!(
                    "  {name:<16}start {took_s:>7.2} s   idle {:>5.0} MiB, {:>5.0} of no file   first order {first_order_ms:>6.1} ms",
                    mib(*resident),
                    mib(*anonymous)
                ),
            );
        }
    }
}
