//! Groups and seats: what a batch touches is loaded once, decided on in memory, and written once.

use std::collections::{BTreeMap, BTreeSet};

use mortise_store::{Reader, Statement, StoreError, Tx};
use mortise_types::{CampaignId, CustomerId, GroupId, SeatId, TenantId, Timestamp};

use super::off;
use crate::contract::{GroupCondition, SeatCondition};
use crate::rules::{Group, Seat};

const GROUP: Statement = Statement::pair(
    "campaign.group",
    "SELECT group_id, campaign, size, state, held, confirmed, opened_at, closes_at FROM campaign_group \
     WHERE tenant = ?1 AND group_id = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, group_id, n)
     CROSS JOIN LATERAL (
       SELECT group_id, campaign, size, state, held, confirmed, opened_at, closes_at FROM campaign_group
       WHERE tenant = item.tenant AND group_id = item.group_id) AS found",
);
const OPEN_GROUPS: Statement = Statement::pair(
    "campaign.open_groups",
    "SELECT group_id, campaign, size, state, held, confirmed, opened_at, closes_at FROM campaign_group \
     WHERE tenant = ?1 AND campaign = ?2 AND state = 'open' AND closes_at > ?3 AND held + confirmed < size \
     ORDER BY closes_at, group_id LIMIT 200",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, campaign, closes_at, n)
     CROSS JOIN LATERAL (
       SELECT group_id, campaign, size, state, held, confirmed, opened_at, closes_at FROM campaign_group
       WHERE tenant = item.tenant AND campaign = item.campaign AND state = 'open'
         AND closes_at > item.closes_at AND held + confirmed < size
       ORDER BY closes_at, group_id LIMIT 200) AS found",
);
const SAVE_GROUP: Statement = Statement::pair(
    "campaign.save_group",
    "INSERT INTO campaign_group (tenant, group_id, campaign, size, state, held, confirmed, opened_at, closes_at) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (tenant, group_id) DO UPDATE \
     SET state = excluded.state, held = excluded.held, confirmed = excluded.confirmed",
    "INSERT INTO campaign_group (tenant, group_id, campaign, size, state, held, confirmed, opened_at, closes_at)
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) ORDER BY 1, 2
     ON CONFLICT (tenant, group_id)
       DO UPDATE SET state = excluded.state, held = excluded.held, confirmed = excluded.confirmed",
);
const SEAT: Statement = Statement::pair(
    "campaign.seat",
    "SELECT seat_id, group_id, customer_id, holder, state, taken_at FROM campaign_seat \
     WHERE tenant = ?1 AND seat_id = ?2",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, seat_id, n)
     CROSS JOIN LATERAL (
       SELECT seat_id, group_id, customer_id, holder, state, taken_at FROM campaign_seat
       WHERE tenant = item.tenant AND seat_id = item.seat_id) AS found",
);
const SEATS_OF_CUSTOMER: Statement = Statement::pair(
    "campaign.seats_of_customer",
    "SELECT seat_id, group_id, customer_id, holder, state, taken_at FROM campaign_seat \
     WHERE tenant = ?1 AND group_id = ?2 AND customer_id = ?3 AND state <> 'returned'",
    "SELECT item.n, found.* FROM unnest($1, $2, $3) WITH ORDINALITY AS item (tenant, group_id, customer_id, n)
     CROSS JOIN LATERAL (
       SELECT seat_id, group_id, customer_id, holder, state, taken_at FROM campaign_seat
       WHERE tenant = item.tenant AND group_id = item.group_id AND customer_id = item.customer_id
         AND state <> 'returned') AS found",
);
const SEATS: Statement = Statement::pair(
    "campaign.seats",
    "SELECT seat_id, group_id, customer_id, holder, state, taken_at FROM campaign_seat \
     WHERE tenant = ?1 AND group_id = ?2 ORDER BY taken_at, seat_id LIMIT 10000",
    "SELECT item.n, found.* FROM unnest($1, $2) WITH ORDINALITY AS item (tenant, group_id, n)
     CROSS JOIN LATERAL (
       SELECT seat_id, group_id, customer_id, holder, state, taken_at FROM campaign_seat
       WHERE tenant = item.tenant AND group_id = item.group_id ORDER BY taken_at, seat_id LIMIT 10000) AS found",
);
const SAVE_SEAT: Statement = Statement::pair(
    "campaign.save_seat",
    "INSERT INTO campaign_seat (tenant, seat_id, group_id, customer_id, holder, state, taken_at) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (tenant, seat_id) DO UPDATE SET state = excluded.state",
    "INSERT INTO campaign_seat (tenant, seat_id, group_id, customer_id, holder, state, taken_at)
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7) ORDER BY 1, 2
     ON CONFLICT (tenant, seat_id) DO UPDATE SET state = excluded.state",
);
/// Groups whose figures are not those of their seats, or that stand where such figures do not.
const CHECK_GROUPS: Statement = Statement::pair(
    "campaign.check_groups",
    "SELECT * FROM (SELECT g.tenant, g.group_id, g.state AS state, g.size AS size, g.held AS held, \
       g.confirmed AS confirmed, \
       (SELECT count(*) FROM campaign_seat s WHERE s.tenant = g.tenant AND s.group_id = g.group_id \
          AND s.state = 'held') AS seats_held, \
       (SELECT count(*) FROM campaign_seat s WHERE s.tenant = g.tenant AND s.group_id = g.group_id \
          AND s.state = 'confirmed') AS seats_confirmed, \
       (SELECT count(*) FROM (SELECT 1 FROM campaign_seat s WHERE s.tenant = g.tenant AND s.group_id = g.group_id \
          AND s.state <> 'returned' GROUP BY s.customer_id HAVING count(*) > 1) twice) AS twice \
     FROM campaign_group g WHERE ?1 = 0) counted \
     WHERE held <> seats_held OR confirmed <> seats_confirmed OR held + confirmed > size OR twice > 0 \
       OR (state = 'open' AND confirmed >= size) LIMIT 100",
    "SELECT item.n, found.* FROM unnest($1) WITH ORDINALITY AS item (zero, n)
     CROSS JOIN LATERAL (
       SELECT *
       FROM (SELECT g.tenant, g.group_id, g.state AS state, g.size AS size, g.held AS held,
         g.confirmed AS confirmed, (SELECT count(*) FROM campaign_seat s WHERE s.tenant = g.tenant
           AND s.group_id = g.group_id AND s.state = 'held') AS seats_held, (SELECT count(*)
             FROM campaign_seat s WHERE s.tenant = g.tenant AND s.group_id = g.group_id
               AND s.state = 'confirmed') AS seats_confirmed, (SELECT count(*) FROM (SELECT 1
                 FROM campaign_seat s WHERE s.tenant = g.tenant AND s.group_id = g.group_id
                   AND s.state <> 'returned' GROUP BY s.customer_id HAVING count(*) > 1) twice) AS twice
                     FROM campaign_group g WHERE item.zero = 0) counted
       WHERE held <> seats_held OR confirmed <> seats_confirmed OR held + confirmed > size OR twice > 0 OR (state = 'open' AND confirmed >= size) LIMIT 100) AS found",
);

/// A group within its tenant.
pub(crate) type GroupKey = (TenantId, GroupId);
/// A seat within its tenant.
pub(crate) type SeatKey = (TenantId, SeatId);

type GroupRow = (GroupId, CampaignId, i64, String, i64, i64, Timestamp, Timestamp);
type SeatRow = (SeatId, GroupId, CustomerId, String, String, Timestamp);

fn group(row: GroupRow) -> Result<Group, StoreError> {
    let (group_id, campaign, size, state, held, confirmed, opened_at, closes_at) = row;
    let condition = match state.as_str() {
        "open" => GroupCondition::Open,
        "filled" => GroupCondition::Filled,
        "expired" => GroupCondition::Expired,
        other => return Err(off(format!("`{other}` is no state of a group"))),
    };
    Ok(Group { group_id, campaign, condition, size, held, confirmed, opened_at, closes_at })
}

fn seat(row: SeatRow) -> Result<Seat, StoreError> {
    let (seat_id, group_id, customer_id, holder, state, taken_at) = row;
    let condition = match state.as_str() {
        "held" => SeatCondition::Held,
        "confirmed" => SeatCondition::Confirmed,
        "returned" => SeatCondition::Returned,
        other => return Err(off(format!("`{other}` is no state of a seat"))),
    };
    Ok(Seat { seat_id, group_id, customer_id, holder, condition, taken_at })
}

const fn group_word(condition: GroupCondition) -> &'static str {
    match condition {
        GroupCondition::Open => "open",
        GroupCondition::Filled => "filled",
        GroupCondition::Expired => "expired",
    }
}

fn seat_word(condition: SeatCondition) -> Result<&'static str, StoreError> {
    match condition {
        SeatCondition::Held => Ok("held"),
        SeatCondition::Confirmed => Ok("confirmed"),
        SeatCondition::Returned => Ok("returned"),
        SeatCondition::Unknown => Err(off("a seat that is not there cannot be stored")),
    }
}

/// The groups and seats that a batch decides on, with what they were.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    groups: BTreeMap<GroupKey, (Group, Option<Group>)>,
    seats: BTreeMap<SeatKey, (Seat, Option<Seat>)>,
}

impl Groups {
    /// Takes in the groups at `keys`.
    pub(crate) async fn load_groups(
        &mut self,
        reader: &Reader<'_>,
        keys: impl IntoIterator<Item = GroupKey>,
    ) -> Result<(), StoreError> {
        let keys: BTreeSet<GroupKey> = keys.into_iter().collect();
        let params = keys.iter().map(|(tenant, id)| (tenant, id));
        let rows: Vec<Option<GroupRow>> = reader.fetch_optional(&GROUP, params).await?;
        for (key, row) in keys.into_iter().zip(rows) {
            if let Some(row) = row {
                let found = group(row)?;
                self.groups.insert(key, (found.clone(), Some(found)));
            }
        }
        Ok(())
    }

    /// Takes in the seats at `keys`, and their groups.
    pub(crate) async fn load_seats(
        &mut self,
        reader: &Reader<'_>,
        keys: impl IntoIterator<Item = SeatKey>,
    ) -> Result<(), StoreError> {
        let keys: BTreeSet<SeatKey> = keys.into_iter().collect();
        let params = keys.iter().map(|(tenant, id)| (tenant, id));
        let rows: Vec<Option<SeatRow>> = reader.fetch_optional(&SEAT, params).await?;
        let mut groups = Vec::new();
        for (key, row) in keys.into_iter().zip(rows) {
            if let Some(row) = row {
                let found = seat(row)?;
                groups.push((key.0.clone(), found.group_id.clone()));
                self.seats.insert(key, (found.clone(), Some(found)));
            }
        }
        self.load_groups(reader, groups).await
    }

    /// Takes in the live seats that customers have in groups.
    pub(crate) async fn load_seats_of(
        &mut self,
        reader: &Reader<'_>,
        keys: impl IntoIterator<Item = (TenantId, GroupId, CustomerId)>,
    ) -> Result<(), StoreError> {
        let keys: BTreeSet<_> = keys.into_iter().collect();
        let params = keys.iter().map(|(tenant, group, customer)| (tenant, group, customer));
        let rows: Vec<Vec<SeatRow>> = reader.fetch_grouped(&SEATS_OF_CUSTOMER, params).await?;
        for ((tenant, _, _), rows) in keys.into_iter().zip(rows) {
            for row in rows {
                let found = seat(row)?;
                let key = (tenant.clone(), found.seat_id.clone());
                self.seats.insert(key, (found.clone(), Some(found)));
            }
        }
        Ok(())
    }

    pub(crate) fn group_mut(&mut self, key: &GroupKey) -> Option<&mut Group> {
        self.groups.get_mut(key).map(|(group, _)| group)
    }

    /// A seat and its group.
    pub(crate) fn seat_mut(&mut self, key: &SeatKey) -> Option<(&mut Seat, &mut Group)> {
        let (seat, _) = self.seats.get_mut(key)?;
        let (group, _) = self.groups.get_mut(&(key.0.clone(), seat.group_id.clone()))?;
        Some((seat, group))
    }

    /// The live seat that a customer has in a group.
    pub(crate) fn seat_of(&self, group: &GroupKey, customer: &CustomerId) -> Option<&Seat> {
        let live = |seat: &Seat| seat.condition != SeatCondition::Returned;
        let seats = self.seats.iter().filter(|(key, _)| key.0 == group.0).map(|(_, (seat, _))| seat);
        seats.into_iter().find(|seat| seat.group_id == group.1 && seat.customer_id == *customer && live(seat))
    }

    /// A group that was not there before.
    pub(crate) fn add_group(&mut self, tenant: TenantId, group: Group) {
        self.groups.insert((tenant, group.group_id.clone()), (group, None));
    }

    /// A seat that was not there before.
    pub(crate) fn add_seat(&mut self, tenant: TenantId, seat: Seat) {
        self.seats.insert((tenant, seat.seat_id.clone()), (seat, None));
    }

    /// Writes what changed: one row a group, however many seats of it.
    pub(crate) async fn save(self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let changed = self.groups.iter().filter(|(_, (now, before))| before.as_ref() != Some(now));
        let rows = changed.map(|((tenant, _), (group, _))| {
            (
                tenant,
                &group.group_id,
                &group.campaign,
                group.size,
                group_word(group.condition),
                group.held,
                group.confirmed,
                group.opened_at,
                group.closes_at,
            )
        });
        tx.execute(&SAVE_GROUP, rows).await?;
        let mut rows = Vec::new();
        for ((tenant, _), (seat, before)) in &self.seats {
            if before.as_ref() != Some(seat) {
                let word = seat_word(seat.condition)?;
                let (holder, taken_at) = (seat.holder.as_str(), seat.taken_at);
                rows.push((tenant, &seat.seat_id, &seat.group_id, &seat.customer_id, holder, word, taken_at));
            }
        }
        tx.execute(&SAVE_SEAT, rows).await.map(drop)
    }
}

/// The groups of a campaign that can be joined at `now`.
pub(crate) async fn open_groups(
    reader: &Reader<'_>,
    tenant: &TenantId,
    campaign: &CampaignId,
    now: Timestamp,
) -> Result<Vec<Group>, StoreError> {
    let rows: Vec<GroupRow> = reader.fetch_all(&OPEN_GROUPS, (tenant, campaign, now)).await?;
    rows.into_iter().map(group).collect()
}

/// The seats of a group, in the order in which they were taken.
pub(crate) async fn seats_of(
    reader: &Reader<'_>,
    tenant: &TenantId,
    group_id: &GroupId,
) -> Result<Vec<Seat>, StoreError> {
    let rows: Vec<SeatRow> = reader.fetch_all(&SEATS, (tenant, group_id)).await?;
    rows.into_iter().map(seat).collect()
}

/// Groups that are off: tenant, group, and what is wrong.
pub(crate) async fn check_groups(reader: &Reader<'_>) -> Result<Vec<(String, String, String)>, StoreError> {
    type Row = (String, String, String, i64, i64, i64, i64, i64, i64);
    let rows: Vec<Row> = reader.fetch_all(&CHECK_GROUPS, (0_i64,)).await?;
    let problem = |(tenant, group, state, size, held, confirmed, seats_held, seats_confirmed, twice): Row| {
        let problem = if (held, confirmed) != (seats_held, seats_confirmed) {
            format!("{held} held and {confirmed} confirmed, its seats are {seats_held} and {seats_confirmed}")
        } else if twice > 0 {
            format!("{twice} customers have more than one seat in it")
        } else {
            format!("it is {state} with {held} held and {confirmed} confirmed of {size}")
        };
        (tenant, group, problem)
    };
    Ok(rows.into_iter().map(problem).collect())
}
