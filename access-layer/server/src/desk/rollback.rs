//! `ext rollback`: makes a revision of former bindings.

use mortise_deployments::{EFFECT_AFTER, Revision};
use mortise_types::{Clock as _, Span, SystemClock};

use super::Desk;
use super::deploy::told;
use super::request::{Answer, Rollback};
use crate::failure::Failure;

impl Desk {
    pub(super) async fn roll_back(&self, by: &str, wish: Rollback) -> Result<Answer, Failure> {
        let Rollback { extension, to, hard, reason } = wish;
        // What is harmful is not waited for.
        let delay = if hard { Span::ZERO } else { EFFECT_AFTER };
        let rollback = mortise_deployments::Rollback { extension, to, hard, reason };
        let change = move |history: &[Revision]| mortise_deployments::roll_back(history, rollback.clone());
        let made = self.registry.revise(by, SystemClock.now(), delay, change).await?;
        self.live.refresh().await?;
        Ok(told(&made))
    }
}
