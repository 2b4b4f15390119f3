//! How long the calls of a project's cases take: through the host, and of the same component in a bare engine, in turns.
//! It says what it measured, and judges nothing.

use std::fs;
use std::time::Duration;

use mortise_host::{Extension, Runtime};

use crate::cases::CaseFile;
use crate::{Fault, Project};

/// What the calls of one case took.
#[derive(Clone, Debug)]
pub struct Figures {
    /// The case.
    pub case: String,
    /// Calls of each kind that were counted.
    pub calls: usize,
    /// Through the host.
    pub by_host: Quantiles,
    /// Of the bare engine.
    pub bare: Quantiles,
    /// Fuel of a call.
    pub fuel_used: u64,
}

/// Of many calls, how long half of them and all but a hundredth took at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantiles {
    /// Half of them, in microseconds.
    pub p50_us: f64,
    /// All but a hundredth, in microseconds.
    pub p99_us: f64,
}

/// Measures every case of a project that answers.
///
/// # Errors
/// A case cannot be read, or its call fails.
pub fn bench(
    runtime: &Runtime,
    extension: &Extension,
    project: &Project,
    rounds: usize,
) -> Result<Vec<Figures>, Fault> {
    let file = project.component();
    let component = fs::read(&file).map_err(|error| Fault::file(&file, &error))?;
    let measured = CaseFile::all(project.folder())?.into_iter().map(|file| {
        let measured = file
            .case
            .measure(runtime, extension, &component, rounds)
            .map_err(|error| Fault::new(format!("cases/{}.json: {error}", file.name)))?;
        Ok(Figures {
            case: file.name,
            calls: measured.by_host.len(),
            by_host: quantiles(measured.by_host),
            bare: quantiles(measured.bare),
            fuel_used: measured.fuel_used,
        })
    });
    measured.collect()
}

fn quantiles(mut took: Vec<Duration>) -> Quantiles {
    took.sort_unstable();
    let at = |thousandth: usize| {
        took.get(took.len() * thousandth / 1000).map_or(0.0, |took| took.as_secs_f64() * 1e6)
    };
    Quantiles { p50_us: at(500), p99_us: at(990) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_sorted_calls() {
        let took = (1..=100).rev().map(Duration::from_micros).collect();
        assert_eq!(quantiles(took), Quantiles { p50_us: 51.0, p99_us: 100.0 });
        assert_eq!(quantiles(vec![]), Quantiles { p50_us: 0.0, p99_us: 0.0 });
    }
}
