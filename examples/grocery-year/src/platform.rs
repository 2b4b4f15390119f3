//! A `mortise` of our own: its data directory is filled by its import command, then it serves, then it is killed and verified.
//! Knows the command line of `mortise` and nothing of baskets.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use reqwest::Url;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::order::BusinessLine;

/// The tenant that all is sold by.
pub(crate) const TENANT: &str = "grocery";

/// What the server logs unless MORTISE_LOG says otherwise. Nobody packs here, so after a week each trade is put before a person,
/// as the flow says; a hundred thousand lines of it would hide the ones that matter.
const LOG: &str = "warn,mortise_engine::driver=error";

/// The platform did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlatformError {
    /// There is no `mortise` to run.
    #[error("{}: {error}; build it with `cargo build --package mortise` or name one with --mortise", path.display())]
    NotThere { path: PathBuf, error: std::io::Error },
    /// A command said no; its own words are above.
    #[error("`mortise {command}` ended with {status}")]
    Failed { command: String, status: ExitStatus },
    /// The server ended before it told its address.
    #[error("`mortise serve` did not come up; its own words are above")]
    NotServing,
    /// The clock was not moved.
    #[error("the server's clock: {0}")]
    Clock(String),
    /// What it answered is not what this version answers.
    #[error("`mortise` answered something else than expected: {0}")]
    Answer(serde_json::Error),
    /// A file could not be written or a process not waited for.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// What `mortise verify` says of a data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verified {
    /// Every invariant holds.
    Clean,
    /// Some do not; it has named them.
    Broken,
}

/// A `mortise` program with a data directory.
#[derive(Debug)]
pub(crate) struct Platform {
    program: PathBuf,
    data: PathBuf,
}

impl Platform {
    /// A platform that keeps its data below `data`.
    pub(crate) fn new(program: PathBuf, data: PathBuf) -> Self {
        Self { program, data }
    }

    /// The program that cargo puts beside this one.
    pub(crate) fn beside_us() -> std::io::Result<PathBuf> {
        let us = std::env::current_exe()?;
        Ok(us.with_file_name(format!("mortise{}", std::env::consts::EXE_SUFFIX)))
    }

    /// Imports rows, CSV or JSON, for a business line with an operation such as `pricing.import_entries`.
    pub(crate) async fn import(
        &self,
        operation: &str,
        line: BusinessLine,
        rows: &str,
    ) -> Result<(), PlatformError> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), rows)?;
        // For machines it draws no progress bar beside ours.
        let scope = ["--tenant", TENANT, "--line", line.name(), "--format", "json"].map(OsStr::new);
        let what = [OsStr::new("import"), OsStr::new(operation), file.path().as_os_str()];
        self.run(what.into_iter().chain(scope)).await
    }

    /// Checks the invariants of the data directory; the server must not run.
    pub(crate) async fn verify(&self) -> Result<Verified, PlatformError> {
        match self.run([OsStr::new("verify")].into_iter()).await {
            Ok(()) => Ok(Verified::Clean),
            Err(PlatformError::Failed { .. }) => Ok(Verified::Broken),
            Err(error) => Err(error),
        }
    }

    /// Serves from now on, with a clock that stands at `now` until it is moved.
    pub(crate) async fn serve(&self, now: &str) -> Result<Server, PlatformError> {
        let mut command = self.command([OsStr::new("serve")].into_iter());
        command.args(["--listen", "127.0.0.1:0", "--clock", now]).stdout(Stdio::piped());
        if std::env::var_os("MORTISE_LOG").is_none() {
            command.env("MORTISE_LOG", LOG);
        }
        let mut child = self.spawn(command)?;
        let stdout = child.stdout.take().ok_or(PlatformError::NotServing)?;
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await? {
            let address = line.split_whitespace().find(|word| word.starts_with("http://"));
            if let Some(url) = address.and_then(|address| address.parse().ok()) {
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Ok(Server { url, child });
            }
        }
        Err(PlatformError::NotServing)
    }

    /// Runs a command that answers with a JSON document.
    pub(crate) async fn ask(&self, arguments: &[&str]) -> Result<serde_json::Value, PlatformError> {
        let mut command = self.command(arguments.iter().map(OsStr::new));
        command.stdout(Stdio::piped());
        let output = self.spawn(command)?.wait_with_output().await?;
        if !output.status.success() {
            return Err(PlatformError::Failed { command: arguments.join(" "), status: output.status });
        }
        serde_json::from_slice(&output.stdout).map_err(PlatformError::Answer)
    }

    async fn run<'a>(&self, arguments: impl Iterator<Item = &'a OsStr>) -> Result<(), PlatformError> {
        let arguments: Vec<_> = arguments.collect();
        let mut command = self.command(arguments.iter().copied());
        command.stdout(Stdio::null());
        let status = self.spawn(command)?.wait().await?;
        let words = || arguments.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        if status.success() { Ok(()) } else { Err(PlatformError::Failed { command: words(), status }) }
    }

    fn command<'a>(&self, arguments: impl Iterator<Item = &'a OsStr>) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("--data").arg(&self.data).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    fn spawn(&self, mut command: Command) -> Result<Child, PlatformError> {
        let missing = |error| PlatformError::NotThere { path: self.program.clone(), error };
        command.spawn().map_err(missing)
    }
}

/// A serving platform.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: Url,
    child: Child,
}

impl Server {
    /// Moves the clock forward.
    pub(crate) async fn set_clock(&self, http: &reqwest::Client, now: &str) -> Result<(), PlatformError> {
        let clock = |wrong: &dyn std::fmt::Display| PlatformError::Clock(wrong.to_string());
        let url = self.url.join("/dev/clock").map_err(|error| clock(&error))?;
        let moved = http.post(url).json(&serde_json::json!({ "now": now })).send().await;
        moved.and_then(reqwest::Response::error_for_status).map(drop).map_err(|error| clock(&error))
    }

    /// Ends it the hard way: what was acknowledged must be there all the same.
    pub(crate) async fn kill(mut self) -> Result<(), PlatformError> {
        Ok(self.child.kill().await?)
    }
}

/// A folder to keep the platform's data in.
pub(crate) fn absolute(path: &Path) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(path)?;
    path.canonicalize()
}
