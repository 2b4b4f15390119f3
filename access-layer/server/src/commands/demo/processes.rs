//! The platform's own programs as child processes: this very binary, once as a sandbox, once as a server, and for commands
//! that end by themselves. A listening child ends with us, however we end: it stops when its stdin does.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use crate::failure::Failure;

/// How long a child may take to say its address; compiling extensions is a part of it.
const START_LIMIT: Duration = Duration::from_secs(120);
/// How long a child may take to finish what it has begun.
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// A child that listens.
#[derive(Debug)]
pub(super) struct Listening {
    what: &'static str,
    /// `http://...`, without a slash at the end.
    pub(super) url: String,
    child: Child,
    /// Held open: waiting for the child must not end it.
    _stdin: Option<ChildStdin>,
}

/// This binary.
#[derive(Debug, Clone)]
pub(super) struct Program(PathBuf);

impl Program {
    /// The one that runs.
    ///
    /// # Errors
    /// A system that cannot tell.
    pub(super) fn this() -> Result<Self, Failure> {
        let path = std::env::current_exe()
            .map_err(|error| Failure::unusable(format!("our own program: {error}")))?;
        Ok(Self(path))
    }

    fn command(&self, arguments: &[OsString]) -> Command {
        let mut command = Command::new(&self.0);
        // A group of its own: Ctrl-C is ours to pass on, in our order.
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command
    }

    /// Starts a command that listens, and returns when it has said where.
    ///
    /// # Errors
    /// A child that ends or stays silent.
    pub(super) async fn listen(
        &self,
        what: &'static str,
        arguments: &[OsString],
    ) -> Result<Listening, Failure> {
        let failed = |why: String| Failure::unusable(format!("the {what} did not start: {why}"));
        let mut command = self.command(arguments);
        let mut child = command
            .arg("--stop-with-stdin")
            .stdin(Stdio::piped())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let stdout = child.stdout.take().ok_or_else(|| failed("it has no output".to_owned()))?;
        let stdin = child.stdin.take();
        let mut lines = BufReader::new(stdout).lines();
        let said = tokio::time::timeout(START_LIMIT, async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(url) = line.strip_prefix("listening on ") {
                    return Some(url.trim_end_matches('/').to_owned());
                }
            }
            None
        });
        match said.await {
            Ok(Some(url)) => {
                // What it says later is read, so that it never waits for us.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                Ok(Listening { what, url, child, _stdin: stdin })
            }
            Ok(None) => Err(failed("it ended; its own words are above".to_owned())),
            Err(_) => Err(failed(format!("it did not say its address within {} s", START_LIMIT.as_secs()))),
        }
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// A command that cannot be run; that it refuses is no error, see the exit code.
    pub(super) async fn run(&self, arguments: &[OsString]) -> Result<(Option<i32>, String), Failure> {
        // With `output` its stderr would be ours to print.
        let child = self.command(arguments).stderr(Stdio::inherit()).spawn();
        let failed = |error: std::io::Error| Failure::unusable(format!("{}: {error}", self.0.display()));
        let output = child.map_err(failed)?.wait_with_output().await.map_err(failed)?;
        Ok((output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned()))
    }
}

impl Listening {
    /// Asks it to finish and waits until it has.
    ///
    /// # Errors
    /// A child that does not end, or not well.
    pub(super) async fn stop(mut self) -> Result<(), Failure> {
        let failed = |why: String| Failure::refused(format!("the {} did not stop: {why}", self.what));
        terminate(&self.child).map_err(failed)?;
        match tokio::time::timeout(STOP_LIMIT, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(failed(status.to_string())),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed(format!("it was still busy after {} s", STOP_LIMIT.as_secs()))),
        }
    }

    /// Returns when it has ended by itself, which it should not.
    pub(super) async fn ended(&mut self) -> Failure {
        match self.child.wait().await {
            Ok(status) => Failure::unusable(format!("the {} ended: {status}", self.what)),
            Err(error) => Failure::unusable(format!("the {}: {error}", self.what)),
        }
    }
}

fn terminate(child: &Child) -> Result<(), String> {
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    let id = id.ok_or_else(|| "it has ended already".to_owned())?;
    rustix::process::kill_process(id, rustix::process::Signal::TERM).map_err(|error| error.to_string())
}
