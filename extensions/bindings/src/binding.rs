//! One binding: which extension answers which point, where, at which rank, how far it counts, and what its failure means.
//! Reading them from TOML. Ranking is not done here.

use std::fmt;
use std::sync::Arc;

use mortise_points::{ExtensionId, OnFailure};
use mortise_types::{BusinessLine, Channel, TenantId};
use serde::{Deserialize, Serialize};

use crate::rollout::Rollout;

/// Binds an extension to a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// The point's name, such as `unit-price`.
    pub point: Arc<str>,
    /// For whom.
    pub tenant: TenantId,
    /// For one business line; all if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<BusinessLine>,
    /// For one channel; all if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// The extension's name.
    pub extension: Arc<str>,
    /// Exactly this version of it.
    pub version: Arc<str>,
    /// Among the bindings of one place the lowest number comes first.
    pub priority: i32,
    /// What a failure of the extension means.
    pub on_failure: OnFailure,
    /// What the extension's schema lets a binding set.
    #[serde(default = "no_config")]
    pub config: serde_json::Value,
    /// How far it counts: for everybody if left out.
    #[serde(default, skip_serializing_if = "Rollout::is_live")]
    pub rollout: Rollout,
    /// The revision that brought it; 0 in a file.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub since: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

fn no_config() -> serde_json::Value {
    serde_json::Value::Object(serde_json::Map::new())
}

/// How narrow a binding's place is. The order is from wide to narrow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// All of a tenant.
    Tenant(TenantId),
    /// A channel in all lines.
    Channel(TenantId, Channel),
    /// A line in all channels.
    Line(TenantId, BusinessLine),
    /// A channel of a line.
    LineChannel(TenantId, BusinessLine, Channel),
}

impl Binding {
    /// `name@version`.
    #[must_use]
    pub fn id(&self) -> ExtensionId {
        ExtensionId::new(&self.extension, &self.version)
    }

    /// Where it holds.
    #[must_use]
    pub fn place(&self) -> Place {
        let tenant = self.tenant.clone();
        match (self.line.clone(), self.channel.clone()) {
            (None, None) => Place::Tenant(tenant),
            (None, Some(channel)) => Place::Channel(tenant, channel),
            (Some(line), None) => Place::Line(tenant, line),
            (Some(line), Some(channel)) => Place::LineChannel(tenant, line, channel),
        }
    }
}

/// `loyal-price@1.0.0 at unit-price for demo/grocery/*, priority 10`, with the rollout behind it unless it is live.
impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Binding { point, tenant, extension, version, priority, .. } = self;
        let line = self.line.as_ref().map_or("*", BusinessLine::as_str);
        let channel = self.channel.as_ref().map_or("*", Channel::as_str);
        write!(f, "{extension}@{version} at {point} for {tenant}/{line}/{channel}, priority {priority}")?;
        if self.rollout.is_live() { Ok(()) } else { write!(f, ", {}", self.rollout) }
    }
}

/// Why bindings cannot be used. All of these show when bindings are loaded, none at a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindingError {
    /// Which of the two is asked first would be arbitrary.
    #[error("equal rank: {first}, and {second}; give one of them another priority")]
    EqualRank {
        /// The one that stands first.
        first: String,
        /// The other.
        second: String,
    },
    /// One extension, twice in one place.
    #[error("bound twice: {first}, and {second}; remove one of them")]
    BoundTwice {
        /// The one that stands first.
        first: String,
        /// The other.
        second: String,
    },
    /// Two versions are tried at once, and what a difference comes from could not be told.
    #[error(
        "one trial at a time for a tenant's point: {first}, and {second}; end one of them first, by deploying it live or by \
         `ext rollback`"
    )]
    TwoTrials {
        /// The one that stands first.
        first: String,
        /// The other.
        second: String,
    },
    /// A rollout with figures that cannot be.
    #[error("{binding}: {problem}")]
    Rollout {
        /// Whose.
        binding: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The text is no list of bindings.
    #[error("bindings: {0}")]
    Syntax(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    binding: Vec<Binding>,
}

pub(crate) fn read_toml(text: &str) -> Result<Vec<Binding>, BindingError> {
    let file: File = toml::from_str(text).map_err(|error| BindingError::Syntax(error.to_string()))?;
    Ok(file.binding)
}
