//! A campaign's period and its allotments.

use std::collections::BTreeMap;

use mortise_types::{ArithmeticError, CampaignId, Quantity, RequestedLine, Sku, Timestamp};

use crate::contract::{
    AllotmentExhausted, Campaign, CampaignClosed, CampaignState, ClosedReason, ExhaustedFor, Item,
    NotInCampaign,
};

/// What is wrong with a definition that the schema takes.
pub(crate) fn invalid(campaign: &Campaign) -> Option<String> {
    let mut seen = std::collections::BTreeSet::new();
    if let Some(twice) = campaign.items.iter().find(|item| !seen.insert(&item.sku)) {
        return Some(format!("item {} stands in it twice", twice.sku));
    }
    if campaign.items.is_empty() {
        return Some("it has no items".to_owned());
    }
    if let (Some(opens_at), Some(closes_at)) = (campaign.opens_at, campaign.closes_at)
        && closes_at <= opens_at
    {
        return Some("it is over before it begins".to_owned());
    }
    let deposit = campaign.deposit?;
    if deposit.balance_closes_at <= deposit.balance_opens_at {
        return Some("its balance is due before it can be paid".to_owned());
    }
    match campaign.closes_at {
        Some(closes_at) if deposit.balance_closes_at < closes_at => {
            Some("its balance is due before the last deposit".to_owned())
        }
        None => Some("its deposits have no end: it needs a closes_at".to_owned()),
        Some(_) => None,
    }
}

/// Whether somebody may enter at `now`.
pub(crate) fn open_for(campaign: &Campaign, now: Timestamp) -> Result<(), CampaignClosed> {
    let closed = |reason, opens_at| CampaignClosed { campaign: campaign.campaign.clone(), reason, opens_at };
    if campaign.state == CampaignState::Stopped {
        return Err(closed(ClosedReason::Stopped, None));
    }
    if campaign.closes_at.is_some_and(|closes_at| now >= closes_at) {
        return Err(closed(ClosedReason::Over, None));
    }
    match campaign.opens_at.filter(|&opens_at| now < opens_at) {
        Some(opens_at) => Err(closed(ClosedReason::NotYet, Some(opens_at))),
        None => Ok(()),
    }
}

/// Units of each item, over all lines with it: two lines with one item are one demand.
pub(crate) fn summed(lines: &[RequestedLine]) -> Result<Vec<(Sku, Quantity)>, ArithmeticError> {
    let mut sums: BTreeMap<&Sku, Quantity> = BTreeMap::new();
    for line in lines {
        let sum = sums.entry(&line.sku).or_default();
        *sum = sum.checked_add(line.quantity)?;
    }
    Ok(sums.into_iter().map(|(sku, units)| (sku.clone(), units)).collect())
}

/// Units that are wanted of an item of a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) item: Item,
    pub(crate) units: Quantity,
}

/// The items that are meant, all of which the campaign must sell.
pub(crate) fn wanted(campaign: &Campaign, sums: Vec<(Sku, Quantity)>) -> Result<Vec<Wanted>, NotInCampaign> {
    let find = |(sku, units): (Sku, Quantity)| match campaign.items.iter().find(|item| item.sku == sku) {
        Some(item) => Ok(Wanted { item: item.clone(), units }),
        None => Err(NotInCampaign { campaign: campaign.campaign.clone(), sku }),
    };
    sums.into_iter().map(find).collect()
}

/// Why so many units are not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) exhausted_for: ExhaustedFor,
    pub(crate) left: Quantity,
}

impl Refusal {
    pub(crate) fn detail(self, campaign: &CampaignId, wanted: &Wanted) -> AllotmentExhausted {
        AllotmentExhausted {
            campaign: campaign.clone(),
            sku: wanted.item.sku.clone(),
            exhausted_for: self.exhausted_for,
            wanted: wanted.units,
            left: self.left,
        }
    }
}

/// What is left of a limit; never below zero, also where it was lowered under what is given.
pub(crate) fn left(limit: Quantity, given: Quantity) -> Result<Quantity, ArithmeticError> {
    Ok(limit.checked_sub(given)?.max(Quantity::ZERO))
}

/// Why `wanted` is not given when `given` went to all and `to_customer` to this one; none if it is.
pub(crate) fn refusal(
    wanted: &Wanted,
    given: Quantity,
    to_customer: Quantity,
) -> Result<Option<Refusal>, ArithmeticError> {
    let limits = [
        (ExhaustedFor::Everybody, wanted.item.quota, given),
        (ExhaustedFor::Customer, wanted.item.per_customer, to_customer),
    ];
    for (exhausted_for, limit, given) in limits {
        let Some(limit) = limit else { continue };
        let left = left(limit, given)?;
        if wanted.units > left {
            return Ok(Some(Refusal { exhausted_for, left }));
        }
    }
    Ok(None)
}
