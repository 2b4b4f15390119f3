//! The operations of campaigns: load for the whole batch, decide by `rules`, write once.

pub(crate) mod allotments;
pub(crate) mod define;
pub(crate) mod groups;
pub(crate) mod looks;
pub(crate) mod seats;

use std::collections::HashMap;

use mortise_capability::{Call, Reply};
use mortise_store::StoreError;
use mortise_types::CampaignId;
use serde::Serialize;

use crate::contract::{CAMPAIGN_UNKNOWN, CampaignUnknown};
use crate::store::{CampaignKey, Stored};

/// A "no" that any of the operations may answer.
pub(crate) struct No {
    code: &'static str,
    detail: Result<mortise_contract::Value, String>,
}

impl No {
    fn new(code: &'static str, detail: &impl Serialize) -> No {
        No { code, detail: mortise_contract::to_value(detail).map_err(|error| error.to_string()) }
    }

    fn reply<O>(self) -> Result<Reply<O>, StoreError> {
        let detail = self.detail.map_err(crate::store::off)?;
        Reply::rejected(self.code, &detail)
    }
}

/// The campaign that a call is about, as its business line sees it.
fn campaign_of<'s, I>(
    stored: &'s HashMap<CampaignKey, Stored>,
    call: &Call<I>,
    campaign: &CampaignId,
) -> Result<&'s Stored, No> {
    let scope = &call.context.scope;
    let found = stored.get(&(scope.tenant.clone(), campaign.clone()));
    found
        .filter(|stored| stored.line == scope.line.as_str())
        .ok_or_else(|| No::new(CAMPAIGN_UNKNOWN, &CampaignUnknown { campaign: campaign.clone() }))
}

fn key<I>(call: &Call<I>, campaign: &CampaignId) -> CampaignKey {
    (call.context.scope.tenant.clone(), campaign.clone())
}
