//! `mortise ext deploy | rollback | list | explain | matrix | replay`: the command line as requests of the desk, and its
//! answers in print. What a request does is the desk's.

use std::path::Path;

use mortise_bindings::{Canary, Guard, Rollout};
use mortise_host::{Ceilings, Package, Problem};

use crate::cli::Format;
use crate::cli::desk::{Bind, By, Desk, DeskDeploy, DeskReplay, OnFailure, Reach};
use crate::desk::{
    Answer, Bounds, Deploy, Explain, List, Matrix, Reached, Replay, Request, Rollback, Target,
};
use crate::failure::{Exit, Failure};
use crate::print;

/// The name under which questions are asked that change nothing.
const NOBODY: &str = "reader";

pub(super) async fn run(command: Desk) -> Result<Exit, Failure> {
    match command {
        Desk::Deploy(command) => deploy(*command).await,
        Desk::Rollback(command) => {
            let By { by, reason } = command.by;
            let wish = Rollback { extension: command.extension, to: command.to, hard: command.hard, reason };
            ask(&command.reach, &by, Request::Rollback(wish), Vec::new()).await
        }
        Desk::List(command) => {
            let wish = List { revisions: command.revisions };
            ask(&command.reach, NOBODY, Request::List(wish), Vec::new()).await
        }
        Desk::Explain(command) => {
            let crate::cli::Whose { tenant, line, channel } = command.whose;
            let target = Target { tenant, line: Some(line), channel: Some(channel) };
            let wish = Explain { target, trade: command.trade, point: command.point };
            ask(&command.reach, NOBODY, Request::Explain(wish), Vec::new()).await
        }
        Desk::Matrix(command) => {
            let wish = Matrix { tenant: command.tenant };
            ask(&command.reach, NOBODY, Request::Matrix(wish), Vec::new()).await
        }
        Desk::Replay(command) => replay(*command).await,
    }
}

async fn ask(reach: &Reach, by: &str, request: Request, component: Vec<u8>) -> Result<Exit, Failure> {
    let reached = match (&reach.url, &reach.data) {
        (Some(url), _) => Reached::Server(url.clone()),
        (None, Some(data)) => Reached::Data(data.clone()),
        (None, None) => return Err(Failure::unusable("--data or --url is missing")),
    };
    let Answer { text, document } = Box::pin(reached.ask(by, request, component)).await?;
    match reach.format {
        Format::Json => print::json(&document),
        Format::Text => print::line(text),
    }
    Ok(Exit::Clean)
}

async fn deploy(command: DeskDeploy) -> Result<Exit, Failure> {
    let DeskDeploy { bind, reach, by: By { by, reason }, shadow, canary, after_shadow, bounds } = command;
    let guard = Guard {
        calls_min: bounds.min_orders,
        failures_max_bp: bounds.max_failures_bp,
        latency_max_us: bounds.max_latency_us,
        difference_max_minor: bounds.max_difference_per_order,
    };
    let rollout = match (shadow, canary) {
        (true, _) => Rollout::Shadow,
        (false, Some(percent)) => Rollout::Canary(Canary { percent, guard }),
        (false, None) => Rollout::Live,
    };
    let after_shadow = after_shadow.then(|| Bounds {
        orders_min: i64::from(bounds.min_orders),
        total_max_minor: bounds.max_difference.unwrap_or_default(),
        order_max_minor: bounds.max_difference_per_order,
    });
    let (package, deploy) = wished(&bind)?;
    let deploy = Deploy { rollout, after_shadow, reason, ..deploy };
    ask(&reach, &by, Request::Deploy(Box::new(deploy)), package.component).await
}

async fn replay(command: DeskReplay) -> Result<Exit, Failure> {
    let DeskReplay { bind, orders, reach } = command;
    let (package, deploy) = wished(&bind)?;
    let orders = usize::try_from(orders).unwrap_or(usize::MAX);
    let wish = Replay { deploy, orders };
    ask(&reach, NOBODY, Request::Replay(Box::new(wish)), package.component).await
}

/// The extension of a folder, and where it is to be bound.
fn wished(bind: &Bind) -> Result<(Package, Deploy), Failure> {
    let package = Package::read(&bind.folder, &Ceilings::default()).map_err(|error| match error.problem {
        Problem::File { .. } => {
            Failure::unusable(error.to_string()).mend("`mortise ext build` makes its component")
        }
        _ => Failure::refused(error.to_string()),
    })?;
    let deploy = Deploy {
        manifest: package.manifest.clone(),
        config_schema: package.config_schema.clone(),
        target: Target {
            tenant: bind.tenant.clone(),
            line: bind.line.clone(),
            channel: bind.channel.clone(),
        },
        points: bind.points.clone(),
        priority: bind.priority,
        on_failure: bind.on_failure.map(|on_failure| match on_failure {
            OnFailure::Skip => mortise_points::OnFailure::Skip,
            OnFailure::Refuse => mortise_points::OnFailure::Refuse,
        }),
        config: bind.config.as_deref().map(config).transpose()?,
        rollout: Rollout::Live,
        after_shadow: None,
        reason: String::new(),
    };
    Ok((package, deploy))
}

/// A text that begins with a brace, or a file.
fn config(given: &str) -> Result<serde_json::Value, Failure> {
    let text = match given.trim_start().starts_with('{') {
        true => given.to_owned(),
        false => super::read_text(Path::new(given))?,
    };
    serde_json::from_str(&text).map_err(|error| {
        Failure::unusable(format!("--config: {error}"))
            .mend("write JSON, such as '{\"rate_bp\": 500}', or name a file")
    })
}
