//! The platform that is measured, from outside: its command line, and a server of it on a free port. Nothing is linked in.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::Connection;
use crate::failure::Failure;
use crate::print;
use crate::proc::{Memory, Usage};
use crate::shop::{LINE, TENANT};

/// A `mortise` program with its extensions.
#[derive(Debug)]
pub(crate) struct Platform {
    pub(crate) program: PathBuf,
    pub(crate) extensions: PathBuf,
    pub(crate) ending: Ending,
}

/// How servers end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The hard way.
    Killed,
    /// They are told to, and finish what they do.
    Told,
}

impl Platform {
    /// Which program this is, as it says itself.
    pub(crate) fn version(&self) -> Result<String, Failure> {
        Ok(self.run(Command::new(&self.program).arg("--version"))?.trim().to_owned())
    }

    /// Sends rows through an import of the shop's line.
    pub(crate) fn import(&self, data: &Path, operation: &str, rows: &str) -> Result<(), Failure> {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(rows.as_bytes())?;
        self.run(self.command("import", data).arg(operation).arg(file.path()).args(SCOPE)).map(drop)
    }

    /// Calls an operation of the shop's line on a data directory that nobody serves.
    pub(crate) fn call(&self, data: &Path, operation: &str, input: &Value) -> Result<Value, Failure> {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(input.to_string().as_bytes())?;
        let mut command = self.command("capability call", data);
        command.args([operation, "--format", "json", "--input"]).arg(file.path()).args(SCOPE);
        Ok(serde_json::from_str(&self.run(&mut command)?)?)
    }

    /// Checks every invariant of a data directory.
    ///
    /// # Errors
    /// What is off.
    pub(crate) fn verify(&self, data: &Path) -> Result<(), Failure> {
        self.run(&mut self.command("verify", data)).map(drop)
    }

    /// The same, and our books beside the peers' own.
    pub(crate) fn verify_beside(&self, data: &Path, sandbox: SocketAddr) -> Result<(), Failure> {
        let mut command = self.command("verify", data);
        self.run(command.args(["--sandbox", &format!("http://{sandbox}")])).map(drop)
    }

    /// Serves a data directory until the server is dropped: with the extensions of these bindings, or with what is
    /// deployed in it.
    pub(crate) fn serve(&self, data: &Path, bindings: Option<&Path>) -> Result<Server, Failure> {
        self.serve_with(data, bindings.map(|bindings| (&*self.extensions, bindings)))
    }

    /// The same with the extensions of another folder.
    pub(crate) fn serve_with(&self, data: &Path, files: Option<(&Path, &Path)>) -> Result<Server, Failure> {
        let mut command = self.command("serve", data);
        command.args(["--listen", "127.0.0.1:0"]);
        if let Some((extensions, bindings)) = files {
            command.arg("--extensions").arg(extensions).arg("--bindings").arg(bindings);
        }
        self.start(&mut command)
    }

    /// Serves a place as it is said, with what is deployed in it.
    ///
    /// # Errors
    /// A server that does not come up, as one that has passed its crash point before.
    pub(crate) fn serve_as(&self, data: &Path, serving: &Serving) -> Result<Server, Failure> {
        let mut command = self.command("serve", data);
        match serving.listen {
            Some(address) => command.arg("--listen").arg(address.to_string()),
            None => command.args(["--listen", "127.0.0.1:0"]),
        };
        if let Some(sandbox) = serving.sandbox {
            command.args(["--webhook-secret", SECRET, "--sandbox-url", &format!("http://{sandbox}")]);
        }
        if let Some(crash) = &serving.crash_at {
            command.env("MORTISE_CRASH_AT", crash);
        }
        if let Some(bindings) = &serving.bindings {
            command.arg("--extensions").arg(&self.extensions).arg("--bindings").arg(bindings);
        }
        if serving.single_steps {
            command.arg("--single-steps");
        }
        if let Some(SlowDisk { library, delay }) = &serving.slow_disk {
            command.env("LD_PRELOAD", library).env("SLOW_DISK_US", delay.as_micros().to_string());
        }
        if let Some(log) = &serving.log {
            command.stderr(std::fs::File::options().create(true).append(true).open(log)?);
        }
        self.start(&mut command)
    }

    /// Plays the payment provider and the carrier until it is dropped.
    pub(crate) fn sandbox(&self, data: &Path) -> Result<Server, Failure> {
        let mut command = self.command("sandbox", data);
        self.start(command.args(["--listen", "127.0.0.1:0", "--webhook-secret", SECRET]))
    }

    fn start(&self, command: &mut Command) -> Result<Server, Failure> {
        match self.ending {
            Ending::Killed => Server::start(command),
            Ending::Told => Server::spawn(command.arg("--stop-with-stdin").stdin(Stdio::piped())),
        }
    }

    /// Measures the calls of an extension's cases: `mortise ext bench`.
    pub(crate) fn bench(&self, folder: &Path, calls: u32) -> Result<Vec<Calls>, Failure> {
        let mut command = Command::new(&self.program);
        command.args(["ext", "bench", "--format", "json", "--calls", &calls.to_string()]).arg(folder);
        let printed = self.run(&mut command)?;
        let measured: Result<Vec<Calls>, _> =
            serde_json::Deserializer::from_str(&printed).into_iter().collect();
        Ok(measured?)
    }

    /// Begins and builds an extension from a language's template, its toolchain installed if it is missing.
    pub(crate) fn write_template(
        &self,
        language: &str,
        point: &str,
        into: &Path,
    ) -> Result<PathBuf, Failure> {
        let name = format!("in-{language}");
        let folder = into.join(&name);
        let ext = |arguments: &[&str]| {
            let mut command = Command::new(&self.program);
            command.arg("ext").args(arguments);
            command
        };
        self.run(&mut ext(&["toolchain", language]))?;
        self.run(ext(&["new", &name, "--point", point, "--lang", language, "--into"]).arg(into))?;
        self.run(ext(&["build"]).arg(&folder))?;
        Ok(folder)
    }

    fn command(&self, name: &str, data: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.args(name.split(' ')).arg("--data").arg(data).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end, and returns what it printed.
    fn run(&self, command: &mut Command) -> Result<String, Failure> {
        let output = command.output().map_err(|error| Failure::file(&self.program, &error))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(text);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(Failure::words(format!("{command:?} ended with {}\n{text}{said}", output.status)))
    }
}

/// What the calls of a case took, as `mortise ext bench` prints it.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Calls {
    pub(crate) case: String,
    pub(crate) profile: String,
    pub(crate) calls: u64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) bare_p50_us: f64,
    pub(crate) bare_p99_us: f64,
    pub(crate) fuel_used: u64,
}

/// How long a server is left alone before its memory is read.
const REST: Duration = Duration::from_secs(3);

/// The secret of the sandbox's messages.
const SECRET: &str = "whsec_bench";

/// A library that makes every flush take longer.
#[derive(Debug, Clone)]
pub(crate) struct SlowDisk {
    pub(crate) library: PathBuf,
    pub(crate) delay: Duration,
}

/// How a server is started beside what is usual.
#[derive(Debug, Clone, Default)]
pub(crate) struct Serving {
    /// Where it listens; on a free port where left out.
    pub(crate) listen: Option<SocketAddr>,
    /// Who its peers are.
    pub(crate) sandbox: Option<SocketAddr>,
    /// At which of its crash points it dies, and when it passes it for which time: `sent:3`.
    pub(crate) crash_at: Option<String>,
    /// Where its log goes; to the terminal where left out.
    pub(crate) log: Option<PathBuf>,
    /// The extensions of these bindings, instead of what is deployed.
    pub(crate) bindings: Option<PathBuf>,
    /// Every step is journalled before the next begins.
    pub(crate) single_steps: bool,
    pub(crate) slow_disk: Option<SlowDisk>,
}

const SCOPE: [&str; 4] = ["--tenant", TENANT, "--line", LINE];

/// A server in a process of its own.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

/// What a server has counted, as `GET /dev/figures` shows it.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) struct Figures {
    pub(crate) batches: u64,
    pub(crate) stretches: u64,
    pub(crate) stale: u64,
    pub(crate) journal_bytes: u64,
    pub(crate) statements: u64,
    pub(crate) executions: u64,
    pub(crate) commits: u64,
}

impl Figures {
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            batches: self.batches - earlier.batches,
            stretches: self.stretches - earlier.stretches,
            stale: self.stale - earlier.stale,
            journal_bytes: self.journal_bytes - earlier.journal_bytes,
            statements: self.statements - earlier.statements,
            executions: self.executions - earlier.executions,
            commits: self.commits - earlier.commits,
        }
    }
}

impl Server {
    /// Starts a server whose first line says where it listens.
    ///
    /// # Errors
    /// A server that does not come up.
    pub(crate) fn start(command: &mut Command) -> Result<Self, Failure> {
        Self::spawn(command.stdin(Stdio::null()))
    }

    fn spawn(command: &mut Command) -> Result<Self, Failure> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let address = line
            .split_whitespace()
            .find_map(|word| word.strip_prefix("http://")?.trim_end_matches('/').parse().ok());
        match address {
            Some(address) => Ok(Self { child, address }),
            None => {
                let _ = child.kill();
                Err(Failure::words(format!("{command:?} did not say where it listens, but {line:?}")))
            }
        }
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> Result<bool, Failure> {
        Ok(self.child.try_wait()?.is_some())
    }

    pub(crate) async fn figures(&self) -> Result<Figures, Failure> {
        let mut connection = Connection::open(self.address).await?;
        let answer = connection.exchange(b"GET /dev/figures HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await?;
        Ok(serde_json::from_slice(answer.body)?)
    }

    /// What it holds when it has been left alone for a while.
    pub(crate) async fn memory_at_rest(&self) -> Memory {
        tokio::time::sleep(REST).await;
        Memory::of(self.child.id())
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage::of(self.child.id())
    }
}

/// A server ends the hard way: what it acknowledged has to be there all the same. One that has a standard input ends when that does.
impl Drop for Server {
    fn drop(&mut self) {
        let told = self.child.stdin.take().is_some();
        if !told {
            let _ = self.child.kill();
        }
        if let Ok(status) = self.child.wait()
            && told
            && !status.success()
        {
            print::progress(&format!("a server that was told to end did so with {status}"));
        }
    }
}
