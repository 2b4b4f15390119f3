//! Stages of a command: a line when one begins and ends, and at the end a table of where the time went. The only module
//! here that reads the clock; nothing decides by it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::say;

/// The stages of one command, in the order in which they ran.
#[derive(Debug)]
pub(crate) struct Stages {
    started: Instant,
    finished: Vec<Finished>,
}

#[derive(Debug)]
struct Finished {
    title: String,
    took: Duration,
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Done,
    Failed,
}

impl Stages {
    pub(crate) fn start() -> Self {
        Self { started: now(), finished: Vec::new() }
    }

    /// Runs one stage and says how long it took, also when it fails.
    pub(crate) fn run<T>(
        &mut self,
        title: &str,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        say::line(&format!("==> {title}"));
        let began = now();
        let result = work();
        let took = now() - began;
        let outcome = if result.is_ok() { Outcome::Done } else { Outcome::Failed };
        say::line(&format!("    {} {} ({title})", outcome.word(), clock(took)));
        self.finished.push(Finished { title: title.to_owned(), took, outcome });
        result
    }

    /// Where the time went: stage, time, share of the whole. `None` if no stage ran.
    pub(crate) fn table(&self) -> Option<String> {
        if self.finished.is_empty() {
            return None;
        }
        let whole = now() - self.started;
        let width = self.finished.iter().map(|stage| stage.title.chars().count()).max().unwrap_or(0).max(12);
        let mut table = String::from("\nWhere the time went\n");
        for stage in &self.finished {
            let share = 100.0 * stage.took.as_secs_f64() / whole.as_secs_f64().max(f64::EPSILON);
            let mark = match stage.outcome {
                Outcome::Done => "",
                Outcome::Failed => "  failed",
            };
            let _ =
                writeln!(table, "  {:<width$}  {:>12}  {share:>3.0} %{mark}", stage.title, clock(stage.took));
        }
        let _ = write!(table, "  {:<width$}  {:>12}", "in all", clock(whole));
        Some(table)
    }
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Done => "done in",
            Self::Failed => "failed after",
        }
    }
}

/// Time that passed, as a person says it: `0.4 s`, `3 min 07 s`.
fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[expect(clippy::disallowed_methods, reason = "the module that measures; nothing decides by it")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_a_person_says_them() {
        assert_eq!(clock(Duration::from_millis(449)), "0.4 s");
        assert_eq!(clock(Duration::from_millis(59_940)), "59.9 s");
        assert_eq!(clock(Duration::from_secs(187)), "3 min 07 s");
        assert_eq!(clock(Duration::from_secs(3_600)), "60 min 00 s");
    }

    #[test]
    fn the_table_names_every_stage_and_the_one_that_failed() {
        let mut stages = Stages::start();
        assert_eq!(stages.table(), None);
        assert_eq!(stages.run("first", || Ok(7)).ok(), Some(7));
        assert!(stages.run("second", || Err::<(), _>(Failure::new("no"))).is_err());
        let table = stages.table().unwrap_or_default();
        let row = |title: &str| table.lines().find(|line| line.contains(title)).map(str::to_owned);
        assert!(row("first").is_some_and(|row| !row.contains("failed")), "{table}");
        assert!(row("second").is_some_and(|row| row.ends_with("failed")), "{table}");
        assert!(row("in all").is_some(), "{table}");
    }
}
