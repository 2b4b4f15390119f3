//! What the figures were measured on: without it they mean nothing.

use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use serde::Serialize;

use crate::failure::Failure;
use crate::stopwatch::Stopwatch;

/// A write and a flush, so often.
const FLUSHES: usize = 200;

/// The machine of a run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) system: String,
    pub(crate) file_system: String,
    /// What a write of one page and its way to the disk take, in the middle, in microseconds.
    pub(crate) flush_us: u128,
    /// The load average of the last minute when the run began.
    pub(crate) load_before: String,
}

impl Machine {
    /// This one, with the disk below `folder`.
    pub(crate) fn look(folder: &Path, file_system: &str) -> Result<Self, Failure> {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cpu = read("/proc/cpuinfo")
            .lines()
            .find_map(|line| Some(line.strip_prefix("model name")?.split_once(':')?.1.trim().to_owned()));
        Ok(Self {
            cpu: cpu.unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            system: format!("{} {}", std::env::consts::OS, read("/proc/sys/kernel/osrelease").trim()),
            file_system: file_system.to_owned(),
            flush_us: flush_us(folder)?,
            load_before: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
        })
    }
}

/// The line that stands above every table.
impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, cores, system, file_system, flush_us, load_before } = self;
        write!(
            f,
            "{cores} x {cpu}, {system}, {file_system}; a 4 KiB write to the disk takes {flush_us} us; load average {load_before} before"
        )
    }
}

fn flush_us(folder: &Path) -> Result<u128, Failure> {
    let path = folder.join("flush");
    let mut file = File::create(&path)?;
    let mut times = Vec::with_capacity(FLUSHES);
    for _ in 0..FLUSHES {
        let began = Stopwatch::start();
        file.write_all(&[7; 4_096])?;
        file.sync_data()?;
        times.push(began.passed().as_micros());
    }
    std::fs::remove_file(path)?;
    times.sort_unstable();
    Ok(times[FLUSHES / 2])
}
