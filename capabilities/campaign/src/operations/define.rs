//! `campaign.define`: campaigns as their shop wants them. A definition that contradicts itself stores nothing.

use std::collections::{BTreeMap, HashMap};

use mortise_capability::{Call, Reply, WriteOperation};
use mortise_store::{StoreError, Tx};

use super::key;
use crate::contract::{CAMPAIGN_INVALID, Campaign, CampaignInvalid, DefineInput, Defined};
use crate::rules::invalid;
use crate::store::{self, CampaignKey, Stored};

pub(crate) struct Define;

impl WriteOperation for Define {
    type Input = DefineInput;
    type Output = Defined;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<DefineInput>],
    ) -> Result<Vec<Reply<Defined>>, StoreError> {
        let keys = calls
            .iter()
            .flat_map(|call| call.input.campaigns.iter().map(move |campaign| key(call, &campaign.campaign)));
        let before = store::campaigns(tx, keys).await?;
        let mut defined: BTreeMap<CampaignKey, Stored> = BTreeMap::new();
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let problem = |campaign: &Campaign| problem(campaign, call, &before);
            let wrong = call
                .input
                .campaigns
                .iter()
                .find_map(|campaign| problem(campaign).map(|problem| (campaign, problem)));
            if let Some((campaign, problem)) = wrong {
                let detail = CampaignInvalid { campaign: campaign.campaign.clone(), problem };
                replies.push(Reply::rejected(CAMPAIGN_INVALID, &detail)?);
                continue;
            }
            for campaign in &call.input.campaigns {
                let key = key(call, &campaign.campaign);
                let last = defined.get(&key).or_else(|| before.get(&key)).map_or(0, |stored| stored.version);
                let line = call.context.scope.line.as_str().to_owned();
                defined.insert(key, Stored { line, version: last + 1, campaign: campaign.clone() });
            }
            let campaigns = i64::try_from(call.input.campaigns.len()).unwrap_or(i64::MAX);
            replies.push(Reply::done(Defined { campaigns }));
        }
        store::define(tx, &defined).await?;
        Ok(replies)
    }
}

/// What is wrong with a definition; also that another business line has one of its id.
fn problem<I>(campaign: &Campaign, call: &Call<I>, before: &HashMap<CampaignKey, Stored>) -> Option<String> {
    let line = call.context.scope.line.as_str();
    match before.get(&key(call, &campaign.campaign)) {
        Some(stored) if stored.line != line => {
            Some(format!("line {} has a campaign of this id", stored.line))
        }
        _ => invalid(campaign),
    }
}
