//! `mortise demo`: a small shop from its files, the sandbox and the server as processes of their own, customers who buy over
//! HTTP, every invariant checked, and then a server that stays. What happens is the story's; nothing of it stands here.

mod matching;
mod names;
mod play;
mod processes;
mod story;
mod tell;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use mortise_types::{Clock as _, SystemClock};

use self::play::{Stage, Tally};
use self::processes::{Listening, Program};
use self::story::Story;
use self::tell::Teller;
use crate::cli::Demo;
use crate::commands::ending::{Ending, told_to_stop};
use crate::failure::{Exit, Failure};

/// Where the shop's files are in the project.
const SHOP: &str = "examples/shop";
/// The secret that the two processes share; nobody else is to know it.
const SECRET: &str = "whsec_demo";

pub(super) async fn run(command: Demo) -> Result<Exit, Failure> {
    let shop = shop(command.shop.as_deref())?;
    let story = Story::read(&shop)?;
    let missing =
        story.extensions.components.iter().map(|component| shop.join(component)).find(|path| !path.is_file());
    if let Some(missing) = missing {
        let sentence = format!("the example extension is not built: {} is missing", missing.display());
        return Err(Failure::unusable(sentence).mend(format!("build it: {}", story.extensions.build)));
    }
    let temporary;
    let data = match &command.data {
        Some(data) => data.clone(),
        None => {
            temporary = tempfile::tempdir().map_err(|error| Failure::unusable(error.to_string()))?;
            temporary.path().to_owned()
        }
    };
    let mut teller = Teller::new(command.format);
    teller.note("title", &story.title);
    let demo = Running { program: Program::this()?, shop, data, listen: command.listen.to_string() };
    demo.run(&story, command.once, &mut teller).await
}

/// The folder of the shop: the one that was named, or the project's, seen from the working directory or the program.
fn shop(named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let here = std::env::current_dir().ok();
    let program = std::env::current_exe().ok();
    let above = here.iter().chain(&program).flat_map(|path| path.ancestors());
    above.map(|folder| folder.join(SHOP)).find(|shop| shop.join("story.yaml").is_file()).ok_or_else(|| {
        Failure::unusable(format!("there is no {SHOP} above the working directory"))
            .mend("run it from the project's folder, or name the shop's folder with --shop")
    })
}

struct Running {
    program: Program,
    shop: PathBuf,
    data: PathBuf,
    listen: String,
}

impl Running {
    async fn run(&self, story: &Story, once: bool, teller: &mut Teller) -> Result<Exit, Failure> {
        self.seed(story, teller).await?;
        let sandbox = self.sandbox().await?;
        let server = self.server(story, &sandbox, ("now", &self.listen)).await?;
        let stage = Stage {
            http: reqwest::Client::new(),
            server: server.url.clone(),
            sandbox: sandbox.url.clone(),
            run: format!("{:x}", SystemClock.now().as_millis() / 1_000),
            requests: AtomicU64::default(),
        };
        let tally = stage.play(story, teller).await;
        let now = stage.now().await.map_err(play::unplayable)?;
        server.stop().await?;
        let verified = self.verify(&sandbox, teller).await?;
        let all_held = tally.broken == 0 && verified;
        teller.note("end", &summary(tally, verified));
        let exit = if all_held { Exit::Clean } else { Exit::Refused };
        if once {
            sandbox.stop().await?;
            return Ok(exit);
        }
        self.stay(story, sandbox, (&now.to_string(), &stage.server), teller).await
    }

    /// Serves on, at the address that it had, with the clock where the story left it.
    async fn stay(
        &self,
        story: &Story,
        mut sandbox: Listening,
        (now, url): (&str, &str),
        teller: &Teller,
    ) -> Result<Exit, Failure> {
        let address = url.trim_start_matches("http://");
        let mut server = self.server(story, &sandbox, (now, address)).await?;
        teller.serving(&server.url, &sandbox.url, &self.data);
        let failed = tokio::select! {
            () = told_to_stop(Ending::Signals) => None,
            failure = server.ended() => Some(failure),
            failure = sandbox.ended() => Some(failure),
        };
        if let Some(failure) = failed {
            return Err(failure);
        }
        server.stop().await?;
        sandbox.stop().await?;
        Ok(Exit::Clean)
    }

    fn platform_data(&self) -> PathBuf {
        self.data.join("platform")
    }

    async fn seed(&self, story: &Story, teller: &Teller) -> Result<(), Failure> {
        for seed in &story.seed {
            let file = self.shop.join(&seed.file);
            let mut arguments: Vec<OsString> = match (&seed.import, &seed.policy) {
                (Some(operation), None) => ["import", operation].map(OsString::from).into(),
                (None, Some(policy)) => ["policy", "set", policy].map(OsString::from).into(),
                _ => {
                    return Err(Failure::unusable(format!(
                        "{}: a seed is one of `import` and `policy`",
                        file.display()
                    )));
                }
            };
            arguments.push(file.clone().into());
            arguments.extend(["--tenant", &story.tenant, "--line", &seed.line, "--data"].map(OsString::from));
            arguments.push(self.platform_data().into());
            let (code, _) = self.program.run(&arguments).await?;
            if code != Some(0) {
                return Err(Failure::refused(format!(
                    "the shop was not set up: {} did not go in; why stands above",
                    file.display()
                )));
            }
            let by = seed.import.as_deref().or(seed.policy.as_deref()).unwrap_or_default();
            teller.note("seed", &format!("   {:<26} {by}", seed.file.display()));
        }
        Ok(())
    }

    async fn sandbox(&self) -> Result<Listening, Failure> {
        let mut arguments = ["sandbox", "--listen", "127.0.0.1:0", "--webhook-secret", SECRET, "--data"]
            .map(OsString::from)
            .to_vec();
        arguments.push(self.data.join("sandbox").into());
        self.program.listen("sandbox", &arguments).await
    }

    async fn server(
        &self,
        story: &Story,
        sandbox: &Listening,
        (clock, listen): (&str, &str),
    ) -> Result<Listening, Failure> {
        let mut arguments = ["serve", "--clock", clock, "--listen", listen].map(OsString::from).to_vec();
        arguments.extend(["--sandbox-url", &sandbox.url, "--webhook-secret", SECRET].map(OsString::from));
        for (option, path) in [
            ("--data", self.platform_data()),
            ("--extensions", self.shop.join(&story.extensions.folder)),
            ("--bindings", self.shop.join(&story.extensions.bindings)),
        ] {
            arguments.extend([option.into(), path.into()]);
        }
        self.program.listen("server", &arguments).await
    }

    async fn verify(&self, sandbox: &Listening, teller: &Teller) -> Result<bool, Failure> {
        let mut arguments = ["verify", "--sandbox", &sandbox.url, "--data"].map(OsString::from).to_vec();
        arguments.push(self.platform_data().into());
        let (code, said) = self.program.run(&arguments).await?;
        teller.note("verify", &format!("\nverify: {}", said.trim()));
        match code {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(Failure::unusable("the data could not be verified")),
        }
    }
}

fn summary(tally: Tally, verified: bool) -> String {
    let Tally { held, broken } = tally;
    let invariants = if verified { "every invariant held" } else { "INVARIANTS WERE BROKEN" };
    match broken {
        0 => format!("{held} expectations held, {invariants}"),
        broken => {
            format!("{broken} SCENES DID NOT HOLD, {held} expectations of the others did, {invariants}")
        }
    }
}
