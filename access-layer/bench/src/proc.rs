//! What processes have used, as Linux counts it: CPU time of each thread, bytes handed to the disk. Elsewhere than on Linux
//! there is nothing to read, and the report says so.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

/// The kernel's clock tick, where only ticks are counted.
const TICK: Duration = Duration::from_millis(10);

/// What a process had used at a moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Usage {
    /// By thread number: the thread's name and its time on a CPU.
    threads: BTreeMap<u32, (String, Duration)>,
    /// Bytes that were written to the storage layer.
    written: u64,
}

/// What was used between two moments.
#[derive(Debug, Clone, Default)]
pub(crate) struct Used {
    /// CPU time by the threads' name.
    pub(crate) cpu: BTreeMap<String, Duration>,
    pub(crate) written: u64,
}

impl Usage {
    /// Of the process `pid` now; nothing where it cannot be read.
    pub(crate) fn of(pid: u32) -> Self {
        let process = Path::new("/proc").join(pid.to_string());
        let mut usage = Self::default();
        for entry in std::fs::read_dir(process.join("task")).into_iter().flatten().flatten() {
            let Some(thread) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // A thread may end while its files are read.
            let Ok(name) = std::fs::read_to_string(entry.path().join("comm")) else { continue };
            let Some(time) = on_cpu(&entry.path()) else { continue };
            usage.threads.insert(thread, (name.trim().to_owned(), time));
        }
        let io = std::fs::read_to_string(process.join("io")).unwrap_or_default();
        usage.written =
            io.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.parse().ok()).unwrap_or(0);
        usage
    }

    /// What has been used since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Used {
        let mut used = Used { written: self.written.saturating_sub(earlier.written), ..Used::default() };
        for (thread, (name, time)) in &self.threads {
            let before = earlier.threads.get(thread).map_or(Duration::ZERO, |(_, time)| *time);
            *used.cpu.entry(name.clone()).or_default() += time.saturating_sub(before);
        }
        used
    }
}

/// Memory of a process that is in use now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Memory {
    /// All of it, in bytes.
    pub(crate) resident: u64,
    /// Of it what belongs to no file: the rest can be read again.
    pub(crate) anonymous: u64,
}

impl Memory {
    /// Of the process `pid`; nothing where it cannot be read.
    pub(crate) fn of(pid: u32) -> Self {
        let file = Path::new("/proc").join(pid.to_string()).join("status");
        Self::parse(&std::fs::read_to_string(file).unwrap_or_default())
    }

    fn parse(status: &str) -> Self {
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
            kib.unwrap_or(0) * 1_024
        };
        Self { resident: bytes("VmRSS"), anonymous: bytes("RssAnon") }
    }
}

/// Bytes as MiB.
pub(crate) fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

impl Used {
    pub(crate) fn cpu_in_all(&self) -> Duration {
        self.cpu.values().sum()
    }
}

/// A thread's time on a CPU: in nanoseconds where the scheduler keeps it, else in ticks.
fn on_cpu(thread: &Path) -> Option<Duration> {
    let schedstat = std::fs::read_to_string(thread.join("schedstat")).unwrap_or_default();
    match schedstat.split_whitespace().next().and_then(|nanos| nanos.parse().ok()) {
        Some(nanos) if nanos > 0 => Some(Duration::from_nanos(nanos)),
        _ => ticks(&std::fs::read_to_string(thread.join("stat")).ok()?).map(|ticks| TICK * ticks),
    }
}

/// User and system time of a line of `stat`. The thread's name stands in brackets and may hold anything.
fn ticks(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u32>().ok()? + fields.next()?.parse::<u32>().ok()?)
}

/// CPU time of all processes of the machine since it was started.
pub(crate) fn machine_busy() -> Duration {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let busy = stat.lines().next().map(busy_ticks).unwrap_or_default();
    TICK * u32::try_from(busy).unwrap_or(u32::MAX)
}

/// All but idle and waiting for a disk; guests are counted in user time already.
fn busy_ticks(line: &str) -> u64 {
    let ticks: Vec<u64> =
        line.split_whitespace().skip(1).take(8).map(|field| field.parse().unwrap_or(0)).collect();
    ticks.iter().enumerate().filter(|(index, _)| !matches!(index, 3 | 4)).map(|(_, ticks)| ticks).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "41 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 30 12 0 0 20 0 3";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(busy_ticks("cpu  10 1 5 900 50 2 3 4 0 0"), 25);
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let status = "Name:\tmortise\nVmRSS:\t    2048 kB\nRssAnon:\t     512 kB\n";
        assert_eq!(Memory::parse(status), Memory { resident: 2 << 20, anonymous: 512 << 10 });
        assert_eq!(Memory::parse(""), Memory::default());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_thread_that_works_is_seen_working() {
        let before = Usage::of(std::process::id());
        let mut product = 1_u64;
        let cpu = loop {
            for factor in 1..1_000_000 {
                product = std::hint::black_box(product.wrapping_mul(factor));
            }
            let cpu = Usage::of(std::process::id()).since(&before).cpu_in_all();
            if !cpu.is_zero() {
                break cpu;
            }
        };
        assert!(cpu > Duration::ZERO);
    }
}
