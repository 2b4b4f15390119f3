//! What can be read of campaigns. Nothing that is answered here is promised: it is decided where it is taken.

use std::collections::HashMap;

use mortise_capability::{Call, ReadOperation, Reply};
use mortise_store::{Reader, StoreError};
use mortise_types::Quantity;

use super::allotments::{counter_keys, judged, without_counters};
use super::{No, campaign_of, key};
use crate::contract::{
    Campaign, CampaignMeant, CampaignView, DepositTermsView, EnterInput, Entered, ItemView, NO_SUCH_TERMS,
    NoSuchTerms,
};
use crate::rules::left;
use crate::store::{self, CounterKey, Counters, Stored, arithmetic};

pub(crate) struct Enter;

pub(crate) struct DepositTermsOf;

pub(crate) struct Get;

impl ReadOperation for Enter {
    type Input = EnterInput;
    type Output = Entered;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<EnterInput>],
    ) -> Result<Vec<Reply<Entered>>, StoreError> {
        let stored =
            store::campaigns(reader, calls.iter().map(|call| key(call, &call.input.campaign))).await?;
        let mut asked = Vec::with_capacity(calls.len());
        for call in calls {
            asked.push(without_counters(&stored, call, &call.input.campaign, &call.input.lines)?);
        }
        let keys = calls.iter().zip(&asked).flat_map(|(call, asked)| {
            let wanted = asked.as_ref().map(Vec::as_slice).unwrap_or_default();
            counter_keys(call, &call.input.campaign, &call.input.customer_id, wanted)
        });
        let counters = Counters::load(reader, keys.collect::<Vec<_>>()).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for (call, asked) in calls.iter().zip(asked) {
            let EnterInput { campaign, customer_id, .. } = &call.input;
            let entered = match asked {
                Ok(wanted) => judged(&counters, call, campaign, customer_id, &wanted)?,
                Err(no) => Err(no),
            };
            let entered = entered.and_then(|()| campaign_of(&stored, call, campaign));
            replies.push(match entered {
                Ok(Stored { version, campaign: Campaign { price_group, .. }, .. }) => Reply::done(Entered {
                    campaign: campaign.clone(),
                    version: version.to_string(),
                    price_group: price_group.clone().unwrap_or_default(),
                }),
                Err(no) => no.reply()?,
            });
        }
        Ok(replies)
    }
}

impl ReadOperation for DepositTermsOf {
    type Input = CampaignMeant;
    type Output = DepositTermsView;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<CampaignMeant>],
    ) -> Result<Vec<Reply<DepositTermsView>>, StoreError> {
        let stored =
            store::campaigns(reader, calls.iter().map(|call| key(call, &call.input.campaign))).await?;
        calls
            .iter()
            .map(|call| deposit_terms(&stored, call).map_or_else(No::reply, |view| Ok(Reply::done(view))))
            .collect()
    }
}

fn deposit_terms(
    stored: &HashMap<store::CampaignKey, Stored>,
    call: &Call<CampaignMeant>,
) -> Result<DepositTermsView, No> {
    let Stored { version, campaign, .. } = campaign_of(stored, call, &call.input.campaign)?;
    let campaign_id = campaign.campaign.clone();
    let Some(terms) = campaign.deposit else {
        let detail = NoSuchTerms { campaign: campaign_id, terms: "deposit".to_owned() };
        return Err(No::new(NO_SUCH_TERMS, &detail));
    };
    Ok(DepositTermsView {
        campaign: campaign_id,
        version: version.to_string(),
        deposit_bp: terms.deposit_bp,
        counts_bp: terms.counts_bp,
        balance_opens_at: terms.balance_opens_at,
        balance_closes_at: terms.balance_closes_at,
        ships_at: terms.ships_at,
    })
}

impl ReadOperation for Get {
    type Input = CampaignMeant;
    type Output = CampaignView;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<CampaignMeant>],
    ) -> Result<Vec<Reply<CampaignView>>, StoreError> {
        let stored =
            store::campaigns(reader, calls.iter().map(|call| key(call, &call.input.campaign))).await?;
        let place = |call: &Call<CampaignMeant>, sku: &mortise_types::Sku| CounterKey {
            tenant: call.context.scope.tenant.clone(),
            campaign: call.input.campaign.clone(),
            customer_id: None,
            sku: sku.clone(),
        };
        let mut keys = Vec::new();
        for call in calls {
            if let Ok(Stored { campaign, .. }) = campaign_of(&stored, call, &call.input.campaign) {
                keys.extend(campaign.items.iter().map(|item| place(call, &item.sku)));
            }
        }
        let counters = Counters::load(reader, keys).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let Stored { version, campaign, .. } = match campaign_of(&stored, call, &call.input.campaign) {
                Ok(stored) => stored,
                Err(no) => {
                    replies.push(no.reply()?);
                    continue;
                }
            };
            let mut items = Vec::with_capacity(campaign.items.len());
            for item in &campaign.items {
                let given: Quantity = counters.given(&place(call, &item.sku));
                let left = item.quota.map(|quota| left(quota, given)).transpose().map_err(arithmetic)?;
                items.push(ItemView { sku: item.sku.clone(), given, left });
            }
            let (campaign, version) = (campaign.clone(), version.to_string());
            replies.push(Reply::done(CampaignView { campaign, version, items }));
        }
        Ok(replies)
    }
}
