//! `mortise flow history`: what a name has meant, and who runs on which version.

use mortise_store::Access;

use crate::cli::{FlowHistory, Format};
use crate::failure::{Exit, Failure};
use crate::{compose, print};

pub(super) async fn run(command: FlowHistory) -> Result<Exit, Failure> {
    let tenant = mortise_types::TenantId::new(command.tenant.as_str())
        .map_err(|error| Failure::unusable(error.to_string()))?;
    let rest = compose::at_rest(&command.data.data, Access::Reading).await?;
    let history = mortise_engine::history(&rest.store, &tenant, &command.name).await?;
    if history.versions.is_empty() {
        let sentence = format!("`{}` has never been published for {tenant}", command.name);
        return Err(Failure::refused(sentence).mend("`mortise flow list` shows what is"));
    }
    if command.format == Format::Json {
        print::json(&history);
        return Ok(Exit::Clean);
    }
    let by = |tenant: &str| {
        if tenant == mortise_engine::PLATFORM { "shipped".to_owned() } else { tenant.to_owned() }
    };
    for version in &history.versions {
        let mortise_engine::Version { hash, version, published_at, open_trades, tenant } = version;
        let open = format!("{open_trades} open trade{}", if *open_trades == 1 { "" } else { "s" });
        print::line(format_args!("version {version:<3} {hash}  {published_at}  {}  {open}", by(tenant)));
    }
    for moved in &history.moves {
        let on = if moved.line.is_empty() { "all lines".to_owned() } else { format!("line {}", moved.line) };
        let (at, hash) = (moved.moved_at, &moved.hash[..moved.hash.len().min(12)]);
        print::line(format_args!("{at}  {} means {hash} for {} on {on}", history.flow, by(&moved.tenant)));
    }
    Ok(Exit::Clean)
}
