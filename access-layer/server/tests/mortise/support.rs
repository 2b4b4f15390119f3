//! The binary as a child process: commands that end, servers that are killed, and waiting for what comes with a deadline.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value as Json, json};

pub(crate) const SECRET: &str = "whsec_test";

/// The project's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }
}

fn command(arguments: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mortise"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("MORTISE_")) {
        command.env_remove(name);
    }
    command
}

/// Runs a command to its end.
pub(crate) fn mortise(arguments: &[impl AsRef<OsStr>]) -> Said {
    mortise_with(arguments, "")
}

/// Runs a command to its end, with something on its stdin.
pub(crate) fn mortise_with(arguments: &[impl AsRef<OsStr>], stdin: &str) -> Said {
    let mut child = command(arguments).spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A child that listens; dropping it kills it.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) url: String,
    child: Child,
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Listening {
    pub(crate) fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child =
            command(arguments).stderr(Stdio::inherit()).envs(environment.iter().copied()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().map_or_else(String::new, Result::unwrap);
        let url = line.strip_prefix("listening on ").unwrap_or_default().to_owned();
        std::thread::spawn(move || lines.for_each(drop));
        Self { url, child }
    }

    /// With an address, or else it has ended.
    #[track_caller]
    fn that_listens(self) -> Self {
        assert!(self.url.starts_with("http://"), "it said no address: {:?}", self.child);
        self
    }

    pub(crate) fn sandbox(data: &Path) -> Self {
        let data = data.to_str().unwrap();
        Self::start(&["sandbox", "--listen", "127.0.0.1:0", "--webhook-secret", SECRET, "--data", data], &[])
            .that_listens()
    }

    /// A server on `listen` whose peers are `sandbox`.
    #[track_caller]
    pub(crate) fn server(data: &Path, listen: &str, sandbox: &str) -> Self {
        Self::crashing_server(data, listen, sandbox, &[]).that_listens()
    }

    /// The server again, at the address to which the sandbox sends its messages, as soon as that is free.
    pub(crate) async fn server_again(data: &Path, address: &str, sandbox: &str) -> Self {
        until("a server at the former address", async || {
            let server = Self::crashing_server(data, address, sandbox, &[]);
            (!server.url.is_empty()).then_some(server)
        })
        .await
    }

    /// A server that may end before it listens.
    pub(crate) fn crashing_server(
        data: &Path,
        listen: &str,
        sandbox: &str,
        environment: &[(&str, &str)],
    ) -> Self {
        let data = data.to_str().unwrap();
        let peers = ["--sandbox-url", sandbox, "--webhook-secret", SECRET];
        let arguments: Vec<&str> = ["serve", "--data", data, "--listen", listen, "--clock", "now"]
            .into_iter()
            .chain(peers)
            .collect();
        Self::start(&arguments, environment)
    }

    /// A server of several: the sandbox's messages about what it asks go to `public`, whoever that is.
    #[track_caller]
    pub(crate) fn server_behind(data: &Path, public: &str, sandbox: &str) -> Self {
        let data = data.to_str().unwrap();
        let place = ["serve", "--data", data, "--listen", "127.0.0.1:0", "--clock", "now"];
        let peers = ["--sandbox-url", sandbox, "--webhook-secret", SECRET, "--public-url", public];
        Self::start(&[&place[..], &peers[..]].concat(), &[]).that_listens()
    }

    /// Has it stand still, as a machine does that is out of everything, or go on.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, and says with what it ended.
    pub(crate) fn stop(mut self) -> Option<i32> {
        terminate(&self.child);
        self.child.wait().unwrap().code()
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }
}

/// A child that tells events as JSON, a line each; dropping it kills it.
#[derive(Debug)]
pub(crate) struct Talking {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Drop for Talking {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Talking {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments).stderr(Stdio::inherit()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Reads on to the first event of this name.
    pub(crate) fn until_event(&mut self, name: &str) -> Json {
        let events = self.lines.by_ref().map(|line| serde_json::from_str::<Json>(&line.unwrap()).unwrap());
        events.into_iter().find(|event| event["event"] == name).unwrap_or_else(|| panic!("no event {name}"))
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, and says with what it ended.
    pub(crate) fn stop(mut self) -> Option<i32> {
        terminate(&self.child);
        self.child.wait().unwrap().code()
    }
}

fn terminate(child: &Child) {
    rustix::process::kill_process(rustix::process::Pid::from_child(child), rustix::process::Signal::TERM)
        .unwrap();
}

/// Waits until `ready` gives something; what it waits for is told when it does not come.
pub(crate) async fn until<T>(what: &str, mut ready: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = ready().await {
                return found;
            }
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), looking)
        .await
        .unwrap_or_else(|_| panic!("{what} did not come"))
}

/// The shop of the example, without its extension: stock is as its file says.
pub(crate) fn seed(data: &Path) {
    let shop = root().join("examples/shop");
    let story = std::fs::read_to_string(shop.join("story.yaml")).unwrap();
    let seeds = story.lines().filter_map(|line| line.trim().strip_prefix("- { line: ")?.strip_suffix(" }"));
    let mut imported = 0;
    for seed in seeds.filter(|seed| seed.contains(", import: ")) {
        let (line, rest) = seed.split_once(", import: ").unwrap();
        let (operation, file) = rest.split_once(", file: ").unwrap();
        let (file, data) = (shop.join(file), data.to_str().unwrap());
        mortise(&[
            "import",
            operation,
            file.to_str().unwrap(),
            "--tenant",
            "demo",
            "--line",
            line,
            "--data",
            data,
        ])
        .ok();
        imported += 1;
    }
    assert!(imported > 5, "the shop's seeds were not understood");
}

/// The address that every order of these tests goes to.
pub(crate) fn ship_to() -> Json {
    json!({"name": "Ada", "street": ["Parkweg 9"], "city": "Berlin", "postal_code": "12435", "country": "DE"})
}

/// An order of the shop.
pub(crate) fn order(id: &str, pay_by: &str, lines: &Json) -> Json {
    json!({"order_id": id, "currency": "EUR", "pay_by": pay_by, "lines": lines, "ship_to": ship_to()})
}

/// The shop over HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Shop {
    pub(crate) http: reqwest::Client,
    pub(crate) url: String,
}

impl Shop {
    pub(crate) fn at(server: &Listening) -> Self {
        Self { http: reqwest::Client::new(), url: format!("{}/v1/demo/grocery", server.url) }
    }

    /// Orders, with the order's id as key.
    pub(crate) async fn order(&self, order: &Json) -> Result<(u16, Json), reqwest::Error> {
        let key = order["order_id"].as_str().unwrap();
        let request = self.http.post(format!("{}/trades/fixed-price", self.url));
        let request = request.header("Mortise-Customer", "ada").header("Idempotency-Key", key).json(order);
        let response = request.send().await?;
        Ok((response.status().as_u16(), response.json().await?))
    }

    pub(crate) async fn staff_reads(&self, path: &str) -> Json {
        let request = self.http.get(format!("{}/read/{path}", self.url)).header("Mortise-Staff", "test");
        request.send().await.unwrap().json().await.unwrap()
    }

    /// Every order of the tenant, whoever asks for how many pages.
    pub(crate) async fn orders(&self) -> Vec<Json> {
        let (mut orders, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.staff_reads(&format!("order/list?limit=200{cursor}")).await;
            orders.extend(page["orders"].as_array().unwrap_or_else(|| panic!("{page}")).iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return orders,
            }
        }
    }
}
