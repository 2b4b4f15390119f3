//! `/v1/{tenant}/{line}/...`: the scope that a path names, and the names behind it. The channel is `api`.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use mortise_types::Scope;

use crate::problem::Problem;

/// The channel of whatever comes in under `/v1`.
pub(crate) const CHANNEL: &str = "api";

/// A path's scope with the names behind it, in order.
#[derive(Debug)]
pub(crate) struct Place<const NAMES: usize> {
    pub(crate) scope: Scope,
    pub(crate) names: [String; NAMES],
}

impl<const NAMES: usize, S: Send + Sync> FromRequestParts<S> for Place<NAMES> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params =
            RawPathParams::from_request_parts(parts, state).await.map_err(|_| Problem::no_such_path())?;
        let mut values = params.iter().map(|(_, value)| value);
        let (tenant, line) = (values.next().unwrap_or_default(), values.next().unwrap_or_default());
        let scope = Scope::new(tenant, line, CHANNEL).map_err(|_| Problem::no_such_path())?;
        Ok(Self { scope, names: std::array::from_fn(|_| values.next().unwrap_or_default().to_owned()) })
    }
}

impl Place<2> {
    /// `capability.operation`
    pub(crate) fn operation(&self) -> String {
        let [capability, operation] = &self.names;
        format!("{capability}.{operation}")
    }
}
