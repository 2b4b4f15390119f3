//! The three extensions of the rollout: what they need to know, how each phase deploys them, and what the platform has seen of
//! their trials. Everything goes through `mortise ext` and `mortise import`, as anybody would do it.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::data::Data;
use crate::order::BusinessLine;
use crate::platform::{Platform, PlatformError, TENANT};
use crate::rollout::Phase;
use crate::year::Year;

/// An extension of the cookbook with what its binding sets.
#[derive(Debug)]
struct Cookbook {
    folder: &'static str,
    config: &'static str,
}

/// A lower unit price for a group, multi-buy on a department, a fee by postal code: one for each of three points.
const EXTENSIONS: [Cookbook; 3] = [
    Cookbook { folder: "loyal-price", config: r#"{"customer_group": "club", "rate_bp": 200}"# },
    Cookbook {
        folder: "department-multibuy",
        config: r#"{"department": "MEAT-PCKGD", "take": 3, "free": 1}"#,
    },
    Cookbook {
        folder: "regional-delivery-fee",
        config: r#"{"regions": [{"name": "the centre", "country": "US", "from": "45202", "to": "45202", "amount": 150}]}"#,
    },
];

/// Within what the platform says that a deployment holds.
const WITHIN: Duration = Duration::from_secs(1);

/// Of a hundred customers, for whom a canary counts.
pub(crate) const CANARY: u32 = 30;

/// What the platform has seen of one extension at one point.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    pub(crate) extension: String,
    pub(crate) point: String,
    pub(crate) orders: i64,
    pub(crate) failures: i64,
    /// Tried less live, in cents.
    pub(crate) difference: i64,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    trials: Vec<ListedTrial>,
}

#[derive(Deserialize)]
struct ListedTrial {
    extension: String,
    point: String,
    seen: Vec<Seen>,
}

#[derive(Deserialize)]
struct Seen {
    orders: i64,
    failures: i64,
    difference_minor: i64,
}

/// Facts that the extensions ask for: each product's department, and a club of every second household.
pub(crate) async fn set_up(platform: &Platform, data: &Data, year: &Year) -> Result<(), PlatformError> {
    let mut items = String::from("sku,name,value\n");
    for (sku, department) in year.departments() {
        let department = &data.summary.departments[usize::from(department)];
        items.push_str(&format!("{sku},department,\"{department}\"\n"));
    }
    platform.import("discount.import_items", BusinessLine::Tried, &items).await?;
    let mut members = String::from("customer_id,customer_group\n");
    for household in year.households().into_iter().filter(|household| household % 2 == 0) {
        members.push_str(&format!("{household},club\n"));
    }
    platform.import("pricing.import_members", BusinessLine::Tried, &members).await
}

/// Deploys all three for a phase, and waits until it holds for new orders.
pub(crate) async fn begin(platform: &Platform, cookbook: &Path, phase: Phase) -> Result<(), PlatformError> {
    for Cookbook { folder, config } in EXTENSIONS {
        let (folder, percent) = (cookbook.join(folder), CANARY.to_string());
        let folder = folder.to_string_lossy();
        let deploy = ["ext", "deploy", &*folder, "--tenant", TENANT, "--line", BusinessLine::Tried.name()];
        let how = ["--config", config, "--by", "rollout", "--reason", phase.name(), "--format", "json"];
        let rollout: &[&str] = match phase {
            Phase::Shadow => &["--shadow"],
            Phase::Canary => &["--canary", &percent],
            Phase::Live => &[],
        };
        let arguments: Vec<&str> = deploy.iter().chain(&how).chain(rollout).copied().collect();
        platform.ask(&arguments).await?;
    }
    // What is deployed holds within a second, the platform says.
    tokio::time::sleep(WITHIN).await;
    Ok(())
}

/// What the trials have come to so far.
pub(crate) async fn seen(platform: &Platform) -> Result<Vec<Trial>, PlatformError> {
    // Observations are stored within the same second.
    tokio::time::sleep(WITHIN).await;
    let listed = platform.ask(&["ext", "list", "--format", "json"]).await?;
    let listed: Listed = serde_json::from_value(listed).map_err(PlatformError::Answer)?;
    let trial = |listed: ListedTrial| Trial {
        extension: listed.extension,
        point: listed.point,
        orders: listed.seen.iter().map(|seen| seen.orders).sum(),
        failures: listed.seen.iter().map(|seen| seen.failures).sum(),
        difference: listed.seen.iter().map(|seen| seen.difference_minor).sum(),
    };
    Ok(listed.trials.into_iter().map(trial).collect())
}
