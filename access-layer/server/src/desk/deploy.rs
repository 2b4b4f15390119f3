//! `ext deploy`: verifies an extension, checks what it may have and who else is bound, stores it, and makes the revision.

use std::collections::HashMap;
use std::sync::Arc;

use mortise_bindings::Binding;
use mortise_deployments::{AfterShadow, EFFECT_AFTER, Revision, Seen};
use mortise_host::{Asks, Extension, Manifest, Package};
use mortise_points::OnFailure;
use mortise_types::{BusinessLine, Channel, Clock as _, SystemClock};
use serde_json::json;

use super::grants::grants;
use super::request::{Answer, Bounds, Deploy, Target};
use super::{Desk, tenant};
use crate::failure::Failure;

/// The rank of one that does not say another.
const USUAL_PRIORITY: i32 = 100;

/// An extension that was handed over, verified.
pub(super) struct Verified {
    pub(super) package: Package,
    pub(super) granted: Asks,
    pub(super) extension: Arc<Extension>,
    /// As they are to be, not yet part of any revision.
    pub(super) bindings: Vec<Binding>,
}

impl Desk {
    pub(super) async fn deploy(&self, by: &str, wish: Deploy, component: Vec<u8>) -> Result<Answer, Failure> {
        let Verified { package, granted, extension, bindings } = self.verify(&wish, component).await?;
        let newest = self.registry.revisions(1).await?.into_iter().next();
        let deploy = mortise_deployments::Deploy { bindings, reason: wish.reason.clone() };
        let after_shadow = wish.after_shadow.map(bounds);
        let seen = match (&newest, after_shadow) {
            (Some(newest), Some(_)) => self.seen(newest).await?,
            _ => HashMap::new(),
        };
        let change = move |history: &[Revision]| match after_shadow {
            None => mortise_deployments::deploy(history.first(), deploy.clone()),
            Some(bounds) => {
                mortise_deployments::promote(history.first(), deploy.clone(), bounds, |since, point| {
                    seen.get(&(since, point.to_owned())).cloned().unwrap_or_default()
                })
            }
        };
        let newest: Vec<Revision> = newest.into_iter().collect();
        let decided = change(&newest).map_err(|error| Failure::refused(error.to_string()))?;
        self.live.try_out(&decided.bindings, &[extension]).await?;
        let now = SystemClock.now();
        self.registry.put(&package, granted, (by, now)).await?;
        let made = self.registry.revise(by, now, EFFECT_AFTER, change).await?;
        self.live.refresh().await?;
        Ok(told(&made))
    }

    /// Reads what was handed over: what is wrong with it shows here, and nothing is stored.
    pub(super) async fn verify(&self, wish: &Deploy, component: Vec<u8>) -> Result<Verified, Failure> {
        let (manifest, config_schema) = (wish.manifest.clone(), wish.config_schema.clone());
        let package = Package { manifest, config_schema, component };
        let manifest = package.describe().map_err(|problem| {
            Failure::refused(problem.to_string()).mend("extensions/README.md shows a manifest")
        })?;
        let granted = grants(self.grants.as_deref())?
            .check(&manifest)
            .map_err(|error| Failure::refused(error.to_string()))?;
        let newest = self.registry.revisions(1).await?.into_iter().next();
        let there = newest.map(|newest| newest.change.bindings).unwrap_or_default();
        let bindings = bindings(wish, &manifest, &there)?;
        let extension = self.live.load(package.clone(), granted).await?;
        Ok(Verified { package, granted, extension, bindings })
    }

    /// What every trial of a revision has shown, by the revision that brought it and its point.
    pub(super) async fn seen(
        &self,
        revision: &Revision,
    ) -> Result<HashMap<(i64, String), Vec<Seen>>, Failure> {
        let mut all = HashMap::new();
        for trial in revision.change.bindings.iter().filter(|binding| !binding.rollout.is_live()) {
            let seen = self.registry.seen(trial).await?;
            all.insert((trial.since, trial.point.to_string()), seen);
        }
        Ok(all)
    }
}

const fn bounds(Bounds { orders_min, total_max_minor, order_max_minor }: Bounds) -> AfterShadow {
    AfterShadow { orders_min, total_max_minor, order_max_minor }
}

/// One for each point; what is not said is as it is in the version whose place it takes.
fn bindings(wish: &Deploy, manifest: &Manifest, there: &[Binding]) -> Result<Vec<Binding>, Failure> {
    let unusable = |error: &dyn std::fmt::Display| Failure::unusable(error.to_string());
    let Target { tenant: of, line, channel } = &wish.target;
    let tenant = tenant(of)?;
    let line = line.as_deref().map(BusinessLine::new).transpose().map_err(|error| unusable(&error))?;
    let channel = channel.as_deref().map(Channel::new).transpose().map_err(|error| unusable(&error))?;
    let known: Vec<&str> = manifest.points.keys().map(String::as_str).collect();
    if let Some(unknown) = wish.points.iter().find(|point| !known.contains(&point.as_str())) {
        return Err(Failure::refused(format!("{} does not answer `{unknown}`", manifest.name))
            .mend(format!("its manifest names {}", known.join(", "))));
    }
    let wanted =
        known.into_iter().filter(|point| wish.points.is_empty() || wish.points.iter().any(|p| p == point));
    let binding = |point: &str| {
        let fresh = Binding {
            point: point.into(),
            tenant: tenant.clone(),
            line: line.clone(),
            channel: channel.clone(),
            extension: manifest.name.as_str().into(),
            version: manifest.version.as_str().into(),
            priority: USUAL_PRIORITY,
            on_failure: OnFailure::Skip,
            config: json!({}),
            rollout: wish.rollout.clone(),
            since: 0,
        };
        let former = there.iter().find(|former| {
            former.rollout.is_live()
                && (&former.point, &former.extension) == (&fresh.point, &fresh.extension)
                && former.place() == fresh.place()
        });
        let former = former.unwrap_or(&fresh);
        Binding {
            priority: wish.priority.unwrap_or(former.priority),
            on_failure: wish.on_failure.unwrap_or(former.on_failure),
            config: wish.config.clone().unwrap_or_else(|| former.config.clone()),
            ..fresh.clone()
        }
    };
    Ok(wanted.map(binding).collect())
}

/// The revision that was made.
pub(super) fn told(made: &Revision) -> Answer {
    let mut text = format!(
        "revision {} ({}) holds for trades that begin from {} on",
        made.number,
        made.change.kind.word(),
        made.effective_from
    );
    for binding in made.change.bindings.iter().filter(|binding| binding.since == made.number) {
        text.push_str(&format!("\n  {binding}"));
    }
    if let Some(restores) = made.change.restores {
        text.push_str(&format!("\n  with the bindings of revision {restores}"));
    }
    if !made.change.withdrawn.is_empty() {
        let ids: Vec<&str> = made.change.withdrawn.iter().map(String::as_str).collect();
        text.push_str(&format!("\n  running trades leave {} too", ids.join(", ")));
    }
    Answer { text, document: json!({ "revision": made }) }
}
