//! Two PostgreSQL servers of a test's own, a primary and a standby that follows it by streaming replication: what is
//! acknowledged is on both. They listen on sockets in one temporary directory and are gone when the pair is dropped.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use sqlx::{Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;

use crate::postgres::{programs, somebody_if_root};

const PRIMARY: &str = "5432";
const STANDBY: &str = "5433";
/// Between two looks at a standby that is to stand still, and how many there are.
const LOOK: Duration = Duration::from_millis(10);
const LOOKS: u32 = 3_000;

/// A primary and its standby.
#[derive(Debug)]
pub struct Replicated {
    directory: TempDir,
    programs: PathBuf,
    user: Option<(u32, u32)>,
}

impl Replicated {
    /// Starts both; from then on the primary acknowledges nothing that the standby has not written.
    ///
    /// # Panics
    /// When they cannot be started: the test has failed.
    pub async fn new() -> Self {
        let pair = Self::started().unwrap_or_else(|problem| panic!("no replicated servers: {problem}"));
        let mut primary = PgConnection::connect(&pair.url_of(&[PRIMARY])).await.expect("the primary answers");
        // Behind the copy, which is to have no such wish: alone it could acknowledge nothing.
        for text in ["ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"] {
            primary.execute(text).await.expect("the primary takes its settings");
        }
        pair
    }

    /// The same, but the primary waits for nobody: it goes on while the standby is behind, or gone.
    ///
    /// # Panics
    /// When they cannot be started: the test has failed.
    pub fn that_waits_for_nobody() -> Self {
        Self::started().unwrap_or_else(|problem| panic!("no replicated servers: {problem}"))
    }

    /// The primary's own address.
    pub fn primary(&self) -> String {
        self.url_of(&[PRIMARY])
    }

    /// The standby's own address.
    pub fn standby(&self) -> String {
        self.url_of(&[STANDBY])
    }

    /// From here on the standby takes what the primary sends, and shows none of it.
    ///
    /// # Panics
    /// When it does not stand still.
    pub async fn hold_standby(&self) {
        let mut standby = PgConnection::connect(&self.standby()).await.expect("the standby answers");
        standby.execute("SELECT pg_wal_replay_pause()").await.expect("the standby takes its orders");
        let held = "SELECT pg_get_wal_replay_pause_state() = 'paused'";
        for _ in 0..LOOKS {
            let is_held: bool = sqlx::query_scalar(held).fetch_one(&mut standby).await.expect("it says so");
            if is_held {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!("the standby does not stand still");
    }

    /// It shows again what has come.
    ///
    /// # Panics
    /// When it does not go on.
    pub async fn let_standby_go_on(&self) {
        let mut standby = PgConnection::connect(&self.standby()).await.expect("the standby answers");
        standby.execute("SELECT pg_wal_replay_resume()").await.expect("the standby takes its orders");
    }

    /// Ends the standby at once.
    ///
    /// # Panics
    /// When it does not end.
    pub fn stop_standby(&self) {
        self.pg_ctl("standby", &["stop", "-m", "immediate"]).expect("the standby stops");
    }

    /// Starts the standby that was stopped.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_standby(&self) {
        self.start("standby", STANDBY).expect("the standby starts");
    }

    /// Starts the primary that was stopped as a standby of nobody, with what it had.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_primary_as_standby(&self) {
        let signal = self.directory.path().join("primary/standby.signal");
        fs::write(&signal, "").expect("its directory is there");
        if let Some((user, group)) = self.user {
            chown(&signal, Some(user), Some(group)).expect("its directory is ours");
        }
        self.start("primary", PRIMARY).expect("the former primary starts");
    }

    /// The address that names both, for whichever of them takes writes.
    pub fn url(&self) -> String {
        format!("{}&target_session_attrs=read-write", self.url_of(&[PRIMARY, STANDBY]))
    }

    /// Ends the primary at once, as `pg_ctl stop -m immediate` does.
    ///
    /// # Panics
    /// When it does not end.
    pub fn stop_primary(&self) {
        self.pg_ctl("primary", &["stop", "-m", "immediate"]).expect("the primary stops");
    }

    /// Makes the standby the primary.
    ///
    /// # Panics
    /// When it does not become one.
    pub fn promote_standby(&self) {
        self.pg_ctl("standby", &["promote", "-w"]).expect("the standby is promoted");
    }

    fn url_of(&self, ports: &[&str]) -> String {
        let home = self.directory.path().display().to_string();
        let hosts = vec![home.as_str(); ports.len()].join(",");
        format!("postgres://postgres@localhost/postgres?host={hosts}&port={}", ports.join(","))
    }

    fn started() -> io::Result<Self> {
        let directory = tempfile::tempdir()?;
        let user = somebody_if_root(directory.path())?;
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755))?;
        if let Some((user, group)) = user {
            chown(directory.path(), Some(user), Some(group))?;
        }
        let pair = Self { directory, programs: programs().map_err(io::Error::other)?, user };
        pair.run(
            "initdb",
            &["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"],
            "primary",
        )?;
        pair.start("primary", PRIMARY)?;
        let home = pair.directory.path().display().to_string();
        let copy = [
            "-h",
            &home,
            "-p",
            PRIMARY,
            "-U",
            "postgres",
            "--write-recovery-conf",
            "--wal-method=stream",
            "--no-sync",
            "--checkpoint=fast",
        ];
        pair.run("pg_basebackup", &copy, "standby")?;
        pair.start("standby", STANDBY)?;
        Ok(pair)
    }

    fn start(&self, name: &str, port: &str) -> io::Result<()> {
        let home = self.directory.path().display();
        let settings = format!(
            "-k {home} -p {port} -c listen_addresses= -c max_connections=100 -c fsync=off -c hot_standby=on -c autovacuum=off"
        );
        let log = self.directory.path().join(format!("{name}.log")).display().to_string();
        self.pg_ctl(name, &["start", "-w", "-l", &log, "-o", &settings])
    }

    fn pg_ctl(&self, name: &str, arguments: &[&str]) -> io::Result<()> {
        self.run("pg_ctl", arguments, name)
    }

    /// Runs a program on one of the data directories, as a user that may.
    fn run(&self, program: &str, arguments: &[&str], name: &str) -> io::Result<()> {
        let errors = self.directory.path().join("errors");
        let mut command = Command::new(self.programs.join(program));
        command
            .current_dir(self.directory.path())
            .args(arguments)
            .arg("-D")
            .arg(self.directory.path().join(name));
        // A server that is started keeps what it was given open: no pipe of the test's.
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&errors)?)
            .process_group(0);
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        if command.status()?.success() {
            return Ok(());
        }
        Err(io::Error::other(format!("{program} {name}: {}", fs::read_to_string(errors).unwrap_or_default())))
    }
}

impl Drop for Replicated {
    fn drop(&mut self) {
        for name in ["primary", "standby"] {
            // It may have ended already.
            let _ = self.pg_ctl(name, &["stop", "-m", "immediate"]);
        }
    }
}
