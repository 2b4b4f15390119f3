//! A database in trouble: stopped at once, out of disk, read-only, slow. Callers get clear errors, nothing that was acknowledged is
//! lost, and the same server goes on when the trouble is over. What this machine cannot bring about is said.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rusqlite::Connection as Sqlite;
use serde_json::Value;

use super::house::{House, orders};
use super::{Counts, Yard};
use crate::client::Connection;
use crate::failure::Failure;
use crate::files;
use crate::ground::{Ground, database};
use crate::order::{self, Choice};
use crate::patient::{Patient, is_later};
use crate::platform::Serving;
use crate::postgres::Postgres;
use crate::print;
use crate::shop;
use crate::stopwatch::Stopwatch;

/// For so long an answer is waited for.
const ANSWER: Duration = Duration::from_secs(30);
/// For so long trouble lasts at most.
const TROUBLE: Duration = Duration::from_secs(20);
/// A slow database stands still for so long.
const STILL: Duration = Duration::from_secs(4);
/// A disk that is soon full: a shop, some orders, and the log, which would have 64 on a larger one. The smaller one is for the
/// short form, whose fewer orders have the log take its half of it too.
const DISK_MIB: (u64, u64) = (16, 64);
/// Orders between two troubles on it at least: so many fill the log of the smaller one more than once.
const EACH_ON_A_SMALL_DISK: u64 = 100;

pub(super) async fn run(yard: &Yard) -> Result<Counts, Failure> {
    let each = yard.size.pick(20, 2_000);
    let mut counts = on_postgres(&yard.ground, each).await?;
    let disk = yard.size.pick(DISK_MIB.0, DISK_MIB.1);
    counts.extend(on_sqlite(&yard.ground, each, disk).await?);
    Ok(counts)
}

async fn on_postgres(ground: &Ground, each: u64) -> Result<Counts, Failure> {
    let mut postgres = Postgres::start()?;
    let url = postgres.url("postgres");
    let data = Path::new(&url);
    shop::open(&ground.platform, data, ground.skus)?;
    let mut shop = Troubled::open(ground, data, each)?;
    shop.quietly().await?;
    postgres.stop_at_once()?;
    let stopped = shop.until_refused("PostgreSQL is stopped").await?;
    postgres.start_again()?;
    shop.quietly().await?;
    postgres.set("default_transaction_read_only = on")?;
    let read_only = shop.until_refused("PostgreSQL is read-only").await?;
    postgres.set("default_transaction_read_only = off")?;
    shop.quietly().await?;
    postgres.stand_still()?;
    let slow = shop.during(STILL).await?;
    postgres.go_on()?;
    shop.quietly().await?;
    let placed = shop.hold().await?;
    ground.platform.verify(data)?;
    Ok(vec![
        ("refused while PostgreSQL was stopped at once", stopped),
        ("refused while it was read-only", read_only),
        ("asked while it stood still", slow),
        ("orders there in the end", placed),
    ])
}

async fn on_sqlite(ground: &Ground, each: u64, disk_mib: u64) -> Result<Counts, Failure> {
    let data = ground.fresh()?;
    let mut shop = Troubled::open(ground, &data, each)?;
    shop.quietly().await?;
    let lock = Sqlite::open(database(&data))?;
    lock.execute_batch("BEGIN IMMEDIATE")?;
    let slow = shop.during(STILL).await?;
    lock.execute_batch("ROLLBACK")?;
    drop(lock);
    shop.quietly().await?;
    let placed = shop.hold().await?;
    ground.platform.verify(&data)?;
    let mut counts = vec![("asked while SQLite was held", slow), ("orders there in the end", placed)];
    counts.extend(match Disk::mount(&ground.bench.path("small-disk"), disk_mib) {
        Ok(disk) => on_a_small_disk(ground, each.max(EACH_ON_A_SMALL_DISK), &disk).await?,
        Err(failure) => {
            print::progress(&format!(
                "a full and a read-only disk are not tried: this machine does not mount one ({failure}); run it as root"
            ));
            vec![("troubles that this machine cannot bring about", 2)]
        }
    });
    Ok(counts)
}

async fn on_a_small_disk(ground: &Ground, each: u64, disk: &Disk) -> Result<Counts, Failure> {
    let data = disk.0.join("data");
    files::copy(&ground.fresh()?, &data)?;
    let mut shop = Troubled::open(ground, &data, each)?;
    shop.quietly().await?;
    let ballast = disk.0.join("ballast");
    fill(&ballast)?;
    let full = shop.until_refused("the disk is full").await?;
    fs::remove_file(&ballast)?;
    shop.quietly().await?;
    let placed = shop.hold().await?;
    ground.platform.verify(&data)?;
    disk.remount("ro")?;
    let refused = refused_to_start(ground, &data)?;
    disk.remount("rw")?;
    let mut again = House::open(&ground.platform, &data, Serving::default())?;
    let there = orders(again.address).await?.len() as u64;
    again.close();
    if there != placed {
        return Err(Failure::words(format!(
            "{placed} orders were there before the disk was read-only, {there} are now"
        )));
    }
    Ok(vec![
        ("refused while the disk was full", full),
        ("orders there in the end", placed),
        ("starts refused on a read-only disk", refused),
    ])
}

/// A server of a read-only directory says so and where, and ends with 2.
fn refused_to_start(ground: &Ground, data: &Path) -> Result<u64, Failure> {
    let said = Command::new(&ground.platform.program)
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .output()?;
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    match (said.status.code(), text.to_lowercase()) {
        (Some(2), text) if text.contains("read-only") || text.contains("readonly") => Ok(1),
        _ => {
            Err(Failure::words(format!("on a read-only disk the server ended with {}: {text}", said.status)))
        }
    }
}

/// A shop whose database gets into trouble, and what was asked of it.
struct Troubled<'a> {
    house: House<'a>,
    log: PathBuf,
    skus: u32,
    each: u64,
    /// Orders that were begun: the first so many numbers.
    begun: u64,
    /// Those of them that are not decided.
    undecided: Vec<u64>,
}

impl<'a> Troubled<'a> {
    fn open(ground: &'a Ground, data: &Path, each: u64) -> Result<Self, Failure> {
        let log = ground.bench.path("trouble.log");
        let _ = fs::remove_file(&log);
        let serving = Serving { log: Some(log.clone()), ..Serving::default() };
        let house = House::open(&ground.platform, data, serving)?;
        Ok(Self { house, log, skus: ground.skus, each, begun: 0, undecided: Vec::new() })
    }

    fn request(&self, number: u64) -> Vec<u8> {
        let mut request = Vec::new();
        order::request(number, Choice::Uniform(self.skus), &mut request);
        request
    }

    /// Without trouble every order is placed, and those that are undecided are too.
    async fn quietly(&mut self) -> Result<(), Failure> {
        let mut patient = Patient::new(self.house.address);
        let undecided = std::mem::take(&mut self.undecided);
        let new = self.begun..self.begun + self.each;
        self.begun = new.end;
        for number in undecided.into_iter().chain(new) {
            let (status, body) = patient.ask(&self.request(number)).await?;
            if status != 200 {
                let text = String::from_utf8_lossy(&body);
                return Err(Failure::words(format!("order {number} was answered with {status}: {text}")));
            }
        }
        Ok(())
    }

    /// One order after the other until one is refused with a problem that says why, and the log has a line; how many were.
    async fn until_refused(&mut self, trouble: &str) -> Result<u64, Failure> {
        let logged = self.logged();
        let (began, mut answers) = (Stopwatch::start(), BTreeMap::<u16, u64>::new());
        while began.passed() < TROUBLE && !answers.contains_key(&503) {
            let status = self.ask_once().await?;
            *answers.entry(status).or_default() += 1;
        }
        let refused = answers.get(&503).copied().unwrap_or(0);
        if refused == 0 {
            return Err(Failure::words(format!(
                "{trouble}, and nobody is told: the answers were {answers:?}"
            )));
        }
        match self.logged() > logged {
            true => Ok(refused),
            false => Err(Failure::words(format!("{trouble}, and the log has no line"))),
        }
    }

    /// One order after the other for so long, whatever is answered; how many.
    async fn during(&mut self, time: Duration) -> Result<u64, Failure> {
        let (began, mut asked) = (Stopwatch::start(), 0);
        while began.passed() < time {
            let left = time.saturating_sub(began.passed());
            // Who waits for longer than the trouble lasts has not been answered, and asks again.
            if let Ok(status) = tokio::time::timeout(left, self.ask_once()).await {
                status?;
            }
            asked += 1;
        }
        Ok(asked)
    }

    /// The status of one new order; 0 where nobody answers.
    async fn ask_once(&mut self) -> Result<u16, Failure> {
        let number = self.begun;
        self.begun += 1;
        self.undecided.push(number);
        if self.house.is_dead()? {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            return Err(Failure::words(format!("the server has ended: {log}")));
        }
        let mut connection = Connection::open(self.house.address).await?;
        let request = self.request(number);
        let exchange = tokio::time::timeout(ANSWER, connection.exchange(&request)).await;
        let Ok(Ok(answer)) = exchange else { return Ok(0) };
        if answer.status == 503 {
            is_clear(answer.body)?;
        } else if answer.status != 200 && !is_later(answer.status, answer.body) {
            let text = String::from_utf8_lossy(answer.body);
            return Err(Failure::words(format!(
                "order {number} was answered with {}: {text}",
                answer.status
            )));
        }
        Ok(answer.status)
    }

    fn logged(&self) -> usize {
        fs::read_to_string(&self.log).unwrap_or_default().lines().count()
    }

    /// In the end every order is there once, and it is the same server.
    async fn hold(&mut self) -> Result<u64, Failure> {
        let there = orders(self.house.address).await?.len() as u64;
        let same = !self.house.is_dead()?;
        self.house.close();
        match there == self.begun && same {
            true => Ok(there),
            false => Err(Failure::words(format!(
                "{} orders were answered and {there} are there; the server is the same: {same}",
                self.begun
            ))),
        }
    }
}

/// Whether a refusal is a problem document that says what to do, with nothing inner in it.
fn is_clear(body: &[u8]) -> Result<(), Failure> {
    let text = String::from_utf8_lossy(body);
    let problem: Value = serde_json::from_slice(body)?;
    let code = problem["code"].as_str().unwrap_or_default();
    let known = ["store-unavailable", "overloaded"].contains(&code);
    let inner = ["sqlite", "postgres", "SELECT", "INSERT", "os error"].iter().any(|word| text.contains(word));
    match known && !inner && problem["status"] == 503 && problem["detail"].is_string() {
        true => Ok(()),
        false => Err(Failure::words(format!("a refusal that is not clear: {text}"))),
    }
}

/// Writes until there is no room left.
fn fill(ballast: &Path) -> Result<(), Failure> {
    use std::io::Write as _;
    let mut file = fs::File::create(ballast).map_err(|error| Failure::file(ballast, &error))?;
    for size in [1 << 16, 1 << 12, 1] {
        while file.write_all(&vec![7; size]).is_ok() {}
    }
    Ok(())
}

/// A file system in memory of a given size; gone when it is dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(folder: &Path, mib: u64) -> Result<Self, Failure> {
        fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
        let size = format!("size={mib}m");
        succeed(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "mortise-small-disk"]).arg(folder))?;
        Ok(Self(folder.to_owned()))
    }

    fn remount(&self, how: &str) -> Result<(), Failure> {
        succeed(Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(&self.0))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = succeed(Command::new("umount").arg("-l").arg(&self.0));
    }
}

fn succeed(command: &mut Command) -> Result<(), Failure> {
    let said = command.output()?;
    match said.status.success() {
        true => Ok(()),
        false => {
            let text = String::from_utf8_lossy(&said.stderr);
            Err(Failure::words(format!("{:?}: {}", command.get_program(), text.trim())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_to_do_and_nothing_inner() {
        let problem = |code: &str, detail: &str| {
            is_clear(format!(r#"{{"status":503,"code":"{code}","detail":"{detail}"}}"#).as_bytes()).is_ok()
        };
        assert!(problem("store-unavailable", "Send it again."));
        assert!(!problem("internal", "Send it again."));
        assert!(!problem("store-unavailable", "INSERT INTO order_header failed"));
    }
}
