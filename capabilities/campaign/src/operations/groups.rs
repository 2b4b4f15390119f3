//! Groups as a whole: opened, abandoned, settled, looked at. What a group has come to is decided here once, so that all
//! of its members' trades are told the same.

use std::sync::Arc;

use mortise_capability::{Call, ReadOperation, Reply, WriteOperation};
use mortise_store::{Reader, StoreError, Tx};
use mortise_types::{GroupId, IdSource, Span, Timestamp};

use super::{No, campaign_of, key};
use crate::contract::{
    CAMPAIGN_CLOSED, Campaign, GROUP_UNKNOWN, GroupCondition, GroupMeant, GroupNews, GroupOpened,
    GroupSettled, GroupUnknown, GroupView, GroupWithSeats, GroupsInput, GroupsOutput, NO_SUCH_TERMS,
    NoSuchTerms, OpenGroupInput, SeatView,
};
use crate::rules::{self, Group};
use crate::store::{self, GroupKey, Groups, off};

pub(crate) struct OpenGroup {
    pub(crate) ids: Arc<dyn IdSource>,
}

pub(crate) struct AbandonGroup;

pub(crate) struct SettleGroup;

pub(crate) struct GetGroup;

pub(crate) struct OpenGroups;

impl OpenGroup {
    fn fresh(&self, campaign: &Campaign, now: Timestamp) -> Result<Result<Group, No>, StoreError> {
        if let Err(closed) = rules::open_for(campaign, now) {
            return Ok(Err(No::new(CAMPAIGN_CLOSED, &closed)));
        }
        let Some(terms) = campaign.group else {
            let detail = NoSuchTerms { campaign: campaign.campaign.clone(), terms: "group".to_owned() };
            return Ok(Err(No::new(NO_SUCH_TERMS, &detail)));
        };
        let lasts = now.saturating_add(Span::seconds(terms.lasts_s));
        Ok(Ok(Group {
            group_id: GroupId::new(format!("grp-{}", self.ids.next().simple())).map_err(off)?,
            campaign: campaign.campaign.clone(),
            condition: GroupCondition::Open,
            size: terms.size,
            held: 0,
            confirmed: 0,
            opened_at: now,
            closes_at: campaign.closes_at.map_or(lasts, |closes_at| closes_at.min(lasts)),
        }))
    }
}

impl WriteOperation for OpenGroup {
    type Input = OpenGroupInput;
    type Output = GroupOpened;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<OpenGroupInput>],
    ) -> Result<Vec<Reply<GroupOpened>>, StoreError> {
        let stored = store::campaigns(tx, calls.iter().map(|call| key(call, &call.input.campaign))).await?;
        let mut groups = Groups::default();
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let opened = match campaign_of(&stored, call, &call.input.campaign) {
                Ok(stored) => self.fresh(&stored.campaign, call.context.now)?,
                Err(no) => Err(no),
            };
            replies.push(match opened {
                Ok(group) => {
                    let group_id = group.group_id.clone();
                    groups.add_group(call.context.scope.tenant.clone(), group);
                    Reply::done(GroupOpened { group_id })
                }
                Err(no) => no.reply()?,
            });
        }
        groups.save(tx).await?;
        Ok(replies)
    }
}

fn group_key(call: &Call<GroupMeant>) -> GroupKey {
    (call.context.scope.tenant.clone(), call.input.group_id.clone())
}

/// What a group's members have to hear.
pub(super) fn news(group: &Group) -> GroupNews {
    GroupNews {
        group_id: group.group_id.clone(),
        campaign: group.campaign.clone(),
        size: group.size,
        confirmed: group.confirmed,
    }
}

fn settled(group: &Group, expired: bool) -> Result<Reply<GroupSettled>, StoreError> {
    let reply = Reply::done(GroupSettled { condition: group.condition });
    if expired { reply.emit("campaign.group_expired", &news(group)) } else { Ok(reply) }
}

impl WriteOperation for AbandonGroup {
    type Input = GroupMeant;
    type Output = GroupSettled;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<GroupMeant>],
    ) -> Result<Vec<Reply<GroupSettled>>, StoreError> {
        let mut groups = Groups::default();
        groups.load_groups(tx, calls.iter().map(group_key)).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            replies.push(match groups.group_mut(&group_key(call)) {
                Some(group) => {
                    let expired = group.abandon();
                    settled(group, expired)?
                }
                None => Reply::done(GroupSettled { condition: GroupCondition::Expired }),
            });
        }
        groups.save(tx).await?;
        Ok(replies)
    }
}

impl WriteOperation for SettleGroup {
    type Input = GroupMeant;
    type Output = GroupSettled;

    async fn run(
        &self,
        tx: &mut Tx<'_>,
        calls: &[Call<GroupMeant>],
    ) -> Result<Vec<Reply<GroupSettled>>, StoreError> {
        let mut groups = Groups::default();
        groups.load_groups(tx, calls.iter().map(group_key)).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            replies.push(match groups.group_mut(&group_key(call)) {
                Some(group) => {
                    let expired = group.settle(call.context.now);
                    settled(group, expired)?
                }
                None => unknown(&call.input.group_id)?,
            });
        }
        groups.save(tx).await?;
        Ok(replies)
    }
}

fn unknown<O>(group_id: &GroupId) -> Result<Reply<O>, StoreError> {
    Reply::rejected(GROUP_UNKNOWN, &GroupUnknown { group_id: group_id.clone() })
}

fn view(group: &Group) -> GroupView {
    GroupView {
        group_id: group.group_id.clone(),
        campaign: group.campaign.clone(),
        condition: group.condition,
        size: group.size,
        held: group.held,
        confirmed: group.confirmed,
        closes_at: group.closes_at,
    }
}

impl ReadOperation for GetGroup {
    type Input = GroupMeant;
    type Output = GroupWithSeats;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<GroupMeant>],
    ) -> Result<Vec<Reply<GroupWithSeats>>, StoreError> {
        let mut groups = Groups::default();
        groups.load_groups(reader, calls.iter().map(group_key)).await?;
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let (tenant, group_id) = group_key(call);
            let Some(group) = groups.group_mut(&(tenant.clone(), group_id.clone())) else {
                replies.push(unknown(&group_id)?);
                continue;
            };
            let seats = store::seats_of(reader, &tenant, &group_id).await?;
            let seats = seats.into_iter().map(|seat| SeatView {
                customer_id: seat.customer_id,
                holder: seat.holder,
                condition: seat.condition,
            });
            replies.push(Reply::done(GroupWithSeats { group: view(group), seats: seats.collect() }));
        }
        Ok(replies)
    }
}

impl ReadOperation for OpenGroups {
    type Input = GroupsInput;
    type Output = GroupsOutput;

    async fn run(
        &self,
        reader: &Reader<'_>,
        calls: &[Call<GroupsInput>],
    ) -> Result<Vec<Reply<GroupsOutput>>, StoreError> {
        let mut replies = Vec::with_capacity(calls.len());
        for call in calls {
            let (tenant, now) = (&call.context.scope.tenant, call.context.now);
            let groups = store::open_groups(reader, tenant, &call.input.campaign, now).await?;
            replies.push(Reply::done(GroupsOutput { groups: groups.iter().map(view).collect() }));
        }
        Ok(replies)
    }
}
